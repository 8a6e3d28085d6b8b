"""Ingests one workbook: find it, record it, send the receipt, remove it from the inbox."""
