"""Decisions about single submissions: to withdraw one, erase its content, or release its texts."""
