"""Personal data is recognised only by unambiguous patterns, and nothing else is taken for it."""

import pytest

from cypp_etl.rules.personal import is_nhs_number, is_upn, judge_personal, kinds_in, suspect_sheets
from cypp_etl.workbook.model import Cell, CellKind, Sheet, Workbook

NHS, UPN = "943 476 5919", "H801200001001"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ask jane.smith@example.org", "an e-mail address"),
        ("Ring 01709 382121 for more", "a telephone number"),
        ("(01709) 382121", "a telephone number"),
        ("07700 900123", "a telephone number"),
        ("+44 7700 900123", "a telephone number"),
        ("+44 (0)1709 382121", "a telephone number"),
        ("020 7946 0123", "a telephone number"),
        (f"NHS {NHS}", "an NHS number"),
        ("9434765919", "an NHS number"),
        ("943-476-5919.", "an NHS number"),
        (f"pupil {UPN}", "a unique pupil number (UPN)"),
        (UPN.lower(), "a unique pupil number (UPN)"),
        ("NI number AB 12 34 56 C", "a National Insurance number"),
        ("J. was born 3 May 1999", "a date of birth"),
        ("DOB 03/05/99", "a date of birth"),
        ("d.o.b.: 1999-05-03", "a date of birth"),
        ("Date of birth is 3rd May, 1999", "a date of birth"),
        ("born on 03.05.1999, in care", "a date of birth"),
        ("lives at 12 Moorgate Road, Rotherham S60 2AG", "a home address"),
        ("12a, Old Mill Lane, Wath, S63 7QW", "a home address"),
    ],
)
def test_personal_data_is_told(text, kind):
    assert kinds_in(text) == (kind,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "71.0% [p]",
        "New provider from July 2010; 14 of 20 young people took part.",
        "Meeting on 12/04/2010, next on 03-05-2010",
        "Achieved on 31 March 2011",
        "Children born 1 April 2008 to 31 March 2009",
        "Babies born between 01/04/2009 and 31/03/2010",
        "born in 2009",
        "1,406 first time entrants in 100,000",
        "Reference 943 476 5918",
        "9434765918",
        "12345678901234567890",
        "0000000000",
        "1,943,476,591",
        "NI 111a and NI 113b",
        "PC1-A1-M1 and PC4-E2-M5",
        "A801200001001",
        "0.01% against 0.00%",
        "budget of 01234567 pounds",
        "2010/11 - 2011/12",
        "S60 2AG",
        "Riverside House, Main Street, Rotherham S60 1AE",
        "14 Parent Support Advisers moved to offices at S60 1AE",
        "100 pieces of curriculum are delivered",
        "Baseline, 28 in primary, 2 in secondary",
        "see minute 2010-09-30/7 and @ the Board",
        "10 schools by March 2011.",
    ],
)
def test_what_returns_are_full_of_is_not_taken_for_it(text):
    assert kinds_in(text) == ()


def test_nothing_in_the_plan_looks_personal(plan):
    texts = [milestone.description for milestone in plan.milestones.values()]
    texts += [leaf.definition for leaf in plan.indicators.values()]
    texts += [action.action + action.detail for action in plan.actions.values()]
    assert [text for text in texts if kinds_in(text)] == []


def test_check_digits():
    assert is_nhs_number("9434765919")
    assert is_nhs_number("4010232137")
    assert not is_nhs_number("4010232138")
    assert not is_nhs_number("1111111111")
    assert is_upn(UPN)
    assert is_upn("B801200005001")
    assert not is_upn("A801200005001")
    assert not is_upn("J801200001001")


def sheet(name, *rows):
    cells = {
        row: {column: Cell(row, column, CellKind.TEXT, text) for column, text in enumerate(texts, start=1) if text}
        for row, texts in enumerate(rows, start=1)
    }
    return Sheet(name, rows=cells)


def judged(workbook, parsed):
    return judge_personal(workbook, parsed, suspect_sheets(workbook.sheets))


def test_it_is_asked_about_at_its_cell_and_never_repeated(make_parsed):
    workbook = Workbook("xlsx", [sheet("Indicators", ["NI 43", f"NHS {NHS}, born 3 May 1999"])])
    (finding,) = judged(workbook, make_parsed(sheets={"indicators": "Indicators"}))
    assert (finding.code, finding.sheet, finding.cell, finding.value) == ("personal-data", "Indicators", "B1", "")
    assert finding.message == "This cell seems to hold an NHS number and a date of birth."


def test_a_comment_on_a_cell_is_looked_at_with_the_cell(make_parsed, places):
    indicators = sheet("Indicators", ["NI 43", f"NHS {NHS}"])
    indicators.comments = {"A1": "A. Officer:\nborn 3 May 1999", "B1": f"and again {NHS}", "C9": "agreed with finance"}
    asked = judged(Workbook("xlsx", [indicators]), make_parsed(sheets={"indicators": "Indicators"}))
    assert places(asked) == [("personal-data", "A1"), ("personal-data", "B1")]


def test_the_cover_says_who_prepared_the_return(make_parsed, places):
    workbook = Workbook("xlsx", [sheet("Return", ["Email", "a.officer@example.org"])])
    assert places(judged(workbook, make_parsed(sheets={"cover": "Return"}))) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Case", "Surname"], ["1", "Smith"]], [("personal-data-sheet", "B1")]),
        ([["Case", "Date of birth"], ["1", "x"]], [("personal-data-sheet", "B1")]),
        ([["Note"], [f"NHS {NHS}"], ["born 3 May 1999"]], [("personal-data-sheet", "A2")]),
        ([["Case", "Surname"]], []),
        ([["Case", "Number"], ["1", "7"]], []),
    ],
)
def test_another_sheet_is_asked_about_once(make_parsed, places, rows, expected):
    workbook = Workbook("xlsx", [sheet("Cases", *rows)])
    assert places(judged(workbook, make_parsed())) == expected
