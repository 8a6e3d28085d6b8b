"""Prefect's server, started and guarded by us: who may ask it, from which page, and who is signed in."""
