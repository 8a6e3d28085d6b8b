"""Changes an .xlsx package in place, leaving untouched what is not marked."""
