"""The catalogue of findings: every code is used, every message can be filled in, and the manual is current."""

import re
from pathlib import Path

import pytest

import cypp_etl
from cypp_etl.findings import catalogue, find, most_important_first
from cypp_etl.findings_manual import findings_page
from schemas.codes import Severity
from tests.support.seeding import SEEDS

SOURCES = sorted(Path(cypp_etl.__file__).parent.rglob("*.py"))
MANUAL = Path(cypp_etl.__file__).parents[1] / "docs" / "findings.md"

# Words for the messages of codes without a seed in the trial, because they are not about a return's cells.
WORDS = {
    "workbook-empty": {},
    "workbook-not-excel": {"kind": "a PDF document"},
    "workbook-password": {},
    "workbook-damaged": {"reason": "it was cut short"},
    "workbook-too-large": {"reason": "it has more than 1,000 sheets"},
    "workbook-unsafe": {"reason": "it unpacks to 5 GB"},
    "workbook-too-complex": {},
    "workbook-set-aside": {},
    "rows-not-read": {"first": 10002, "last": 240005, "most": "10,000"},
    "workbook-no-sheets": {},
    "layout-unknown": {},
    "published-table-in-folder": {},
    "external-links": {},
    "pivot-cache": {},
    "macros": {},
    "formats-unknown": {"kind": "ods"},
    "same-content": {"submission": 7},
    "form-not-filled-in": {},
    # The trial's forms are for the trial's period.
    "form-of-other-period": {"form_period": "2009/10 Q1"},
    # The trial's returns have no such figures.
    "last-figure-differs": {"indicator": "NI 43", "known": "5.0%"},
    "band-unknown": {},
    "outcome-differs": {"indicator": "NI 110", "band": "Stay Safe", "outcome": "Be Healthy"},
    "owner-not-single": {"indicator": "NI 110", "owners": "yos and vcs"},
    "symbol-differs": {"heading": "On Target", "indicator": "NI 43", "computed": "✓", "word": "yes"},
    "published-year-unknown": {},
    # The trial's plan asks for everything in every quarter.
    "indicator-not-asked": {"indicator": "NI 110", "period": "2010/11 Q1", "asked_in": "Q4"},
    # The built-in layouts have no such headings.
    "returns-of-many": {},
    "heading-of-other-period": {"headed": "2011/12", "period": "2010/11 Q2"},
    "later-figure": {"later": "2010/11 Q3", "period": "2010/11 Q2"},
    "earlier-figure-differs": {"indicator": "NI 43", "earlier": "2010/11 Q1", "before": "6.5%", "now": "6.4%"},
    "day-not-a-quarter-end": {"day": "30 May 2010"},
    # The built-in plan holds for ever.
    "partner-ended": {"partner": "Police", "when": "until 2009/10 Q4"},
    "partner-not-begun": {"partner": "Police", "when": "from 2011/12 Q1 on"},
    "indicator-ended": {"indicator": "NI 19", "when": "until 2009/10 Q4"},
    "indicator-not-begun": {"indicator": "NI 19", "when": "from 2011/12 Q1 on"},
    "milestone-ended": {"milestone": "PC1-A1-M1", "when": "until 2009/10 Q4"},
    "milestone-not-begun": {"milestone": "PC1-A1-M1", "when": "from 2011/12 Q1 on"},
    "definition-differs": {"indicator": "NI 19", "when": "until 2009/10 Q4"},
    # Of a plan's workbook.
    "plan-fault": {"fault": "The sheet is hidden: show it"},
    "plan-cell-read": {"note": '"Nov-10" is read as 2010-11'},
    # They are about a return that is in force, and the trial's is the first.
    "held-closed-period": {"periods": "2010/11 Q1", "are": "is", "what": "1 figure and 2 milestones"},
    "held-fewer-figures": {"lost": 5, "count": 9, "period": "2010/11 Q1"},
    "held-other-period": {"next": "2010/11 Q2"},
    # The trial returns a quarter.
    "year-differs": {"indicator": "NI 111a", "now": "53", "year": "2009/10", "quarters": "206"},
    # The trial's plan has no ratios.
    # It has no money either.
    "currency-differs": {"indicator": "NI 45", "currency": "£"},
    "brackets-unclear": {"indicator": "NI 45"},
    "scale-unclear": {"indicator": "NI 45", "unit": "£ thousand"},
    "amount-assumed": {"read": "£1,200,000"},
    "ratio-part-missing": {"indicator": "NI 45", "part": "denominator", "kind": "out of how many"},
}


