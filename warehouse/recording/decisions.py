"""Decides a submission's status and version from what is already stored; the only place that defines a duplicate."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, and_, select, text

from cypp_etl.checked_return import CheckedReturn, Observation, status_of
from cypp_etl.figure_keys import FigureKey
from schemas.codes import SubmissionStatus
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import ACCEPTED, submission
from warehouse.views.in_force import NOW


@dataclass(frozen=True)
class Decision:
    """The decision on one return.

    `supersedes` is the submission in force that it replaces. `ends` is one that was held until now: its partner has
    sent something else since, or it was decided on.
    """

    checked: CheckedReturn
    status: SubmissionStatus
    version: int | None
    duplicate_of: int | None
    supersedes: int | None
    ends: int | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether its figures are loaded."""
        return self.status in ACCEPTED

    @cached_property
    def figures(self) -> list[FigureKey]:
        """The figures that it puts in force, in the order of its observations."""
        return self.stated if self.is_loaded else []

    @cached_property
    def stated(self) -> list[FigureKey]:
        """The figures that it states, in the order of its observations."""
        return [_figure_key(row) for row in self.checked.observations]


@dataclass(slots=True)
class _Standing:
    """What is there of one partner and period: the last version, the submissions in force and held, their hashes."""

    version: int = 0
    in_force: int | None = None
    sha256: str = ""
    content_sha256: str = ""
    held: int | None = None
    held_sha256: str = ""
    held_content_sha256: str = ""

    def is_held(self, checked: CheckedReturn) -> bool:
        """Whether a return says what the submission says that is held."""
        is_same = checked.content_sha256 != "" and checked.content_sha256 == self.held_content_sha256
        return self.held is not None and (is_same or checked.sha256 == self.held_sha256)


def decide(connection: Connection, returns: Sequence[CheckedReturn]) -> list[Decision]:
    """Decide on returns, no two of which are for the same partner and period.

    A duplicate has the bytes of the submission that is in force, or is accepted and says the same in every cell, as a
    workbook does that was opened and saved again. The bytes of one that was replaced since are a new version: somebody
    took a correction back. A rejected file that comes again is checked, and answered, again.

    A return that is held replaces nothing. It waits until the data team decides, or its partner sends anything else
    that is not rejected: that is what the partner means now, even where it only says again what is in force.

    Raises:
        ValueError: an accepted return names no partner or no period.
    """
    standings = _standings(connection, returns)
    return [_decide(checked, standings.get(_key(checked))) for checked in returns]


def _figure_key(row: Observation) -> FigureKey:
    return FigureKey(row.partner_code, row.indicator, row.measure.value, row.period.code)


def _key(checked: CheckedReturn) -> tuple[str, str]:
    return checked.partner_code, checked.period.code if checked.period else ""


def _decide(checked: CheckedReturn, standing: _Standing | None) -> Decision:
    if standing is None:
        if checked.is_accepted:
            raise ValueError(f"{checked.file_name} is accepted, but names no partner or no period")
        return Decision(checked, SubmissionStatus.REJECTED, None, None, None)
    version = standing.version + 1
    is_same = checked.content_sha256 != "" and checked.content_sha256 == standing.content_sha256
    if checked.sha256 == standing.sha256 or (checked.is_accepted and is_same):
        return Decision(checked, SubmissionStatus.DUPLICATE, version, standing.in_force, None, standing.held)
    status = status_of(checked)
    if status is SubmissionStatus.HELD and standing.is_held(checked):
        return Decision(checked, SubmissionStatus.DUPLICATE, version, standing.held, None)
    supersedes = standing.in_force if status in ACCEPTED else None
    ends = None if status is SubmissionStatus.REJECTED else standing.held
    return Decision(checked, status, version, None, supersedes, ends)


def decide_to_accept(connection: Connection, checked: CheckedReturn, status: SubmissionStatus) -> Decision:
    """The decision on a return that the data team accepts, though it was held."""
    standing = _standings(connection, [checked])[_key(checked)]
    return Decision(checked, status, standing.version + 1, None, standing.in_force, standing.held)


_STANDING = select(
    submission.c.partner_code,
    submission.c.period,
    submission.c.version,
    submission.c.submission_id,
    submission.c.sha256,
    submission.c.content_sha256,
    and_(submission.c.status.in_(ACCEPTED), text(NOW.submission_in_force("submission"))).label("is_in_force"),
    and_(submission.c.status == SubmissionStatus.HELD, submission.c.superseded_at.is_(None)).label("is_held"),
).where(
    is_one_of(submission.c.partner_code, "partner_codes"),
    is_one_of(submission.c.period, "periods"),
)


def _standings(connection: Connection, returns: Sequence[CheckedReturn]) -> dict[tuple[str, str], _Standing]:
    """What is stored for every partner and period that the returns name."""
    keys = [key for key in map(_key, returns) if all(key)]
    standings = {key: _Standing() for key in keys}
    named = {"partner_codes": {key[0] for key in keys}, "periods": {key[1] for key in keys}}
    for row in connection.execute(_STANDING, named) if keys else ():
        standing = standings.get((row.partner_code, row.period))
        if standing is None:
            continue
        standing.version = max(standing.version, row.version)
        if row.is_in_force:
            standing.in_force = row.submission_id
            standing.sha256, standing.content_sha256 = row.sha256, row.content_sha256
        elif row.is_held:
            standing.held = row.submission_id
            standing.held_sha256, standing.held_content_sha256 = row.sha256, row.content_sha256
    return standings
