"""The views as sources of dbt: what tables and columns mean, and tests of keys, what they lead to, and words."""

from typing import Any

import yaml

from warehouse.views.columns import View, ViewColumn
from warehouse.views.comments import meaning_of
from warehouse.views.dictionary import VIEWS

SOURCE = "cypp"
"""The name by which models of dbt call the warehouse: `source('cypp', 'bi_performance')`."""


def dbt_sources() -> str:
    """`schema.yml`, for models of dbt 1.10 or later, on the warehouse itself or on exported Parquet."""
    source = {
        "name": SOURCE,
        "description": "The views of the CYPP warehouse. Moments are in UTC.",
        # With dbt-duckdb: the exported files, beside the project.
        "config": {"meta": {"external_location": "{name}.parquet"}},
        "tables": [_table(view) for view in VIEWS],
    }
    text: str = yaml.safe_dump({"version": 2, "sources": [source]}, allow_unicode=True, sort_keys=False, width=120)
    return text


def _table(view: View) -> dict[str, Any]:
    key = f" Its key: {', '.join(view.key)}." if len(view.key) > 1 else ""
    return {
        "name": view.name,
        "description": f"A row is {view.row}.{key}",
        "columns": [_column(view, column) for column in view.columns],
    }


def _column(view: View, column: ViewColumn) -> dict[str, Any]:
    tests: list[str | dict[str, Any]] = []
    if column.name in view.key:
        tests += ["not_null"] if len(view.key) > 1 else ["not_null", "unique"]
    if other := dict(view.references).get(column.name):
        (key,) = next(each.key for each in VIEWS if each.name == other)
        tests.append({"relationships": {"arguments": {"to": f"source('{SOURCE}', '{other}')", "field": key}}})
    if column.words:
        tests.append({"accepted_values": {"arguments": {"values": list(column.words)}}})
    described = {"name": column.name, "description": meaning_of(column)}
    return described | ({"data_tests": tests} if tests else {})
