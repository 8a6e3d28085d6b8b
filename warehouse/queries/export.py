"""The views as files: CSV that is safe to open in a spreadsheet, Parquet, and a data package that describes both."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow.parquet import ParquetWriter
from sqlalchemy import Connection, select

from cypp_etl.caching import remembered
from cypp_etl.escapes import for_csv
from warehouse.views.columns import Kind, View
from warehouse.views.dictionary import VIEWS
from warehouse.views.selectable import view

_CHUNK = 20_000
_PARQUET_TYPES = {
    Kind.TEXT: pyarrow.string(),
    Kind.CODE: pyarrow.string(),
    Kind.YES_NO: pyarrow.string(),
    Kind.INTEGER: pyarrow.int64(),
    # Doubles are what the tables hold: fifteen digits, which come back exactly.
    Kind.NUMBER: pyarrow.float64(),
    Kind.DATE: pyarrow.date32(),
    Kind.MOMENT: pyarrow.timestamp("us", "UTC"),
}
_PACKAGE_TYPES = {
    Kind.TEXT: "string",
    Kind.CODE: "string",
    Kind.YES_NO: "string",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.DATE: "date",
    Kind.MOMENT: "datetime",
}


def export_views(connection: Connection, folder: Path) -> Iterator[Path]:
    """Write every view as CSV and Parquet, and `datapackage.json` last; yield each path when it is complete.

    All views are of one moment if the connection is a transaction of `engine.reading`.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    resources: list[dict[str, Any]] = []
    for each in VIEWS:
        table, parquet = folder / f"{each.name}.csv", folder / f"{each.name}.parquet"
        _write_rows(connection, each, table, parquet)
        resources += [_table_resource(each, table), _file_resource(each, parquet)]
        yield from (table, parquet)
    package = folder / "datapackage.json"
    package.write_text(json.dumps(_package(resources), ensure_ascii=False, indent=2) + "\n", "utf-8")
    yield package


def _write_rows(connection: Connection, described: View, table: Path, parquet: Path) -> None:
    """Write a view's rows in one pass: as CSV for people, and as Parquet, in which nothing is a formula."""
    schema = pyarrow.schema([(one.name, _PARQUET_TYPES[one.kind]) for one in described.columns])
    rows = connection.execution_options(yield_per=_CHUNK).execute(select(view(described.name)))
    with (
        table.open("w", encoding="utf-8", newline="") as csv_file,
        ParquetWriter(parquet, schema, compression="zstd") as parquet_file,
    ):
        writer = csv.writer(csv_file)
        writer.writerow(schema.names)
        for few in rows.partitions():
            columns = list(zip(*few, strict=True))
            arrays = [pyarrow.array(values, one.type) for values, one in zip(columns, schema, strict=True)]
            parquet_file.write_batch(pyarrow.record_batch(arrays, schema))
            shown = [_shown(held, one.kind) for held, one in zip(columns, described.columns, strict=True)]
            writer.writerows(zip(*shown, strict=True))


def _shown(values: Sequence[Any], kind: Kind) -> Iterable[Any]:
    """A column as CSV has it. Most rows repeat the same words, days and moments: each is looked at once."""
    show = _SHOWN.get(kind)
    if show is None:
        return values
    as_shown = {value: value if value is None else show(value) for value in set(values)}
    if all(text == value for value, text in as_shown.items()):
        return values
    return map(as_shown.__getitem__, values)


def _shown_moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_SHOWN: Mapping[Kind, Callable[[Any], str]] = {
    Kind.TEXT: remembered(for_csv),
    Kind.CODE: remembered(for_csv),
    Kind.DATE: date.isoformat,
    Kind.MOMENT: _shown_moment,
}


def _package(resources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "cypp-warehouse",
        "title": "Performance of a Children and Young People's Plan",
        "description": "The views of the CYPP warehouse, as docs/warehouse.md describes them. Moments are in UTC. In "
        "the CSV files a text that a spreadsheet would run as a formula has an apostrophe before it; the Parquet "
        "files have every text as it is.",
        "profile": "data-package",
        "resources": list(resources),
    }


def _table_resource(described: View, path: Path) -> dict[str, Any]:
    fields = [_field(column.name, column.kind, column.meaning, column.unit) for column in described.columns]
    return {
        **_file(described.name.replace("_", "-"), described, path),
        "profile": "tabular-data-resource",
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": fields, "missingValues": [""]},
    }


def _field(name: str, kind: Kind, meaning: str, unit: str) -> dict[str, str]:
    field = {"name": name, "type": _PACKAGE_TYPES[kind], "description": meaning + (f" (in {unit})" if unit else "")}
    return field | ({"format": "any"} if kind is Kind.MOMENT else {})


def _file_resource(described: View, path: Path) -> dict[str, Any]:
    resource = _file(described.name.replace("_", "-") + "-parquet", described, path)
    return {**resource, "type": "file", "format": "parquet", "mediatype": "application/vnd.apache.parquet"}


def _file(name: str, described: View, path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "name": name,
        "path": path.name,
        "description": f"A row is {described.row}.",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
    }
