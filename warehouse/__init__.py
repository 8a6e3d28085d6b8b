"""The store: tables and their migrations, loading, reading, and the views that BI tools use.

The only package that knows SQL. Everything that writes happens inside `engine.writing`, one writer at a time;
everything that reads happens inside `engine.reading`, on one snapshot.
"""
