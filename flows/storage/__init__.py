"""The bytes that were dropped, kept under their SHA-256 with a note of who dropped them, and how files are opened."""
