"""Reads .xlsx and .xlsm workbooks."""
