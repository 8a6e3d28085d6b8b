"""Receipts: the partner's own workbook with every finding in its cell, or a page where it cannot be marked."""
