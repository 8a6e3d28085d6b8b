"""Edits an .xlsx package, leaving everything that is not marked unchanged."""
