"""The return workbooks: their content, locks and input messages, and what LibreOffice keeps of them."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.layout import TEMPLATE_VERSION
from cypp_etl.periods import Period
from cypp_etl.plan.model import Figure, Plan
from cypp_etl.templates.names import template_file_name
from cypp_etl.templates.workbook import write_template
from schemas.codes import Marker, Measure
from tests.support.plans import plan_with

PERIOD = Period(2010, 1)
HOSTILE = "=cmd|' /C calc'!A0"
ENTRY_COLUMNS = {"Actual", "Marker", "Numerator", "Denominator", "Comment", "Status", "Evidence", "Review", "Reason"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The built-in plan, but that it asks for everything in every quarter: a form has all kinds of rows."""
    return plan_with({})


def opened(data: bytes) -> Workbook:
    return load_workbook(BytesIO(data))


def column(sheet: Worksheet, heading: str) -> str:
    return next(cell.column_letter for cell in sheet[1] if cell.value == heading)


def row_of(sheet: Worksheet, ref: str, sub: str | None = None) -> int:
    return next(row for row in range(2, sheet.max_row + 1) if [sheet.cell(row, c).value for c in (1, 2)] == [ref, sub])


def validation(sheet: Worksheet, address: str) -> DataValidation:
    return next(guard for guard in sheet.data_validations.dataValidation if address in guard.sqref)


def cells_of(book: Workbook) -> Iterator[tuple[Worksheet, str, object]]:
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                yield sheet, cell.coordinate, cell


def test_the_sheets_and_which_is_hidden(plan: Plan) -> None:
    book = opened(write_template(plan, "yos", PERIOD))
    assert [(sheet.title, sheet.sheet_state) for sheet in book] == [
        ("Return", "visible"),
        ("Indicators", "visible"),
        ("Milestones", "visible"),
        ("_meta", "hidden"),
    ]


def test_the_cover_says_whose_it_is_and_leaves_the_rest(plan: Plan) -> None:
    cover = opened(write_template(plan, "yos", PERIOD))["Return"]
    assert [(cover.cell(row, 1).value, cover.cell(row, 2).value) for row in range(1, 8)] == [
        ("Partner code", "yos"),
        ("Partner", "Youth Offending Service"),
        ("Period", "2010/11 Q1"),
        ("Prepared by", None),
        ("Email", None),
        ("Date", None),
        (None, None),
    ]
    assert [cover.cell(row, 2).protection.locked for row in range(1, 7)] == [True] * 3 + [False] * 3


def test_the_cover_says_when_it_is_due_and_leads_to_the_sheets(plan: Plan) -> None:
    cover = opened(write_template(plan, "yos", PERIOD))["Return"]
    texts = [str(cell.value) for row in cover.iter_rows(min_col=5, max_col=5) for cell in row]
    assert any("by 20 July 2010." in text for text in texts)
    links = {cell.hyperlink.location for row in cover.iter_rows() for cell in row if cell.hyperlink}
    assert links == {"'Return'!A1", "'Indicators'!A1", "'Milestones'!A1"}


@pytest.mark.parametrize("partner_code", ["yos", "police", "nhs", "cyps", "vcs", "lscb"])
def test_a_row_for_each_leaf_and_milestone_owed(plan: Plan, partner_code: str) -> None:
    book = opened(write_template(plan, partner_code, PERIOD))
    rows = book["Indicators"].iter_rows(min_row=2, max_col=2, values_only=True)
    assert [f"{ref}{sub or ''}" for ref, sub in rows] == list(plan.owed_by[partner_code])
    milestones = [row[0] for row in book["Milestones"].iter_rows(min_row=2, max_col=1, values_only=True)]
    assert milestones == [milestone.milestone for milestone in plan.milestones_of[partner_code]]


def test_a_sub_indicator_says_what_its_parent_is(plan: Plan) -> None:
    sheet = opened(write_template(plan, "police", PERIOD))["Indicators"]
    row = [cell.value for cell in sheet[row_of(sheet, "NI 111", "a")]]
    assert row[:6] == [
        "NI 111",
        "a",
        "First time entrants to the Youth Justice System aged 10 – 17 – Number",
        "LOW",
        "number",
        514,
    ]


