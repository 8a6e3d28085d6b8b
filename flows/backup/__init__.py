"""Backups of a home: made while it is at work, checked, and restored."""
