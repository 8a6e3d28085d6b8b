"""Which rows share what they are about: those with the same words, of which nothing else tells more."""

import pytest

from cypp_etl.intake import bands
from cypp_etl.intake.bands import KnownSubjects
from cypp_etl.intake.rows import Subject
from cypp_etl.intake.tables import read_table
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.reader import read_plan
from cypp_etl.workbook.model import CellKind

PLAN = read_plan()
LEAF = PLAN.indicators["NI 43"]
HEADINGS = ["Ref", "Sub", "Definition", "Good performance", "Unit", "Actual"]
ROW = ["NI 43", None, LEAF.definition, "LOW", "percent", 0.071]
SUBJECT = Subject("NI 43", "", LEAF, LEAF, False, "LOW", "percent")


@pytest.fixture
def index():
    return PlanIndex.of(PLAN)


def test_rows_with_the_same_words_share_a_subject(index, make_sheet, indicators):
    first, last = (read_table(make_sheet(HEADINGS, [*ROW[:5], value]), indicators) for value in (0.071, 0.5))
    known, later = KnownSubjects(index, first), KnownSubjects(index, last)
    assert known.find(known.words_of(first.rows[0])) is None
    known.keep(known.words_of(first.rows[0]), SUBJECT)
    assert later.find(later.words_of(last.rows[0])) is SUBJECT


@pytest.mark.parametrize(
    ("place", "other"), [(0, "NI 44"), (1, "a"), (2, "Custody"), (3, "HIGH"), (4, "number"), (4, None)]
)
def test_rows_with_other_words_do_not(index, make_sheet, indicators, place, other):
    table = read_table(make_sheet(HEADINGS, ROW, [*ROW[:place], other, *ROW[place + 1 :]]), indicators)
    known = KnownSubjects(index, table)
    known.keep(known.words_of(table.rows[0]), SUBJECT)
    assert known.find(known.words_of(table.rows[1])) is None


def test_other_columns_and_another_plan_are_another_matter(index, make_sheet, indicators):
    table = read_table(make_sheet(HEADINGS, ROW), indicators)
    without = read_table(make_sheet(HEADINGS[:4] + HEADINGS[5:], ROW[:4] + ROW[5:]), indicators)
    known = KnownSubjects(index, table)
    known.keep(known.words_of(table.rows[0]), SUBJECT)
    for other in (KnownSubjects(index, without), KnownSubjects(PlanIndex.of(PLAN), table)):
        assert other.find(other.words_of(without.rows[0])) is None


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({}, Subject("NI 43", "", None, None, False, "LOW", "percent")),
        ({0: "NI", 1: "43"}, Subject("NI", "43", LEAF, None, False, "LOW", "percent")),
        ({0: 43.0}, SUBJECT),
        ({1: True}, SUBJECT),
        ({2: "x" * 500}, SUBJECT),
    ],
    ids=["unknown to the plan", "known by two cells together", "a number", "a boolean", "a long text"],
)
def test_what_may_not_be_repeated_is_not_kept(index, make_sheet, indicators, change, subject):
    table = read_table(make_sheet(HEADINGS, [change.get(place, value) for place, value in enumerate(ROW)]), indicators)
    known = KnownSubjects(index, table)
    words = known.words_of(table.rows[0])
    known.keep(words, subject)
    assert known.find(words) is None


def test_all_tables_of_a_plan_keep_a_number_of_subjects_together(index, make_sheet, indicators, monkeypatch):
    monkeypatch.setattr(bands, "_MOST_SUBJECTS", 2)
    whole = read_table(make_sheet(HEADINGS, ROW, ["NI 43", None, LEAF.definition, "LOW", "%", None]), indicators)
    without = read_table(make_sheet(HEADINGS[:4] + HEADINGS[5:], ROW[:4] + ROW[5:]), indicators)
    kept = [(KnownSubjects(index, table), row) for table in (whole, without) for row in table.rows]
    for known, row in kept:
        known.keep(known.words_of(row), SUBJECT)
    assert [known.find(known.words_of(row)) for known, row in kept] == [None, None, SUBJECT]


def test_a_parent_is_kept(index, make_sheet, indicators):
    table = read_table(make_sheet(HEADINGS, ["NI 111", None, None, "LOW", None, None]), indicators)
    known, parent = KnownSubjects(index, table), Subject("NI 111", "", None, None, True, "LOW", "")
    known.keep(known.words_of(table.rows[0]), parent)
    assert known.find(known.words_of(table.rows[0])) is parent


def test_a_row_has_formulas_where_its_own_cells_do(make_sheet, indicators):
    sheet = make_sheet(HEADINGS, ROW, [None, None, None, None, None, 7], [*ROW, "beside the table"])
    sheet.rows[3][6] = sheet.rows[3][6]._replace(kind=CellKind.BLANK, value=None, is_formula=True)
    sheet.rows[4][7] = sheet.rows[4][7]._replace(is_formula=True)
    rows = read_table(sheet, indicators).rows
    assert [row.has_formulas for row in rows] == [False, True, False]
    assert [row.uncalculated() for row in rows] == [[], ["actual"], []]
