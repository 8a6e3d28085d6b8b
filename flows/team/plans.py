"""Adopting a plan: what it would change is known first, and what the Board has seen changes only on purpose."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.gc_control import collection_paused
from cypp_etl.judgement.columns import TITLES
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan_source import read_plan_at
from flows.ingestion.context import upgraded
from flows.team.decided import Decided, require_who_and_why
from warehouse.engine import reading
from warehouse.queries.plan_comparison import JudgementChange, PlanChanges, changes_by
from warehouse.recording.plan import record_plan
from warehouse.stored_plans import NoStoredPlanError, plan_in_force

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from cypp_etl.plan.model import Plan
    from flows.ingestion.context import Workplace
    from flows.settings import Settings

# How many changes are listed one by one: a change of polarity changes thousands of symbols.
_SHOWN = 40


def compare_plan(workplace: "Workplace", place: Path) -> list[str]:
    """What the plan in a folder or a workbook would change, in lines; nothing is recorded.

    Raises:
        cypp_etl.plan.reader.PlanError: the plan has faults.
        ValueError: nothing is there.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    if not place.exists():
        raise ValueError(f"there is no {place} on the server: name the folder of the plan's CSV files, or its workbook")
    with reading(workplace.engine) as connection:
        return changes_in_lines(plan_changes(connection, read_plan_at(place)))


class SettledPeriodsError(ValueError):
    """A plan was not adopted: symbols of closed or published periods would change, and nobody has said they may."""

    def __init__(self, changes: PlanChanges) -> None:
        periods = ", ".join(parse_period(code).label for code in changes.settled)
        super().__init__(f"the plan was not adopted: closed or published periods would change ({periods})")
        self.changes = changes


@dataclass(frozen=True, slots=True)
class Adopted(Decided):
    """A plan that was put in force, and what it changed; nothing, where it was in force already."""

    changes: PlanChanges | None = None


# A plan of many bodies has hundreds of thousands of figures, none in a reference cycle: the collector would go through
# them for two of seven seconds.
@collection_paused()
def adopt_plan(settings: "Settings", place: Path | None, *, by: str, why: str, may_change_settled: bool) -> Adopted:
    """Put a plan in force, judge by it what it changes, and put the decision on record, in one transaction.

    Args:
        settings: where the warehouse is; it is made or upgraded if need be.
        place: the folder or the workbook of the plan, or None for the built-in plan.
        by: who adopts it.
        why: for which reason.
        may_change_settled: whether symbols of closed or published periods may change.

    Raises:
        flows.team.decided.UnsaidError: nobody says who adopts it, or why; nothing was done.
        SettledPeriodsError: they would change, and may not; nothing was done.
        warehouse.recording.plan.ReturnedAndMissingError: the plan has no row for what has been returned; nothing was
            done.
        cypp_etl.plan.reader.PlanError: the plan has faults; nothing was done.
        warehouse.upgrade.WarehouseTooNewError: a newer version of the program has been here.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    adopted: list[Adopted] = []

    def put_in_force(connection: "Connection", plan: "Plan", at: "datetime") -> "Plan":
        changes = plan_changes(connection, plan)
        if changes.settled and not changes.missing and not may_change_settled:
            raise SettledPeriodsError(changes)
        if record_plan(connection, plan, at, by=by, why=why, differences=changes.differences).is_new:
            sentence = f"The plan in force is now {place or 'the built-in plan'}."
            adopted.append(Adopted(True, (sentence,), changes=changes))
        else:
            adopted.append(Adopted(False, ("The plan is in force already.",)))
        return plan

    upgraded(replace(settings, plan=place), put_in_force).engine.dispose()
    return adopted[0]


def plan_changes(connection: "Connection", other: "Plan") -> PlanChanges:
    """What another plan would change of what is in force."""
    try:
        in_force = plan_in_force(connection)
    except NoStoredPlanError:
        # An older program put it in force without its files: what it asked of whom is not known any more.
        in_force = None
    return changes_by(connection, in_force, other)


def changes_in_lines(changes: PlanChanges, period: Period | None = None) -> list[str]:
    """What a plan changes: layouts, editions, the returns that are owed, symbols; long lists end with a count."""
    turned = changes.judgements_of(period)
    owed = [
        f"{one.partner_code} {'owes' if one.is_owed else 'no longer owes'} {one.indicator} {one.when}".rstrip()
        for one in changes.owed
    ]
    layouts = [f"The layout {name} is {what}." for name, what in changes.layouts]
    symbols = [
        f"{one.indicator} ({_whose(one)}), {parse_period(one.period).label}, {_what(one, changes)}: "
        f"{one.was} -> {one.now or 'no row'}"
        for one in turned
    ]
    lines = [f"Cannot be adopted: {missing}" for missing in changes.missing]
    for found in (layouts, changes.editions, owed, symbols):
        lines += found[:_SHOWN]
        if len(found) > _SHOWN:
            lines.append(f"... and {len(found) - _SHOWN:,} more")
    periods = len({one.period for one in turned})
    count = f"{_count(len(turned), 'symbol')} of {_count(periods, 'period')} change."
    return [*lines, count if turned else "No symbol changes."]


def _whose(change: JudgementChange) -> str:
    return f"group {change.group_code}" if change.group_code else change.partner_code


def _what(change: JudgementChange, changes: PlanChanges) -> str:
    if change.comparator:
        return f"against {changes.headings.get(change.comparator, change.comparator)}"
    return TITLES[change.column].lower()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
