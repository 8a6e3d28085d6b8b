"""The Frictionless data package of an export: files, types and meanings of columns, keys and what they lead to."""

import hashlib
import json
from pathlib import Path
from typing import Any

from warehouse.views.columns import Kind, View, ViewColumn
from warehouse.views.dictionary import VIEWS

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.CODE: {"type": "string"},
    Kind.YES_NO: {"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.DATE: {"type": "date"},
    Kind.MOMENT: {"type": "datetime", "format": "any"},
}


def data_package(folder: Path) -> str:
    """`datapackage.json` of the exported files in a folder.

    Raises:
        OSError: one of them cannot be read.
    """
    resources: list[dict[str, Any]] = []
    for view in VIEWS:
        resources += [_table(view, folder / f"{view.name}.csv"), _parquet(view, folder / f"{view.name}.parquet")]
    package = {
        "name": "cypp-warehouse",
        "title": "Performance of a Children and Young People's Plan",
        "description": "The views of the CYPP warehouse, as docs/warehouse.md describes them. Moments are in UTC. In "
        "the CSV files a text that a spreadsheet would run as a formula, or that a program would take for a missing "
        "value, has an apostrophe before it; the Parquet files have every text as it is.",
        "profile": "data-package",
        "resources": resources,
    }
    return json.dumps(package, ensure_ascii=False, indent=2) + "\n"


def _table(view: View, path: Path) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": [_field(column) for column in view.columns], "missingValues": [""]}
    if view.key:
        schema["primaryKey"] = list(view.key)
    if view.references:
        schema["foreignKeys"] = [_foreign_key(view, name, other) for name, other in view.references]
    return {
        **_file(_resource_name(view.name), view, path),
        "profile": "tabular-data-resource",
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }


def _foreign_key(view: View, name: str, other: str) -> dict[str, Any]:
    (key,) = next(each.key for each in VIEWS if each.name == other)
    # The empty name is the resource itself.
    resource = "" if other == view.name else _resource_name(other)
    return {"fields": [name], "reference": {"resource": resource, "fields": [key]}}


def _field(column: ViewColumn) -> dict[str, Any]:
    unit = f" (in {column.unit})" if column.unit else ""
    field = {"name": column.name, **_TYPES[column.kind], "description": column.meaning + unit}
    return field | ({"constraints": {"enum": list(column.words)}} if column.words else {})


def _parquet(view: View, path: Path) -> dict[str, Any]:
    resource = _file(_resource_name(view.name) + "-parquet", view, path)
    return {**resource, "type": "file", "format": "parquet", "mediatype": "application/vnd.apache.parquet"}


def _file(name: str, view: View, path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "name": name,
        "path": path.name,
        "description": f"A row is {view.row}.",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
    }


def _resource_name(view: str) -> str:
    return view.replace("_", "-")
