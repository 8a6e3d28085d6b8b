"""Periods and days as people type them: one meaning is read, two are asked about, none is said."""

from datetime import date
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.intake.typed_periods import periods_meant, read_day, read_period
from cypp_etl.periods import Period
from cypp_etl.workbook.model import CellKind

Q1 = Period(2010, 1)
MONTHS = {1: ("April", "June"), 2: ("July", "September"), 3: ("October", "December"), 4: ("January", "March")}
LAST_DAYS = {1: 30, 2: 30, 3: 31, 4: 31}

YEARS = [
    "{start}/{short_end}",
    "{start}-{short_end}",
    "{start}\u2013{short_end}",
    "{start}/{end}",
    "{short}/{short_end}",
]
QUARTERS = ["Q{q}", "q {q}", "Quarter {q}", "Qtr. {q}", "{ordinal} quarter", "{q}Q", "Quarter {word}"]
JOINED = ["{quarter} {year}", "{year} {quarter}", "{quarter}, {year}", "{year} ({quarter})", "{quarter} - {year}"]
SPANS = ["{first}-{last}", "{first} to {last}", "{first} \u2013 {last}", "from {first} until {last}", "{all}"]


@pytest.mark.parametrize(
    "text",
    [
        *("2010-11Q1", "2010/11 Q1", "Q1 2010/11", "2010-11 Quarter 1", "Quarter 1, 2010/11", "10/11 Q1"),
        *("Apr-Jun 2010", "April to June 2010", "Apr, May & Jun 2010", "April, May and June 2010", "Apr-Jun 10"),
        *("Apr-Jun 2010/11", "2010/11 (April to June)", "Q1 (Apr-Jun) 2010/11", "April 2010 - June 2010"),
        *("Quarter ending June 2010", "quarter ended 30 June 2010", "quarter to 30th June 2010"),
        *("1 April 2010 to 30 June 2010", "01/04/2010 - 30/06/2010", "2010-04-01 to 2010-06-30"),
        *("FY 10/11 Q1", "Period: Q1 of the financial year 2010-11", "  q1\u00a02010/11 ", "Ｑ1 2010/11"),
    ],
)
def test_what_can_mean_one_period_is_read(text):
    assert periods_meant(text) == (Q1,)


@pytest.mark.parametrize(
    "text", ["2010-11", "2010/11", "10/11", "FY 2010/11", "Apr 2010 to Mar 2011", "April-March 2010/11"]
)
def test_a_whole_year_is_read(text):
    assert periods_meant(text) == (Period(2010),)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Q1 2010", ["2009-10Q1", "2009-10Q4", "2010-11Q1"]),
        ("Q2 10", ["2009-10Q2", "2010-11Q1", "2010-11Q2"]),
        ("2010", ["2009-10", "2010-11"]),
        ("April to March 2011", ["2010-11", "2011-12"]),
        ("Q2 (Apr-Jun) 2010/11", ["2010-11Q1", "2010-11Q2"]),
    ],
)
def test_what_can_mean_two_periods_is_none_of_them(text, codes):
    assert [period.code for period in periods_meant(text)] == codes


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "Q1",
            "Summer 2010",
            "June 2010",
            "Nov-10",
            "2010-12Q1",
            "2010/12 Q1",
            "Q5 2010/11",
            "20010/11",
            "2010.11",
        ),
        *("Apr-Sep 2010", "May-Jul 2010", "Apr 2010 - Jun 2011", "2 April to 30 June 2010", "1 April to 29 June 2010"),
        *("Q1 Q2 2010/11", "2010/11 2011/12 Q1", "Q1 2010/11 and Q2 2010/11", "10/11/12", "30/06/2010", "Apr-Jun 0000"),
        *("Q1 2010/11 draft", "Я 2010/11", "99/99/9999", "Q1 2010/11" + " " * 80, "١/٢ Q1"),
    ],
)
def test_what_means_no_period_is_none(text):
    assert periods_meant(text) == ()


