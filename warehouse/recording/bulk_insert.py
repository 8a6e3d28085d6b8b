"""Inserts rows by the thousand: tuples passed directly to the driver, several times as fast as dictionaries.

Values are bound here, column by column, and sent to PostgreSQL by COPY; everything else is plain SQLAlchemy,
including the errors.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice, repeat
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

_ROWS_AT_ONCE = 10_000
"""How many rows are turned to columns at once: of many more, that would take longer than to insert them."""


def insert_rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    common: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows, in a transaction of `engine.writing`.

    Args:
        connection: the transaction.
        table: the table.
        names: the columns of the rows, in their order. Other columns get the database's default.
        rows: the values; members of code lists as plain words.
        common: columns with the same value in every row, and that value.
    """
    left = iter(rows)
    while few := list(islice(left, _ROWS_AT_ONCE)):
        _insert_few(connection, table, dict(zip(names, zip(*few, strict=True), strict=True)), common or {})


def insert_columns(
    connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]], common: Mapping[str, Any] | None = None
) -> None:
    """Do as `insert_rows`, with the values of each column by its name.

    Raises:
        ValueError: the columns are not all of one length.
    """
    (count,) = set(map(len, columns.values()))
    for start in range(0, count, _ROWS_AT_ONCE):
        few = {name: values[start : start + _ROWS_AT_ONCE] for name, values in columns.items()}
        _insert_few(connection, table, few, common or {})


def _insert_few(
    connection: Connection, table: Table, held: Mapping[str, Sequence[Any]], common: Mapping[str, Any]
) -> None:
    fixed = tuple(_binder(connection.dialect, table, name)(value) for name, value in common.items())
    columns_bound: list[Iterable[Any]] = []
    for name, values in held.items():
        if (binder := _binder(connection.dialect, table, name)) is _as_is:
            columns_bound.append(values)
        else:
            # Most rows have the same words: each is bound once.
            bound = {value: binder(value) for value in set(values)}
            columns_bound.append(map(bound.__getitem__, values))
    columns = (*held, *common)
    bound_rows = list(zip(*columns_bound, *map(repeat, fixed), strict=False))
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", bound_rows)
        return
    places = ", ".join("?" * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})", bound_rows)  # noqa: S608 - names of our own tables


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    driver: Any = connection.dialect.dbapi
    driven: Any = connection.connection
    try:
        with driven.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as fault:
        # SQLAlchemy does not see errors of the driver's own cursor.
        raise DBAPIError.instance(statement, None, fault, driver.Error, dialect=connection.dialect) from fault


def _as_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=512)
def _binder(dialect: Dialect, table: Table, name: str) -> Any:
    """The column type's function that converts a value for the driver."""
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect) or _as_is
