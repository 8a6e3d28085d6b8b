"""Exports have the content of the views: complete in Parquet, safe in CSV, and described by a valid package."""

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas
import pyarrow
import pyarrow.csv
import pytest
import yaml
from pyarrow import parquet
from sqlalchemy import Engine, select

from cypp_etl.escapes import READ_AS_MISSING, for_csv
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from schemas.codes import Marker, Severity
from tests.warehouse.builders import checked, finding, later, observation
from tests.warehouse.full_warehouse import fill_every_view
from warehouse.engine import reading, writing
from warehouse.exports.files import export_views
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.stored_plans import plan_in_force
from warehouse.views.columns import Kind
from warehouse.views.dictionary import VIEWS
from warehouse.views.selectable import view as selectable

Fill = Callable[[Engine], None]
EVIL = '=HYPERLINK("http://x", "a\nb")'


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Engine, Fill], Path]:
    """What fills an empty warehouse and exports it, once for each system and filling."""
    folders: dict[tuple[str, Fill], Path] = {}

    def folder_of(engine: Engine, fill: Fill) -> Path:
        folder = folders.get((engine.dialect.name, fill))
        if folder is None:
            fill(engine)
            folder = folders[engine.dialect.name, fill] = tmp_path_factory.mktemp("exported") / "out"
            with reading(engine) as connection:
                written = list(export_views(connection, folder))
            assert written[-1].name == "datapackage.json"
            assert sorted(written) == sorted(folder.iterdir()), "nothing else is left behind"
        return folder

    return folder_of


@pytest.fixture
def folder(engine: Engine, exported: Callable[[Engine, Fill], Path]) -> Path:
    return exported(engine, with_a_return)


def with_a_return(engine: Engine) -> None:
    figures = [observation("NI 111a", "90", typed=EVIL), observation("NI 111b", Marker.NOT_AVAILABLE, typed="-")]
    found = (finding(Severity.QUERY),)
    record(engine, checked("a", *figures, file_name='@file,"quoted".xlsx', findings=found), read_plan(), later(0))


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


@pytest.mark.parametrize("has_plan", [False, True])
def test_a_warehouse_without_a_judgement_is_exported(
    engine: Engine, plan: Plan, tmp_path: Path, has_plan: bool
) -> None:
    if has_plan:
        with writing(engine) as connection:
            record_plan(connection, plan, later(0))
    with reading(engine) as connection:
        list(export_views(connection, tmp_path / "out"))
    for view in VIEWS:
        held = parquet.read_table(tmp_path / "out" / f"{view.name}.parquet")
        with (tmp_path / "out" / f"{view.name}.csv").open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        assert names == held.schema.names == [column.name for column in view.columns]
        assert held.schema.types == [_TYPES[column.kind] for column in view.columns]
        assert len(rows) == held.num_rows
        assert not (rows and view.name.startswith("bi_performance"))


MISSING = sorted(READ_AS_MISSING)


@pytest.fixture
def full(engine: Engine, exported: Callable[[Engine, Fill], Path]) -> Path:
    return exported(engine, with_rows_in_every_view)


def with_rows_in_every_view(engine: Engine) -> None:
    """Rows of every view, and every text that is read as missing, typed wherever somebody can type."""
    fill_every_view(engine)
    with reading(engine) as connection:
        in_force = plan_in_force(connection)
    assert in_force is not None
    for number, typed in enumerate(MISSING):
        found = replace(finding(Severity.QUERY, typed), value=typed, sheet=typed)
        figure = observation("NI 111a", "1", f"{2020 + number}-{21 + number}", typed=typed, sheet=typed)
        others = {"file_name": typed, "findings": (found,)}
        record(engine, checked(f"missing {number}", figure, **others), in_force, later(50 + number))


_TYPES = {
    Kind.TEXT: pyarrow.string(),
    Kind.CODE: pyarrow.string(),
    Kind.YES_NO: pyarrow.bool_(),
    Kind.INTEGER: pyarrow.int64(),
    Kind.NUMBER: pyarrow.float64(),
    Kind.DATE: pyarrow.date32(),
    Kind.MOMENT: pyarrow.timestamp("us", "UTC"),
}


def test_parquet_has_every_row_of_every_view(engine: Engine, tmp_path: Path) -> None:
    with_rows_in_every_view(engine)
    full = tmp_path / "full"
    with reading(engine) as connection:
        list(export_views(connection, full))
        for view in VIEWS:
            asked = connection.execute(select(selectable(view.name))).all()
            held = parquet.read_table(full / f"{view.name}.parquet")
            columns = [
                [{True: "yes", False: "no"}[cell] for cell in cells.to_pylist()]
                if column.kind is Kind.YES_NO
                else cells.to_pylist()
                for column, cells in zip(view.columns, held.columns, strict=True)
            ]
            written = sorted([str(cell) for cell in row] for row in zip(*columns, strict=True))
            assert written == sorted([str(cell) for cell in row] for row in asked), view.name


