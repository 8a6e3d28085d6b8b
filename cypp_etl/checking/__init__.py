"""Checks a workbook from opening to the last rule, in this process or in a child that can be stopped."""
