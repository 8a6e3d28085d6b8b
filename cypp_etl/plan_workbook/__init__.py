"""The plan as an Excel workbook: written with lists and guidance, read, and handed back with its faults marked."""
