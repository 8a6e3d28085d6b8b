"""The migrations. A revision is written once and never changed; each has its own file."""

HEAD = "0024"
"""The newest revision, so that an up-to-date warehouse is recognised without loading Alembic."""
