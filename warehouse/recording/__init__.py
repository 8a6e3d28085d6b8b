"""Everything that writes to the warehouse."""
