"""Whole workbooks, from bytes to findings and observations."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

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
from cypp_etl.templates.workbook import write_template
from schemas.codes import Marker, Measure, MilestoneStatus, Review, Severity
from tests.support.samples import sample_of

QUARTER = Period(2010, 2)
PARTNERS = ("yos", "police", "nhs", "cyps", "vcs", "lscb")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="module")
def checker(plan) -> Checker:
    return Checker(plan, History(), date(2011, 1, 15))


@pytest.fixture(scope="module")
def filled() -> dict[str, bytes]:
    return {partner_code: sample_of(partner_code, QUARTER) for partner_code in PARTNERS}


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
    assert missing == [f"I{row}" for row in range(2, 2 + len(plan.at(QUARTER).owed_by[partner_code]))]
    # A milestone that is due is queried too.
    assert {finding.code for finding in demands} - {"value-missing", "status-missing"} == {"form-not-filled-in"}
    # In this quarter some partners are asked about milestones only.
    assert not checked.is_accepted
    assert checked.findings[0].code == "form-not-filled-in"


@pytest.mark.parametrize("partner_code", PARTNERS)
def test_a_filled_return_passes(checker, plan, filled, partner_code):
    checked = checker.check(Received(f"inbox/{partner_code}/return.xlsx", filled[partner_code], partner_code))
    # One figure differs a lot from last year's, which its comment explains.
    assert {finding.code for finding in checked.findings} <= {"large-change-explained"}
    assert (checked.partner_code, checked.period, checked.layout) == (partner_code, QUARTER, "return")
    assert checked.file_name == "return.xlsx"
    assert [each.indicator for each in checked.observations] == list(plan.at(QUARTER).owed_by[partner_code])
    owed = [milestone.milestone for milestone in plan.milestones_of[partner_code]]
    assert [report.milestone for report in checked.milestone_reports] == owed


def test_an_observation_keeps_its_cell_and_what_was_typed(checker, filled):
    first, *_ = checker.check(Received("yos.xlsx", filled["yos"])).observations
    assert (first.sheet, first.cell, first.indicator, first.measure) == ("Indicators", "I2", "NI 19", Measure.ACTUAL)
    assert (first.value, first.marker, first.period, first.partner_code) == (Decimal(first.typed), None, QUARTER, "yos")


def test_a_report_keeps_its_words(checker, filled):
    first, *_ = checker.check(Received("cyps.xlsx", filled["cyps"])).milestone_reports
    assert (first.sheet, first.cell, first.partner_code, first.period) == ("Milestones", "G2", "cyps", QUARTER)
    assert (first.status, first.review) == (MilestoneStatus.NOT_STARTED, Review.CONTINUE)


def test_a_marker_stands_for_a_figure(checker, filled):
    def alter(workbook):
        workbook["Indicators"]["I2"] = workbook["Indicators"]["K2"] = workbook["Indicators"]["L2"] = None
        workbook["Indicators"]["J2"] = "N / A"

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter)))
    assert checked.findings == ()
    assert (checked.observations[0].value, checked.observations[0].marker) == (None, Marker.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("sheet", "cell"),
    [
        *(("Return", cell) for cell in ("B1", "B3", "B4")),
        *(("Indicators", f"{column}2") for column in "ACDEJKLM"),
        *(("Milestones", f"{column}2") for column in "AGHIJ"),
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
        workbook["Q1 figures"]["I2"] = "about 70"

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter)))
    assert [(finding.code, finding.sheet, finding.cell) for finding in checked.findings] == [
        ("sheet-renamed", "Q1 figures", ""),
        ("text-with-digits", "Q1 figures", "I2"),
    ]


def second_return(alter):
    """A change that copies the sheets of a return, as Excel names the copies, and then alters them."""

    def copy(workbook):
        for name in ("Return", "Indicators", "Milestones"):
            workbook.copy_worksheet(workbook[name]).title = f"{name} (2)"
        alter(workbook)

    return copy


@pytest.mark.parametrize(
    ("partner_code", "period"), [("police", "2010-11Q2"), ("yos", "2010-11Q1"), ("police", "see above")]
)
def test_a_second_return_in_a_file_is_one_finding(checker, filled, partner_code, period):
    def alter(workbook):
        cover = workbook["Return (2)"]
        cover["B1"], cover["B3"], cover["B5"] = partner_code, period, "somebody@police.example"

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], second_return(alter)), "yos"))
    assert [(one.code, one.sheet, one.cell) for one in checked.findings] == [("second-return", "Return (2)", "B1")]
    assert f"for {partner_code} and {period}. " in checked.findings[0].message
    # An earlier return that is kept for reference takes nothing from the file's own.
    assert checked.is_accepted


def test_each_further_return_is_a_finding_and_what_it_says_of_children_too(checker, filled):
    def alter(workbook):
        workbook["Return (2)"]["B3"] = "2010-11Q1"
        workbook.copy_worksheet(workbook["Return"]).title = "Police"
        workbook["Police"]["B1"] = "police"
        workbook["Indicators (2)"]["M2"] = "See the case of 943 476 5919."

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], second_return(alter)), "yos"))
    assert [(one.code, one.sheet) for one in checked.findings] == [
        ("second-return", "Return (2)"),
        ("second-return", "Police"),
        ("personal-data-sheet", "Indicators (2)"),
    ]


@pytest.mark.parametrize(
    "alter",
    [
        # A table alone is workings, a cover alone too, and so is what has nothing filled in.
        lambda workbook: workbook.remove(workbook["Return (2)"]),
        lambda workbook: [workbook.remove(workbook[f"{name} (2)"]) for name in ("Indicators", "Milestones")],
        lambda workbook: [workbook["Return (2)"].__setitem__(cell, None) for cell in ("B1", "B3", "B5")],
        lambda workbook: [workbook[f"{name} (2)"].delete_rows(2, 100) for name in ("Indicators", "Milestones")],
    ],
)
def test_copied_sheets_that_are_no_return_are_noted(checker, filled, alter):
    def alter_an_earlier(workbook):
        workbook["Return (2)"]["B3"], workbook["Return (2)"]["B5"] = "2010-11Q1", None
        alter(workbook)

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], second_return(alter_an_earlier)), "yos"))
    assert set(codes(checked)) == {"sheet-not-read"}
    assert checked.is_accepted


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"B5": None}, {"sheet-not-read"}),
        ({"B5": None, "B1": " YOS ", "B3": "2010/11 q2"}, {"sheet-not-read"}),
        # Without one of the two it is no cover of a return.
        ({"B5": None, "B1": "police", "B3": None}, {"sheet-not-read"}),
        ({"B5": None, "B1": None, "B3": "2010-11Q1"}, {"sheet-not-read"}),
        # What is no second return is looked at as any sheet of the partner's own.
        ({"B5": "somebody@police.example"}, {"sheet-not-read", "personal-data-sheet"}),
        ({"B5": "somebody@police.example", "B1": "police"}, {"second-return"}),
    ],
)
def test_a_copy_of_the_return_itself_is_no_second_one(checker, filled, cells, expected):
    def alter(workbook):
        for cell, value in cells.items():
            workbook["Return (2)"][cell] = value

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], second_return(alter)), "yos"))
    assert set(codes(checked)) == expected


def test_a_cover_left_behind_without_a_table_still_has_its_personal_data(checker, filled):
    def alter(workbook):
        workbook.copy_worksheet(workbook["Return"]).title = "Return (2)"
        workbook["Return (2)"]["B3"], workbook["Return (2)"]["B5"] = "2010-11Q1", "somebody@police.example"

    (finding,) = checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos")).findings
    assert (finding.code, finding.sheet, finding.cell) == ("personal-data-sheet", "Return (2)", "B5")


def test_a_word_of_the_cover_beside_a_draft_makes_no_return(checker, filled):
    def alter(workbook):
        workbook.copy_worksheet(workbook["Indicators"]).title = "Indicators draft"
        workbook.create_sheet("Notes").append(["Period", "2010-11 Q2"])

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos"))
    assert codes(checked) == ["sheet-not-read", "sheet-not-read"]


def test_a_return_on_hidden_sheets_is_what_any_hidden_sheet_is(checker, filled):
    def alter(workbook):
        workbook["Return (2)"]["B3"], workbook["Return (2)"]["B5"] = "2010-11Q1", None
        for name in ("Return", "Indicators", "Milestones"):
            workbook[f"{name} (2)"].sheet_state = "hidden"

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], second_return(alter)), "yos"))
    assert codes(checked) == ["hidden-sheet"] * 3


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"B5": "not an email"}, [("email-not-an-address", "B5")]),
        ({"B5": "returns@"}, [("email-not-an-address", "B5")]),
        ({"B5": "returns@council"}, []),
        ({"B5": "The team <a@b.uk>; c@d.uk"}, []),
        ({"B5": None}, []),
        ({"B2": "South Yorkshire Police"}, [("partner-name-differs", "B2")]),
        ({"B2": "the youth offending team"}, []),
        ({"B2": None}, []),
        # With a wrong code there is one fault.
        ({"B1": "police"}, [("partner-not-folder", "B1")]),
        ({"B1": "nobody"}, [("partner-unknown", "B1")]),
        ({"B6": date(2099, 1, 1)}, [("date-to-come", "B6")]),
    ],
)
def test_what_a_cover_says_of_its_sender_is_looked_at(checker, filled, cells, expected):
    def alter(workbook):
        for cell, value in cells.items():
            workbook["Return"][cell] = value

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos"))
    assert [(one.code, one.cell) for one in checked.findings] == expected


def merged(*areas, sheet="Indicators", **cells):
    """A change that merges areas of a sheet, after typing into some cells."""

    def alter(workbook):
        for cell, value in cells.items():
            workbook[sheet][cell] = value
        for area in areas:
            workbook[sheet].merge_cells(area)

    return alter


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (merged("I2:I3"), [("cell-merged", "I3")]),
        (merged("I2:I4"), [("cell-merged", "I3"), ("cell-merged", "I4")]),
        (merged("H2:I2"), [("cell-merged", "I2")]),
        # A marker for both rows belongs to the first alone.
        (merged("J2:J3", I2=None, I3=None, J2="N/A"), [("cell-merged", "J3")]),
        (merged("A2:A3"), [("cell-merged", "A3")]),
        (merged("A2:A3", sheet="Milestones"), [("cell-merged", "A3")]),
        (merged("D2:D3"), [("cell-merged", "D3")]),
        (merged("E2:E3"), [("cell-merged", "E3")]),
        (merged("B1:B3", sheet="Return"), [("cell-merged", "B3")]),
        # A label over the cell of its value, which is always the one beside it.
        (merged("A3:B3", sheet="Return"), [("cell-merged", "B3")]),
        (merged("A1:C1", sheet="Return"), [("cell-merged", "B1")]),
        # What is merged elsewhere, or holds all that it must, is as it was.
        (merged("M2:M3"), []),
        (merged("I2:J2"), []),
        (merged("I2:I3", I2=None), [("value-missing", "I2"), ("cell-merged", "I3")]),
        (merged("M2:M3", I4=None), [("value-missing", "I4")]),
        (merged("E2:F2"), []),
        (merged("B3:C3", sheet="Return", B3=None), [("period-missing", "B3")]),
        (merged("E2:E3", E2="acres", E3=None), [("unit-differs", "E2"), ("cell-merged", "E3")]),
        (merged("M2:M3", E2=None), [("unit-differs", "E2")]),
        # The first cell of a merge can be typed in, and its marker need not be.
        (merged("I2:M2", I2=None), [("value-missing", "I2")]),
        (merged("I2:J3", I2=None), [("value-missing", "I2"), ("cell-merged", "I3")]),
    ],
)
def test_a_blank_that_is_merged_into_another_cell_says_so(checker, filled, alter, expected):
    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos"))
    assert [(one.code, one.cell) for one in checked.findings if one.severity is not Severity.NOTE] == expected


def test_a_merged_cell_is_said_with_its_merge(checker, filled):
    (finding,) = checker.check(Received("yos.xlsx", change(filled["yos"], merged("I2:I3")), "yos")).findings
    assert finding.message == (
        "This cell is part of I2:I3, which is merged into one. "
        "What is typed there stands in I2 alone, and nothing stands here."
    )


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


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
            cells = {"I3": None, "J3": "N/A", "K3": numerator, "L3": denominator}
            for address, value in cells.items():
                workbook["Indicators"][address] = value

        return alter

    (refused,) = checker.check(Received("a.xlsx", change(filled["yos"], nobody(numerator=0, denominator=0)))).findings
    assert (refused.code, refused.cell) == ("denominator-not-positive", "L3")
    assert "clear Actual, Numerator and Denominator" in refused.fix
    mended = change(filled["yos"], nobody(numerator=None, denominator=None))
    assert checker.check(Received("a.xlsx", mended)).findings == ()


@pytest.mark.parametrize(
    "typed", ["Q2 2010/11", "Quarter 2, 2010/11", "10/11 Q2", "Jul-Sep 2010", "July to September 2010"]
)
def test_a_period_that_can_mean_one_is_read_and_its_past_is_looked_at(checker, plan, filled, typed):
    received = Received("yos.xlsx", change(filled["yos"], lambda workbook: put_on_cover(workbook, "B3", typed)), "yos")
    assert checker.open(received).periods == checker.open(Received("yos.xlsx", filled["yos"], "yos")).periods
    checked = checker.check(received)
    assert (checked.is_accepted, checked.period) == (True, QUARTER)


def put_on_cover(workbook, cell, value, number_format="General"):
    workbook["Return"][cell] = value
    workbook["Return"][cell].number_format = number_format


@pytest.mark.parametrize(
    ("cell", "value", "number_format", "expected", "says"),
    [
        ("B3", date(2010, 11, 1), "mmm-yy", "period-is-date", "Excel turned 2010-11 into a date, 1 November 2010."),
        ("B3", "Q2 2010", "General", "period-ambiguous", '"Q2 2010" can mean 2009/10 Q2, 2010/11 Q1 or 2010/11 Q2.'),
        ("B3", 182.7, "General", "period-is-number", "The cell holds the number 182.7, which is not a period."),
        ("B6", 2010, "General", "date-not-a-day", 'The date of the return says "2010", which is not a date.'),
        ("B6", 2010, "d mmmm yyyy", "date-not-a-day", 'The date of the return says "2010", which is not a date.'),
        ("B6", "=A1&A2", "General", "date-not-a-day", "The date of the return says nothing, which is not a date."),
        (
            "B6",
            date(2010, 6, 30),
            "d mmmm yyyy",
            "date-before-period",
            "The return is dated 30 June 2010, but 2010/11 Q2",
        ),
    ],
)
def test_what_excel_made_of_the_cover_is_said(*, checker, filled, cell, value, number_format, expected, says):
    data = change(filled["yos"], lambda workbook: put_on_cover(workbook, cell, value, number_format))
    (finding,) = checker.check(Received("yos.xlsx", data, "yos")).findings
    assert (finding.code, finding.sheet, finding.cell) == (expected, "Return", cell)
    assert says in finding.message
    assert finding.severity is (Severity.ERROR if cell == "B3" else Severity.QUERY)


def test_a_period_that_is_a_date_says_how_to_type_it(checker, filled):
    data = change(filled["yos"], lambda workbook: put_on_cover(workbook, "B3", date(2010, 11, 1)))
    (finding,) = checker.check(Received("yos.xlsx", data, "yos")).findings
    assert "such as '2010-11Q1" in finding.fix


@pytest.mark.parametrize("typed", [(2010, 10, 15), "20 July 2010", "20/07/2010", None])
def test_a_good_date_is_not_asked_about(checker, filled, typed):
    value = date(*typed) if isinstance(typed, tuple) else typed
    data = change(filled["yos"], lambda workbook: put_on_cover(workbook, "B6", value, "d mmmm yyyy"))
    assert codes(checker.check(Received("yos.xlsx", data, "yos"))) == []


@pytest.mark.parametrize("typed", ["NI-43", "ni 043", "N.I. 43", "NI43 ", "NI 43*"])
def test_a_reference_in_other_writing_is_read(checker, filled, typed):
    def alter(workbook):
        workbook["Indicators"]["A3"] = typed
        workbook["Indicators"]["C3"] = "their own words"

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos"))
    assert checked.findings == ()
    assert checked.observations[1].indicator == "NI 43"


@pytest.mark.parametrize(("value", "number_format"), [(43, "General"), (date(2010, 4, 3), "d-mmm")])
@pytest.mark.parametrize("has_definition", [True, False])
def test_a_reference_of_which_excel_made_something_is_said(checker, filled, value, number_format, has_definition):
    def alter(workbook):
        sheet = workbook["Indicators"]
        sheet["A3"], sheet["C3"] = value, sheet["C3"].value if has_definition else "their own words"
        sheet["A3"].number_format = number_format

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos"))
    missing = [] if has_definition else ["indicator-missing"]
    assert codes(checked) == ["reference-not-text", *missing]
    assert checked.findings[0].cell == "A3"


def test_whether_a_row_is_a_note_does_not_depend_on_what_came_before(plan, filled):
    """A reference in two cells is none that the plan has: such a row is a note, unless it holds a figure."""

    def alter(workbook, figure):
        for column, value in {"A": "NI", "B": "43", "I": figure}.items():
            workbook["Indicators"][f"{column}6"] = value

    note, entry = (change(filled["yos"], lambda book, figure=figure: alter(book, figure)) for figure in (None, 7))
    checker = Checker(plan, History(), date(2011, 1, 15))
    found = [codes(checker.check(Received("yos.xlsx", data, "yos"))) for data in (note, entry, note)]
    assert found[0] == found[2] == ["text-around-table"]
    assert "indicator-unknown" in found[1]


def test_a_milestone_in_other_writing_is_read_and_a_number_is_none(checker, filled):
    def alter(workbook):
        workbook["Milestones"]["A2"] = str(workbook["Milestones"]["A2"].value).replace("-", ".").lower()
        workbook["Milestones"]["E2"] = "their own words"

    assert codes(checker.check(Received("cyps.xlsx", change(filled["cyps"], alter), "cyps"))) == []
    as_number = change(filled["cyps"], lambda workbook: workbook["Milestones"].__setitem__("A2", 1.2))
    assert codes(checker.check(Received("cyps.xlsx", as_number, "cyps"))) == ["reference-not-text"]


def with_blank_results(data: bytes, *cells: str, sheet: str = "Indicators") -> bytes:
    """The workbook with formulas in some cells that came to an empty text, as Excel saves `=IF(FALSE,1,"")`."""

    def alter(workbook):
        for cell in cells:
            workbook[sheet][cell] = '=IF(FALSE,1,"")'

    source, stream = ZipFile(BytesIO(change(data, alter))), BytesIO()
    with ZipFile(stream, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                text = re.sub(rb"(<c r=\"[A-Z]+\d+\"[^>]*?)(?: t=\"\w+\")?><f>IF\(", rb'\1 t="str"><f>IF(', text)
            target.writestr(name, text)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["I2"], ["I2"]),
        (["I2", "J2"], ["I2"]),
        (["A2"], ["A2"]),
        (["D2"], ["D2"]),
        (["E2"], ["E2"]),
        (["B2", "C2", "F2", "M2"], []),
        (["A40", "D40", "I40", "J40", "M40"], []),
        (["K2", "L2"], []),
    ],
)
def test_a_formula_that_came_to_nothing_says_so_where_something_must_stand(checker, filled, cells, expected):
    checked = checker.check(Received("yos.xlsx", with_blank_results(filled["yos"], *cells), "yos"))
    found = [(finding.code, finding.cell) for finding in checked.findings]
    assert found == [("formula-not-calculated", cell) for cell in expected]


def test_a_formula_in_the_column_of_markers_that_came_to_nothing_says_so(checker, filled):
    data = change(filled["yos"], lambda workbook: workbook["Indicators"].__setitem__("I2", None))
    (finding,) = checker.check(Received("yos.xlsx", with_blank_results(data, "J2"), "yos")).findings
    assert (finding.code, finding.cell) == ("formula-not-calculated", "J2")


def test_a_formula_that_came_to_nothing_beside_a_marker_is_a_blank(checker, filled):
    def alter(workbook):
        for column in "IJ":
            workbook["Indicators"][f"{column}2"] = None
        workbook["Indicators"]["J2"] = "N/A"

    checked = checker.check(Received("yos.xlsx", with_blank_results(change(filled["yos"], alter), "I2"), "yos"))
    assert checked.findings == ()
    assert checked.observations[0].marker is Marker.NOT_APPLICABLE


def test_a_milestone_whose_formula_came_to_nothing_says_so(checker, filled):
    checked = checker.check(Received("c.xlsx", with_blank_results(filled["cyps"], "A2", sheet="Milestones"), "cyps"))
    assert [(finding.code, finding.cell) for finding in checked.findings] == [("formula-not-calculated", "A2")]
    below = with_blank_results(filled["cyps"], "A60", "G60", "H60", "I60", sheet="Milestones")
    assert checker.check(Received("c.xlsx", below, "cyps")).findings == ()


@pytest.mark.parametrize(
    ("actual", "marker", "cell", "typed"),
    [
        (None, " n/a", "J2", " n/a"),
        (None, "[c]", "J2", "[c]"),
        ("[p]", "TBC", "J2", "TBC"),
        ("TBC", None, "I2", "TBC"),
        ("TBC", "TBC", "I2", "TBC"),
        (0.5, "[p]", "I2", "0.50"),
    ],
)
def test_what_is_loaded_leads_to_the_cell_that_says_it(*, checker, filled, actual, marker, cell, typed):
    def alter(workbook):
        for column, value in {"I": actual, "J": marker, "K": None, "L": None}.items():
            workbook["Indicators"][f"{column}2"] = value

    checked = checker.check(Received("yos.xlsx", change(filled["yos"], alter), "yos"))
    assert checked.is_accepted
    assert (checked.observations[0].cell, checked.observations[0].typed) == (cell, typed)
