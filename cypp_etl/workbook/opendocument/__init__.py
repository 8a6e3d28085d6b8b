"""Reads OpenDocument spreadsheets (.ods)."""
