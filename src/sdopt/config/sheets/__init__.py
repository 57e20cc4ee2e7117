"""Tables that people fill in, from .xlsx or .csv in Dutch or English notation: as text with places."""
