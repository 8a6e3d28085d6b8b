"""Queries of the warehouse. Nothing here writes."""
