"""`cypp explain`: from the symbol back to the cell, with every step of the sum."""

from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.periods import Period, parse_period
from cypp_etl.phrases import short_list
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.plan.reference_keys import reference_key
from cypp_etl.plan.selection import EVERYTHING, Selection, select_part
from flows.cli.arguments import OfGroup, OfPartner, parsed_period
from flows.cli.explained.group import group_lines
from flows.cli.explained.judgement import judgement_lines
from flows.cli.terminal import say
from flows.cli.warehouse_access import with_warehouse
from warehouse.queries.explain import explain as explained
from warehouse.queries.explain import explain_groups

if TYPE_CHECKING:
    from sqlalchemy import Connection


_OWNERS_NAMED = 10


def explain(
    indicator: Annotated[str, typer.Argument(help='An indicator, such as "NI 111b".')],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    partner: OfPartner = "",
    group: OfGroup = "",
) -> None:
    """Explain a judgement, step by step, back to its cells.

    Where several partners return the indicator, each has its own.
    """
    wanted = parsed_period(period)

    def show(connection: "Connection", plan: Plan) -> int:
        return show_explanation(connection, plan, indicator, wanted, select_part(plan, partner, group))

    raise typer.Exit(with_warehouse(show))


def show_explanation(
    connection: "Connection", plan: Plan, indicator: str, period: Period, part: Selection = EVERYTHING
) -> int:
    """Print how a judgement was made, for each partner of a part of the plan; 1 if there is none.

    Raises:
        ValueError: the plan has no such indicator.
    """
    leaf = _find_leaf(plan, indicator)
    explanations, asked = explained(connection, plan, leaf.indicator, period, part), leaf.rhythm.latest(period)
    if not explanations and asked != period:
        explanations = explained(connection, plan, leaf.indicator, asked, part)
        if explanations:
            say(f"{leaf.indicator} has no figure of {period.label} itself. The latest by then is of another period:")
            say()
    if not explanations:
        label = leaf.rhythm.label(asked)
        whose = f" by {part.title}" if part.title else ""
        say(f"Nothing has been returned for {leaf.indicator} in {label}{whose}. {_who_owes(plan, leaf, period)}")
        return 1
    is_shared = len(explanations) > 1 or len(plan.owners.get(leaf.indicator, ())) > 1
    for group in explain_groups(connection, plan, leaf.indicator, parse_period(explanations[0].row["period"]), part):
        for line in (*group_lines(group, plan), ""):
            say(line)
    for place, explanation in enumerate(explanations):
        if place:
            say()
        for line in judgement_lines(explanation, plan, is_shared=is_shared):
            say(line)
    return 0


def _owners(plan: Plan, leaf: Indicator) -> str:
    """Who owes an indicator; how many they are, if they are too many to read."""
    owners = [plan.partners[code].partner for code in plan.owners.get(leaf.indicator, ())]
    return f"{len(owners)} partners" if len(owners) > _OWNERS_NAMED else ", ".join(owners)


def _find_leaf(plan: Plan, indicator: str) -> Indicator:
    """Find the leaf indicator by its name, read as a return's references are."""
    index = PlanIndex.of(plan)
    if (leaf := index.leaf_meant(indicator)) is not None:
        return leaf
    key = reference_key(index.reference_meant(indicator, "")[0])
    parts = [one.indicator for one in plan.indicators.values() if one.sub and reference_key(one.indicator_ref) == key]
    if parts:
        raise ValueError(f"{indicator!r} has sub-indicators, which are judged separately: choose {' or '.join(parts)}")
    raise ValueError(f"there is no indicator {indicator!r}; the plan has {short_list(plan.indicators)}")


def _who_owes(plan: Plan, leaf: Indicator, period: Period) -> str:
    then = plan.at(period)
    if leaf.indicator not in then.indicators:
        return f"It is not collected for then, but {plan.edition(leaf.indicator, period).span}."
    return f"It is owed by {_owners(then, leaf) or 'no partner'}."
