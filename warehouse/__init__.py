"""The store: tables and their migrations, loading, reading, and the views that BI tools use.

The only package with SQL. All writes happen inside `engine.writing`, one writer at a time;
all reads happen inside `engine.reading`, on one snapshot.
"""
