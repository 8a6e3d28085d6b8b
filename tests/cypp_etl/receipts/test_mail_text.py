"""An e-mail says whose return it is, its status, and what to do first."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cypp_etl.findings import Finding
from cypp_etl.receipts.mail_text import MOST_FINDINGS, mail_subject, mail_text
from cypp_etl.receipts.summary import ReceiptSummary
from schemas.codes import Severity, SubmissionStatus

SUMMARY = ReceiptSummary(
    partner="Youth Offending Service",
    period_label="2010/11 Q1",
    version=2,
    received_at=datetime(2010, 7, 12, 9, 30, tzinfo=UTC),
    file_name="ours.xlsx",
    sha256="a" * 64,
    status=SubmissionStatus.REJECTED,
)


def found(severity: Severity, number: int) -> Finding:
    return Finding("any", severity, "Indicators", f"G{number}", "<1", f"Wrong {number}.", f"Correct {number}.")


def test_a_rejected_return_lists_errors_first_and_no_notes() -> None:
    findings = [found(Severity.NOTE, 2), found(Severity.QUERY, 3), found(Severity.ERROR, 4)]
    text = mail_text(SUMMARY, findings)
    assert text.startswith("REJECTED: nothing was loaded.\nThere is 1 error to correct.")
    assert "1. ERROR · Indicators, G4\nWrong 4. Correct 4.\n\n2. QUERY · Indicators, G3\nWrong 3. Correct 3." in text
    assert "Wrong 2" not in text
    assert text.endswith(
        "Partner: Youth Offending Service\nPeriod: 2010/11 Q1\nSubmission: version 2\n"
        "Received: 12 July 2010 at 09:30 UTC\nFile: ours.xlsx"
    )


@pytest.mark.parametrize("more", [0, 1])
def test_the_first_findings_are_listed_and_the_rest_counted(more: int) -> None:
    text = mail_text(SUMMARY, [found(Severity.ERROR, number) for number in range(MOST_FINDINGS + more)])
    assert text.count("ERROR · ") == MOST_FINDINGS
    assert ("These are the first 10 of 11: the receipt has all of them." in text) is bool(more)


def test_an_accepted_return_says_that_there_is_nothing_to_do() -> None:
    accepted = replace(SUMMARY, status=SubmissionStatus.ACCEPTED, still_due=("2010/11 Q2, due on 1 October 2010",))
    text = mail_text(accepted, [])
    assert "There is nothing to correct in this return." in text
    assert "Still due from you:\n2010/11 Q2, due on 1 October 2010" in text


@pytest.mark.parametrize(
    ("partner", "period", "subject"),
    [
        ("Youth Offending Service", "2010/11 Q1", "Youth Offending Service, 2010/11 Q1: rejected"),
        ("", "", "Your return, period not known: rejected"),
        ("YOS\r\nBcc: all@elsewhere.example", "2010/11 Q1", "YOS Bcc: all@elsewhere.example, 2010/11 Q1: rejected"),
        ("Y\x00S\x85\u2028", "Q1", "Y\ufffdS , Q1: rejected"),
    ],
)
def test_a_subject_is_one_line(partner: str, period: str, subject: str) -> None:
    assert mail_subject(replace(SUMMARY, partner=partner, period_label=period)) == subject


def test_a_finding_takes_one_line_whatever_was_typed() -> None:
    odd = replace(found(Severity.ERROR, 2), message="What was typed:\n\nPartner: somebody else")
    assert "What was typed: Partner: somebody else Correct 2." in mail_text(SUMMARY, [odd])