def test_both_files_have_the_same_in_types_that_fit(full: Path) -> None:
    for view in VIEWS:
        held = parquet.read_table(full / f"{view.name}.parquet")
        assert held.schema.types == [_TYPES[column.kind] for column in view.columns]
        stored = parquet.ParquetFile(full / f"{view.name}.parquet").metadata.row_group(0)
        for number, column in enumerate(view.columns):
            if column.kind is Kind.CODE:
                assert "RLE_DICTIONARY" in stored.column(number).encodings
        with (full / f"{view.name}.csv").open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        assert names == held.schema.names
        assert len(rows) == held.num_rows > 0
        for column, said in zip(view.columns, zip(*rows, strict=True), strict=True):
            values = held.column(column.name).to_pylist()
            assert [_read(text, column.kind) for text in said] == [_plain(value) for value in values], column.name


def _plain(value: object) -> object:
    return "" if value is None else for_csv(value) if isinstance(value, str) else value


_READ: dict[Kind, Callable[[str], object]] = {
    Kind.YES_NO: {"yes": True, "no": False}.__getitem__,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.DATE: date.fromisoformat,
    Kind.MOMENT: datetime.fromisoformat,
}


def _read(text: str, kind: Kind) -> object:
    return _READ.get(kind, str)(text) if text else ""


def test_no_program_takes_a_text_for_a_missing_value(full: Path) -> None:
    """What is missing for pandas, Arrow and DuckDB is what the view does not have."""
    for view in VIEWS:
        path = full / f"{view.name}.csv"
        held = parquet.read_table(full / f"{view.name}.parquet")
        absent = {
            name: [value is None or value == "" for value in held.column(name).to_pylist()]
            for name in held.schema.names
        }
        by_pandas = pandas.read_csv(path).isna()
        assert {name: by_pandas[name].tolist() for name in by_pandas} == absent, view.name
        texts = pyarrow.csv.ConvertOptions(
            strings_can_be_null=True, column_types=dict.fromkeys(absent, pyarrow.string())
        )
        by_arrow = pyarrow.csv.read_csv(
            path, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True), convert_options=texts
        )
        assert {name: by_arrow.column(name).is_null().to_pylist() for name in absent} == absent, view.name
        by_duckdb = duckdb.sql(f"SELECT * FROM read_csv('{path}', all_varchar = true, nullstr = '')")  # noqa: S608
        columns = zip(by_duckdb.columns, zip(*by_duckdb.fetchall(), strict=True), strict=True)
        assert {name: [value is None for value in values] for name, values in columns} == absent, view.name


def test_no_word_of_a_code_list_is_changed() -> None:
    words = {word for view in VIEWS for column in view.columns for word in column.words}
    assert {word for word in words if for_csv(word) != word} == set()


@pytest.mark.parametrize("text", MISSING)
def test_what_a_program_takes_for_missing_gets_an_apostrophe(text: str) -> None:
    assert for_csv(text) == f"'{text}"


@pytest.mark.parametrize("text", ["=1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "-1+1", "+1*2"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert for_csv(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-", "-1.10%", "+4", "-1,406.5", "a=b", "n.a.", "→"])
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


def test_the_package_has_keys_and_what_they_lead_to(folder: Path) -> None:
    resources = {one["name"]: one for one in json.loads((folder / "datapackage.json").read_text("utf-8"))["resources"]}
    for view in VIEWS:
        schema = resources[view.name.replace("_", "-")]["schema"]
        assert schema.get("primaryKey", []) == list(view.key)
        leading = {}
        for one in schema.get("foreignKeys", []):
            target = one["reference"]["resource"].replace("-", "_") or view.name
            (leading[one["fields"][0]],) = [(target, field) for field in one["reference"]["fields"]]
        assert leading == {
            name: (other, next(each.key[0] for each in VIEWS if each.name == other)) for name, other in view.references
        }


def test_dbt_gets_every_column_with_its_meaning_and_tests(folder: Path) -> None:
    (source,) = yaml.safe_load((folder / "schema.yml").read_text("utf-8"))["sources"]
    tables = {table["name"]: {column["name"]: column for column in table["columns"]} for table in source["tables"]}
    assert {name: list(columns) for name, columns in tables.items()} == {
        view.name: [column.name for column in view.columns] for view in VIEWS
    }
    assert all(column["description"] for columns in tables.values() for column in columns.values())
    assert tables["bi_partner"]["partner_code"]["data_tests"] == ["not_null", "unique"]
    leads = {"relationships": {"arguments": {"to": "source('cypp', 'bi_period')", "field": "period"}}}
    assert tables["bi_performance"]["previous_period"]["data_tests"] == [leads]
    words = {"accepted_values": {"arguments": {"values": ["ERROR", "QUERY", "NOTE"]}}}
    assert tables["bi_findings"]["severity"]["data_tests"] == [words]


def test_the_package_validates(folder: Path) -> None:
    frictionless = pytest.importorskip("frictionless", reason="frictionless is not installed")
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["type", "message"])
