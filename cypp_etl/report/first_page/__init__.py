"""The first page: what to look at before anything else, of a report or of what its pages have."""
