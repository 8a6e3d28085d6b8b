"""Tables are found by their headings, in any place and order."""

import pytest

from cypp_etl.intake.tables import find_sheet, read_labels, read_table
from cypp_etl.layout import read_layouts
from cypp_etl.periods import Period
from cypp_etl.workbook.model import Cell, CellKind, Workbook

HEADINGS = ["Ref", "Sub", "Definition", "Good performance", "Unit", "Target", "Actual", "Marker"]
ROW = ["NI 43", None, "Custody", "LOW", "percent", 0.075, 0.071, None]


def codes(table):
    return [(finding.code, finding.cell) for finding in table.findings]


def test_a_table_as_written(make_sheet, indicators):
    table = read_table(make_sheet(HEADINGS, ROW), indicators)
    assert table.findings == ()
    (row,) = table.rows
    assert (row.text("ref"), row.text("sub"), row.address("actual"), row.row) == ("NI 43", "", "G2", 2)
    assert row.first_filled("marker", "actual", "ref") == "actual"
    assert row.first_filled("marker") == ""


def test_columns_may_move(make_sheet, indicators):
    table = read_table(make_sheet(HEADINGS[::-1], ROW[::-1]), indicators)
    assert table.findings == ()
    assert table.rows[0].address("ref") == "H2"
    assert table.rows[0].text("ref") == "NI 43"


@pytest.mark.parametrize(
    "change", [str.upper, str.lower, "  {} ".format, "{}:".format, lambda text: text.replace(" ", "\n")]
)
def test_headings_are_known_in_any_case_spacing_and_line_breaks(make_sheet, indicators, change):
    table = read_table(make_sheet([change(heading) for heading in HEADINGS], ROW), indicators)
    assert table.findings == ()
    assert set(table.columns) >= {"ref", "good_performance", "actual"}


def test_other_spellings_are_accepted(make_sheet, indicators):
    table = read_table(make_sheet([*HEADINGS[:6], "Outturn", "Marker", "Notes"], ROW), indicators)
    assert table.findings == ()
    assert table.columns["actual"] == 7
    assert table.columns["comment"] == 9


@pytest.mark.parametrize(("first", "found"), [(6, 2), (7, 2), (8, 1)])
def test_the_row_with_the_most_headings_is_taken_and_the_first_of_equals(make_sheet, indicators, first, found):
    """Neither has all the headings that the layout knows, as in an older form."""
    table = read_table(make_sheet(HEADINGS[:first], HEADINGS, ROW), indicators)
    assert table.header_row == found
    assert table.rows[-1].text("ref") == "NI 43"


def test_titles_may_stand_above(make_sheet, indicators):
    table = read_table(make_sheet(["Our return"], [], ["Indicators", None, "Actual"], HEADINGS, ROW), indicators)
    assert table.header_row == 4
    assert [row.row for row in table.rows] == [5]


def test_headings_too_far_down_are_not_looked_for(make_sheet, indicators):
    assert read_table(make_sheet(*[["a line"]] * 25, HEADINGS, ROW), indicators) is None


def test_a_misspelt_heading_is_one_finding_and_its_column_is_read(make_sheet, indicators):
    table = read_table(make_sheet([*HEADINGS[:6], "Actaul", "Marker"], ROW), indicators)
    assert codes(table) == [("heading-misspelt", "G1")]
    assert table.findings[0].message == 'The heading "Actaul" is not one of the template\'s. It looks like Actual.'
    assert table.rows[0].address("actual") == "G2"


def test_an_unknown_heading_is_said_at_its_cell(make_sheet, indicators):
    assert codes(read_table(make_sheet([*HEADINGS, "Q1 draft"], ROW), indicators)) == [("heading-unknown", "I1")]


def test_figures_without_a_heading_are_asked_about_once_a_column(make_sheet, indicators):
    rows = [[*ROW, None, None, 71.5], [*ROW, "my note", None, 72.5]]
    table = read_table(make_sheet([*HEADINGS, None, "", None], *rows), indicators)
    assert codes(table) == [("column-without-heading", "K2")]
    assert table.findings[0].message == "Column K holds figures and has no heading. It was not read."
    assert codes(read_table(make_sheet([*HEADINGS, None], [*ROW, "my note"]), indicators)) == []


