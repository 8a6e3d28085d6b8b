"""Blank return forms for partners."""
