"""The sheets of the workbook, a file for each or for a few that belong together."""
