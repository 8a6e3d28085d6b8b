"""The groups of partners in the report: the figure of each group, and its members, ranked."""
