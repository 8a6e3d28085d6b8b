"""The figures of groups of partners: sums of numbers, or of numerators over denominators, judged as a partner's are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd

from cypp_etl.judgement.comparators import Gathered, gather, ratio_of_sums
from cypp_etl.judgement.entries import PART_DECIMALS, Figures
from cypp_etl.judgement.judge import judge
from cypp_etl.judgement.leaves import read_leaves, slot_of
from cypp_etl.judgement.ledger import Ledger, Side, read_ledger
from cypp_etl.judgement.rounding import Bools
from cypp_etl.judgement.year_to_date import side_of
from cypp_etl.periods import Period, parse_period
from cypp_etl.phrases import in_list
from cypp_etl.plan.model import Figure, Indicator, Plan
from schemas.codes import Accumulation, Marker, Measure

GroupKey = tuple[str, str, str]
"""Group, indicator and period's code."""

_Figures = dict[tuple[str, str, Period], Figure]


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """A group's figure of one indicator and period, None if there is none.

    `owing` partners owe it, and `returned` of them have a figure. `note` says why there is no value, or why it is not
    judged; it is empty otherwise. `is_break` says whether a figure that counts has a break in series. `numerator` and
    `denominator` are the sums that it is made of, None if it is not, or if those of a partner who owes it are missing.
    A partner to whom it is not applicable adds nothing, since nobody was counted; both are 0 where it is so to all.
    """

    value: float | None
    owing: int
    returned: int
    note: str
    is_break: bool
    numerator: float | None = None
    denominator: float | None = None

    def is_judged(self, leaf: Indicator) -> bool:
        """Whether it is compared with anything: the sum of some is not compared with the sum of all."""
        return self.value is not None and not (leaf.adds_up_over_bodies and self.returned < self.owing)


def group_figures(figures: pd.DataFrame, plan: Plan, keys: Collection[GroupKey]) -> dict[GroupKey, GroupFigure]:
    """The figures of groups, where any of their partners has returned anything.

    Args:
        figures: the actuals of the groups' partners, in the form for `judge`, with `numerator` and `denominator`.
        plan: the groups, and who owes what.
        keys: the groups, indicators and periods; all indicators are the plan's.
    """
    # Nothing is compared yet.
    ledger = read_ledger(Figures.of(figures), replace(plan, figures={}, partner_figures={}), read_leaves(plan))
    number_of = {code: number for number, code in enumerate(ledger.partner_codes, start=1)}
    owing = _owing(plan, keys)
    bodies = np.zeros((len(owing), max(map(len, owing), default=0) or 1), dtype=np.int64)
    for place, codes in enumerate(owing):
        bodies[place, : len(codes)] = [number_of.get(code, 0) for code in codes]
    leaf = np.array([ledger.leaves.places[indicator] for _, indicator, _ in keys], dtype=np.int64)
    periods = [parse_period(period) for _, _, period in keys]
    slot = np.array([slot_of(period) for period in periods], dtype=np.int64)
    gathered = gather(ledger, bodies, leaf, slot)
    is_there = _any_body(gathered.place >= 0).tolist()
    leaves = [plan.edition(indicator, period) for (_, indicator, _), period in zip(keys, periods, strict=True)]
    found = _figures_of(ledger, leaves, gathered, [len(codes) for codes in owing])
    return {key: figure for key, figure, some in zip(keys, found, is_there, strict=True) if some}


def _any_body(of_bodies: Bools) -> Bools:
    """Whether the condition holds for any body; from shape (n, bodies) to (n,)."""
    found: Bools = np.logical_or.reduce(of_bodies, axis=1)
    return found


def _owing(plan: Plan, keys: Iterable[GroupKey]) -> list[list[str]]:
    """The partners of each group that owe the indicator for the period."""
    owners: dict[tuple[str, str], set[str]] = {}
    found = []
    for group_code, indicator, period in keys:
        if (indicator, period) not in owners:
            owners[indicator, period] = set(plan.at(parse_period(period)).owners.get(indicator, ()))
        found.append([code for code in plan.members.get(group_code, ()) if code in owners[indicator, period]])
    return found


