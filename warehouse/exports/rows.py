"""A view's rows as CSV for people, and as Parquet, in which nothing is a formula: written in one pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
from pyarrow import compute
from pyarrow.csv import CSVWriter
from pyarrow.parquet import ParquetWriter
from sqlalchemy import Connection

from cypp_etl.caching import remembered
from cypp_etl.escapes import for_csv
from cypp_etl.gc_control import collection_paused
from warehouse.views.columns import Kind, View

_ROWS = 16_384
_GROUP = 8 * _ROWS
_TEXTS = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
_PARQUET_TYPES = {
    Kind.TEXT: pyarrow.string(),
    # Stored by a dictionary, and read as texts: pandas would sort categories in the order in which they came.
    Kind.CODE: _TEXTS,
    Kind.YES_NO: pyarrow.bool_(),
    Kind.INTEGER: pyarrow.int64(),
    # Doubles are what the tables hold: fifteen digits, which come back exactly.
    Kind.NUMBER: pyarrow.float64(),
    Kind.DATE: pyarrow.date32(),
    Kind.MOMENT: pyarrow.timestamp("us", "UTC"),
}
_CSV_TYPES = _PARQUET_TYPES | dict.fromkeys((Kind.CODE, Kind.YES_NO, Kind.MOMENT), pyarrow.string())
_escaped = remembered(for_csv)


class _Column(NamedTuple):
    """A column's values as each kind of file has them."""

    parquet: Any
    csv: Any


def write_rows(connection: Connection, view: View, table: Path, parquet: Path) -> None:
    """Write the rows of a view to a CSV and a Parquet file.

    Raises:
        OSError: a file cannot be written.
    """
    to_csv, to_parquet = (
        pyarrow.schema([(one.name, types[one.kind]) for one in view.columns]) for types in (_CSV_TYPES, _PARQUET_TYPES)
    )
    kinds = [one.kind for one in view.columns]
    waiting: list[Any] = []
    with (
        CSVWriter(table, to_csv) as csv_file,
        ParquetWriter(parquet, to_parquet, compression="zstd", store_schema=False) as parquet_file,
        collection_paused(),
    ):
        for rows in _batches(connection, view):
            columns = [_COLUMNS[kind](values) for kind, values in zip(kinds, zip(*rows, strict=True), strict=True)]
            csv_file.write_batch(pyarrow.record_batch([column.csv for column in columns], to_csv))
            waiting.append(pyarrow.record_batch([column.parquet for column in columns], to_parquet))
            if len(waiting) == _GROUP // _ROWS:
                _write_group(parquet_file, waiting)
        if waiting:
            _write_group(parquet_file, waiting)


def _batches(connection: Connection, view: View) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows as the driver gives them: SQLite has texts for dates and moments, PostgreSQL has the objects.

    SQLAlchemy's own rows and types take longer than all else together.
    """
    names = ", ".join(f'"{one.name}"' for one in view.columns)
    # PostgreSQL sends all rows at once, unless the cursor has a name.
    named = {"name": "cypp_export"} if connection.dialect.name == "postgresql" else {}
    with closing(connection.connection.cursor(**named)) as cursor:
        cursor.execute(f"SELECT {names} FROM {view.name}")  # noqa: S608 - names of our own
        while rows := cursor.fetchmany(_ROWS):
            yield rows


def _write_group(file: ParquetWriter, waiting: list[Any]) -> None:
    file.write_table(pyarrow.Table.from_batches(waiting).unify_dictionaries(), _GROUP)
    waiting.clear()


def _whole(values: Sequence[Any], kind: Kind) -> _Column:
    array = pyarrow.array(values, _PARQUET_TYPES[kind])
    return _Column(array, array)


def _texts(values: Sequence[Any]) -> _Column:
    array = pyarrow.array(values, _TEXTS)
    plain = _unfolded(array.dictionary, array.indices)
    return _Column(plain, _shown(array, plain))


def _codes(values: Sequence[Any]) -> _Column:
    array = pyarrow.array(values, _TEXTS)
    return _Column(array, _shown(array, _unfolded(array.dictionary, array.indices)))


def _shown(array: Any, plain: Any) -> Any:
    """Texts as CSV has them, each of which is looked at once: `plain` itself where nothing is to be escaped."""
    texts = array.dictionary.to_pylist()
    shown = [_escaped(text) for text in texts]
    return plain if shown == texts else _unfolded(pyarrow.array(shown, pyarrow.string()), array.indices)


def _yes_or_no(values: Sequence[Any]) -> _Column:
    plain = pyarrow.array(values, pyarrow.string())
    return _Column(compute.equal(plain, "yes"), plain)


def _dates(values: Sequence[Any]) -> _Column:
    days = _read(values, pyarrow.date32())
    return _Column(days, days)


def _moments(values: Sequence[Any]) -> _Column:
    moments = _read(values, _PARQUET_TYPES[Kind.MOMENT]).dictionary_encode()
    shown = pyarrow.array(map(_shown_moment, moments.dictionary.to_pylist()), pyarrow.string())
    return _Column(_unfolded(moments.dictionary, moments.indices), _unfolded(shown, moments.indices))


def _read(values: Sequence[Any], kind: Any) -> Any:
    """Days or moments in UTC, from objects or from the texts that SQLite has for them."""
    if not isinstance(next((value for value in values if value is not None), None), str):
        return pyarrow.array(values, kind)
    texts = pyarrow.array(values, _TEXTS)
    read = texts.dictionary.cast(kind if pyarrow.types.is_date(kind) else pyarrow.timestamp("us"))
    return _unfolded(read.cast(kind), texts.indices)


def _unfolded(values: Any, indices: Any) -> Any:
    return values.take(indices)


def _shown_moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_COLUMNS: dict[Kind, Callable[[Sequence[Any]], _Column]] = {
    Kind.TEXT: _texts,
    Kind.CODE: _codes,
    Kind.YES_NO: _yes_or_no,
    Kind.INTEGER: lambda values: _whole(values, Kind.INTEGER),
    Kind.NUMBER: lambda values: _whole(values, Kind.NUMBER),
    Kind.DATE: _dates,
    Kind.MOMENT: _moments,
}
