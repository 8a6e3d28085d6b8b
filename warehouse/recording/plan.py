"""The plan in the warehouse, the source of the words and targets of every judgement and view."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from cypp_etl.judgement.reach.differences import EVERYTHING, PlanDifferences
from cypp_etl.plan.model import Plan
from cypp_etl.plan.rhythm import Rhythm
from schemas.codes import DecisionKind
from warehouse.recording.administration import Decision, record_decision
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.judged.clinics import keep_all_clinics
from warehouse.recording.judged.groups import rejudge_groups_by_plan
from warehouse.recording.judged.judgements import rejudge_by_plan
from warehouse.recording.periods import add_periods
from warehouse.recording.plan_rows import named_periods, plan_rows
from warehouse.recording.validity import end_rows, next_moment
from warehouse.schema import plan_tables
from warehouse.stored_plans import Missing, identity_in_force, is_same, missing_from, plan_in_force, stored_files

PROGRAM, FIRST_PLAN = "cypp", "The first plan of a new warehouse"
"""Who adopts a plan where nobody is asked, and why."""


class AnotherPlanInForceError(RuntimeError):
    """A return was checked against a plan that is not, or no longer, the one in force."""


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
    held = identity_in_force(connection)
    if held and is_same(connection, held, plan):
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


def require_plan(connection: Connection, plan: Plan, at: datetime) -> int:
    """The number of a plan that must be the one in force; the very first plan is recorded here.

    Otherwise a worker that was started before the plan changed would put the old plan back with its next return.

    Raises:
        AnotherPlanInForceError: another plan is in force.
    """
    held = identity_in_force(connection)
    if held is None:
        return record_plan(connection, plan, at).plan_id
    if not is_same(connection, held, plan):
        raise AnotherPlanInForceError(
            f"The plan in force is {held[1][:12]}, but this was checked against {plan.fingerprint[:12]}: "
            "read the plan in force, and check again"
        )
    return held[0]


def begin_plan(connection: Connection, plan: Plan, at: datetime) -> Plan:
    """Put the very first plan in force; if one is already in force, it stays. Returns the plan in force.

    Raises:
        NoStoredPlanError: another plan is in force, whose files are not in the warehouse.
        cypp_etl.plan.reader.PlanError: this program finds faults in it that an older one did not.
    """
    held = identity_in_force(connection)
    if held is None or is_same(connection, held, plan):
        record_plan(connection, plan, at)
        return plan
    in_force = plan_in_force(connection) or plan
    # An upgrade looks at figures too, so that no later command is the first to find a fault in them.
    len(in_force.figures)
    return in_force


def _store_files(connection: Connection, plan_id: int, plan: Plan) -> None:
    """Store a plan's files if they are missing, as for plans recorded by an older program."""
    if not stored_files(connection, plan_id):
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


def _insert(connection: Connection, plan: Plan, at: datetime, decision_id: int) -> int:
    add_periods(connection, named_periods(plan))
    values = {"fingerprint": plan.fingerprint, "decision_id": decision_id, "recorded_at": at}
    plan_id: int = connection.execute(
        insert(plan_tables.plan).values(values).returning(plan_tables.plan.c.plan_id)
    ).scalar_one()
    _store_files(connection, plan_id, plan)
    for table, rows in plan_rows(plan):
        names = [column.name for column in table.columns if column.name != "plan_id"]
        insert_rows(connection, table, names, ([row[name] for name in names] for row in rows), {"plan_id": plan_id})
    return plan_id
