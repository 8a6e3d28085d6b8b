"""The plan's figures are read by the rules of returns, in CSV files and in the workbook alike."""

import io
from functools import cache
from pathlib import Path

import openpyxl
import pytest

from cypp_etl.periods import Period
from cypp_etl.plan.reader import PlanError, plan_of
from cypp_etl.plan_source import is_plan_at, read_plan_at, read_plan_with_notes
from cypp_etl.plan_workbook.sheets import PlanReading, read_plan_workbook
from cypp_etl.plan_workbook.writer import write_plan_workbook
from tests.support.plan_edits import PlanEdits

MONEY = {"unit": "money", "currency": "£", "decimals": "0", "multiplier": "1", "maximum": ""}
DAYS = {"unit": "days", "decimals": "1", "multiplier": "1", "maximum": ""}
PERCENT = {"unit": "percent", "decimals": "1", "multiplier": "100"}
YEAR, KEY = "2030-31", ("target", "NI 45", Period(2030))


def edits(value: str, **leaf: str) -> PlanEdits:
    """The built-in plan, with one figure of NI 45, which is measured in something else."""
    made = PlanEdits().change("indicators", "NI 45", **{"minimum": "", **leaf})
    made.tables["figures"] = [row for row in made.tables["figures"] if row["indicator"] != "NI 45"]
    return made.add("figures", measure="target", indicator="NI 45", period=YEAR, value=value, source="made up")


def in_folder(folder: Path, made: PlanEdits) -> Path:
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    return folder


@cache
def workbook_of(leaf: tuple[tuple[str, str], ...]) -> bytes:
    """The plan as a workbook, with what NI 45 is measured in, and some figure of it."""
    return write_plan_workbook(plan_of(edits("1", **dict(leaf)).files))


def in_workbook(typed: str, number_format: str = "", **leaf: str) -> PlanReading:
    """A plan's workbook in which a figure was typed over."""
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(tuple(leaf.items()))))
    sheet = book["figures"]
    heading = {cell.value: cell.column for cell in sheet[1]}
    cell = sheet.cell(sheet.max_row, heading["value"])
    cell.value = float(typed) if number_format else typed
    cell.number_format = number_format or "General"
    content = io.BytesIO()
    book.save(content)
    return read_plan_workbook(content.getvalue(), "plan.xlsx")


@pytest.mark.parametrize(
    ("typed", "plain", "leaf", "is_noted"),
    [
        ("£1,234", "1234", MONEY, False),
        ("1,234", "1234", MONEY, False),
        ("£1.2m", "1200000", MONEY, True),
        ("(£5)", "-5", MONEY, True),
        ("-£5", "-5", MONEY, False),
        ("n/a", "N/A", MONEY, False),
        ("12.5 days", "12.5", DAYS, False),
        ("1.406", "1.406", DAYS, False),
        ("12.5 %", "12.5", PERCENT, False),
        ("12.5 percent", "12.5%", PERCENT, False),
        ("0.7", "0.7", PERCENT, False),
    ],
)
def test_what_can_mean_one_thing_is_a_plain_number(
    tmp_path: Path, typed: str, plain: str, leaf: dict[str, str], is_noted: bool
) -> None:
    expected = plan_of(edits(plain, **leaf).files)
    folder = in_folder(tmp_path, edits(typed, **leaf))
    plan, notes = read_plan_with_notes(folder)
    assert plan.figures[KEY].value == expected.figures[KEY].value
    assert plan.figures[KEY].marker is expected.figures[KEY].marker
    assert plan.fingerprint == expected.fingerprint
    assert is_plan_at(folder, expected)
    assert plan_of(plan.files).fingerprint == expected.fingerprint, "what is kept and exported has plain numbers"
    said = [note.message for note in notes]
    assert said == ([f'"{typed}" is read as {plain}'] if is_noted else [])
    reading = in_workbook(typed, **leaf)
    assert reading.faults == ()
    assert reading.plan and reading.plan.fingerprint == expected.fingerprint
    assert [note.message for note in reading.notes] == said


