"""The SQL of the views that BI tools read, and who may read them."""
