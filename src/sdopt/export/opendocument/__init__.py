"""The workbook as .ods, made from the .xlsx itself."""
