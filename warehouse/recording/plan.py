"""The plan in the warehouse, the source of the words and targets of every judgement and view."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from cypp_etl.judgement.reach.differences import EVERYTHING, PlanDifferences
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.fingerprint import former_fingerprint_of
from cypp_etl.plan.model import Aspiration, Indicator, Milestone, Partner, Plan
from cypp_etl.plan.reader import PlanError, plan_known_as, plan_of
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.plan.spans import Span
from schemas.codes import DecisionKind
from warehouse.recording.administration import Decision, record_decision
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.judged.clinics import keep_all_clinics
from warehouse.recording.judged.groups import rejudge_groups_by_plan
from warehouse.recording.judged.judgements import rejudge_by_plan, tell_what_is_in_force
from warehouse.recording.periods import add_periods
from warehouse.recording.validity import end_rows, next_moment
from warehouse.schema import plan_tables
from warehouse.schema.tables import milestone_report, observation
from warehouse.upgrade import WarehouseStateError

PROGRAM, FIRST_PLAN = "cypp", "The first plan of a new warehouse"
"""Who adopts a plan where nobody is asked, and why."""


class NoStoredPlanError(WarehouseStateError):
    """The files of the plan in force are not in the warehouse, which was last upgraded with another plan."""


class AnotherPlanInForceError(RuntimeError):
    """A return was checked against a plan that is not, or no longer, the one in force."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What has been returned, by its code, from one period to another, and has no row in a plan's file."""

    code: str
    file: str
    first_period: str
    last_period: str

    def __str__(self) -> str:
        first, last = parse_period(self.first_period).label, parse_period(self.last_period).label
        when = first if first == last else f"{first} to {last}"
        return f"{self.code} has returns in force for {when}, but no row in {self.file}"


