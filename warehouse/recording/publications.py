"""The register of published reports: what the Board received, and up to which moment it was known."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from cypp_etl.periods import Period
from warehouse.schema.tables import publication


@dataclass(frozen=True, slots=True)
class Publication:
    """A published report, as known at `known_at`; `sha256` is that of its page, or of its pages one after the other."""

    period: Period
    known_at: datetime
    sha256: str
    published_at: datetime


def record_publication(connection: Connection, published: Publication) -> None:
    """Record that a report was published, in a transaction of `engine.writing`."""
    values = {name: getattr(published, name) for name in Publication.__dataclass_fields__}
    connection.execute(insert(publication).values(values | {"period": published.period.code}))
