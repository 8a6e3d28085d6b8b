"""What the tables are made of: kinds of columns, and how a row begins and ends."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, MetaData, Text, text

from warehouse.schema.types import ROW_ID, CleanText, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_id(name: str) -> Column[int]:
    """A row's own number, counted up by the database."""
    return Column(name, ROW_ID, primary_key=True)


def refers(name: str, target: str | Column[int], **options: Any) -> Column[int]:
    """The number of another table's row."""
    return Column(name, ROW_ID, ForeignKey(target), **options)


def word(name: str, **options: Any) -> Column[str]:
    """A text as somebody typed it, that is there, if only as an empty string, unless `nullable`."""
    return Column(name, CleanText, **({"nullable": False} | options))


def code(name: str, **options: Any) -> Column[str]:
    """A word of the plan's or of a code list's, which needs no cleaning, that is there unless `nullable`."""
    return Column(name, Text, **({"nullable": False} | options))


def number(name: str) -> Column[float]:
    """A double: every value has at most 15 significant digits, so that its decimal comes back exactly."""
    return Column(name, Float(53))


def life() -> tuple[Column[Any], Column[Any], CheckConstraint]:
    """When a row began to be in force, and when it ended."""
    return (
        Column("recorded_at", Moment, nullable=False),
        Column("superseded_at", Moment),
        CheckConstraint("superseded_at >= recorded_at", name="life"),
    )


def one_in_force(name: str, *columns: str, condition: str = "superseded_at IS NULL") -> Index:
    """At most one row in force per key; also the index by which what is in force is looked up."""
    where = text(condition)
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


def in_force(name: str, *columns: str) -> Index:
    """An index of the rows in force."""
    where = text("superseded_at IS NULL")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def ended(name: str, *columns: str) -> Index:
    """An index of the rows that have ended, of which there are few."""
    where = text("superseded_at IS NOT NULL")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)
