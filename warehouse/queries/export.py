"""The views as files: CSV that is safe to open in a spreadsheet, Parquet, and a data package that describes both."""

import csv
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Connection, select

from cypp_etl.escapes import for_csv
from warehouse.views.columns import Kind, View
from warehouse.views.dictionary import VIEWS
from warehouse.views.selectable import view

_CHUNK = 10_000
_PARQUET_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.DATE: "DATE",
    Kind.MOMENT: "TIMESTAMPTZ",
}
_PACKAGE_TYPES = {
    Kind.TEXT: "string",
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
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            exact = Path(temporary) / "exact.jsonl"
            _write_rows(connection, each, table, exact)
            _write_parquet(each, exact, parquet)
        resources += [_table_resource(each, table), _file_resource(each, parquet)]
        yield from (table, parquet)
    package = folder / "datapackage.json"
    package.write_text(json.dumps(_package(resources), ensure_ascii=False, indent=2) + "\n", "utf-8")
    yield package


def _write_rows(connection: Connection, described: View, table: Path, exact: Path) -> None:
    """Write rows as CSV for people, and as JSON lines for Parquet, which has no formulas."""
    names = [column.name for column in described.columns]
    rows = connection.execution_options(yield_per=_CHUNK).execute(select(view(described.name)))
    with table.open("w", encoding="utf-8", newline="") as csv_file, exact.open("w", encoding="utf-8") as json_file:
        writer = csv.writer(csv_file)
        writer.writerow(names)
        for row in rows:
            values = [_plain(value) for value in row]
            writer.writerow([for_csv(value) if isinstance(value, str) else value for value in values])
            json_file.write(json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    """A value that both files can hold: dates and moments in ISO 8601."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value


def _write_parquet(described: View, exact: Path, parquet: Path) -> None:
    columns = ", ".join(f"{_quoted(one.name)}: '{_PARQUET_TYPES[one.kind]}'" for one in described.columns)
    rows = f"read_json({_quoted(str(exact))}, format = 'newline_delimited', columns = {{{columns}}})"
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        target = f"TO {_quoted(str(parquet))} (FORMAT parquet, COMPRESSION zstd)"
        database.execute(f"COPY (SELECT * FROM {rows}) {target}")  # noqa: S608 (paths are quoted)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
