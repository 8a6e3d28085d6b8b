"""What a spreadsheet makes of a plan: read where it can mean one thing, a fault in its cell where it can mean two."""

import io
from collections.abc import Callable
from datetime import date, time
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.plan.fingerprint import fingerprint_of
from cypp_etl.plan.model import Plan
from cypp_etl.plan.tables import tables_of
from cypp_etl.plan_workbook.sheets import PlanReading, read_plan_workbook

Edit = Callable[[openpyxl.Workbook], object]
AS_TEXT = ", with an apostrophe in front, which keeps it as it is typed"


def _reading(written: bytes, *edits: Edit) -> PlanReading:
    book = openpyxl.load_workbook(io.BytesIO(written))
    for edit in edits:
        edit(book)
    changed = io.BytesIO()
    book.save(changed)
    return read_plan_workbook(changed.getvalue(), "plan.xlsx")


def _typed(sheet: str, cell: str, value: Any, number_format: str = "General") -> Edit:
    def edit(book: openpyxl.Workbook) -> None:
        book[sheet][cell].value = value
        book[sheet][cell].number_format = number_format

    return edit


def _said(reading: PlanReading) -> list[str]:
    return [str(one) for one in (*reading.faults, *reading.notes)]


# The cells of the built-in plan: figures!C2 is 2008-09 and D2 0.69, milestones!C3 2010-11 and E3 2011-03-31.
@pytest.mark.parametrize(
    ("sheet", "cell", "value", "number_format", "note"),
    [
        ("figures", "C2", date(2008, 9, 1), "mmm-yy", '"Sep-08" is read as 2008-09'),
        ("figures", "C2", "Sep-08", "General", '"Sep-08" is read as 2008-09'),
        ("figures", "C2", "2008/09", "General", '"2008/09" is read as 2008-09'),
        ("figures", "C2", " 2008-09 ", "General", ""),
        ("figures", "D2", "0.69 ", "General", ""),
        ("figures", "D2", 0.69, "0.000", ""),
        ("figures", "D3", 0.097, "0.0%", ""),
        ("milestones", "C3", date(2010, 11, 1), "mmm-yy", '"Nov-10" is read as 2010-11'),
        ("milestones", "E3", date(2011, 3, 31), "d mmm yyyy", ""),
        ("milestones", "E3", "31/03/2011", "General", '"31/03/2011" is read as 2011-03-31'),
        ("milestones", "E3", "03/31/2011", "General", '"03/31/2011" is read as 2011-03-31'),
        ("milestones", "E3", "31 March 2011", "General", '"31 March 2011" is read as 2011-03-31'),
        ("milestones", "E3", 20110331, "General", '"20110331" is read as 2011-03-31'),
        ("milestones", "F3", False, "General", '"FALSE" is read as no'),
        ("milestones", "F3", "No", "General", '"No" is read as no'),
        ("indicators", "B2", 42, "General", ""),
        ("indicators", "M3", 1, "0%", ""),
        ("banding", "B2", 0.1, "0%", ""),
    ],
)
def test_what_can_mean_one_thing_is_read(  # noqa: PLR0917 - a cell and what is said of it
    plan: Plan, written: bytes, sheet: str, cell: str, value: object, number_format: str, note: str
) -> None:
    reading = _reading(written, _typed(sheet, cell, value, number_format))
    assert reading.plan is not None, _said(reading)
    assert reading.plan.fingerprint == plan.fingerprint
    assert _said(reading) == ([f"sheet {sheet}, cell {cell}: {note}"] if note else [])


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "number_format", "fault"),
    [
        (
            "figures",
            "C2",
            date(2008, 9, 1),
            "d mmm yyyy",
            '"2008-09-01" is a date, 1 September 2008, which Excel makes of 2008-09: type a period such as 2008-09'
            + AS_TEXT,
        ),
        (
            "figures",
            "C2",
            date(2010, 4, 1),
            "mmm-yy",
            '"2010-04-01" is a date, 1 April 2010: type a period such as 2010-11 or 2010-11Q1' + AS_TEXT,
        ),
        ("figures", "C2", 2008, "General", '"2008" is a number: type a period such as 2010-11 or 2010-11Q1' + AS_TEXT),
        (
            "figures",
            "C2",
            "Q1 2010",
            "General",
            '"Q1 2010" can mean 2009-10Q1, 2009-10Q4 or 2010-11Q1: type one of them',
        ),
        ("figures", "C2", "soon", "General", '"soon" is not a period such as 2010-11 or 2010-11Q1'),
        (
            "figures",
            "D2",
            date(2010, 10, 1),
            "d-mmm",
            '"2010-10-01" is a date, 1 October 2010, which Excel makes of numbers: type the number again',
        ),
        # A time is named as it is shown, not as a day of 1899 or one beyond the calendar.
        (
            "figures",
            "D2",
            time(12),
            "h:mm",
            '"12:00" is a time, which Excel makes of numbers: type the number again',
        ),
        (
            "figures",
            "C2",
            time(8, 9),
            "h:mm",
            '"8:09" is a time: type a period such as 2010-11 or 2010-11Q1' + AS_TEXT,
        ),
        ("milestones", "E3", time(12), "h:mm", '"12:00" is a time: type a date such as 2011-03-31'),
        ("figures", "D2", 3_000_000, "d mmm yyyy", '"3000000" is a date beyond the calendar, which Excel makes of'),
        ("milestones", "E3", 3_000_000, "d mmm yyyy", '"3000000" is no day of the calendar: type a date such as'),
        ("figures", "D2", "=1+1", "General", "the cell holds a formula, whose result may change: type its value"),
        ("figures", "D2", "#REF!", "General", '"#REF!" is an error: type what belongs here, or clear it'),
        ("figures", "D2", True, "General", '"TRUE" is not a number or one of'),
        (
            "milestones",
            "E3",
            40633,
            "General",
            '"40633" is a number, which as a day is 31 March 2011: type a date such as 2011-03-31',
        ),
        ("milestones", "E3", 2011, "General", '"2011" is a year alone: type a date such as 2011-03-31'),
        ("milestones", "E3", 2011, "d mmm yyyy", '"2011" is a year alone: type a date such as 2011-03-31'),
        (
            "milestones",
            "E3",
            "03/04/2011",
            "General",
            '"03/04/2011" can mean two days: type 2011-04-03 or 2011-03-04',
        ),
        ("milestones", "E3", "31/02/2011", "General", '"31/02/2011" is not a date such as 2011-03-31'),
        (
            "indicators",
            "L2",
            0.5,
            "0%",
            '"50%" is a percentage: type 50 or 0.5, whichever it is, as a plain number',
        ),
        (
            "partners",
            "A2",
            7,
            "General",
            "\"7\" is a number, which has lost any zeros in front: type '7, or '07 if that is the code" + AS_TEXT,
        ),
        (
            "actions",
            "D2",
            date(2010, 3, 14),
            "d-mmm",
            '"2010-03-14" is a date, 14 March 2010, which Excel makes of other things: type it again' + AS_TEXT,
        ),
        ("indicators", "G2", "HIHG", "General", '"HIHG" is not one of HIGH, LOW, RANGE, NONE'),
        ("owed_by", "A2", "nobody", "General", '"nobody" is not in the sheet partners'),
    ],
)
def test_what_can_mean_two_things_says_what_to_type(  # noqa: PLR0917 - a cell and what is said of it
    written: bytes, sheet: str, cell: str, value: object, number_format: str, fault: str
) -> None:
    said = [str(one) for one in _reading(written, _typed(sheet, cell, value, number_format)).faults]
    own = [one for one in said if one.startswith(f"sheet {sheet}, cell {cell}: ")]
    assert len(own) == 1, said
    assert own[0].startswith(f"sheet {sheet}, cell {cell}: {fault}")


