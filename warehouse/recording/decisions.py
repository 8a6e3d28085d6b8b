"""Decides a submission's status and version from what is already stored; the only place that defines a duplicate."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, and_, bindparam, select, text

from cypp_etl.checked_return import CheckedReturn, Observation
from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import count_by_severity
from schemas.codes import Severity, SubmissionStatus
from warehouse.schema.tables import ACCEPTED, submission
from warehouse.views.in_force import NOW


@dataclass(frozen=True)
class Decision:
    """The decision on one return. `supersedes` is the submission in force that it replaces."""

    checked: CheckedReturn
    status: SubmissionStatus
    version: int | None
    duplicate_of: int | None
    supersedes: int | None

    @property
    def is_loaded(self) -> bool:
        """Whether its figures are loaded."""
        return self.status in ACCEPTED

    @cached_property
    def figures(self) -> list[FigureKey]:
        """The figures that it states, in the order of its observations."""
        return [_figure_key(row) for row in self.checked.observations] if self.is_loaded else []


@dataclass(slots=True)
class _Standing:
    """What is there of one partner and period: the last version, and the submission in force with its hashes."""

    version: int = 0
    in_force: int | None = None
    sha256: str = ""
    content_sha256: str = ""


def decide(connection: Connection, returns: Sequence[CheckedReturn]) -> list[Decision]:
    """Decide on returns, no two of which are for the same partner and period.

    A duplicate has the bytes of the submission that is in force, or is accepted and says the same in every cell, as a
    workbook does that was opened and saved again. The bytes of one that was replaced since are a new version: somebody
    took a correction back. A rejected file that comes again is checked, and answered, again.

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
    if checked.sha256 == standing.sha256:
        return Decision(checked, SubmissionStatus.DUPLICATE, version, standing.in_force, None)
    if not checked.is_accepted:
        return Decision(checked, SubmissionStatus.REJECTED, version, None, None)
    if checked.content_sha256 and checked.content_sha256 == standing.content_sha256:
        return Decision(checked, SubmissionStatus.DUPLICATE, version, standing.in_force, None)
    has_queries = count_by_severity(checked.findings)[Severity.QUERY] > 0
    status = SubmissionStatus.ACCEPTED_WITH_QUERIES if has_queries else SubmissionStatus.ACCEPTED
    return Decision(checked, status, version, None, standing.in_force)


_STANDING = select(
    submission.c.partner_code,
    submission.c.period,
    submission.c.version,
    submission.c.submission_id,
    submission.c.sha256,
    submission.c.content_sha256,
    and_(submission.c.status.in_(ACCEPTED), text(NOW.submission_in_force("submission"))).label("is_in_force"),
).where(
    submission.c.partner_code.in_(bindparam("partner_codes", expanding=True)),
    submission.c.period.in_(bindparam("periods", expanding=True)),
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
    return standings
