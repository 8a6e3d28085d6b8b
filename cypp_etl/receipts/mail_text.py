"""The words of the e-mail that comes with a receipt: its subject, and its text without the closing lines."""

from collections.abc import Iterator, Sequence

from cypp_etl.findings import Finding, most_important_first
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.receipts.wording import STILL_DUE, place, plain, proof, verdict
from schemas.codes import Severity

MOST_FINDINGS = 10
"""How many findings the text lists; the receipt has all of them."""

_LISTED = frozenset({Severity.ERROR, Severity.QUERY})
_PROVEN = frozenset({"Partner", "Period", "Submission", "Received", "File"})


def mail_subject(summary: ReceiptSummary) -> str:
    """Whose return, for which period, and its status; one line, whatever the cover says."""
    partner, period = summary.partner or "Your return", summary.period_label or "period not known"
    return _in_one_line(f"{partner}, {period}: {summary.status.value}")


def mail_text(summary: ReceiptSummary, findings: Sequence[Finding]) -> str:
    """The status of the return, what to do, and the first findings that ask for something, errors first."""
    paragraphs = ["\n".join(verdict(summary, findings)), *_listed(findings)]
    if summary.still_due:
        paragraphs.append("\n".join([f"{STILL_DUE}:", *summary.still_due]))
    facts = (f"{label}: {_in_one_line(text)}" for label, text in proof(summary) if label in _PROVEN)
    return "\n\n".join([*paragraphs, "\n".join(facts)])


def _listed(findings: Sequence[Finding]) -> Iterator[str]:
    asking = [finding for finding in most_important_first(findings) if finding.severity in _LISTED]
    for number, finding in enumerate(asking[:MOST_FINDINGS], 1):
        said = _in_one_line(f"{finding.message} {finding.fix}")
        yield f"{number}. {finding.severity.value} · {_in_one_line(place(finding))}\n{said}"
    if len(asking) > MOST_FINDINGS:
        yield f"These are the first {MOST_FINDINGS} of {len(asking):,}: the receipt has all of them."


def _in_one_line(text: str) -> str:
    return " ".join(plain(text).split())
