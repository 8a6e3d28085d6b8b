"""The texts of a receipt: the same for the workbook's first sheet, its comments and the page."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cypp_etl.findings import Finding, catalogue, count_by_severity, most_important_first
from cypp_etl.phrases import date_text
from cypp_etl.receipts.summary import LoadedCell, ReceiptSummary
from schemas.codes import Severity, SubmissionStatus

# The first cell of the sheet, by which a receipt is recognised.
TITLE, TITLE_OF_PLAN = "Receipt for your return", "Check of your plan"
TITLES = frozenset({TITLE, TITLE_OF_PLAN})
STILL_DUE = "Still due from you"
LOADED = "What was loaded"
CHANGED_CELLS = "What you changed since your previous submission"
CHANGED_JUDGEMENTS = "What that changed in the board report"
_MAY_BE_SENT = "You can correct and send this workbook: what the receipt has added is not read."
_MENDED_HERE = (
    "Or correct this workbook here, then save and close it: it is sent again. What the receipt has added is not read."
)
_MAY_BE_CHECKED = "You can correct this workbook and check it again: what this check has added is not read."
NOTHING_FOUND = "Nothing to correct, and nothing to explain."

_SEND_AGAIN = "Save your workbook and put it in your folder again."
_UNCHANGED = "It says exactly what you sent before. If you corrected something, check that it was saved."
_NOTHING_TO_DO = "There is nothing for you to do."
_NOT_SENT = "Nothing was sent, and your earlier figures were not available for comparison."
_UNNUMBERED = "recorded, without a version: the partner or the period is not known"
_REHEARSED = {
    SubmissionStatus.ACCEPTED: "accepted",
    SubmissionStatus.ACCEPTED_WITH_QUERIES: "accepted, with queries",
    SubmissionStatus.REJECTED: "rejected",
}
# The sentences for returns that need an answer, and for those that do not.
_ASKING = {
    SubmissionStatus.REJECTED: "REJECTED: nothing was loaded.",
    SubmissionStatus.ACCEPTED_WITH_QUERIES: "ACCEPTED WITH QUERIES: your figures were loaded.",
}
_STANDING = {
    SubmissionStatus.ACCEPTED: ("ACCEPTED: your figures were loaded.", "There is nothing to correct in this return."),
    SubmissionStatus.DUPLICATE: ("DUPLICATE: this file was received before.", _NOTHING_TO_DO),
    SubmissionStatus.HELD: (
        "HELD: the data team has to decide on this return.",
        "Nothing of it is in force yet, and what you returned before stays. Another receipt comes once it is decided.",
        "If you put a corrected workbook in your folder before then, it takes the place of this one.",
    ),
    SubmissionStatus.REFUSED: (
        "REFUSED: the data team has not accepted this return.",
        "Nothing of it is in force, and what you returned before stays.",
        "If something has to change, correct your workbook and put it in your folder again.",
    ),
    SubmissionStatus.SUPERSEDED: ("SUPERSEDED: a later submission has replaced this one.", _NOTHING_TO_DO),
    SubmissionStatus.WITHDRAWN: ("WITHDRAWN: the data team has taken this submission out of force.", _NOTHING_TO_DO),
    SubmissionStatus.FAILED: (
        "NOT FINISHED: something went wrong on our side.",
        "The data team will deal with it.",
        _NOTHING_TO_DO,
    ),
}
_OF_PLAN = {
    SubmissionStatus.REJECTED: ("TO CORRECT: this plan cannot be adopted yet.", "Then check the workbook again."),
    SubmissionStatus.ACCEPTED: (
        "NO FAULTS: this plan can be adopted.",
        "cypp plan compare shows what it would change.",
    ),
}
_TO_BE_SENT = frozenset({SubmissionStatus.REJECTED, SubmissionStatus.ACCEPTED_WITH_QUERIES})
_ORDER = {severity: rank for rank, severity in enumerate(Severity)}
_LONGEST = 1_000
_MOST_LOADED = 1_000
# Characters that XML cannot contain.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_KINDS = {Severity.ERROR: ("error", "errors"), Severity.QUERY: ("query", "queries"), Severity.NOTE: ("note", "notes")}
_MEANINGS = {Severity.ERROR: "correct", Severity.QUERY: "explain", Severity.NOTE: "read"}


@dataclass(frozen=True, slots=True)
class Cause:
    """All findings of one code."""

    severity: Severity
    meaning: str
    findings: tuple[Finding, ...]

    @property
    def heading(self) -> str:
        """The cause and how often it was found."""
        count = len(self.findings)
        return f"{self.severity.value} · {self.meaning}" + (f" ({count} times)" if count > 1 else "")


def causes_of(findings: Iterable[Finding]) -> list[Cause]:
    """The findings grouped by cause, most important first, then most frequent first."""
    groups: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in most_important_first(findings):
        groups.setdefault((finding.severity, finding.code), []).append(finding)
    causes = [Cause(severity, _meaning(code), tuple(group)) for (severity, code), group in groups.items()]
    return sorted(causes, key=lambda cause: (_ORDER[cause.severity], -len(cause.findings)))


def title(summary: ReceiptSummary) -> str:
    """What the receipt is called."""
    return TITLE_OF_PLAN if summary.is_plan else TITLE


def verdict(summary: ReceiptSummary, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The return's status, and what to do now: a sentence or two each. What the data team decided comes second."""
    banner, *advice = _verdict(summary, findings)
    return banner, *_decided(summary), *advice