class ReturnedAndMissingError(ValueError):
    """A plan has no row for what has been returned, which no view would describe any more."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(f"{'; '.join(map(str, missing))}: keep the row, with a last_period")


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """The plan in force: its number, whether it is new, and how many judgements it changed."""

    plan_id: int
    is_new: bool
    changed_judgements: int


def record_plan(
    connection: Connection,
    plan: Plan,
    at: datetime,
    *,
    by: str = PROGRAM,
    why: str = FIRST_PLAN,
    differences: PlanDifferences = EVERYTHING,
) -> RecordedPlan:
    """Put a plan in force, unless it is already, and judge by it what differs; the decision goes on record.

    Args:
        connection: a transaction of `engine.writing`.
        plan: the plan to be in force.
        at: the moment, with a time zone.
        by: who adopts it.
        why: for which reason.
        differences: what it judges differently from the plan in force so far.

    Raises:
        ReturnedAndMissingError: it has no row for what has been returned; nothing was done.
    """
    held = _in_force(connection)
    if held and _is_same(connection, held, plan):
        _store_files(connection, held[0], plan)
        return RecordedPlan(held[0], False, 0)
    if missing := missing_from(connection, plan):
        raise ReturnedAndMissingError(missing)
    at = next_moment(connection, at)
    if held:
        end_rows(connection, plan_tables.plan, [held[0]], at)
    about = f"plan {plan.fingerprint[:12]}"
    decision_id = record_decision(connection, Decision(DecisionKind.ADOPT_PLAN, about, by, why, at))
    plan_id = _insert(connection, plan, at, decision_id)
    changed = rejudge_by_plan(connection, plan, plan_id, differences, at)
    rejudge_groups_by_plan(connection, plan, plan_id, differences, at)
    if held and not _finds_clinics_alike(connection, held[0], plan):
        keep_all_clinics(connection, plan, at)
    return RecordedPlan(plan_id, True, changed.total())


def missing_from(connection: Connection, plan: Plan) -> list[Missing]:
    """The indicators, partners and milestones that a plan does not have, and of which returns are in force."""
    figures, reports = observation.c, milestone_report.c
    asked = (
        (figures.indicator, "indicators.csv", plan.indicators),
        (figures.partner_code, "partners.csv", plan.partners),
        (reports.partner_code, "partners.csv", plan.partners),
        (reports.milestone, "milestones.csv", plan.milestones),
    )
    missing: dict[tuple[str, str], Missing] = {}
    for column, file, known in asked:
        periods, ended = column.table.c.period, column.table.c.superseded_at
        query = select(column, func.min(periods), func.max(periods)).where(ended.is_(None)).group_by(column)
        for code, first, last in sorted(tuple(row) for row in connection.execute(query)):
            if code not in known:
                missing.setdefault((file, code), Missing(code, file, first, last))
    return list(missing.values())


def require_plan(connection: Connection, plan: Plan, at: datetime) -> int:
    """The number of a plan that must be the one in force; the very first plan is recorded here.

    Otherwise a worker that was started before the plan changed would put the old plan back with its next return.

    Raises:
        AnotherPlanInForceError: another plan is in force.
    """
    held = _in_force(connection)
    if held is None:
        return record_plan(connection, plan, at).plan_id
    if not _is_same(connection, held, plan):
        raise AnotherPlanInForceError(
            f"The plan in force is {held[1][:12]}, but this was checked against {plan.fingerprint[:12]}: "
            "read the plan in force, and check again"
        )
    return held[0]


def plan_in_force(connection: Connection) -> Plan | None:
    """The plan in force, from its stored files; None if no plan was ever put in force.

    Raises:
        NoStoredPlanError: it was put in force by an older program, which did not store its files.
        cypp_etl.plan.reader.PlanError: this program finds faults in it that an older one did not; those of its figures
            are found when the figures are first needed.
    """
    held = _in_force(connection)
    if held is None:
        return None
    plan_id, fingerprint = held
    files = _stored_files(connection, plan_id)
    if not files:
        raise NoStoredPlanError(
            f"The files of the plan in force ({fingerprint[:12]}) are not in the warehouse: cypp plan adopt DIR puts "
            "the plan in force that is to be"
        )
    # An older program knew a plan by its files: what it says has no fingerprint yet.
    is_former = former_fingerprint_of(files) == fingerprint
    return plan_of(files) if is_former else plan_known_as(fingerprint, files)


def stored_plan(connection: Connection, plan_id: int | None) -> Plan | None:
    """A plan that is or was in force, from its stored files; None if they are not, or not all, in the warehouse.

    It is None as well if this program finds faults in them that an older one did not.
    """
    files = _stored_files(connection, plan_id) if plan_id else {}
    fingerprint = connection.scalar(select(plan_tables.plan.c.fingerprint).where(plan_tables.plan.c.plan_id == plan_id))
    try:
        plan = plan_of(files) if files else None
    except PlanError:
        return None
    return plan if plan and fingerprint and plan.is_known_as(fingerprint) else None


def begin_plan(connection: Connection, plan: Plan, at: datetime) -> Plan:
    """Put the very first plan in force; if one is already in force, it stays. Returns the plan in force.

    Raises:
        NoStoredPlanError: another plan is in force, whose files are not in the warehouse.
        cypp_etl.plan.reader.PlanError: this program finds faults in it that an older one did not.
    """
    held = _in_force(connection)
    if held is None or _is_same(connection, held, plan):
        record_plan(connection, plan, at)
        return plan
    in_force = plan_in_force(connection) or plan
    # An upgrade looks at figures too, so that no later command is the first to find a fault in them.
    len(in_force.figures)
    return in_force


def tell_what_was_untold(connection: Connection, plan: Plan, at: datetime) -> None:
    """Tell what an older program did not of judgements in force, in the transaction that upgrades the warehouse.

    Args:
        connection: a transaction of `engine.writing`.
        plan: the plan in force.
        at: the moment from which it counts.
    """
    if tell_what_is_in_force(connection, plan):
        at = next_moment(connection, at)
        rejudge_groups_by_plan(connection, plan, require_plan(connection, plan, at), EVERYTHING, at)


def _stored_files(connection: Connection, plan_id: int) -> dict[str, bytes]:
    columns = plan_tables.plan_file.c
    rows = connection.execute(select(columns.file, columns.content).where(columns.plan_id == plan_id))
    return {row.file: row.content for row in rows}


def _store_files(connection: Connection, plan_id: int, plan: Plan) -> None:
    """Store a plan's files if they are missing, as for plans recorded by an older program."""
    if not _stored_files(connection, plan_id):
        for file, content in plan.files.items():
            values = {"plan_id": plan_id, "file": file, "content": content}
            connection.execute(insert(plan_tables.plan_file).values(values))


