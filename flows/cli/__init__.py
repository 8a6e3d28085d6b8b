"""The command line, `cypp`."""
