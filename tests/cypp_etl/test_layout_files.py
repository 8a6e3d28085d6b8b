"""The layouts that a plan brings: added to the built-in ones or in their place, and every fault with its cell."""

import pickle
import re
from importlib.resources import files

import pytest

from cypp_etl.layout import read_layouts
from cypp_etl.plan.reader import PlanError, plan_of, read_plan
from cypp_etl.plan.tables import read_files
from tests.support.layouts import COLUMNS, SHEETS, plan_with_layouts, table_of
from tests.support.plans import copy_shipped_plan

COVER = {"layout": "ours", "part": "cover", "sheet": "Front", "kind": "anywhere"}
TABLE = {"layout": "ours", "part": "indicators", "sheet": "Data", "kind": "table"}
PERIOD = {"layout": "ours", "part": "cover", "column": "period", "heading": "For"}
REF = {"layout": "ours", "part": "indicators", "column": "ref", "heading": "Code"}
ACTUAL = {"layout": "ours", "part": "indicators", "column": "actual", "heading": "Q{quarter}"}
WHOLE = ([COVER, TABLE], [PERIOD, REF, ACTUAL])


def faults_of(sheets, columns):
    with pytest.raises(PlanError) as error:
        plan_with_layouts(sheets, columns)
    return [(one.file, one.row, one.column, one.message) for one in error.value.faults]


def test_a_layout_is_added_and_the_built_in_ones_stay():
    layouts = plan_with_layouts(*WHOLE).layouts
    assert list(layouts) == [*read_layouts(), "ours"]
    assert [column.column for column in layouts["ours"].part("indicators").columns] == ["ref", "actual"]
    assert layouts["ours"].part("indicators").is_dated
    assert not layouts["return"].part("indicators").is_dated


def test_a_row_with_a_built_in_key_takes_its_place():
    actual = {
        **{"layout": "return", "part": "indicators", "column": "actual", "heading": "Outturn", "width": "13"},
        **{"spellings": "Achieved", "is_required": "yes", "is_entry": "yes"},
    }
    changed = plan_of(read_files(None) | {COLUMNS: table_of(COLUMNS, [actual])}).layouts["return"].part("indicators")
    built_in = read_layouts()["return"].part("indicators")
    assert [column.column for column in changed.columns] == [column.column for column in built_in.columns]
    assert changed.column("actual").match("achieved") is not None
    assert changed.column("actual").match("Actual figure") is None


def test_the_built_in_tables_may_be_copied_to_begin_with():
    folder = files("cypp_etl").joinpath("layouts")
    copied = {f"layouts/{name}": folder.joinpath(name).read_bytes() for name in ("layouts.csv", "columns.csv")}
    assert repr(plan_of(read_files(None) | copied).layouts) == repr(read_layouts())


def test_a_plan_without_layouts_keeps_its_fingerprint_and_one_with_them_has_another(tmp_path):
    copy_shipped_plan(tmp_path)
    assert read_plan(tmp_path).fingerprint == read_plan().fingerprint
    (tmp_path / "layouts").mkdir()
    assert read_plan(tmp_path).fingerprint == read_plan().fingerprint
    (tmp_path / SHEETS).write_bytes(table_of(SHEETS, WHOLE[0]))
    (tmp_path / COLUMNS).write_bytes(table_of(COLUMNS, WHOLE[1]))
    plan = read_plan(tmp_path)
    assert plan.fingerprint != read_plan().fingerprint
    assert {SHEETS, COLUMNS} <= plan.files.keys()
    assert plan_of(plan.files).fingerprint == plan.fingerprint


def test_another_process_gets_the_layouts_with_the_plan():
    sent = pickle.loads(pickle.dumps(plan_with_layouts(*WHOLE)))  # noqa: S301 - our own
    assert sent.layouts["ours"].part("cover").column("period").match("for:") == {}


@pytest.mark.parametrize("name", ["words.csv", "README.md", "columns.csv.bak"])
def test_a_file_that_would_be_ignored_is_a_fault(name):
    with pytest.raises(
        PlanError, match=rf"layouts/{name}: would be ignored: layouts/ holds layouts.csv and columns.csv"
    ):
        plan_of(read_files(None) | {f"layouts/{name}": b"anything"})


FAULTS = [
    ("part", COVER | {"part": "table"}, '"table" is not one of cover, indicators, milestones'),
    ("kind", COVER | {"kind": "banded"}, '"banded" is no kind of a cover: it is labels or anywhere'),
    ("kind", TABLE | {"kind": "labels"}, '"labels" is no kind of indicators: it is table, banded or anywhere'),
    ("header_rows", TABLE | {"header_rows": "4"}, '"4" is not one of 1, 2, 3'),
    ("sheet", COVER | {"sheet": "{outcome}"}, '"{outcome}" means nothing here: it may have none'),
    ("sheet", TABLE | {"sheet": "{year}"}, '"{year}" means nothing here: it may have {outcome}'),
    ("partner_code", TABLE | {"partner_code": "fire"}, '"fire" is not in partners.csv'),
    ("layout", TABLE | {"layout": "receipt"}, '"receipt" is what the program itself writes: a plan cannot change it'),
]  # fmt: skip


@pytest.mark.parametrize(("column", "row", "message"), FAULTS, ids=[f"{one[0]} {one[2][:20]}" for one in FAULTS])
def test_a_fault_of_a_sheet_has_its_cell(column, row, message):
    place = 2 if row["part"] != "indicators" else 3
    sheets = [row, TABLE] if place == 2 else [COVER, row]
    assert (SHEETS, place, column, message) in faults_of(sheets, WHOLE[1])


