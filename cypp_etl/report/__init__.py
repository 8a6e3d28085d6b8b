"""The board report: one HTML file and an Excel edition, from the warehouse's data."""
