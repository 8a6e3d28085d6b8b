"""The facts of a receipt: who returned what, when, and its status."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.codes import SubmissionStatus


@dataclass(frozen=True, slots=True)
class ChangedCell:
    """A cell that differs from the previous submission."""

    sheet: str
    cell: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class ChangedJudgement:
    """A judgement that changed; `column` is its heading in the board report."""

    indicator: str
    column: str
    was: str
    now: str


class LoadedCell(NamedTuple):
    """A cell whose content was loaded: the figure of an indicator, or the status of a milestone, as typed.

    `words` are the figure in the words of its unit, empty where those say no more than what was typed. A tuple, because
    it goes to another process in a third of the time.
    """

    subject: str
    typed: str
    sheet: str
    cell: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptSummary:
    """The facts at the top of a receipt, all known before the receipt is written.

    `partner` and `period_label` are empty if the file does not name them; `version` is None if one of them is missing:
    such a submission is recorded, but not counted. `loaded` has every figure and milestone that was loaded.
    `previous_submission` names the one that this follows, in words; empty if it is the first. `still_due` lists what
    the partner has yet to return, one text each. `is_unchanged` is set if it repeats exactly what was rejected before.
    It `was_held` where the data team has decided on it, and `word` is what they say to the partner besides.
    A rehearsal was only checked; nothing was sent or loaded. `is_plan` says that it is no return, but the workbook of a
    plan, which has no partner or period.
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
    is_plan: bool = False
    was_held: bool = False
    word: str = ""
