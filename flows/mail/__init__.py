"""Receipts by e-mail: the settings, who may be written to, and what waits to be sent."""
