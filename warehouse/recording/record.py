"""Records submissions: each once, completely or not at all, with the judgements that follow from it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, Engine, select

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from schemas.codes import SubmissionStatus
from warehouse.engine import writing
from warehouse.recording.decisions import Decision, decide
from warehouse.recording.inserts import end_what_is_replaced, insert_contents, insert_submissions
from warehouse.recording.judged.groups import rejudge_groups
from warehouse.recording.judged.judgements import rejudge, rejudge_turned
from warehouse.recording.outstanding import postpone
from warehouse.recording.periods import add_periods
from warehouse.recording.plan import require_plan
from warehouse.recording.validity import next_moment
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import submission

# Databases take so many values in one question, and some more.
_ASKED_AT_ONCE = 10_000

# A statement that stands here is put together once: for one return, that takes longer than to execute it.
_KNOWN = select(
    submission.c.delivery,
    submission.c.submission_id,
    submission.c.status,
    submission.c.version,
    submission.c.duplicate_of,
    submission.c.supersedes,
).where(is_one_of(submission.c.delivery, "deliveries"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A checked return, and when its file was received.

    `delivery` tells one drop from every other: what was recorded of it once is not recorded again. None for what may
    come as often as somebody likes.
    """

    checked: CheckedReturn
    received_at: datetime
    delivery: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome of a submission.

    `version` counts the attempts at one partner's return for one period, and is None if the return does not name both.
    `duplicate_of` is the submission in force, or held, that says the same; `previous_submission_id` the one that this
    replaced. `changed_judgements` counts judgements that changed, in the series of the return's figures.
    `was_known` says that this drop had already been recorded, by a process that was killed before it could
    take the file away, or by another machine: the rest is its outcome then.
    """

    submission_id: int
    status: SubmissionStatus
    version: int | None
    duplicate_of: int | None
    previous_submission_id: int | None
    changed_judgements: int
    was_known: bool = False


class NumberLog(Protocol):
    """Which numbers were given outside the warehouse's own memory: one that was restored has forgotten some."""

    def highest(self) -> int:
        """The highest number that was ever given, 0 if none was."""

    def note(self, given: Iterable[tuple[int, str | None]]) -> None:
        """Note numbers with their deliveries, before they are committed."""


def record(
    engine: Engine,
    checked: CheckedReturn,
    plan: Plan,
    received_at: datetime,
    recorded_at: datetime | None = None,
    *,
    delivery: str | None = None,
    numbers: NumberLog | None = None,
) -> Recorded:
    """Record one submission, its findings, its figures and the judgements that follow, in one transaction.

    Args:
        engine: the warehouse.
        checked: the return; its figures are loaded if it is accepted.
        plan: the plan that the return was checked against; it must be the one in force.
        received_at: when the file arrived; decides whether the return is late.
        recorded_at: now, if the file arrived earlier: what is in force changes from this moment on.
        delivery: which drop it was; one that is recorded already is not recorded again.
        numbers: above which numbers the submission's must be, and where it is noted.

    Raises:
        AnotherPlanInForceError: the plan was changed since the return was checked.
        ValueError: an accepted return names no partner or no period, or a moment has no time zone.
        sqlalchemy.exc.SQLAlchemyError: the database refused or is unreachable; nothing was recorded.
    """
    with writing(engine) as connection:
        (recorded,) = record_batch(
            connection, [Arrival(checked, received_at, delivery)], plan, recorded_at or received_at, numbers
        )
    return recorded


def record_batch(
    connection: Connection,
    arrivals: Sequence[Arrival],
    plan: Plan,
    recorded_at: datetime,
    numbers: NumberLog | None = None,
    *,
    judge_later: bool = False,
) -> list[Recorded]:
    """Record submissions in the given order, as `record` does, in the caller's transaction of `engine.writing`.

    With `judge_later` only judgements that are in force already are replaced here, because the symbols that turn have
    these returns behind them; the others wait for `warehouse.recording.outstanding`, and are not counted as changed.

    Returns:
        The outcome of each, in the given order.
    """
    known = known_deliveries(connection, [arrival.delivery for arrival in arrivals if arrival.delivery])
    keys: list[str | int] = [arrival.delivery or number for number, arrival in enumerate(arrivals)]
    new: dict[str | int, Arrival] = {}
    for key, arrival in zip(keys, arrivals, strict=True):
        if key not in known:
            new.setdefault(key, arrival)
    above = numbers.highest() if numbers and new else 0
    arrived = [*new.values()]
    recorded = _record_new(connection, arrived, plan, recorded_at, above, judge_later=judge_later) if new else []
    if numbers and new:
        deliveries = (arrival.delivery for arrival in new.values())
        numbers.note((one.submission_id, delivery) for one, delivery in zip(recorded, deliveries, strict=True))
    done = dict(zip(new, recorded, strict=True))
    return [known[key] if isinstance(key, str) and key in known else done[key] for key in keys]