COLUMN_FAULTS = [
    ("column", {**ACTUAL, "column": "value"}, '"value" is not one of ref, sub, '),
    ("part", {**ACTUAL, "layout": "theirs"}, '"indicators" of theirs is not in layouts/layouts.csv'),
    ("heading", {**ACTUAL, "heading": "Q{qarter}"}, '"{qarter}" means nothing here: it may have {quarter}, {year}'),
    ("heading", {**REF, "heading": "Code {year}"}, '"{year}" means nothing here: it may have none'),
    ("heading", {**ACTUAL, "heading": "code"}, '"code" is also a heading of the column ref'),
    ("is_required", {**ACTUAL, "is_required": "ja"}, '"ja" is not one of yes, no'),
]


@pytest.mark.parametrize(
    ("column", "row", "message"), COLUMN_FAULTS, ids=[f"{one[0]} {one[2]}" for one in COLUMN_FAULTS]
)
def test_a_fault_of_a_column_has_its_cell(column, row, message):
    columns = [PERIOD, row, ACTUAL] if row["column"] == "ref" else [PERIOD, REF, row]
    found = faults_of(WHOLE[0], columns)
    assert any(one[:3] == (COLUMNS, columns.index(row) + 2, column) and one[3].startswith(message) for one in found)


FLAT = [{**REF, "column": "period", "heading": "When"}, {**REF, "column": "partner_code", "heading": "Who"}]


@pytest.mark.parametrize("named", ["NI 111", "NI 999"], ids=["a parent", "unknown"])
def test_a_label_anywhere_is_for_an_indicator_with_figures(named):
    label = {"layout": "ours", "part": "indicators", "column": named, "heading": "First time entrants"}
    page = {**TABLE, "kind": "anywhere"}
    message = f'"{named}" is no indicator with figures in indicators.csv'
    assert (COLUMNS, 3, "column", message) in faults_of([COVER, page], [PERIOD, label])


INCOMPLETE = [
    (
        [TABLE],
        [REF, ACTUAL, FLAT[0]],
        "ours has only one of partner and period in layouts/columns.csv: rows say both, or neither",
    ),
    (
        [{**TABLE, "kind": "banded"}],
        [REF, ACTUAL, *FLAT],
        '"banded" is no kind of a table whose rows say their period: it is table',
    ),
    ([COVER, TABLE], [PERIOD, REF, ACTUAL, *FLAT], '"ours" says partner and period in each row, and on a cover too'),
    ([TABLE], [REF, ACTUAL], '"ours" has no part cover, which says the period'),
    ([COVER], [PERIOD], '"ours" has no part indicators, so no figure could be read'),
    ([COVER, TABLE], [PERIOD, REF], "ours has no column actual in layouts/columns.csv, so no figure could be read"),
    (
        [COVER, TABLE],
        [PERIOD, ACTUAL],
        "ours has none of the columns definition, indicator, ref in layouts/columns.csv",
    ),
    ([COVER, TABLE], [PERIOD], '"indicators" of ours has no columns in layouts/columns.csv'),
    (
        [COVER, TABLE],
        [{**PERIOD, "column": "quarter"}, REF, ACTUAL],
        "ours does not say the period: it has neither period, period_end, nor year and quarter",
    ),
]


@pytest.mark.parametrize(("sheets", "columns", "message"), INCOMPLETE, ids=[one[2] for one in INCOMPLETE])
def test_a_layout_by_which_nothing_could_be_read_is_a_fault(sheets, columns, message):
    assert message in [one[3] for one in faults_of(sheets, columns)]


def test_what_reports_and_forms_are_written_by_stays():
    table = {"layout": "published", "part": "table", "column": "actual", "heading": "{year} Result", "width": "10"}
    sheet = {"layout": "return", "part": "indicators", "sheet": "Measures", "kind": "table"}
    with pytest.raises(PlanError) as error:
        plan_with_layouts([sheet], [table])
    assert [one.column for one in error.value.faults if one.file == COLUMNS] == ["heading"]
    assert [one.column for one in error.value.faults if one.file == SHEETS] == ["sheet"]


def test_all_faults_are_found_at_once_beside_those_of_other_files():
    files = read_files(None)
    files["partners.csv"] = files["partners.csv"].replace(b"yos,Youth Offending Service", b"yos,")
    brought = {
        SHEETS: table_of(SHEETS, [COVER, {**TABLE, "kind": "grid"}]),
        COLUMNS: table_of(COLUMNS, [PERIOD, {**REF, "width": "wide"}, ACTUAL]),
    }
    with pytest.raises(PlanError) as error:
        plan_of(files | brought)
    assert [(one.file, one.row, one.column) for one in error.value.faults] == [
        ("partners.csv", 2, "partner"),
        (COLUMNS, 3, "width"),
        (SHEETS, 3, "kind"),
    ]


def test_the_example_of_the_readme_is_a_layout():
    text = files("cypp_etl").joinpath("plan", "data", "README.md").read_text("utf-8")
    example = next(block for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) if block.startswith("layouts.csv"))
    sheets, columns = example.removeprefix("layouts.csv\n").split("\n\ncolumns.csv\n")
    plan = plan_of(read_files(None) | {SHEETS: sheets.encode(), COLUMNS: columns.encode()})
    assert plan.layouts["quarters"].part("indicators").is_dated
