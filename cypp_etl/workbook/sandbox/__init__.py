"""Reads other formats, and large files, in a child process that can be stopped."""
