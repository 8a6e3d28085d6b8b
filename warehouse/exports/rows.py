"""A view's rows as CSV for people, and as Parquet, in which nothing is a formula: written in one pass."""

from collections.abc import Callable, Iterator, Mapping
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
from warehouse.exports.snapshot import ROWS, TYPES, Read
from warehouse.views.columns import Kind, View
from warehouse.views.definitions import Lookup, keyed_statement, lookups

_GROUP = 8 * ROWS
# A text that few rows repeat is a text. A code is stored by a dictionary, and read as a text: pandas would sort
# categories in the order in which they came.
_PARQUET_TYPES = TYPES | {Kind.TEXT: pyarrow.string(), Kind.YES_NO: pyarrow.bool_()}
_CSV_TYPES = TYPES | dict.fromkeys((Kind.TEXT, Kind.CODE, Kind.YES_NO, Kind.MOMENT), pyarrow.string())
_escaped = remembered(for_csv)


class _Column(NamedTuple):
    """A column's values as each kind of file has them."""

    parquet: Any
    csv: Any

    def take(self, places: Any) -> "_Column":
        """The values at places, where there is a place."""
        return _Column(self.parquet.take(places), self.csv.take(places))


class _LookedUp(NamedTuple):
    """What a lookup tells: columns, and the key at each of their places."""

    key: str
    keys: Any
    columns: dict[str, _Column]

    def columns_of(self, batch: Any) -> dict[str, _Column]:
        """Its columns for the rows of a batch."""
        keys = batch.column(self.key)
        places = compute.index_in(keys.dictionary, self.keys).take(keys.indices)
        return {name: column.take(places) for name, column in self.columns.items()}


def write_rows(connection: Connection, read: Read, view: View, table: Path, parquet: Path) -> None:
    """Write the rows of a view to a CSV and a Parquet file.

    Args:
        connection: a transaction that reads.
        read: reads by columns as of the same moment.
        view: the view.
        table: the CSV file.
        parquet: the Parquet file.

    Raises:
        OSError: a file cannot be written.
    """
    to_csv, to_parquet = (
        pyarrow.schema([(one.name, types[one.kind]) for one in view.columns]) for types in (_CSV_TYPES, _PARQUET_TYPES)
    )
    names = [column.name for column in view.columns]
    waiting: list[Any] = []
    with (
        CSVWriter(table, to_csv) as csv_file,
        ParquetWriter(parquet, to_parquet, compression="zstd", store_schema=False) as parquet_file,
        collection_paused(),
    ):
        for columns in _columns(connection, read, view):
            csv_file.write_batch(pyarrow.record_batch([columns[name].csv for name in names], to_csv))
            waiting.append(pyarrow.record_batch([columns[name].parquet for name in names], to_parquet))
            if len(waiting) == _GROUP // ROWS:
                _write_group(parquet_file, waiting)
        if waiting:
            _write_group(parquet_file, waiting)


def _columns(connection: Connection, read: Read, view: View) -> Iterator[dict[str, _Column]]:
    """The columns of a view, batch after batch; those of its lookups are read once."""
    dialect = connection.dialect.name
    kinds = {column.name: column.kind for column in view.columns}
    looked_up = [_looked_up(connection, read, each, kinds) for each in lookups(view.name, dialect)]
    told = {name for each in looked_up for name in each.columns}
    asked = {name: kind for name, kind in kinds.items() if name not in told}
    asked |= {each.key: Kind.CODE for each in looked_up}
    listed = ", ".join(f'"{name}"' for name in asked)
    query = f"SELECT {listed} FROM ({keyed_statement(view.name, dialect)}) v"  # noqa: S608 - SQL of our own
    for batch in read(query, asked):
        columns = {name: _COLUMNS[kind](batch.column(name)) for name, kind in asked.items() if name in kinds}
        for each in looked_up:
            columns |= each.columns_of(batch)
        yield columns


def _looked_up(connection: Connection, read: Read, lookup: Lookup, kinds: Mapping[str, Kind]) -> _LookedUp:
    names = connection.exec_driver_sql(f"SELECT * FROM ({lookup.query}) q WHERE 1 = 0").keys()  # noqa: S608 - our own
    asked = {name: kinds.get(name, Kind.CODE) for name in names}
    rows = pyarrow.Table.from_batches(read(lookup.query, asked)).unify_dictionaries().combine_chunks()
    columns = {name: rows.column(name).chunk(0) for name in asked}
    keys = columns.pop(lookup.key)
    told = {name: _COLUMNS[kinds[name]](values) for name, values in columns.items()}
    return _LookedUp(lookup.key, keys.dictionary.take(keys.indices), told)


def _write_group(file: ParquetWriter, waiting: list[Any]) -> None:
    file.write_table(pyarrow.Table.from_batches(waiting).unify_dictionaries(), _GROUP)
    waiting.clear()


def _as_they_are(values: Any) -> _Column:
    return _Column(values, values)


def _texts(values: Any) -> _Column:
    plain = values.dictionary.take(values.indices)
    return _Column(plain, _shown(values, plain))


def _codes(values: Any) -> _Column:
    return _Column(values, _shown(values, values.dictionary.take(values.indices)))


def _shown(values: Any, plain: Any) -> Any:
    """Texts as CSV has them, each of which is looked at once: `plain` itself where nothing is to be escaped."""
    texts = values.dictionary
    parts: list[Any] = []
    done = 0
    for place, text in enumerate(texts.to_pylist()):
        shown = _escaped(text)
        if shown != text:
            # To make an array of a list would import pandas, which takes a twentieth of a national export.
            parts += [texts[done:place], compute.utf8_replace_slice(texts[place : place + 1], 0, len(text), shown)]
            done = place + 1
    return pyarrow.concat_arrays([*parts, texts[done:]]).take(values.indices) if parts else plain


def _yes_or_no(values: Any) -> _Column:
    plain = values.dictionary.take(values.indices)
    return _Column(compute.starts_with(plain, "yes"), plain)


def _moments(values: Any) -> _Column:
    moments = values.dictionary_encode()
    # Arrow's seconds have their fraction.
    shown = compute.strftime(moments.dictionary, "%Y-%m-%dT%H:%M:%SZ")
    return _Column(values, shown.take(moments.indices))


_COLUMNS: dict[Kind, Callable[[Any], _Column]] = {
    Kind.TEXT: _texts,
    Kind.CODE: _codes,
    Kind.YES_NO: _yes_or_no,
    Kind.INTEGER: _as_they_are,
    Kind.NUMBER: _as_they_are,
    Kind.DATE: _as_they_are,
    Kind.MOMENT: _moments,
}