def test_a_unit_is_called_what_people_call_it(plan: Plan) -> None:
    labelled = {"NI 19": replace(plan.indicators["NI 19"], unit_label="offences per offender")}
    sheet = opened(write_template(replace(plan, indicators={**plan.indicators, **labelled}), "yos", PERIOD))[
        "Indicators"
    ]
    assert sheet[f"{column(sheet, 'Unit')}{row_of(sheet, 'NI 19')}"].value == "offences per offender"
    assert sheet[f"{column(sheet, 'Unit')}{row_of(sheet, 'NI 43')}"].value == "percent"


@pytest.mark.parametrize(
    ("partner_code", "indicator", "target", "number_format"),
    [
        ("yos", ("NI 43",), 0.05, "0.0%"),
        ("yos", ("NI 19",), 0.97, "#,##0.00"),
        ("police", ("NI 111", "b"), 1900, "#,##0"),
        ("cyps", ("NI 114",), 0, "0.00%"),
        ("nhs", ("NI 112",), "-", "0.0%"),
        ("lscb", ("NI 22",), None, "0.0%"),
    ],
)
def test_targets_and_formats(
    plan: Plan, partner_code: str, indicator: tuple[str, ...], target: object, number_format: str
) -> None:
    sheet = opened(write_template(plan, partner_code, PERIOD))["Indicators"]
    row = row_of(sheet, *indicator)
    assert sheet[f"{column(sheet, 'Target')}{row}"].value == target
    assert sheet[f"{column(sheet, 'Target')}{row}"].number_format == number_format
    assert sheet[f"{column(sheet, 'Actual')}{row}"].number_format == number_format


def test_a_target_profiled_for_the_quarter_comes_before_the_years(plan: Plan) -> None:
    profiled = {**plan.figures, (Measure.TARGET, "NI 43", PERIOD): Figure(Decimal("6.5"), None, "")}
    sheet = opened(write_template(replace(plan, figures=profiled), "yos", PERIOD))["Indicators"]
    assert sheet[f"{column(sheet, 'Target')}{row_of(sheet, 'NI 43')}"].value == 0.065
    sheet = opened(write_template(replace(plan, figures=profiled), "yos", Period(2010, 2)))["Indicators"]
    assert sheet[f"{column(sheet, 'Target')}{row_of(sheet, 'NI 43')}"].value == 0.05


def test_a_target_that_is_a_marker_is_text(plan: Plan) -> None:
    figures = {**plan.figures, (Measure.TARGET, "NI 43", PERIOD): Figure(None, Marker.NOT_APPLICABLE, "")}
    sheet = opened(write_template(replace(plan, figures=figures), "yos", PERIOD))["Indicators"]
    assert sheet[f"{column(sheet, 'Target')}{row_of(sheet, 'NI 43')}"].value == "N/A"


def test_due_dates_say_when_only_the_year_is_known(plan: Plan) -> None:
    sheet = opened(write_template(plan, "cyps", PERIOD))["Milestones"]
    due = {sheet.cell(row, 1).value: sheet[f"{column(sheet, 'Due')}{row}"] for row in range(2, sheet.max_row + 1)}
    assert due["PC1-A2-M1"].value.date() == date(2010, 12, 31)
    assert due["PC1-A2-M1"].number_format == "d mmm yyyy"
    assert due["PC1-A1-M1"].value.date() == date(2011, 3, 31)
    assert due["PC1-A1-M1"].number_format == '"by "d mmm yyyy'


@pytest.mark.parametrize("name", ["Indicators", "Milestones"])
def test_only_entry_cells_are_unlocked(plan: Plan, name: str) -> None:
    sheet = opened(write_template(plan, "yos", PERIOD))[name]
    assert sheet.protection.sheet
    assert not sheet.protection.password
    assert not sheet.protection.selectLockedCells
    assert not sheet.protection.formatCells, "findings ask for the format of a cell to be changed"
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            assert cell.protection.locked is (sheet.cell(1, cell.column).value not in ENTRY_COLUMNS)
    assert all(cell.protection.locked for cell in sheet[1])