@pytest.mark.parametrize(
    ("typed", "leaf", "message"),
    [
        ("€5", MONEY, "€5 is in another currency than NI 45, which is in £: type a plain number"),
        ("(£5)", {**MONEY, "minimum": "0"}, '"(£5)" has brackets'),
        ("£1.2m", {**MONEY, "unit_label": "thousand"}, '"£1.2m" says how the amount is to be multiplied'),
        ("1.406", MONEY, '"1.406" looks like a number with a point between its thousands'),
        ("£5", PERCENT, '"£5" is an amount of money, but NI 45 is not measured in money'),
        ("12,5", PERCENT, '"12,5" has a comma that does not separate thousands'),
        ("about 70", PERCENT, '"about 70" is not a plain number'),
        ("70 [p]", PERCENT, '"70 [p]" has shorthand behind it'),
        ("12.5 %", DAYS, "has a percent sign, but NI 45 is a number of days"),
        ("some", PERCENT, '"some" is not a number or one of N/A'),
        # A return may say a marker in words; a plan has its symbols.
        ("Not applicable", PERCENT, '"Not applicable" is not a number or one of N/A'),
        ("not applicable", PERCENT, '"not applicable" is not a number or one of N/A'),
    ],
)
def test_what_can_mean_two_things_is_asked_about(
    tmp_path: Path, typed: str, leaf: dict[str, str], message: str
) -> None:
    made = edits(typed, **leaf)
    with pytest.raises(PlanError) as caught:
        read_plan_at(in_folder(tmp_path, made))
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.column) == ("figures.csv", len(made.tables["figures"]) + 1, "value")
    assert message in fault.message
    (same,) = in_workbook(typed, **leaf).faults
    assert same.message == fault.message
    assert same.file == "figures"
    assert not is_plan_at(tmp_path, plan_of(edits("5", **leaf).files))


def test_faults_of_other_cells_are_told_with_them_in_the_order_of_the_rows(tmp_path: Path) -> None:
    made = edits("€5", **MONEY).add(
        "figures", measure="target", indicator="NI 45", period="2031", value="£6", source="made up"
    )
    made.change("outcomes", "BH", outcome="")
    with pytest.raises(PlanError) as caught:
        read_plan_at(in_folder(tmp_path, made))
    last = len(made.tables["figures"]) + 1
    assert [(fault.file, fault.row) for fault in caught.value.faults] == [
        ("outcomes.csv", 2),
        ("figures.csv", last - 1),
        ("figures.csv", last),
    ]


def test_a_figure_is_read_by_the_edition_of_its_period(tmp_path: Path) -> None:
    made = edits("£5", **MONEY)
    made.change("indicators", "NI 45", first_period="2020-21")
    made.add("indicators", "NI 45", last_period="2019-20", **DAYS, currency="")
    made.add("figures", measure="target", indicator="NI 45", period="2015-16", value="5 days", source="made up")
    plan = read_plan_at(in_folder(tmp_path, made))
    assert [str(plan.figures["target", "NI 45", Period(year)].value) for year in (2015, 2030)] == ["5", "5"]


@pytest.mark.parametrize(("number_format", "is_sound"), [('"£"#,##0', True), ("#,##0", True), ("[$€-2]#,##0", False)])
def test_the_currency_of_a_cells_format_is_that_of_the_indicator(number_format: str, is_sound: bool) -> None:
    reading = in_workbook("1234", number_format, **MONEY)
    assert [fault.message for fault in reading.faults] == (
        [] if is_sound else ["€1234 is in another currency than NI 45, which is in £: type a plain number"]
    )
    assert reading.notes == ()
    assert not is_sound or (reading.plan and reading.plan.figures[KEY].value == 1234)


def test_broken_files_are_left_to_the_plans_own_reader(tmp_path: Path) -> None:
    made = in_folder(tmp_path, edits("£5", **MONEY))
    (made / "figures.csv").write_bytes(b'measure,"')
    with pytest.raises(PlanError, match="is not CSV"):
        read_plan_at(made)
    (made / "figures.csv").write_bytes(b"measure,value\ntarget,about 5\n")
    with pytest.raises(PlanError, match="column indicator: is missing"):
        read_plan_at(made)
