"""The migrations. A revision is written once and never changed; each has its own file."""

HEAD = "0009"
"""The newest revision. Known here so that a warehouse that is up to date is recognised without loading Alembic."""
