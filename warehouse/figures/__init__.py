"""Figures in force, and what judging says of them: for queries, which show it, and for recording, which keeps it."""