def test_the_codes_are_those_that_are_seeded_and_those_that_are_listed_here():
    assert set(catalogue()) == set(SEEDS) | set(WORDS)


@pytest.mark.parametrize("code", WORDS)
def test_a_code_that_is_not_seeded_is_raised_somewhere(code):
    assert any(f'"{code}"' in source.read_text("utf-8") for source in SOURCES)


@pytest.mark.parametrize("code", WORDS)
def test_messages_can_be_filled_in(code):
    finding = find(code, sheet="Indicators", cell="G7", value="71", **WORDS[code])
    assert "{" not in finding.message + finding.fix


@pytest.mark.parametrize("advice", catalogue().values(), ids=lambda advice: advice.code)
def test_messages_are_sentences_for_people(advice):
    for text in (advice.message, advice.fix, advice.meaning):
        assert re.search(r"[.?!]$|[.?!][)\"]$", text), text
        assert "  " not in text
        assert text == text.strip()
        assert not re.search(
            r"\b(pandera|schema|dataframe|null|NaN|regex|parse|boolean|string|dtype)\b", text, re.IGNORECASE
        )
    assert advice.message[0].isupper() or advice.message[0] == "{"
    assert len(advice.message) <= 160
    assert advice.example


def test_the_manual_has_a_section_for_every_code():
    page = findings_page()
    for advice in catalogue().values():
        assert f"### {advice.code}\n\n**{advice.severity.value}**" in page


def test_the_manual_is_current():
    assert MANUAL.read_text("utf-8") == findings_page(), "run `python -m cypp_etl.findings_manual > docs/findings.md`"


def test_what_was_typed_is_quoted_and_a_blank_is_named():
    assert find("not-a-figure", value="n.k.").message == '"n.k." is not a figure.'
    assert "says nothing" in find("good-performance-unknown", value="", expected="LOW").message


def test_braces_that_were_typed_stay_as_they_are():
    assert find("not-a-figure", value="{value}").message == '"{value}" is not a figure.'


def test_what_was_typed_is_repeated_in_one_line_and_not_as_a_page():
    finding = find("not-a-figure", value="awaiting\n  data " + "x" * 1000)
    assert finding.message.startswith('"awaiting data xxx')
    assert len(finding.message) < 120
    assert len(finding.value) > 1000


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (" 100", '"␣100"'),
        ("100\xa0\n", '"100␣␣"'),
        ("1\u200b00", '"1␣00"'),
        ("100 [p] ", '"100␣[p]␣"'),
        (" " * 100 + "1", '"' + "␣" * 79 + '…"'),
    ],
)
def test_stray_spaces_can_be_seen(typed, shown):
    assert (
        find("stray-spaces", value=typed).message
        == f"There are stray spaces, shown as ␣, in {shown}. They were ignored."
    )


def test_a_word_that_is_missing_is_our_mistake():
    with pytest.raises(KeyError):
        find("out-of-range", value="7100%")
    with pytest.raises(KeyError):
        find("no-such-code")


def test_errors_come_first_and_equals_keep_their_order():
    codes = ["macros", "not-a-figure", "symbol-differs", "workbook-empty"]
    findings = [find(code, **WORDS.get(code, {})) for code in codes]
    assert [finding.code for finding in most_important_first(findings)] == [
        "not-a-figure",
        "workbook-empty",
        "symbol-differs",
        "macros",
    ]
    assert [finding.severity for finding in most_important_first(findings)] == [
        Severity.ERROR,
        Severity.ERROR,
        Severity.QUERY,
        Severity.NOTE,
    ]
