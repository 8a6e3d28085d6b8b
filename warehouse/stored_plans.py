"""The plans in the warehouse: the one in force, those before it, and what they do not have though it was returned."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from cypp_etl.periods import parse_period
from cypp_etl.plan.fingerprint import former_fingerprint_of
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import PlanError, plan_known_as, plan_of
from warehouse.schema import plan_tables
from warehouse.schema.tables import milestone_report, observation
from warehouse.upgrade import WarehouseStateError


class NoStoredPlanError(WarehouseStateError):
    """The files of the plan in force are not in the warehouse, which was last upgraded with another plan."""


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


def plan_in_force(connection: Connection) -> Plan | None:
    """The plan in force, from its stored files; None if no plan was ever put in force.

    Raises:
        NoStoredPlanError: it was put in force by an older program, which did not store its files.
        cypp_etl.plan.reader.PlanError: this program finds faults in it that an older one did not; those of its figures
            are found when the figures are first needed.
    """
    held = identity_in_force(connection)
    if held is None:
        return None
    plan_id, fingerprint = held
    files = stored_files(connection, plan_id)
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
    files = stored_files(connection, plan_id) if plan_id else {}
    fingerprint = connection.scalar(select(plan_tables.plan.c.fingerprint).where(plan_tables.plan.c.plan_id == plan_id))
    try:
        plan = plan_of(files) if files else None
    except PlanError:
        return None
    return plan if plan and fingerprint and plan.is_known_as(fingerprint) else None


_IN_FORCE = select(plan_tables.plan.c.plan_id, plan_tables.plan.c.fingerprint).where(
    plan_tables.plan.c.superseded_at.is_(None)
)


def identity_in_force(connection: Connection) -> tuple[int, str] | None:
    """The number and the fingerprint of the plan in force."""
    row = connection.execute(_IN_FORCE).one_or_none()
    return None if row is None else (row.plan_id, row.fingerprint)


def is_same(connection: Connection, held: tuple[int, str], plan: Plan) -> bool:
    """Whether the plan in force, which an older program may have recorded under its files' SHA-256, is this plan."""
    plan_id, fingerprint = held
    if plan.is_known_as(fingerprint):
        return True
    files = stored_files(connection, plan_id)
    if not files or former_fingerprint_of(files) != fingerprint:
        return False
    try:
        return plan_of(files).fingerprint == plan.fingerprint
    except PlanError:
        # This program finds faults in it that an older one did not.
        return False


def stored_files(connection: Connection, plan_id: int) -> dict[str, bytes]:
    """The files of a plan with their contents; none if an older program put it in force."""
    columns = plan_tables.plan_file.c
    rows = connection.execute(select(columns.file, columns.content).where(columns.plan_id == plan_id))
    return {row.file: row.content for row in rows}


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