def known_deliveries(connection: Connection, deliveries: Collection[str]) -> dict[str, Recorded]:
    """The outcomes of those deliveries that are already recorded."""
    wanted = sorted(deliveries)
    found: dict[str, Recorded] = {}
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        found |= _known(connection, wanted[start : start + _ASKED_AT_ONCE])
    return found


def _known(connection: Connection, deliveries: Sequence[str]) -> dict[str, Recorded]:
    return {
        row.delivery: Recorded(
            row.submission_id,
            SubmissionStatus(row.status),
            row.version,
            row.duplicate_of,
            row.supersedes,
            0,
            was_known=True,
        )
        for row in connection.execute(_KNOWN, {"deliveries": deliveries})
    }


def _record_new(
    connection: Connection,
    arrivals: Sequence[Arrival],
    plan: Plan,
    recorded_at: datetime,
    above: int,
    *,
    judge_later: bool,
) -> list[Recorded]:
    at = next_moment(connection, recorded_at)
    plan_id = require_plan(connection, plan, at)
    done: list[tuple[Decision, int, set[FigureKey]]] = []
    for together in _without_conflict(arrivals):
        done += _record_together(connection, together, at, above)
    touched = {figure for _, _, of_one in done for figure in of_one}
    if judge_later:
        postpone(connection, [submission_id for decision, submission_id, _ in done if decision.figures])
        # What a correction leaves out is noted nowhere, and its group and those compared with it would keep it.
        left_out = touched.difference(*(decision.figures for decision, _, _ in done))
        changed = rejudge_turned(connection, plan, plan_id, touched, at)
        if left_out:
            changed += rejudge(connection, plan, plan_id, left_out, at)
            rejudge_groups(connection, plan, plan_id, left_out, at)
    else:
        changed = rejudge(connection, plan, plan_id, touched, at)
        rejudge_groups(connection, plan, plan_id, touched, at)
    return [
        Recorded(
            submission_id,
            decision.status,
            decision.version,
            decision.duplicate_of,
            decision.supersedes,
            sum(changed[series] for series in {figure.series for figure in of_one}),
        )
        for decision, submission_id, of_one in done
    ]


def _without_conflict(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Arrivals in order, in groups in which no two have the same return, figure or milestone."""
    together: list[Arrival] = []
    spoken_of: set[object] = set()
    for arrival in arrivals:
        checked = arrival.checked
        about: set[object] = {(checked.partner_code, checked.period)}
        about |= {(row.partner_code, row.indicator, row.measure, row.period) for row in checked.observations}
        about |= {(row.partner_code, row.milestone, row.period) for row in checked.milestone_reports}
        if together and not about.isdisjoint(spoken_of):
            yield together
            together, spoken_of = [], set()
        together.append(arrival)
        spoken_of |= about
    if together:
        yield together


def _periods_of(returns: Iterable[CheckedReturn]) -> Iterator[Period]:
    for checked in returns:
        if checked.period:
            yield checked.period
        figures = {row.period for row in checked.observations}
        yield from figures
        # A judgement names what it compares with, even if there is no figure.
        yield from {before for period in figures for before in (period.years_later(-1), period.year.previous)}
        yield from {row.period for row in checked.milestone_reports}


def _record_together(
    connection: Connection, arrivals: list[Arrival], at: datetime, above: int
) -> list[tuple[Decision, int, set[FigureKey]]]:
    """Record arrivals that do not affect each other. Returns each one's number and the figures that it touched."""
    decisions = decide(connection, [arrival.checked for arrival in arrivals])
    received = [(arrival.received_at, arrival.delivery) for arrival in arrivals]
    return record_decided(connection, decisions, received, at, above)


def record_decided(
    connection: Connection,
    decisions: Sequence[Decision],
    received: Sequence[tuple[datetime, str | None]],
    at: datetime,
    above: int,
) -> list[tuple[Decision, int, set[FigureKey]]]:
    """Record decisions that do not affect each other, received when and by which delivery; nothing is judged yet.

    Returns:
        Each with its submission's number, which is above a limit, and the figures that it touched.
    """
    add_periods(connection, _periods_of(decision.checked for decision in decisions))
    replaced = end_what_is_replaced(connection, decisions, at)
    submission_ids = insert_submissions(connection, decisions, received, at, above)
    insert_contents(connection, decisions, submission_ids, at)
    return [
        (decision, submission_id, replaced.get(decision.supersedes, set()).union(decision.figures))
        for decision, submission_id in zip(decisions, submission_ids, strict=True)
    ]
