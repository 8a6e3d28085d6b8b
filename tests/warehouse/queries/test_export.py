"""Exports have the content of the views: complete in Parquet, safe in CSV, and described by a valid package."""

import csv
import hashlib
import json
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Engine

from cypp_etl.escapes import for_csv
from cypp_etl.plan.model import Plan
from schemas.codes import Marker, Severity
from tests.warehouse.builders import checked, finding, later, observation
from warehouse.engine import reading
from warehouse.queries.export import export_views
from warehouse.recording.record import record
from warehouse.views.dictionary import VIEWS

EVIL = '=HYPERLINK("http://x", "a\nb")'


@pytest.fixture
def folder(engine: Engine, plan: Plan, tmp_path: Path) -> Path:
    figures = [observation("NI 111a", "90", typed=EVIL), observation("NI 111b", Marker.NOT_AVAILABLE, typed="-")]
    found = (finding(Severity.QUERY),)
    record(engine, checked("a", *figures, file_name='@file,"quoted".xlsx', findings=found), plan, later(0))
    with reading(engine) as connection:
        written = list(export_views(connection, tmp_path / "out"))
    assert written[-1].name == "datapackage.json"
    assert sorted(written) == sorted((tmp_path / "out").iterdir()), "nothing else is left behind"
    return tmp_path / "out"


def test_parquet_holds_what_the_views_hold(folder: Path) -> None:
    query = "SELECT actual, actual_text, marker, source_file, recorded_at FROM {} ORDER BY indicator"
    rows = duckdb.sql(query.format(f"'{folder / 'bi_performance.parquet'}'")).fetchall()
    assert rows[0][:4] == (90.0, EVIL, None, '@file,"quoted".xlsx')
    assert rows[1][:3] == (None, "-", "not available")
    assert rows[0][4] == later(0)


def test_csv_runs_nothing_in_a_spreadsheet(folder: Path) -> None:
    with (folder / "bi_performance.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["actual_text"], rows[0]["source_file"]) == (f"'{EVIL}", '\'@file,"quoted".xlsx')
    assert rows[1]["actual_text"] == "-"
    assert rows[0]["recorded_at"] == "2010-07-01T12:00:00.000000Z"


@pytest.mark.parametrize("text", ["=1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "-1+1", "+1*2"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert for_csv(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-", "-1.10%", "+4", "-1,406.5", "a=b", "N/A", "→"])
def test_a_figure_or_a_word_stays_as_it_is(text: str) -> None:
    assert for_csv(text) == text


def test_the_package_describes_every_file(folder: Path) -> None:
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    assert {resource["path"] for resource in package["resources"]} == {
        f"{view.name}.{ending}" for view in VIEWS for ending in ("csv", "parquet")
    }
    for resource in package["resources"]:
        content = (folder / resource["path"]).read_bytes()
        assert (resource["bytes"], resource["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")


def test_the_package_validates(folder: Path) -> None:
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["type", "message"])
