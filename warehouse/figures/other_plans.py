"""What another plan says of the figures in force, beside what is in force; nothing is recorded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from cypp_etl.judgement.reach.differences import PlanDifferences
from cypp_etl.plan.model import Plan
from warehouse.figures.affected import judged_together, reach_of_each
from warehouse.figures.comparisons import COMPARED, ComparisonKey, compared_by_key, comparisons_in_force
from warehouse.figures.groups import GROUP_FIGURE, GROUP_KEY, GROUP_SAID, groups_reached_by, is_gone, judged_again
from warehouse.figures.judged_rows import Key, judge_and_compare_rows
from warehouse.figures.judgements import figures_compared, judgements_in_force, series_reached_by
from warehouse.schema.tables import JUDGED, group_judgement

if TYPE_CHECKING:
    from cypp_etl.judgement.groups import GroupKey

_BAND = COMPARED.index("band")


@dataclass(frozen=True, slots=True)
class JudgedByPlan:
    """What another plan says of some series beside what is in force; nothing is recorded.

    `judgements` are by key, with the values before and now, by name; empty if there are none. `bands` are against
    comparators: before and now by partner, indicator, period and comparator, empty if there is none.
    """

    judgements: Mapping[Key, tuple[Mapping[str, Any], Mapping[str, Any]]]
    bands: Mapping[ComparisonKey, tuple[str, str]]


def judged_by_plan(connection: Connection, plan: Plan, differences: PlanDifferences) -> Iterator[JudgedByPlan]:
    """Judge and compare by another plan what it judges differently, and record nothing."""
    for few in judged_together(series_reached_by(connection, differences)):
        reaches = reach_of_each(few)
        rows = judge_and_compare_rows(figures_compared(connection, few, plan), plan, reaches)
        judged = rows.by_key()
        held = judgements_in_force(connection, few, reaches)
        pairs = {key: (held[key][1] if key in held else (), judged.get(key, ())) for key in {*held, *judged}}
        before = {key: said[_BAND] for key, (_, said) in comparisons_in_force(connection, few).items()}
        now = {key: said[_BAND] for key, said in compared_by_key(rows.comparisons).items()}
        yield JudgedByPlan(
            {key: (_named(was[1:]), _named(values[1:])) for key, (was, values) in pairs.items()},
            {key: (before.get(key, ""), now.get(key, "")) for key in {*before, *now}},
        )


def _named(values: Sequence[Any]) -> dict[str, Any]:
    """Judged values by the names of their columns, in the order of `JUDGED`; empty if there are none."""
    return dict(zip(JUDGED, values, strict=False))


def groups_judged_by_plan(
    connection: Connection, plan: Plan, differences: PlanDifferences
) -> "Iterator[tuple[GroupKey, Mapping[str, Any], Mapping[str, Any]]]":
    """Add up and judge by another plan what it judges differently, and record nothing.

    Yields:
        Group, indicator and period, with the values judged before and now, by name; empty if there are none.
    """
    judged_before = GROUP_SAID[len(GROUP_FIGURE) :]
    columns = group_judgement.c
    gone = select(*(columns[name] for name in (*GROUP_KEY, *judged_before))).where(is_gone(plan))
    for row in connection.execute(gone).all():
        yield (row[0], row[1], row[2]), dict(zip(judged_before, row[3:], strict=True)), {}
    for held, judged in judged_again(connection, plan, groups_reached_by(connection, plan, differences)):
        for key in {*held, *judged}:
            before, now = (held[key][1] if key in held else ()), judged.get(key, ())
            yield key, dict(zip(GROUP_SAID, before, strict=False)), dict(zip(GROUP_SAID, now, strict=False))