class _Counts(NamedTuple):
    """How many partners have a figure, and have it with its parts, of those who owe it; and whether one has a break.

    `not_applicable` are those to whom it is not applicable. `numerator` and `denominator` are sums, in steps.
    """

    returned: int
    with_parts: int
    not_applicable: int
    owing: int
    is_break: bool
    numerator: int
    denominator: int

    @property
    def parts(self) -> tuple[float, float] | tuple[None, None]:
        """The sums of numerators and denominators, if those of no partner who owes them are missing."""
        is_whole = self.with_parts + self.not_applicable == self.owing
        scale = 10**PART_DECIMALS
        return (self.numerator / scale, self.denominator / scale) if is_whole else (None, None)


def _figures_of(ledger: Ledger, leaves: list[Indicator], gathered: Gathered, owing: list[int]) -> list[GroupFigure]:
    rows = ledger.rows
    if not len(rows.slot):
        return [GroupFigure(None, number, 0, "no partner has returned it", False) for number in owing]
    is_there = gathered.place >= 0
    has_value = is_there & rows.now.has_value[gathered.place]
    with_parts = has_value & rows.has_parts[gathered.place]
    sums = side_of(gathered.sum_of(rows.now.steps, has_value), _any_body(has_value), gathered.piece, ledger)
    ratios = ratio_of_sums(gathered, ledger, rows.numerator, rows.denominator, with_parts)
    counts = map(
        _Counts,
        has_value.sum(axis=1).tolist(),
        with_parts.sum(axis=1).tolist(),
        (is_there & rows.now.is_not_applicable[gathered.place]).sum(axis=1).tolist(),
        owing,
        _any_body(has_value & rows.is_break[gathered.place]).tolist(),
        gathered.sum_of(rows.numerator, with_parts).tolist(),
        gathered.sum_of(rows.denominator, with_parts).tolist(),
    )
    return [
        _figure(leaf, place, sums, ratios, counted)
        for place, (leaf, counted) in enumerate(zip(leaves, counts, strict=True))
    ]


def _figure(leaf: Indicator, place: int, sums: Side, ratios: Side, counts: _Counts) -> GroupFigure:
    owing, returned = counts.owing, counts.returned
    is_of_parts = not leaf.adds_up_over_bodies and bool(leaf.multiplier)
    parts = counts.parts if is_of_parts else (None, None)
    if not returned:
        return GroupFigure(None, owing, 0, "no partner has returned it", False, *parts)
    if leaf.adds_up_over_bodies:
        side, note = sums, _note_of_sum(returned, owing)
        has_value = bool(side.has_value[place])
    else:
        side, note = ratios, _note_of_ratio(leaf, returned, counts.with_parts)
        has_value = bool(side.has_value[place]) and not note
    if not has_value:
        note = note or "it cannot be computed: a denominator of nothing, or too large a figure"
    return GroupFigure(float(side.value[place]) if has_value else None, owing, returned, note, counts.is_break, *parts)


def _note_of_sum(returned: int, owing: int) -> str:
    return f"not judged: {returned} of {owing} partners have returned it" if returned < owing else ""


def _note_of_ratio(leaf: Indicator, returned: int, with_parts: int) -> str:
    if not leaf.multiplier:
        return "its returns have no numerators and denominators to add up"
    missing = returned - with_parts
    return f"{missing} of {returned} figures have no numerator and denominator to add up" if missing else ""


