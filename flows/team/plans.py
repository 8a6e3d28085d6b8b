"""Adopting a plan: what it would change, in lines, and putting it in force."""

from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.judgement.columns import TITLES
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan_workbook.source import read_plan_at
from flows.plan_adoption import SettledPeriodsError, plan_changes
from flows.plan_adoption import adopt_plan as adopt_plan_in
from flows.team.decided import Decided, require_who_and_why
from warehouse.engine import reading

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace
    from warehouse.queries.plan_comparison import PlanChanges

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


def adopt_plan(workplace: "Workplace", place: Path | None, *, by: str, why: str, may_change_settled: bool) -> Decided:
    """Put the plan in a folder or a workbook in force, or the built-in plan.

    Raises:
        ValueError: closed or published periods would change and may not, it has no row for what has been returned, it
            has faults, or nobody says who adopts it, or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    try:
        adopted = adopt_plan_in(workplace.settings, place, by=by, why=why, may_change_settled=may_change_settled)
    except SettledPeriodsError as refused:
        what = settled_in_words(refused.changes)
        raise ValueError(f"the plan was not adopted: {what}; tick the field that lets them change to adopt it") from (
            refused
        )
    if not adopted.recorded.is_new:
        return Decided(False, ("The plan is in force already.",))
    return Decided(True, (f"The plan in force is now {place or 'the built-in plan'}.",))


def settled_in_words(changes: "PlanChanges") -> str:
    """Which closed or published periods a plan would change."""
    periods = ", ".join(parse_period(code).label for code in changes.settled)
    return f"closed or published periods would change ({periods})"


def changes_in_lines(changes: "PlanChanges", period: Period | None = None) -> list[str]:
    """What a plan changes: layouts, editions, the returns that are owed, symbols; long lists end with a count."""
    turned = [one for one in changes.turned if period is None or one.period == period.code]
    owed = [
        f"{one.partner_code} {'owes' if one.is_owed else 'no longer owes'} {one.indicator} {one.when}".rstrip()
        for one in changes.owed
    ]
    layouts = [f"The layout {name} is {what}." for name, what in changes.layouts]
    symbols = [
        f"{one.indicator} ({one.partner_code}), {parse_period(one.period).label}, {TITLES[one.column].lower()}: "
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


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