def _finds_clinics_alike(connection: Connection, plan_id: int, plan: Plan) -> bool:
    """Whether a stored plan and another find the same clinics in the same judgements: by one rule, asked alike."""
    body, leaf = plan_tables.plan_body.c, plan_tables.plan_indicator.c
    rule = connection.scalar(select(body.clinics_from).where(body.plan_id == plan_id))
    stored = connection.execute(select(plan_tables.plan_indicator).where(leaf.plan_id == plan_id)).mappings()
    rhythms = {row["indicator"]: Rhythm.of(row) for row in stored}
    asked = {name: each.rhythm for name, each in plan.indicators.items() if name in rhythms}
    return rule == plan.body.clinics_from and all(rhythms[name] == rhythm for name, rhythm in asked.items())


_IN_FORCE = select(plan_tables.plan.c.plan_id, plan_tables.plan.c.fingerprint).where(
    plan_tables.plan.c.superseded_at.is_(None)
)


def _in_force(connection: Connection) -> tuple[int, str] | None:
    row = connection.execute(_IN_FORCE).one_or_none()
    return None if row is None else (row.plan_id, row.fingerprint)


def _is_same(connection: Connection, held: tuple[int, str], plan: Plan) -> bool:
    """Whether the plan in force, which an older program may have recorded under its files' SHA-256, is this plan."""
    plan_id, fingerprint = held
    if plan.is_known_as(fingerprint):
        return True
    files = _stored_files(connection, plan_id)
    if not files or former_fingerprint_of(files) != fingerprint:
        return False
    try:
        return plan_of(files).fingerprint == plan.fingerprint
    except PlanError:
        # This program finds faults in it that an older one did not.
        return False


def _insert(connection: Connection, plan: Plan, at: datetime, decision_id: int) -> int:
    add_periods(connection, _named_periods(plan))
    values = {"fingerprint": plan.fingerprint, "decision_id": decision_id, "recorded_at": at}
    plan_id: int = connection.execute(
        insert(plan_tables.plan).values(values).returning(plan_tables.plan.c.plan_id)
    ).scalar_one()
    _store_files(connection, plan_id, plan)
    for table, rows in _rows(plan):
        names = [column.name for column in table.columns if column.name != "plan_id"]
        insert_rows(connection, table, names, ([row[name] for name in names] for row in rows), {"plan_id": plan_id})
    return plan_id


def _rows(plan: Plan) -> Iterator[tuple[Table, Iterable[dict[str, Any]]]]:
    """The rows of each table, tables that others refer to first. The caller drops surplus fields."""
    yield plan_tables.plan_body, [asdict(plan.body)]
    yield plan_tables.plan_outcome, [asdict(outcome) for outcome in plan.outcomes.values()]
    yield (
        plan_tables.plan_partner,
        [_said(partner) | _days(partner.span) | _periods(partner.span) for partner in plan.partners.values()],
    )
    yield (
        plan_tables.plan_group,
        [
            {"group_code": each.group_code, "group_name": each.group, "parent_group": each.parent_group}
            for each in plan.groups.values()
        ],
    )
    yield plan_tables.plan_comparator, [asdict(comparator) for comparator in plan.comparators.values()]
    yield (
        plan_tables.plan_calendar,
        [
            {"period": entry.period.code, "opens_on": entry.opens_on, "due_on": entry.due_on}
            for entry in plan.calendar.values()
        ],
    )
    yield (
        plan_tables.plan_aspiration,
        [_said(aspiration) for aspiration in plan.aspirations.values()],
    )
    yield plan_tables.plan_action, [asdict(action) | _days(action.span) for action in plan.actions.values()]
    yield (
        plan_tables.plan_milestone,
        [
            _said(milestone) | {"financial_year": milestone.financial_year.code}
            for milestone in plan.milestones.values()
        ],
    )
    yield (
        plan_tables.plan_indicator,
        [_described(indicator) for indicator in plan.indicators.values()],
    )
    yield (
        plan_tables.plan_measured,
        [
            {"indicator": leaf.indicator, "aspiration": aspiration}
            for leaf in plan.indicators.values()
            for aspiration in plan.measured_aspirations(leaf)
        ],
    )
    yield plan_tables.plan_edition, [row for indicator in plan.indicators for row in _editions(plan, indicator)]
    yield plan_tables.plan_owed, list(_owed(plan))
    yield (
        plan_tables.plan_due,
        [
            {"partner_code": partner_code, "period": period.code}
            for period in plan.calendar
            for partner_code in plan.owing(period)
        ],
    )
    # Those of single partners are in the plan's files alone: nothing reads them here, and a plan of many bodies has
    # hundreds of thousands, which took a fifth of adopting it.
    yield (
        plan_tables.plan_figure,
        [
            {
                "measure": measure,
                "indicator": indicator,
                "period": period.code,
                "value": None if figure.value is None else float(figure.value),
                "marker": figure.marker,
                "source": figure.source,
            }
            for (measure, indicator, period), figure in plan.figures.items()
        ],
    )


