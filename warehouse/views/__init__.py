"""The SQL of the views for BI tools, and the role that can read them."""