def test_what_is_no_fraction_has_no_numerator(plan: Plan) -> None:
    sheet = opened(write_template(plan, "police", PERIOD))["Indicators"]
    for heading in ("Numerator", "Denominator"):
        assert sheet[f"{column(sheet, heading)}{row_of(sheet, 'NI 111', 'a')}"].protection.locked
        assert not sheet[f"{column(sheet, heading)}{row_of(sheet, 'NI 111', 'b')}"].protection.locked


def test_every_entry_cell_has_an_input_message(plan: Plan) -> None:
    book = opened(write_template(plan, "nhs", PERIOD))
    for name in ("Indicators", "Milestones"):
        sheet = book[name]
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                if not cell.protection.locked:
                    guard = validation(sheet, cell.coordinate)
                    assert guard.showInputMessage
                    assert guard.prompt


def test_an_actual_is_asked_about_outside_its_range_and_markers_pass(plan: Plan) -> None:
    sheet = opened(write_template(plan, "nhs", PERIOD))["Indicators"]
    letter = column(sheet, "Actual")
    coverage = validation(sheet, f"{letter}{(row := row_of(sheet, 'NI 113', 'a'))}")
    assert (coverage.type, coverage.errorStyle) == ("custom", "warning")
    assert coverage.formula1 == f"OR(ISTEXT({letter}{row}),AND({letter}{row}>=0,{letter}{row}<=1))"
    assert "12.3%" in coverage.prompt
    assert "between 0% and 100%" in coverage.error
    change = validation(sheet, f"{letter}{(row := row_of(sheet, 'NI 112'))}")
    assert change.formula1 == f"OR(ISTEXT({letter}{row}),AND({letter}{row}>=-1))"
    assert "-100% or more" in change.error


def test_an_actual_without_a_range_is_never_asked_about(plan: Plan) -> None:
    boundless = replace(plan.indicators["NI 19"], minimum=None)
    sheet = opened(write_template(replace(plan, indicators={**plan.indicators, "NI 19": boundless}), "yos", PERIOD))[
        "Indicators"
    ]
    guard = validation(sheet, f"{column(sheet, 'Actual')}{row_of(sheet, 'NI 19')}")
    assert guard.type is None
    assert not guard.showErrorMessage
    assert guard.prompt


def test_lists_to_choose_from(plan: Plan) -> None:
    book = opened(write_template(plan, "yos", PERIOD))
    indicators, milestones = book["Indicators"], book["Milestones"]
    assert (
        validation(indicators, f"{column(indicators, 'Marker')}2").formula1 == '"N/A,-,[c],[low],TBC,[p],[r],[e],[b]"'
    )
    status = validation(milestones, f"{column(milestones, 'Status')}2")
    assert status.formula1 == '"Not started,On track,At risk,Achieved,Missed,Withdrawn"'
    assert status.errorStyle == "stop"
    assert validation(milestones, f"{column(milestones, 'Review')}2").formula1 == '"Continue,Refocus,Stop"'


def test_printing_and_reading(plan: Plan) -> None:
    book = opened(write_template(plan, "yos", PERIOD))
    for name, frozen in (("Indicators", "C2"), ("Milestones", "B2")):
        sheet = book[name]
        assert sheet.freeze_panes == frozen
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert not any(sheet.merged_cells.ranges for sheet in book)
    assert book.properties.title == "Youth Offending Service: return for 2010/11 Q1"
    assert book.properties.language == "en-GB"


def test_which_template_and_plan_it_is(plan: Plan) -> None:
    book = opened(write_template(plan, "yos", PERIOD))
    assert [[cell.value for cell in row] for row in book["_meta"].iter_rows()] == [
        ["Template version", TEMPLATE_VERSION],
        ["Plan fingerprint", plan.fingerprint],
        [None, None],
        ["Form for", PERIOD.code],
    ]
    assert {prop.name: prop.value for prop in book.custom_doc_props.props} == {
        "cypp_template_version": TEMPLATE_VERSION,
        "cypp_plan_fingerprint": plan.fingerprint,
    }


def test_the_same_plan_makes_the_same_bytes(plan: Plan) -> None:
    assert write_template(plan, "yos", PERIOD) == write_template(plan, "yos", PERIOD)


