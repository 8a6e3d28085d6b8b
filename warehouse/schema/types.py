"""Column types that behave alike on SQLite and PostgreSQL: moments in UTC, and text that both can store."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
"""A row's own number. SQLite only generates numbers in a column declared INTEGER."""


class Moment(TypeDecorator[datetime]):
    """A moment in UTC: `timestamptz` on PostgreSQL, `YYYY-MM-DD HH:MM:SS.ffffff` on SQLite, which sorts as text.

    Raises:
        ValueError: a moment without a time zone is bound, which would be ambiguous.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a moment to UTC, without a time zone if the database has none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a stored moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CleanText(TypeDecorator[str]):
    """Text as typed, except for what no database stores: NUL becomes U+FFFD, and half a surrogate pair `?`.

    Otherwise a hostile cell or a file name that is not UTF-8 would make the load fail instead of giving findings. The
    exact bytes are in the archive. A member of a code list is stored as its word.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        if value is None:
            return None
        value = str(value).replace("\0", "\ufffd")
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