@given(
    start=st.integers(2000, 2097),
    quarter=st.integers(1, 4),
    year=st.sampled_from(YEARS),
    form=st.sampled_from(QUARTERS),
    joined=st.sampled_from(JOINED),
    change=st.sampled_from([str, str.upper, str.lower]),
)
def test_every_way_to_write_a_quarter_is_that_quarter(*, start, quarter, year, form, joined, change):
    ordinal, word = [("1st", "one"), ("2nd", "two"), ("3rd", "three"), ("4th", "four")][quarter - 1]
    years = {"start": start, "end": start + 1, "short": str(start)[2:], "short_end": str(start + 1)[2:]}
    words = {"quarter": form.format(q=quarter, ordinal=ordinal, word=word), "year": year.format(**years)}
    assert periods_meant(change(joined.format(**words))) == (Period(start, quarter),)


@given(
    period=st.builds(Period, st.integers(2000, 2097), st.integers(1, 4)),
    span=st.sampled_from(SPANS),
    length=st.sampled_from([3, 20]),
    says_financial_year=st.booleans(),
)
def test_every_way_to_write_months_is_their_quarter(*, period, span, length, says_financial_year):
    first, last = (name[:length] for name in MONTHS[period.quarter])
    middle = {"April": "May", "July": "August", "October": "November", "January": "February"}
    months = f"{first}, {middle[MONTHS[period.quarter][0]][:length]} and {last}"
    year = period.year.label if says_financial_year else period.last_day.year
    assert periods_meant(f"{span.format(first=first, last=last, all=months)} {year}") == (period,)


@given(period=st.builds(Period, st.integers(1901, 2097), st.integers(0, 4)))
def test_codes_labels_and_days_are_read_alike(period):
    assert periods_meant(period.code) == periods_meant(period.label) == (period,)
    if period.quarter:
        days = [f"{day:%d/%m/%Y}" for day in (period.first_day, period.last_day)]
        assert periods_meant(" to ".join(days)) == (period,)


@given(st.text(st.sampled_from("q123 410-/aprjunmytoending.,()"), max_size=100))
def test_nothing_that_is_typed_stops_it(text):
    assert all(Period(1) <= period for period in periods_meant(text))


@pytest.mark.parametrize("part", ["1-", "q ", " ", "apr-", "1", "-", "10/11 ", "x", "01/04/2010-", "²"])
def test_the_longest_texts_are_not_looked_into(part):
    began = process_time()
    assert periods_meant(part * (32_767 // len(part))) == ()
    assert process_time() - began < 0.5


@pytest.mark.parametrize(
    ("value", "trouble", "words"),
    [
        (date(2010, 11, 1), "period-is-date", {"made_of": "2010-11", "day": "1 November 2010"}),
        (date(2026, 11, 10), "period-is-date", {"made_of": "10/11", "day": "10 November 2026"}),
        (date(2010, 6, 30), "period-is-date", {"made_of": "what was typed", "day": "30 June 2010"}),
        (182.7, "period-is-number", {}),
        (40483, "period-is-number", {}),
        (2010, "period-ambiguous", {"meanings": "2009/10 or 2010/11"}),
        ("Summer 2010", "period-unreadable", {}),
        (True, "period-unreadable", {}),
        (None, "", {}),
    ],
)
def test_what_a_cell_says_instead(make_cell, value, trouble, words):
    reading = read_period(make_cell(value))
    assert (reading.period, reading.trouble, reading.words) == (None, trouble, words)


def test_a_date_outside_the_calendar_is_a_number(make_cell):
    assert read_period(make_cell(-5.0, kind=CellKind.DATE)).trouble == "period-is-number"
    assert read_period(make_cell(0.5, kind=CellKind.DATE)).trouble == "period-unreadable"


@pytest.mark.parametrize(
    "value",
    [
        date(2010, 7, 20),
        "20 July 2010",
        "20/07/2010",
        "20.7.10",
        "2010-07-20",
        "Tuesday 20th July 2010",
        "July 20, 2010",
    ],
)
def test_a_day_is_read(make_cell, value):
    assert read_day(make_cell(value)) == date(2010, 7, 20)


@pytest.mark.parametrize("value", [None, 2010, "2010", "July 2010", "31/06/2010", "n/a", 40379, True, "x" * 32_767])
def test_what_is_no_day_is_none(make_cell, value):
    assert read_day(make_cell(value)) is None


def test_a_year_in_a_cell_for_dates_is_no_day_long_past(make_cell):
    assert read_day(make_cell(2010.0, kind=CellKind.DATE)) is None
    assert read_day(make_cell(0.5, kind=CellKind.DATE)) is None
    assert read_day(make_cell(40379.0, kind=CellKind.DATE)) == date(2010, 7, 20)
