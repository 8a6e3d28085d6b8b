"""Queries of the register of published reports."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from warehouse.schema.tables import publication


def last_known_at(connection: Connection, before: datetime) -> datetime | None:
    """The moment up to which the last report published before `before` was made; None if there was none."""
    columns = publication.c
    query = select(func.max(columns.known_at)).where(columns.known_at < before, columns.published_at < before)
    known_at: datetime | None = connection.scalar(query)
    return known_at
