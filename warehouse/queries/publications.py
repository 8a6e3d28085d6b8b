"""Queries of the register of published reports."""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from warehouse.schema.tables import publication


def last_published(connection: Connection, before: datetime) -> RowMapping | None:
    """The report that was published before a moment and knew most: `period` and `known_at`; None if there was none."""
    columns = publication.c
    query = (
        select(columns.period, columns.known_at)
        .where(columns.known_at < before, columns.published_at < before)
        .order_by(columns.known_at.desc(), columns.publication_id.desc())
        .limit(1)
    )
    return connection.execute(query).mappings().first()
