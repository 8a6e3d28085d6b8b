"""Judgements that a backfill leaves for its end, when all figures that they depend on are there (decision 45).

A submission whose figures wait to be judged is noted in the transaction that records it, and the note is removed when
they are: whoever is killed in between, the notes say what is still to be done. Doing it twice changes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Engine, Select, delete, func, select

from cypp_etl.figure_keys import FigureKey
from cypp_etl.gc_control import collection_paused
from cypp_etl.plan.model import Plan
from schemas.codes import Measure
from warehouse.engine import reading, writing
from warehouse.figures.affected import has_computed_comparators
from warehouse.figures.judgements import Judged, judge_spans, spans_reached
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.judged.groups import rejudge_every_group
from warehouse.recording.judged.judgements import keep_judged
from warehouse.recording.plan import require_plan
from warehouse.recording.validity import last_changes, next_moment
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import judgement, observation, submission, unjudged

FIGURES_AT_ONCE = 10_000
"""About how many figures are judged together, within one transaction."""
_STILL_AT_WORK = timedelta(minutes=10)
"""How long after its last chunk a backfill may still be at work."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the judgements that are outstanding: of the figures of some partners, or of some indicators.

    `up_to` is the last submission whose figures it takes: what another backfill adds is its own to judge. `members` are
    the partners whose figures are added up in groups, and judged too.
    """

    up_to: int
    partner_codes: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


def postpone(connection: Connection, submission_ids: Collection[int]) -> None:
    """Note submissions whose figures are to be judged later, in a transaction of `engine.writing`."""
    insert_rows(connection, unjudged, ("submission_id",), ((number,) for number in submission_ids))


def waiting_submissions(connection: Connection) -> int:
    """How many submissions have figures that are not judged yet: their backfill still runs, or was stopped."""
    return connection.scalar(select(func.count()).select_from(unjudged)) or 0


def outstanding_shares(connection: Connection, plan: Plan) -> list[Share]:
    """The judgements that are outstanding, in parts of about `FIGURES_AT_ONCE` figures.

    Where there are groups, or a partner is compared with what others return, each part has every partner, and some
    indicators: so nobody's comparators are computed twice, and groups are added up of what is there. Otherwise a
    partner's figures, which are stored beside each other, stay together.
    """
    up_to = connection.scalar(select(func.max(unjudged.c.submission_id)))
    if up_to is None:
        return []
    members = tuple(sorted({code for codes in plan.members.values() for code in codes}))
    if members or has_computed_comparators(plan):
        by_indicator = _parts(connection, Share(up_to), observation.c.indicator, len(plan.partners))
        return [Share(up_to, indicators=part, members=members) for part in by_indicator]
    by_partner = _parts(connection, Share(up_to), observation.c.partner_code, 1)
    return [Share(up_to, partner_codes=part) for part in by_partner]


@contextmanager
def shares_to_judge(engine: Engine, plan: Plan) -> Iterator[list[Share]]:
    """The shares of what is outstanding: at the end, unless something is raised, all of them must be judged."""
    with reading(engine) as connection:
        shares = outstanding_shares(connection, plan)
    yield shares
    if shares:
        with writing(engine) as connection:
            forget_judged(connection, shares)


# Rows are many, and never in a cycle.
@collection_paused()
def judge_share(
    engine: Engine, plan: Plan, share: Share, now: Callable[[], datetime], turn: AbstractContextManager[None]
) -> None:
    """Make the judgements of a share: judge its figures at any time, and write what differs in `turn`.

    Raises:
        AnotherPlanInForceError: the plan was changed; nothing is written.
        sqlalchemy.exc.SQLAlchemyError: the database refused or is unreachable; nothing was written.
    """
    with reading(engine) as connection:
        seen = last_changes(connection)
        judged, returned = _judged(connection, plan, share)
    with turn, writing(engine) as connection:
        at = next_moment(connection, now())
        plan_id = require_plan(connection, plan, at)
        if last_changes(connection) != seen or _has_ended(connection, judged):
            judged, returned = _judged(connection, plan, share)
        for each in judged:
            keep_judged(connection, plan, plan_id, each, at)
        rejudge_every_group(connection, plan, plan_id, returned, at)


def forget_judged(connection: Connection, shares: Sequence[Share]) -> None:
    """Remove the notes of what was waited for, once all of its shares are judged."""
    for up_to in {share.up_to for share in shares}:
        connection.execute(delete(unjudged).where(unjudged.c.submission_id <= up_to))


def judge_outstanding(
    engine: Engine, plan: Plan, now: Callable[[], datetime], is_stopped: Callable[[], bool] = lambda: False
) -> None:
    """Make all judgements that are outstanding, because a backfill was stopped and nobody started it again.

    Args:
        engine: the warehouse.
        plan: the plan in force.
        now: the present moment.
        is_stopped: asked before each share, whether to leave the rest for the next time.

    Raises:
        as `judge_share`.
    """
    with reading(engine) as connection:
        shares = outstanding_shares(connection, plan)
    for share in shares:
        if is_stopped():
            return
        judge_share(engine, plan, share, now, nullcontext())
    if shares:
        with writing(engine) as connection:
            forget_judged(connection, shares)


def is_abandoned(connection: Connection, now: datetime) -> bool:
    """Whether something is outstanding and no backfill has added to it for so long that none may be at work."""
    query = select(func.max(submission.c.recorded_at)).join(
        unjudged, unjudged.c.submission_id == submission.c.submission_id
    )
    last = connection.scalar(query)
    return last is not None and last < now - _STILL_AT_WORK


def _has_ended(connection: Connection, judged: Iterable[Judged]) -> bool:
    """Whether a judgement of which something else is to be told is no longer in force: another process judged it."""
    numbers = [number for each in judged for number, _ in each.outlooks.values()]
    query = select(func.count()).where(
        is_one_of(judgement.c.judgement_id, "numbers"), judgement.c.superseded_at.is_(None)
    )
    return bool(numbers) and connection.scalar(query, {"numbers": numbers}) != len(numbers)


def _parts(connection: Connection, of: Share, column: Column[Any], at_least: int) -> Iterator[tuple[str, ...]]:
    """The partners or indicators of figures that wait, in parts; each counts for a number of figures at least."""
    query = _waiting(of, column, func.count()).group_by(column).order_by(column)
    part: list[str] = []
    figures = 0
    for code, count in connection.execute(query).all():
        if part and figures + count > FIGURES_AT_ONCE:
            yield tuple(part)
            part, figures = [], 0
        part.append(code)
        figures += max(count, at_least)
    if part:
        yield tuple(part)


def _judged(connection: Connection, plan: Plan, share: Share) -> tuple[list[Judged], set[tuple[str, str]]]:
    """What came of judging a share, and the indicators and periods of which groups are added up again."""
    figures, members, actual = _figures(connection, share), frozenset(share.members), Measure.ACTUAL.value
    returned = {(row[1], row[3]) for row in figures if row[2] == actual and row[0] in members}
    return list(judge_spans(connection, plan, spans_reached(plan, figures))), returned


def _figures(connection: Connection, share: Share) -> Sequence[tuple[str, str, str, str]]:
    """The figures of a share, also those that another submission has replaced: the fields of `FigureKey`."""
    query = _waiting(share, *(observation.c[name] for name in FigureKey._fields))
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query).all()]


def _waiting(share: Share, *columns: Any) -> Select[Any]:
    """What is asked of the figures of a share."""
    own = observation.c
    query = select(*columns).join_from(unjudged, observation, unjudged.c.submission_id == own.submission_id)
    query = query.where(unjudged.c.submission_id <= share.up_to)
    if share.partner_codes:
        query = query.where(own.partner_code.in_(share.partner_codes))
    if share.indicators:
        query = query.where(own.indicator.in_(share.indicators))
    return query