@pytest.mark.parametrize("text", [HOSTILE, "+1", "-1+1", "@SUM(A1)", "bell\x07"])
def test_text_that_begins_like_a_formula_stays_text(plan: Plan, text: str) -> None:
    indicators = {**plan.indicators, "NI 19": replace(plan.indicators["NI 19"], definition=text)}
    milestones = {code: replace(milestone, description=text) for code, milestone in plan.milestones.items()}
    partners = {**plan.partners, "yos": replace(plan.partners["yos"], partner=text)}
    hostile = replace(plan, indicators=indicators, milestones=milestones, partners=partners)
    data = write_template(hostile, "yos", PERIOD)
    assert opened(data)["Indicators"]["C2"].value == text.replace("\x07", "")
    for sheet, address, cell in cells_of(opened(data)):
        assert cell.data_type != "f", f"{sheet.title}!{address}"
    with ZipFile(BytesIO(data)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(b"<f>" in sheet for sheet in sheets)


def test_a_partner_without_indicators_or_milestones(plan: Plan) -> None:
    idle = replace(plan, owed_by={}, milestones={})
    book = opened(write_template(idle, "yos", PERIOD))
    assert book["Indicators"].max_row == book["Milestones"].max_row == 1


def test_a_return_that_nobody_owes(plan: Plan) -> None:
    with pytest.raises(ValueError, match="there is no partner 'parks'; the plan has yos, police"):
        write_template(plan, "parks", PERIOD)
    with pytest.raises(ValueError, match="1999/00 Q1 is not in the plan's calendar, which goes from "):
        write_template(plan, "yos", Period(1999, 1))


def test_the_name_of_the_file() -> None:
    assert template_file_name("yos", PERIOD) == "yos 2010-11Q1.xlsx"


@pytest.fixture(scope="module")
def from_libreoffice(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    """A template, opened and saved by LibreOffice."""
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is not there")
    folder: Path = tmp_path_factory.mktemp("libreoffice")
    (folder / "in.xlsx").write_bytes(write_template(plan, "nhs", PERIOD))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [
        soffice,
        profile,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        "out",
        "in.xlsx",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
    return load_workbook(folder / "out" / "in.xlsx")


def test_libreoffice_keeps_the_guards(plan: Plan, from_libreoffice: Workbook) -> None:
    before, after = opened(write_template(plan, "nhs", PERIOD)), from_libreoffice
    for name in ("Return", "Indicators", "Milestones"):
        for row in before[name].iter_rows():
            for cell in row:
                if cell.protection.locked:
                    continue
                assert not after[name][cell.coordinate].protection.locked
                if any(cell.coordinate in guard.sqref for guard in before[name].data_validations.dataValidation):
                    old, new = (validation(book[name], cell.coordinate) for book in (before, after))
                    assert (new.prompt, new.error, new.errorStyle or "stop") == (
                        old.prompt,
                        old.error,
                        old.errorStyle or "stop",
                    )


def test_libreoffice_keeps_locks_formats_and_identity(plan: Plan, from_libreoffice: Workbook) -> None:
    sheet = from_libreoffice["Indicators"]
    assert sheet.protection.sheet
    assert sheet["C2"].protection.locked
    assert sheet[f"{column(sheet, 'Actual')}2"].number_format == "0.0%"
    assert from_libreoffice["_meta"].sheet_state == "hidden"
    assert from_libreoffice["_meta"]["B2"].value == plan.fingerprint
    assert {prop.name for prop in from_libreoffice.custom_doc_props.props} >= {"cypp_plan_fingerprint"}


def test_the_target_is_the_partners_own_if_it_has_one(plan: Plan) -> None:
    own = {(Measure.TARGET, "NI 45", PERIOD.year): Figure(Decimal("88.8"), None, "agreed with yos")}
    for partners, differs in (({"yos": own}, True), ({"nhs": own}, False)):
        sheet = opened(write_template(replace(plan, partner_figures=partners), "yos", PERIOD))["Indicators"]
        target = sheet[f"{column(sheet, 'Target')}{row_of(sheet, 'NI 45')}"].value
        assert (target == pytest.approx(0.888)) is differs