def test_a_missing_heading_is_said_unless_the_column_is_optional(make_sheet, indicators):
    without_actual = read_table(make_sheet([*HEADINGS[:6], None, "Marker"], ROW), indicators)
    assert codes(without_actual) == [("heading-missing", "A1")]
    without_target = read_table(
        make_sheet([*HEADINGS[:5], None, "Actual", "Marker"], [*ROW[:5], None, *ROW[6:]]), indicators
    )
    assert codes(without_target) == []


def test_a_heading_that_stands_twice_counts_once(make_sheet, indicators):
    table = read_table(make_sheet([*HEADINGS, "Actual"], [*ROW, 0.99]), indicators)
    assert codes(table) == [("heading-twice", "I1")]
    assert table.columns["actual"] == 7


def test_a_slip_does_not_take_the_place_of_a_better_match(make_sheet, indicators):
    headings = ["Reff", "Sub", "Definition", "Good performence", "Unit", "Target", "Actual", "Marker"]
    assert codes(read_table(make_sheet(headings, ROW), indicators)) == [
        ("heading-misspelt", "A1"),
        ("heading-misspelt", "D1"),
    ]


@pytest.mark.parametrize("rows", [[], [["a", "b"]], [["Ref"], ["NI 43"]], [["Case", "Surname"], [1, "Smith"]]])
def test_what_has_no_headings_is_no_table(make_sheet, indicators, rows):
    assert read_table(make_sheet(*rows), indicators) is None


def test_blank_rows_are_passed_over_and_formulas_are_not(make_sheet, indicators):
    sheet = make_sheet(HEADINGS, [None] * 8, ["  "], ROW)
    sheet.rows[6] = {7: Cell(6, 7, CellKind.BLANK, None, is_formula=True)}
    assert [row.row for row in read_table(sheet, indicators).rows] == [4, 6]


def test_years_in_headings_say_the_tables_year(make_sheet, published):
    headings = ["Ref", "Good Perf", "08/09 Actual", "2009-10 Target", "09/10 Perf", "10/11 Target", "11/12 Target"]
    table = read_table(make_sheet(headings), published)
    assert table.findings == ()
    assert table.year == Period(2009)
    assert table.columns["next_target_2"] == 7


@pytest.mark.parametrize("typed", ["09/10 Pref", "08/09 Perf", "09/11 Perf"])
def test_one_wrong_year_or_slip_leaves_the_others_their_meaning(make_sheet, published, typed):
    headings = ["Ref", "Good Perf", "08/09 Actual", "09/10 Target", typed, "10/11 Target", "11/12 Target"]
    table = read_table(make_sheet(headings), published)
    assert codes(table) == [("heading-misspelt", "E1")]
    assert "09/10 Perf" in table.findings[0].fix
    assert table.year == Period(2009)


def test_a_header_in_two_rows_takes_the_lower_where_it_holds_anything(make_sheet, published):
    table = read_table(
        make_sheet(
            ["Ref", "Good Perf", "09/10 Perf", "Latest Comparative Data", None],
            [None, None, None, "Stat. Neigh.", "National"],
            ["NI 43", "LOW", 7.1, 4.4, 5.8],
        ),
        published,
    )
    assert table.findings == ()
    assert table.columns["national"] == 5
    assert [row.row for row in table.rows] == [3]


def test_labels_are_read_in_any_order_and_the_first_counts(make_sheet):
    cover = read_layouts()["return"].part("cover")
    sheet = make_sheet(["PERIOD:", "2010/11 Q1"], ["Partner code"], [None, "stray"], ["Quarter", "2010/11 Q2"])
    labels = read_labels(sheet, cover.columns)
    assert (labels["period"].value, labels["period"].address) == ("2010/11 Q1", "B1")
    assert (labels["partner_code"].value, labels["partner_code"].address) == (None, "B2")
    assert "email" not in labels


def test_a_sheet_by_its_own_name_comes_before_other_spellings(make_sheet, indicators):
    draft, real = make_sheet(name="Performance indicators"), make_sheet(name=" INDICATORS ")
    assert find_sheet(Workbook("xlsx", [draft, real]), indicators) is real
    assert find_sheet(Workbook("xlsx", [draft]), indicators) is draft
    assert find_sheet(Workbook("xlsx", [make_sheet(name="Q1")]), indicators) is None
