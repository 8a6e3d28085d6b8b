"""Adopting a plan: what it would change is known first, and what the Board has seen changes only on purpose."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.gc_control import collection_paused
from flows.ingestion.context import upgraded
from flows.settings import Settings
from warehouse.queries.plan_comparison import PlanChanges, changes_by
from warehouse.recording.plan import NoStoredPlanError, RecordedPlan, plan_in_force, record_plan

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cypp_etl.plan.model import Plan


class SettledPeriodsError(ValueError):
    """A plan was not adopted: symbols of closed or published periods would change, and nobody has said they may."""

    def __init__(self, changes: "PlanChanges") -> None:
        super().__init__("closed or published periods would change")
        self.changes = changes


@dataclass(frozen=True, slots=True)
class Adoption:
    """What adopting a plan did: what it changed, and how it was recorded."""

    changes: "PlanChanges"
    recorded: "RecordedPlan"


# A plan of many bodies has hundreds of thousands of figures, none in a reference cycle: the collector would go through
# them for two of seven seconds.
@collection_paused()
def adopt_plan(settings: Settings, place: Path | None, *, by: str, why: str, may_change_settled: bool) -> Adoption:
    """Put a plan in force, judge by it what it changes, and put the decision on record, in one transaction.

    Args:
        settings: where the warehouse is; it is made or upgraded if need be.
        place: the folder or the workbook of the plan, or None for the built-in plan.
        by: who adopts it.
        why: for which reason.
        may_change_settled: whether symbols of closed or published periods may change.

    Raises:
        SettledPeriodsError: they would change, and may not; nothing was done.
        warehouse.recording.plan.ReturnedAndMissingError: the plan has no row for what has been returned; nothing was
            done.
        cypp_etl.plan.reader.PlanError: the plan has faults; nothing was done.
        warehouse.upgrade.WarehouseTooNewError: a newer version of the program has been here.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    adopted: list[Adoption] = []

    def put_in_force(connection: "Connection", plan: "Plan", at: datetime) -> "Plan":
        changes = plan_changes(connection, plan)
        if changes.settled and not changes.missing and not may_change_settled:
            raise SettledPeriodsError(changes)
        recorded = record_plan(connection, plan, at, by=by, why=why, differences=changes.differences)
        adopted.append(Adoption(changes, recorded))
        return plan

    upgraded(replace(settings, plan=place), put_in_force).engine.dispose()
    return adopted[0]


def plan_changes(connection: "Connection", other: "Plan") -> "PlanChanges":
    """What another plan would change of what is in force."""
    try:
        in_force = plan_in_force(connection)
    except NoStoredPlanError:
        # An older program put it in force without its files: what it asked of whom is not known any more.
        in_force = None
    return changes_by(connection, in_force, other)
