"""Ingests many workbooks at once, in a pool of processes."""
