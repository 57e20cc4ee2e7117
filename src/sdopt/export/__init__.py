"""From a `Result` to what people read: the results folder, the workbook, other formats and the picture."""