def _with_code_of_digits(book: openpyxl.Workbook) -> None:
    book["partners"].append(["007", "An agency"])


@pytest.mark.parametrize(
    ("value", "number_format", "note"),
    [
        ("007", "@", ""),
        (7, "000", ""),
        (7, "General", 'sheet owed_by, cell A15: "7" is read as 007'),
    ],
)
def test_zeros_in_front_come_back_where_the_plan_has_the_code(
    written: bytes, value: object, number_format: str, note: str
) -> None:
    reading = _reading(
        written,
        _with_code_of_digits,
        _typed("owed_by", "A15", value, number_format),
        _typed("owed_by", "B15", "NI 22"),
    )
    assert reading.plan is not None, _said(reading)
    assert reading.plan.owed_by["007"] == ("NI 22",)
    assert _said(reading) == ([note] if note else [])


def test_zeros_that_can_be_two_codes_are_asked_about(written: bytes) -> None:
    reading = _reading(
        written,
        _with_code_of_digits,
        lambda book: book["partners"].append(["07", "Another"]),
        _typed("owed_by", "A15", 7),
        _typed("owed_by", "B15", "NI 22"),
    )
    assert [str(one) for one in reading.faults] == [
        "sheet owed_by, cell A15: \"7\" is a number, which has lost any zeros in front: type '007 or '07" + AS_TEXT
    ]


