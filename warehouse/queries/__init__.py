"""Questions asked of the warehouse. Nothing here writes."""
