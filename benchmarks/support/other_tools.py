"""Two tools that do part of the work, for comparison, if they are installed: `pip install '.[bench]'`.

frictionless checks a sheet of each workbook against a schema, and loads nothing. dlt loads rows that openpyxl reads,
under a contract on their columns and types, and checks nothing else. Neither uses cells, formats or history.
"""

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl

# Neither may send telemetry while it is measured.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

_TEXTS = ("Ref", "Sub", "Definition", "Good performance", "Unit")
_COLUMNS = (*_TEXTS, "Target", "Last year", "Last quarter", "Actual", "Marker", "Numerator", "Denominator", "Comment")
_NUMBERS = {"Target", "Last year", "Last quarter", "Actual", "Numerator", "Denominator"}
_LIMITS: dict[str, dict[str, Any]] = {
    "Ref": {"required": True},
    "Good performance": {"enum": ["HIGH", "LOW", "RANGE", "NONE"]},
    "Unit": {"enum": ["percent", "number", "rate"]},
    "Actual": {"minimum": 0},
}


def installed(name: str) -> bool:
    """Whether a tool can be imported."""
    return find_spec(name) is not None


def validate_with_frictionless(paths: Sequence[Path]) -> int:
    """Check the indicators sheet of each workbook; returns how many have an error."""
    from frictionless import Resource, Schema, system  # noqa: PLC0415 - may not be installed
    from frictionless.formats import ExcelControl  # noqa: PLC0415

    fields = [
        {"name": name, "type": "number" if name in _NUMBERS else "string", "constraints": _LIMITS.get(name, {})}
        for name in _COLUMNS
    ]
    schema = Schema.from_descriptor({"fields": fields})
    faulty = 0
    with system.use_context(trusted=True):
        for path in paths:
            resource = Resource(path=str(path), control=ExcelControl(sheet="Indicators"), schema=schema)
            faulty += not resource.validate().valid
    return faulty


def load_with_dlt(paths: Sequence[Path], url: str) -> int:
    """Load the indicators sheets of all workbooks, as one run of a pipeline; returns the number of rows."""
    import dlt  # noqa: PLC0415 - may not be installed

    columns: dict[str, Any] = {
        name: {"data_type": "double" if name in _NUMBERS else "text", "nullable": True} for name in _COLUMNS
    }
    # A figure that is text would become a separate column: it is left out, dlt's closest equivalent of a finding.
    contract = {"tables": "evolve", "columns": "discard_value", "data_type": "discard_value"}
    rows = dlt.resource(_rows(paths), name="figures", columns=columns, schema_contract=contract)
    with TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "returns", pipelines_dir=folder, destination=dlt.destinations.sqlalchemy(url), dataset_name="main"
        )
        pipeline.run(rows)
        counted: int = pipeline.last_trace.last_normalize_info.row_counts["figures"]
    return counted


def _rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in paths:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        names, *rows = book["Indicators"].iter_rows(values_only=True)
        book.close()
        for row in rows:
            yield {**dict(zip(names, row, strict=True)), "source_file": str(path)}
