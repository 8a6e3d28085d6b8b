"""Whole workbooks, from bytes to findings and observations."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from cypp_etl.samples.returns import sample_return
from cypp_etl.templates.workbook import write_template
from schemas.codes import Marker, Measure, MilestoneStatus, Review, Severity

QUARTER = Period(2010, 2)
PARTNERS = ("yos", "police", "nhs", "cyps", "vcs", "lscb")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="module")
def checker(plan) -> Checker:
    return Checker(plan, History(), date(2011, 1, 15))


@pytest.fixture(scope="module")
def filled(plan) -> dict[str, bytes]:
    return {partner_code: sample_return(plan, partner_code, QUARTER) for partner_code in PARTNERS}


def change(data: bytes, alter: Callable[[Workbook], None]) -> bytes:
    workbook, stream = load_workbook(BytesIO(data)), BytesIO()
    alter(workbook)
    workbook.save(stream)
    return stream.getvalue()


def codes(checked) -> list[str]:
    return [finding.code for finding in checked.findings]


@pytest.mark.parametrize("partner_code", PARTNERS)
def test_a_blank_template_lacks_its_figures_and_nothing_else(checker, plan, partner_code):
    checked = checker.check(Received("blank.xlsx", write_template(plan, partner_code, QUARTER)))
    demands = [finding for finding in checked.findings if finding.severity is not Severity.NOTE]
    missing = [finding.cell for finding in demands if finding.code == "value-missing"]
    assert missing == [f"G{row}" for row in range(2, 2 + len(plan.owed_by[partner_code]))]
    # A milestone that is due is queried too.
    assert {finding.code for finding in demands} <= {"value-missing", "status-missing"}
    assert not checked.is_accepted
    assert checked.observations == checked.milestone_reports == ()


@pytest.mark.parametrize("partner_code", PARTNERS)
def test_a_filled_return_passes(checker, plan, filled, partner_code):
    checked = checker.check(Received(f"inbox/{partner_code}/return.xlsx", filled[partner_code], partner_code))
    # One figure differs a lot from last year's, which its comment explains.
    assert {finding.code for finding in checked.findings} <= {"large-change-explained"}
    assert (checked.partner_code, checked.period, checked.layout) == (partner_code, QUARTER, "return")
    assert checked.file_name == "return.xlsx"
    assert [each.indicator for each in checked.observations] == list(plan.owed_by[partner_code])
    owed = [milestone.milestone for milestone in plan.milestones_of[partner_code]]
    assert [report.milestone for report in checked.milestone_reports] == owed


def test_an_observation_keeps_its_cell_and_what_was_typed(checker, filled):
    first, *_ = checker.check(Received("yos.xlsx", filled["yos"])).observations
    assert (first.sheet, first.cell, first.indicator, first.measure) == ("Indicators", "G2", "NI 19", Measure.ACTUAL)
    assert (first.value, first.marker, first.period, first.partner_code) == (Decimal(first.typed), None, QUARTER, "yos")


def test_a_report_keeps_its_words(checker, filled):
    first, *_ = checker.check(Received("cyps.xlsx", filled["cyps"])).milestone_reports
    assert (first.sheet, first.cell, first.partner_code, first.period) == ("Milestones", "F2", "cyps", QUARTER)
    assert (first.status, first.review) == (MilestoneStatus.NOT_STARTED, Review.CONTINUE)


def test_a_marker_stands_for_a_figure(checker, filled):
    def alter(workbook):
        workbook["Indicators"]["G2"] = workbook["Indicators"]["I2"] = workbook["Indicators"]["J2"] = None
        workbook["Indicators"]["H2"] = "N / A"

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter)))
    assert checked.findings == ()
    assert (checked.observations[0].value, checked.observations[0].marker) == (None, Marker.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("sheet", "cell"),
    [
        *(("Return", cell) for cell in ("B1", "B3", "B4")),
        *(("Indicators", f"{column}2") for column in "ACDEHIJK"),
        *(("Milestones", f"{column}2") for column in "AFGHI"),
    ],
)
def test_a_formula_that_was_never_worked_out_is_no_blank(checker, filled, sheet, cell):
    def alter(workbook):
        workbook[sheet][cell] = '="what Excel would show"'

    checked = checker.check(Received("cyps.xlsx", change(filled["cyps"], alter), "cyps"))
    assert [(finding.code, finding.sheet, finding.cell) for finding in checked.findings] == [
        ("formula-not-calculated", sheet, cell)
    ]


def test_a_batch_gives_what_one_by_one_gives(checker, plan, filled):
    batch = [Received(f"{code}.xlsx", data) for code, data in filled.items()]
    batch += [Received(f"{code} blank.xlsx", write_template(plan, code, QUARTER)) for code in PARTNERS]
    batch += [Received("return.xlsx", filled["yos"], "nhs"), Received("return.xlsx", filled["nhs"], "nhs")]
    batch += [Received("table.xlsx", write_published_table(read_sample_table(), "text"))]
    batch += [Received("empty.xlsx", b""), Received("note.txt", b"no workbook")]
    batch += [Received("same name.xlsx", filled["vcs"]), Received("same name.xlsx", filled["vcs"])]
    assert checker.check_batch(batch) == [checker.check(received) for received in batch]
    assert checker.check_batch([]) == []


def test_faults_that_returns_share_stand_in_each_in_its_own_order(checker, filled):
    def spoil(*cells):
        def alter(workbook):
            for cell in cells:
                workbook["Indicators"][cell] = "ACRES" if cell.startswith("E") else "SIDEWAYS"

        return Received(f"{' '.join(cells)}.xlsx", change(filled["yos"], alter), "yos")

    batch = [spoil("E3"), spoil("D2", "E2", "E3"), spoil("E3", "D3", "D2"), spoil("D2")]
    together = checker.check_batch(batch)
    assert [codes(each) for each in together][1] == ["unit-differs", "good-performance-unknown", "unit-differs"]
    assert together == [checker.check(received) for received in batch]


def test_a_return_in_anothers_folder_is_one_finding(checker, filled):
    checked = checker.check(Received("return.xlsx", filled["yos"], "police"))
    assert codes(checked) == ["partner-not-folder"]
    assert "South Yorkshire Police" in checked.findings[0].message


def test_a_period_that_has_not_opened_is_one_finding(plan, filled):
    checked = Checker(plan, History(), date(2010, 9, 30)).check(Received("yos.xlsx", filled["yos"]))
    assert [(finding.code, finding.sheet, finding.cell) for finding in checked.findings] == [
        ("period-not-open", "Return", "B3")
    ]


def test_a_cover_alone_is_a_return_whose_other_sheets_are_missing(checker, filled):
    def alter(workbook):
        del workbook["Indicators"], workbook["Milestones"], workbook["_meta"]

    assert codes(checker.check(Received("yos.xlsx", change(filled["yos"], alter)))) == ["sheet-missing"] * 2


def test_a_return_without_its_cover_is_still_one(checker, filled):
    def alter(workbook):
        del workbook["Return"]

    assert codes(checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos"))) == ["sheet-missing"]


def test_a_renamed_sheet_is_known_by_its_headings_and_read(checker, filled):
    def alter(workbook):
        workbook["Indicators"].title = "Q1 figures"
        workbook["Q1 figures"]["G2"] = "about 70"

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter)))
    assert [(finding.code, finding.sheet, finding.cell) for finding in checked.findings] == [
        ("sheet-renamed", "Q1 figures", ""),
        ("text-with-digits", "Q1 figures", "G2"),
    ]


def test_another_workbook_is_no_return(checker):
    stream = BytesIO()
    workbook = Workbook()
    workbook.active.append(["Name", "Age"])
    workbook.save(stream)
    checked = checker.check(Received("list.xlsx", stream.getvalue()))
    assert codes(checked) == ["layout-unknown"]
    assert (checked.partner_code, checked.period, checked.layout) == ("", None, "")


@pytest.mark.parametrize(("data", "code"), [(b"", "workbook-empty"), (b"PK\x03\x04 and no more", "workbook-damaged")])
def test_what_cannot_be_read_says_why(checker, data, code):
    assert codes(checker.check(Received("return.xlsx", data))) == [code]


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(date(1901, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["N/A", "[p]", "NI 111", "a", "LOW", "percent", "Achieved", "#REF!", "<5", "2010/11 Q1", "yos"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PARTNERS),
    st.lists(
        st.tuples(
            st.sampled_from(["Return", "Indicators", "Milestones", "_meta"]),
            st.integers(1, 8),
            st.integers(1, 12),
            CELLS,
        ),
        max_size=12,
    ),
)
def test_nothing_that_is_typed_anywhere_stops_the_checks(checker, filled, partner_code, typed):
    def alter(workbook):
        for sheet, row, column, value in typed:
            workbook[sheet].cell(row, column).value = value

    checked = checker.check(Received("return.xlsx", change(filled[partner_code], alter)))
    assert all(finding.message for finding in checked.findings)
    assert checked.is_accepted or checked.observations == ()


def test_what_the_fix_of_a_denominator_of_zero_asks_for_is_accepted(checker, filled):
    def nobody(*, numerator: object, denominator: object) -> Callable[[Workbook], None]:
        def alter(workbook: Workbook) -> None:
            cells = {"G3": None, "H3": "N/A", "I3": numerator, "J3": denominator}
            for address, value in cells.items():
                workbook["Indicators"][address] = value

        return alter

    (refused,) = checker.check(Received("a.xlsx", change(filled["yos"], nobody(numerator=0, denominator=0)))).findings
    assert (refused.code, refused.cell) == ("denominator-not-positive", "J3")
    assert "clear Actual, Numerator and Denominator" in refused.fix
    mended = change(filled["yos"], nobody(numerator=None, denominator=None))
    assert checker.check(Received("a.xlsx", mended)).findings == ()
