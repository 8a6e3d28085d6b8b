"""What stands around a table is no indicator and no milestone; a figure that belongs to none stays an error."""

from datetime import date
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.layout import read_layouts
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return

QUARTER = Period(2010, 1)
HEADINGS = [column.heading for column in read_layouts()["return"].part("indicators").columns]


@pytest.fixture(scope="module")
def checker():
    return Checker(read_plan(), History(), date(2010, 7, 15))


@pytest.fixture(scope="module")
def check(checker):
    """Check a good return after something was typed into cells of one of its sheets."""
    good = {code: sample_return(checker.plan, code, QUARTER) for code in ("yos", "cyps")}

    def check(typed, sheet="Indicators", partner_code="yos"):
        workbook, stream = load_workbook(BytesIO(good[partner_code])), BytesIO()
        for cell, value in typed.items():
            workbook[sheet][cell] = value
        workbook.save(stream)
        return checker.check(Received("return.xlsx", stream.getvalue(), partner_code))

    return check


def places(checked):
    return [(finding.code, finding.cell) for finding in checked.findings if finding.code != "large-change-explained"]


@pytest.mark.parametrize(
    "typed",
    [
        {"A40": "* Provisional figures; source: Youth Offending Information System"},
        {"A20": "Note: 2 of the 71 are estimates"},
        {"M40": "."},
        {"B9": "Printed on 3 July"},
        {"I30": "Source: records of 2010"},
        {"I30": "."},
        {"J30": "x"},
        {"A30": "Total"},
        {"A30": "NI 999"},
        {"C30": "Signed:", "D30": "Head of service"},
        {f"{letter}30": heading for letter, heading in zip("ABCDEFGHIJKLM", HEADINGS, strict=True)},
    ],
)
def test_text_around_the_table_is_a_note_at_its_first_cell(check, typed):
    checked = check(typed)
    assert places(checked) == [("text-around-table", next(iter(typed)))]
    assert checked.is_accepted
    assert len(checked.observations) == 4


def test_a_heading_in_capitals_or_of_another_spelling_is_one_too(check):
    assert places(check({"A30": "REFERENCE", "I30": "Outturn", "J30": "Reason for no figure"})) == [
        ("text-around-table", "A30")
    ]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"A30": "NI 999", "I30": 71}, [("indicator-unknown", "A30")]),
        ({"A30": "NI 999", "J30": "N/A"}, [("indicator-unknown", "A30")]),
        ({"A30": "NI 999", "K30": 3}, [("indicator-unknown", "A30")]),
        ({"A30": "* Provisional", "I30": "about 70"}, [("indicator-unknown", "A30")]),
        ({"I30": 71}, [("row-without-ref", "A30")]),
        ({"I30": "=SUM(I2:I5)"}, [("row-without-ref", "A30")]),
        ({"A30": "NI 43"}, [("indicator-twice", "A30"), ("good-performance-unknown", "D30"), ("unit-differs", "E30")]),
    ],
)
def test_a_figure_without_an_indicator_stays_an_error(check, typed, expected):
    found = places(check(typed))
    assert set(expected) <= set(found)
    assert "text-around-table" not in dict(found)


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ({"A30": "Total", "I30": 71}, "A30"),
        ({"A30": "TOTALS:", "I30": "=SUM(I2:I5)"}, "A30"),
        ({"A30": "Grand total (all areas)", "I30": 71}, "A30"),
        ({"C30": "Sub-total", "I30": 71}, "C30"),
        ({"A30": "Average", "K30": 3, "D30": "HIHG", "E30": "kg"}, "A30"),
    ],
)
def test_a_total_is_said_to_be_one_and_nothing_else_is(check, typed, cell):
    checked = check(typed)
    assert places(checked) == [("total-returned", cell)]
    assert "totals are not returned" in checked.findings[0].message
    assert not checked.is_accepted


@pytest.mark.parametrize("text", ["Totally", "Summary", "Allotal"])
def test_a_word_that_only_begins_like_a_total_is_none(check, text):
    assert places(check({"A30": text, "I30": 71})) == [("indicator-unknown", "A30")]


@pytest.mark.parametrize(
    "typed",
    [
        {"A60": "* As agreed on 3 July"},
        {"H60": "."},
        {"G60": "-"},
        {"A60": "Milestone", "G60": "Status", "I60": "Review"},
    ],
)
def test_text_around_the_milestones_is_a_note_too(check, typed):
    assert places(check(typed, "Milestones", "cyps")) == [("text-around-table", next(iter(typed)))]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"G60": "On track"}, [("row-without-milestone", "A60")]),
        ({"G60": "Done"}, [("row-without-milestone", "A60"), ("status-unknown", "G60")]),
        ({"A60": "PC1-A1-M99", "I60": "Stop"}, [("milestone-unknown", "A60"), ("review-without-reason", "J60")]),
    ],
)
def test_a_status_without_a_milestone_stays_an_error(check, typed, expected):
    assert places(check(typed, "Milestones", "cyps")) == expected


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cell=st.tuples(st.sampled_from("ABCIJKLM"), st.integers(7, 60)),
    text=st.text(st.characters(categories=("L", "Po", "Zs")), min_size=1, max_size=30),
)
def test_words_alone_below_the_table_refuse_no_return(check, cell, text):
    if "@" in text or "*" in text or text.strip().casefold() in ("tbc", "n/a"):
        return
    assert check({f"{cell[0]}{cell[1]}": f"_{text}"}).is_accepted


def test_the_longest_text_in_every_cell_of_a_row_takes_no_time(check):
    assert places(check({f"{letter}40": "Total " * 5_461 for letter in "ABCM"})) == [("text-around-table", "A40")]
