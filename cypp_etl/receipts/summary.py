"""What a receipt proves: who returned what, when, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from schemas.codes import SubmissionStatus


@dataclass(frozen=True, slots=True)
class ChangedCell:
    """A cell that says something else than in the submission before."""

    sheet: str
    cell: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class ChangedJudgement:
    """A judgement that came out differently from before; `column` is its heading in the Board's report."""

    indicator: str
    column: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class LoadedCell:
    """A cell of which the content was loaded: the figure of an indicator, or the state of a milestone, as typed."""

    subject: str
    typed: str
    sheet: str
    cell: str


@dataclass(frozen=True, slots=True)
class ReceiptSummary:
    """The proof at the head of a receipt, all of it known before the receipt is written.

    `partner` and `period_label` are empty where the file does not say; `version` is None where it lacks one of them:
    such a submission is recorded, and not counted. `loaded` has every figure and milestone that was loaded.
    `previous_submission` names the one that this follows, in words; empty if it is the first. `still_due` is what the
    partner has yet to return, one text each. What `is_unchanged` says exactly what was rejected before. A rehearsal was
    only checked, and nothing of it was sent or loaded.
    """

    partner: str
    period_label: str
    version: int | None
    received_at: datetime
    file_name: str
    sha256: str
    status: SubmissionStatus
    loaded: tuple[LoadedCell, ...] = ()
    previous_submission: str = ""
    changed_cells: tuple[ChangedCell, ...] = ()
    changed_judgements: tuple[ChangedJudgement, ...] = ()
    still_due: tuple[str, ...] = ()
    is_unchanged: bool = False
    is_rehearsal: bool = False
