"""The form of a return: one of this plan is nobody's finding, whichever program wrote it."""

import io
from datetime import date

import openpyxl
import pytest

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.findings import find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.layout import RETURN, read_layouts
from cypp_etl.periods import parse_period
from cypp_etl.rules.template import judge_form_period, judge_template
from cypp_etl.samples.returns import fill_template, sample_answers
from cypp_etl.templates.workbook import write_template
from cypp_etl.workbook.reader import read_workbook
from schemas.codes import MilestoneStatus

NOTHING = History()


@pytest.fixture(scope="module")
def form(plan):
    return write_template(plan, "yos", parse_period("2010-11Q1"))


def codes_for(form, plan, fingerprint=None):
    if fingerprint is not None:
        book = openpyxl.load_workbook(io.BytesIO(form))
        book["_meta"]["B2"] = fingerprint
        written = io.BytesIO()
        book.save(written)
        form = written.getvalue()
    return [found.code for found in judge_template(read_workbook(form), read_layouts()[RETURN], plan)]


def test_a_form_of_this_plan_is_no_finding(form, plan):
    assert codes_for(form, plan) == []


def test_a_form_written_before_plans_were_workbooks_is_no_finding(form, plan):
    assert codes_for(form, plan, plan.former_fingerprint) == []


def test_a_form_of_another_plan_is_a_finding(form, plan):
    assert codes_for(form, plan, "0" * 64) == ["template-differs"]


@pytest.fixture(scope="module")
def of_last_year(plan):
    """The findings about last year's form, filled in, once cells of it are something else."""
    period = parse_period("2009-10Q4")
    filled = fill_template(write_template(plan, "yos", period), sample_answers(plan, "yos", parse_period("2010-11Q1")))

    def check(cells, history=NOTHING):
        book, written = openpyxl.load_workbook(io.BytesIO(filled)), io.BytesIO()
        for (sheet, cell), value in cells.items():
            book[sheet][cell] = value
        book.save(written)
        checked = Checker(plan, history, date(2010, 7, 12)).check(Received("r.xlsx", written.getvalue(), "yos"))
        about = {"target-differs", "last-figure-differs", "form-of-other-period"}
        return [(one.code, one.cell) for one in checked.findings if one.code in about]

    return check


PERIOD = ("Return", "B3")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # As it was made, with a target typed over.
        ({("Indicators", "F2"): 0.123}, [("target-differs", "F2")]),
        ({PERIOD: "2010-11Q1"}, [("form-of-other-period", "B3")]),
        # A target typed over in it is no other year's, and is a finding of its own.
        (
            {PERIOD: "2010-11Q1", ("Indicators", "F2"): 0.123},
            [("form-of-other-period", "B3"), ("target-differs", "F2")],
        ),
        # All that differs is typed over, where the others are blank.
        (
            {PERIOD: "2010-11Q1", ("Indicators", "F2"): 0.123}
            | {("Indicators", f"F{row}"): None for row in range(3, 6)},
            [("target-differs", "F2")],
        ),
        # Nothing in it is another year's.
        ({PERIOD: "2010-11Q1"} | {("Indicators", f"F{row}"): None for row in range(2, 6)}, []),
        # A form of before they said their period.
        (
            {PERIOD: "2010-11Q1", ("_meta", "A4"): None} | {("Indicators", f"F{row}"): None for row in range(3, 6)},
            [("target-differs", "F2")],
        ),
        # What it says is no period.
        (
            {PERIOD: "2010-11Q1", ("_meta", "B4"): "soon"} | {("Indicators", f"F{row}"): None for row in range(3, 6)},
            [("target-differs", "F2")],
        ),
    ],
)
def test_the_form_for_another_period_is_one_finding(of_last_year, cells, expected):
    assert of_last_year(cells) == expected


def test_the_finding_says_which_form_it_is_and_where_the_right_one_lies(plan, form):
    parsed = ParsedReturn("r.xlsx", "", RETURN, period=parse_period("2010-11Q2"), period_cell=("Return", "B3"))
    workbook, layout = read_workbook(form), read_layouts()[RETURN]
    stale = [find("target-differs", indicator="NI 43", expected="5.0%")] * 2

    def differences_from(period):
        return stale if period == parsed.period else []

    (finding,) = judge_form_period(differences_from, parsed, workbook, layout)
    assert finding.message.startswith("This is the form for 2010/11 Q1, and the return is for 2010/11 Q2:")
    assert "folder forms" in finding.fix
    assert [*judge_form_period(lambda _: [], parsed, workbook, layout)] == []


CASES = [
    # Nothing at all; each kind of entry; spaces alone, which say nothing.
    ({}, ["form-not-filled-in"]),
    ({"Indicators": {"I2": 0.5}}, []),
    ({"Indicators": {"M3": "See below"}}, []),
    ({"Milestones": {"G2": "On track"}}, []),
    ({"Return": {"B4": "A. Clerk"}}, []),
    ({"Return": {"B6": date(2010, 7, 9)}}, []),
    ({"Indicators": {"I2": "  "}}, ["form-not-filled-in"]),
]


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_a_form_as_it_was_sent_is_no_return(form, plan, typed, expected):
    book = openpyxl.load_workbook(io.BytesIO(form))
    for sheet, cells in typed.items():
        for cell, value in cells.items():
            book[sheet][cell] = value
    written = io.BytesIO()
    book.save(written)
    checked = Checker(plan, History(), date(2010, 7, 15)).check(Received("r.xlsx", written.getvalue(), "yos"))
    assert [one.code for one in checked.findings if one.code == "form-not-filled-in"] == expected


def test_a_milestone_that_the_form_left_out_is_not_missing(plan):
    code = plan.milestones_of["yos"][0].milestone
    period = parse_period("2010-11Q1")
    settled = History(milestone_states={(code, period.previous): MilestoneStatus.ACHIEVED})

    def missing(data, history):
        checked = Checker(plan, history, date(2010, 7, 15)).check(Received("r.xlsx", data, "yos"))
        return [one.code for one in checked.findings if one.code == "milestone-missing"]

    short = write_template(plan, "yos", period, settled)
    assert missing(short, settled) == []
    # At home there is no history; and the earlier return may have been corrected since.
    assert missing(short, History()) == []
    book = openpyxl.load_workbook(io.BytesIO(short))
    del book["_meta"]
    written = io.BytesIO()
    book.save(written)
    assert missing(written.getvalue(), settled) == []
    assert missing(written.getvalue(), History()) == ["milestone-missing"]
    # An older form that still asks for it is a return too.
    assert missing(write_template(plan, "yos", period), settled) == []