def _hide_row(book: openpyxl.Workbook) -> None:
    for row in (3, 4):
        book["figures"].row_dimensions[row].hidden = True


def _hide_column(book: openpyxl.Workbook) -> None:
    book["figures"].column_dimensions["D"].hidden = True


def _hide_sheet(book: openpyxl.Workbook) -> None:
    book["figures"].sheet_state = "hidden"


def _sheet_of_ones_own(book: openpyxl.Workbook) -> None:
    book.create_sheet("figures (2)")["A1"] = "measure"


def _without(*sheets: str) -> Edit:
    def edit(book: openpyxl.Workbook) -> None:
        for sheet in sheets:
            del book[sheet]

    return edit


@pytest.mark.parametrize(
    ("edit", "faults"),
    [
        (_hide_row, ["sheet figures, cell A3: rows 3 to 4 are hidden: show them, or delete them"]),
        (_hide_column, ["sheet figures, cell D1: the column value is hidden: show it"]),
        (_hide_sheet, ["sheet figures: the sheet is hidden: show it, or delete it"]),
        (_without("calendar"), ["sheet calendar: there is no such sheet in the workbook"]),
        (_without("body", "Guidance"), []),
        (
            _typed("figures", "Z9", "aside"),
            ['sheet figures, cell Z9: "aside" is below no heading: give its column one, or clear it'],
        ),
        (
            _typed("calendar", "C1", "due"),
            [
                "sheet calendar, cell A1: the column due_on is missing",
                'sheet calendar, cell C1: "due" is not a column of this sheet: it has period',
            ],
        ),
    ],
)
def test_what_would_be_overlooked_is_said(written: bytes, edit: Edit, faults: list[str]) -> None:
    said = [str(one) for one in _reading(written, edit).faults]
    assert len(said) == len(faults)
    assert all(one.startswith(fault) for one, fault in zip(said, faults, strict=True)), said


def test_merged_cells_are_said(written: bytes) -> None:
    reading = _reading(written, lambda book: book["partners"].merge_cells("A3:A4"))
    assert "A3 to A4 are merged" in str(reading.faults[0])


def test_a_table_of_ones_own_is_not_overlooked(written: bytes) -> None:
    assert [str(one)[:74] for one in _reading(written, _sheet_of_ones_own).faults] == [
        "sheet figures (2): the sheet is not a table of the plan, which has body, o"
    ]


def test_rows_apart_from_the_table_keep_their_cells(plan: Plan, written: bytes) -> None:
    """A blank row between blocks changes nothing, and faults below it are in their own cells."""

    def part(sheet: Worksheet) -> None:
        sheet.insert_rows(4, 2)

    reading = _reading(written, lambda book: part(book["partners"]))
    assert reading.plan is not None
    assert reading.plan.fingerprint == plan.fingerprint
    faulty = _reading(written, lambda book: part(book["partners"]), _typed("partners", "A6", "N H S"))
    assert str(faulty.faults[0]).startswith('sheet partners, cell A6: "N H S" is not a code')


def test_all_faults_are_found_at_once(written: bytes) -> None:
    reading = _reading(
        written,
        _typed("figures", "C2", 2008),
        _typed("milestones", "E3", 40633),
        _typed("indicators", "G2", "HIHG"),
        _hide_column,
    )
    assert [(fault.file, fault.cell) for fault in reading.faults] == [
        ("milestones", "E3"),
        ("indicators", "G2"),
        ("figures", "D1"),
        ("figures", "C2"),
    ]
    assert reading.plan is None


def test_a_file_that_is_no_workbook_is_said() -> None:
    reading = read_plan_workbook(b"measure,indicator\n", "plan.xlsx")
    assert reading.plan is None
    assert str(reading.faults[0]).startswith("plan.xlsx: ")


def test_columns_in_another_order_are_the_same_plan(plan: Plan, written: bytes) -> None:
    def swap(book: openpyxl.Workbook) -> None:
        for first, second in book["partners"].iter_rows(min_col=1, max_col=2):
            first.value, second.value = second.value, first.value

    reading = _reading(written, swap)
    assert reading.plan is not None
    assert reading.plan.fingerprint == plan.fingerprint == fingerprint_of(tables_of(plan.files).rows)