def _decided(summary: ReceiptSummary) -> list[str]:
    """What the data team decided about a return that was held, and says about it."""
    accepted = summary.was_held and summary.status is not SubmissionStatus.REFUSED
    said = ["It was held, and the data team has accepted it."] if accepted else []
    return [*said, plain(f"The data team says: {summary.word}")] if summary.word else said


def _verdict(summary: ReceiptSummary, findings: Sequence[Finding]) -> tuple[str, ...]:
    asked = _asked(summary.status, count_by_severity(findings))
    if summary.is_plan:
        banner, advice = _OF_PLAN[summary.status]
        return banner, *asked, advice
    if summary.is_rehearsal:
        would_be = _REHEARSED[summary.status]
        return f"ONLY CHECKED: it would be {would_be}.", *(asked or ["Put it in your folder to send it."]), _NOT_SENT
    if asked:
        said_before = [_UNCHANGED] if summary.is_unchanged else []
        return _ASKING[summary.status], *said_before, *asked, _SEND_AGAIN
    return _STANDING[summary.status]


def how_to_send_again(summary: ReceiptSummary) -> list[str]:
    """What may be done with the marked workbook itself, if anything is to be done."""
    if summary.status not in _TO_BE_SENT:
        return []
    if summary.is_plan:
        return [_MAY_BE_CHECKED]
    return [_MAY_BE_SENT if summary.is_rehearsal else _MENDED_HERE]


def _asked(status: SubmissionStatus, counted: Counter[Severity]) -> list[str]:
    """What the partner must do, if anything."""
    match status:
        case SubmissionStatus.REJECTED:
            errors = _there_are(counted[Severity.ERROR], *_KINDS[Severity.ERROR])
            return [f"{errors} to correct. Correct what is listed below, all in one go."]
        case SubmissionStatus.ACCEPTED_WITH_QUERIES:
            queries = _there_are(counted[Severity.QUERY], *_KINDS[Severity.QUERY])
            return [f"{queries} to explain. Correct the cells listed below, or say in Comment why they are right."]
    return []


def proof(summary: ReceiptSummary) -> list[tuple[str, str]]:
    """The facts of the receipt, each with its label."""
    if summary.is_rehearsal:
        subject = [
            ("Partner", summary.partner or "not known"),
            ("Period", summary.period_label or "not known"),
        ]
        return [
            *([] if summary.is_plan else subject),
            ("Checked", moment(summary.received_at)),
            ("File", plain(summary.file_name)),
            ("SHA-256 of the file", summary.sha256),
        ]
    facts = [
        ("Partner", summary.partner or "not known"),
        ("Period", summary.period_label or "not known"),
        ("Submission", _UNNUMBERED if summary.version is None else f"version {summary.version}"),
        ("Follows", summary.previous_submission),
        ("Received", moment(summary.received_at)),
        ("File", summary.file_name),
        ("SHA-256 of the file", summary.sha256),
        ("Status", summary.status.value),
        ("Loaded", f"{_count(len(summary.loaded), 'cell')}, listed below" if summary.loaded else "none"),
    ]
    return [(label, plain(text)) for label, text in facts if text]


def loaded(summary: ReceiptSummary) -> list[str]:
    """Everything that was loaded, one line each, so that the receipt confirms the figures themselves."""
    lines = [plain(f"{one.subject}: {_as_loaded(one)} ({one.sheet}, {one.cell})") for one in summary.loaded]
    left_out = len(lines) - _MOST_LOADED
    return [*lines[:_MOST_LOADED], f"and {left_out:,} more"] if left_out > 0 else lines


def _as_loaded(one: LoadedCell) -> str:
    typed = one.typed or "blank"
    return f"{typed}, loaded as {one.words}" if one.words and one.words != typed else typed


def changed_cells(summary: ReceiptSummary) -> list[str]:
    """The cells that changed since the previous submission, one line each."""
    return [_changed(f"{one.sheet}, {one.cell}", one.was, one.now) for one in summary.changed_cells]


def changed_judgements(summary: ReceiptSummary) -> list[str]:
    """The judgements that changed, one line each."""
    return [_changed(f"{one.indicator}, {one.column}", one.was, one.now) for one in summary.changed_judgements]


def counts(findings: Sequence[Finding]) -> str:
    """The number of findings of each kind, with what to do about them."""
    counted = count_by_severity(findings)
    kinds = (
        f"{_count(counted[severity], *_KINDS[severity])} to {_MEANINGS[severity]}"
        for severity in Severity
        if counted[severity]
    )
    return ", ".join(kinds)


def place(finding: Finding) -> str:
    """Where a finding is, in words."""
    if not finding.sheet:
        return "The whole file"
    return plain(f"{finding.sheet}, {finding.cell}" if finding.cell else finding.sheet)


def moment(at: datetime) -> str:
    """A moment as people write it, with its time zone."""
    return f"{date_text(at.date())} at {at:%H:%M} {at.tzname() or ''}".rstrip()


def plain(text: str) -> str:
    """A text for any file format: without control characters, and of limited length."""
    if not (text.isascii() and text.isprintable()):
        text = _UNWRITABLE.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _meaning(code: str) -> str:
    known = catalogue().get(code)
    return known.meaning if known else code


def _changed(what: str, was: str, now: str) -> str:
    return plain(f"{what}: was {was or 'blank'}, is {now or 'blank'}")


def _there_are(count: int, one: str, many: str) -> str:
    return f"There {'is' if count == 1 else 'are'} {_count(count, one, many)}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