def _said(row: Partner | Aspiration | Milestone | Indicator) -> dict[str, Any]:
    """What a row of the plan says, with what is noted on it."""
    return asdict(row) | asdict(row.about)


def _described(leaf: Indicator) -> dict[str, Any]:
    """What an edition of an indicator says of it, and when it is asked."""
    return _said(leaf) | leaf.rhythm.stated | {"compares_bodies": "yes" if leaf.compares_bodies else "no"}


def _days(span: Span) -> dict[str, date]:
    return {"first_day": span.first_day, "last_day": span.last_day}


def _periods(span: Span) -> dict[str, str]:
    first, last = (period.code if period else "" for period in (span.first_period, span.last_period))
    return {"first_period": first, "last_period": last}


def _named_periods(plan: Plan) -> set[Period]:
    """The periods that a view may name since the plan does: of its calendar, and where something begins or ends."""
    pieces = (piece for indicator in plan.indicators for piece in plan.editions_of(indicator))
    spans = (*(partner.span for partner in plan.partners.values()), *(piece.span for piece in pieces))
    bounds = (period for span in spans for period in (span.first_period, span.last_period) if period)
    return {*plan.calendar, *bounds}


def _editions(plan: Plan, indicator: str) -> Iterator[dict[str, Any]]:
    """A row of each edition, whatever margins it has had; its days go on to the next one's, or without end."""
    latest = {piece.edition: piece for piece in plan.editions_of(indicator)}
    firsts = {piece.edition: piece.span for piece in reversed(plan.editions_of(indicator))}
    begins = [date.min, *(firsts[number].first_day for number in list(latest)[1:])]
    ends = [*(first - timedelta(days=1) for first in begins[1:]), date.max]
    for piece, first_day, last_day in zip(latest.values(), begins, ends, strict=True):
        span = Span(firsts[piece.edition].first_period, piece.span.last_period)
        days = {"described_from": first_day, "described_until": last_day}
        yield _described(piece) | days | _periods(span)


def _owed(plan: Plan) -> Iterator[dict[str, Any]]:
    """What each partner owes, on the days on which partner, indicator and obligation all hold."""
    last_days: dict[tuple[str, str, date], date] = {}
    of_partners = {code: (partner.span.first_day, partner.span.last_day) for code, partner in plan.partners.items()}
    of_indicators = {code: _days_held(plan.editions_of(code)) for code in plan.indicators}
    # A plan of many bodies has tens of thousands, most of them without an end.
    for each in plan.obligations:
        (from_partner, to_partner), (from_first, to_last) = (
            of_partners[each.partner_code],
            of_indicators[each.indicator],
        )
        first_day = max(from_partner, from_first, each.span.first_day)
        last_day = min(to_partner, to_last, each.span.last_day)
        if first_day <= last_day:
            key = each.partner_code, each.indicator, first_day
            last_days[key] = max(last_day, last_days.get(key, last_day))
    for (partner_code, indicator, first_day), last_day in last_days.items():
        yield {"partner_code": partner_code, "indicator": indicator, "first_day": first_day, "last_day": last_day}


def _days_held(editions: Sequence[Indicator]) -> tuple[date, date]:
    """The first day of an indicator and its last, whatever its editions."""
    return editions[0].span.first_day, editions[-1].span.last_day