def judge_groups(known: Mapping[GroupKey, GroupFigure], plan: Plan) -> pd.DataFrame:
    """Judge the figures of groups, as `judge` does and in their order; `partner_code` is the group's.

    A group is compared with its own figures, with the targets and comparators that the plan has for it, and with what
    can be told from those of its partners. `note` says why there is no figure, why it is not judged, or why the year so
    far is not; it is empty otherwise. The figures of the quarters that add up must be known, too.
    """
    leaves = [plan.edition(indicator, parse_period(period)) for _, indicator, period in known]
    is_judged = [each.is_judged(leaf) for each, leaf in zip(known.values(), leaves, strict=True)]
    frame = pd.DataFrame(list(known), columns=["partner_code", "indicator", "period"], dtype=object)
    frame["measure"] = Measure.ACTUAL.value
    frame["value"] = [each.value if judged else None for each, judged in zip(known.values(), is_judged, strict=True)]
    frame["marker"] = [None if judged else Marker.NOT_RETURNED.value for judged in is_judged]
    frame["is_break"] = [each.is_break for each in known.values()]
    frame["numerator"] = [each.numerator for each in known.values()]
    frame["denominator"] = [each.denominator for each in known.values()]
    numbers = dict.fromkeys(("value", "numerator", "denominator"), "float64")
    frame = frame.astype({**numbers, "is_break": "bool", "marker": "object"})
    judged = judge(frame, _plan_of_groups(plan, {key[:2] for key in known}), read_leaves(plan))
    has_year = judged["year_to_date"].notna().tolist()
    judged["note"] = [
        _note(key, known, leaf, has_year_to_date=has) for key, leaf, has in zip(known, leaves, has_year, strict=True)
    ]
    # What is not judged is shown all the same.
    judged["actual"] = np.array([each.value for each in known.values()], dtype=np.float64)
    return judged


def _note(key: GroupKey, known: Mapping[GroupKey, GroupFigure], leaf: Indicator, *, has_year_to_date: bool) -> str:
    figure = known[key]
    if figure.value is None:
        return figure.note
    if not figure.is_judged(leaf):
        return _note_of_sum(figure.returned, figure.owing)
    missing = [] if has_year_to_date else list(_quarters_missing(key, known, leaf))
    return f"no year to date: not all partners' figures are known for {in_list(missing)}" if missing else ""


def _quarters_missing(key: GroupKey, known: Mapping[GroupKey, GroupFigure], leaf: Indicator) -> Iterator[str]:
    """The labels of the quarters of the year so far whose figures would have to be added up, and are not whole."""
    group_code, indicator, code = key
    period = parse_period(code)
    is_ratio = leaf.accumulation is Accumulation.RATIO
    if not (period.quarter and (is_ratio or leaf.accumulation is Accumulation.SUM)):
        return
    for quarter in period.quarters[: period.quarter]:
        if quarter.quarter in (period.quarter, *leaf.rhythm.quarters):
            figure = known.get((group_code, indicator, quarter.code))
            is_whole = figure and (figure.numerator is not None if is_ratio else figure.is_judged(leaf))
            if not is_whole:
                yield quarter.label


def _plan_of_groups(plan: Plan, series: Iterable[tuple[str, str]]) -> Plan:
    """The plan with the figures that groups are compared with, instead of partners."""
    figures: dict[str, _Figures] = {}
    given: dict[str, _Figures] = {}
    for key, figure in plan.figures.items():
        if key[0] in plan.comparators:
            given.setdefault(key[1], {})[key] = figure
    for group_code, indicator in series:
        own = plan.partner_figures.get(group_code, {})
        of_group = figures.setdefault(group_code, dict(own))
        for key, figure in given.get(indicator, {}).items():
            if not plan.edition(indicator, key[2]).adds_up_over_bodies:
                of_group.setdefault(key, figure)
        for period in plan.target_periods.get(indicator, ()):
            if told := _told_target(plan, group_code, indicator, period):
                of_group.setdefault((Measure.TARGET, indicator, period), told)
    comparators = {code: comparator for code, comparator in plan.comparators.items() if comparator.is_given}
    return replace(plan, figures={}, partner_figures=figures, comparators=comparators)


def _told_target(plan: Plan, group_code: str, indicator: str, period: Period) -> Figure | None:
    """The target of a group that the plan does not give: the sum of its partners', or the one that they share."""
    owners = set(plan.at(period).owners.get(indicator, ()))
    targets = []
    for code in plan.members.get(group_code, ()):
        if code in owners:
            target = plan.figure(Measure.TARGET, indicator, period, code)
            # A year's target of a partner's own comes before a quarter's of every partner.
            if target is None or target.value is None or target is not plan.target(indicator, period, code):
                return None
            targets.append(target.value)
    if not targets:
        return None
    if plan.edition(indicator, period).adds_up_over_bodies:
        return Figure(sum(targets, Decimal()), None, "the sum of the partners' targets")
    return Figure(targets[0], None, "the target of each partner") if len(set(targets)) == 1 else None
