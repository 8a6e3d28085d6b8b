"""A waived query becomes a note, during the waiver and within its scope; an error stays an error."""

from dataclasses import replace
from datetime import date

import pytest

from cypp_etl.checked_return import History, Waiver
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from schemas.codes import Severity
from tests.support.samples import sample_of

PERIOD = parse_period("2010-11Q1")
TODAY = date(2010, 7, 10)
WAIVER = Waiver("closed-period-changed", "yos", "", None, "Agreed with the Board.", "A. Person", TODAY)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="module")
def workbook() -> bytes:
    return sample_of("yos", PERIOD)


def severities(plan: Plan, workbook: bytes, *waivers: Waiver) -> list[Severity]:
    """Of the four figures of a closed period, by row."""
    history = History(closed=frozenset({PERIOD}), waivers=waivers)
    checked = Checker(plan, history, TODAY).check(Received("yos.xlsx", workbook, "yos"))
    asked = [finding for finding in checked.findings if finding.code == "closed-period-changed"]
    return [finding.severity for finding in sorted(asked, key=lambda finding: finding.cell)]


def test_without_a_waiver_each_figure_is_asked_about(plan: Plan, workbook: bytes) -> None:
    assert severities(plan, workbook) == [Severity.QUERY] * 4


def test_a_waiver_for_all_turns_every_query_into_a_note(plan: Plan, workbook: bytes) -> None:
    assert severities(plan, workbook, WAIVER) == [Severity.NOTE] * 4
    assert severities(plan, workbook, replace(WAIVER, period=PERIOD)) == [Severity.NOTE] * 4


def test_a_waiver_for_one_indicator_leaves_the_others(plan: Plan, workbook: bytes) -> None:
    found = severities(plan, workbook, replace(WAIVER, subject="NI 43"))
    assert found == [Severity.QUERY, Severity.NOTE, Severity.QUERY, Severity.QUERY]


@pytest.mark.parametrize(
    "other",
    [
        replace(WAIVER, until=date(2010, 7, 9)),
        replace(WAIVER, partner_code="police"),
        replace(WAIVER, code="large-change"),
        replace(WAIVER, period=parse_period("2010-11Q2")),
        replace(WAIVER, subject="NI 111a"),
    ],
    ids=["ended yesterday", "another partner", "another query", "another period", "another indicator"],
)
def test_a_waiver_for_something_else_changes_nothing(plan: Plan, workbook: bytes, other: Waiver) -> None:
    assert severities(plan, workbook, other) == [Severity.QUERY] * 4


@pytest.mark.parametrize(
    ("later", "severity"),
    [
        (replace(WAIVER, until=date(2010, 7, 9), reason="Not agreed after all."), Severity.QUERY),
        (replace(WAIVER, reason="Not agreed after all."), Severity.NOTE),
        (replace(WAIVER, until=date(2010, 7, 9), subject="NI 43"), Severity.NOTE),
        (replace(WAIVER, until=date(2010, 7, 9), period=PERIOD), Severity.NOTE),
        (replace(WAIVER, until=date(2010, 7, 9), partner_code="police"), Severity.NOTE),
        (replace(WAIVER, until=date(2010, 7, 9), code="large-change"), Severity.NOTE),
    ],
    ids=["ends it", "prolongs it", "one indicator", "one period", "another partner", "another query"],
)
def test_of_waivers_of_the_same_the_last_word_counts(
    plan: Plan, workbook: bytes, later: Waiver, severity: Severity
) -> None:
    assert severities(plan, workbook, WAIVER, later) == [severity] * 4
    # And after it has ended, it can be waived again.
    assert severities(plan, workbook, WAIVER, later, WAIVER) == [Severity.NOTE] * 4


def test_the_note_names_who_until_when_and_why(plan: Plan, workbook: bytes) -> None:
    history = History(closed=frozenset({PERIOD}), waivers=(WAIVER,))
    checked = Checker(plan, history, TODAY).check(Received("yos.xlsx", workbook, "yos"))
    note = next(finding for finding in checked.findings if finding.code == "closed-period-changed")
    assert note.message.endswith("Waived by A. Person until 10 July 2010: Agreed with the Board.")


def test_an_error_cannot_be_waived(plan: Plan, workbook: bytes) -> None:
    history = History(waivers=(replace(WAIVER, code="partner-not-folder", partner_code="police"),))
    checked = Checker(plan, history, TODAY).check(Received("yos.xlsx", workbook, "police"))
    assert not checked.is_accepted
