"""What a change of the plan reaches: only that is judged again, because a plan of many bodies has much else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_ as union

from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span, dependents
from cypp_etl.periods import LAST_PERIOD, Period
from cypp_etl.plan.model import Figure, Plan


@dataclass(frozen=True, slots=True)
class PlanDifferences:
    """The judgements that two plans may make differently.

    They are all those of some `indicators` and of some `partners`, and, by partner and indicator, those of a span that
    a figure reaches; an empty partner is every partner. `is_everything` where nothing can be left out. Of groups, they
    are those of `group_indicators`; all where that is None.
    """

    is_everything: bool
    indicators: frozenset[str]
    partners: frozenset[str]
    figures: Mapping[tuple[str, str], Span]
    group_indicators: frozenset[str] | None

    @property
    def only_indicators(self) -> frozenset[str] | None:
        """The indicators that are reached, None if any may be."""
        if self.is_everything or self.partners:
            return None
        return self.indicators | {indicator for _, indicator in self.figures}

    def reach(self, series: Series, first: Period) -> Span | None:
        """What is to be judged again of a series that begins with a period; None if nothing is."""
        if self.is_everything or series.indicator in self.indicators or series.partner_code in self.partners:
            return Span(first, LAST_PERIOD)
        spans = [self.figures.get((code, series.indicator)) for code in ("", series.partner_code)]
        found = [span for span in spans if span is not None]
        return reduce(union, found) if found else None


EVERYTHING = PlanDifferences(True, frozenset(), frozenset(), {}, None)
"""Of plans that cannot be compared."""


def plan_differences(before: Plan, after: Plan) -> PlanDifferences:
    """Compare two plans: their indicators, figures, comparators, neighbours, groups, partners and obligations."""
    indicators = frozenset(
        {*_differing(before.indicators, after.indicators), *_differing(before.editions, after.editions)}
    )
    figures = dict(_reached_by_figures(before, after))
    is_added_up_alike = before.members == after.members and not _differing(before.partners, after.partners)
    group_indicators = {indicator for _, indicator in figures} | indicators | set(_owed_differently(before, after))
    return PlanDifferences(
        is_everything=before.comparators != after.comparators,
        indicators=indicators,
        partners=frozenset(_partners_judged_differently(before, after)),
        figures=figures,
        group_indicators=frozenset(group_indicators) if is_added_up_alike else None,
    )


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


def _partners_judged_differently(before: Plan, after: Plan) -> Iterator[str]:
    """Partners that are compared with other bodies, or whose series go on elsewhere."""
    for code in {*before.partners, *after.partners}:
        then, now = before.partners.get(code), after.partners.get(code)
        if then is None or now is None or (then.span, then.successor) != (now.span, now.successor):
            yield code
            yield from (each.successor for each in (then, now) if each and each.successor)
        elif any(before.bodies_of(each, code) != after.bodies_of(each, code) for each in after.comparators.values()):
            yield code


def _reached_by_figures(before: Plan, after: Plan) -> Iterator[tuple[tuple[str, str], Span]]:
    for code in {"", *before.partner_figures, *after.partner_figures}:
        then, now = (plan.partner_figures.get(code, {}) if code else plan.figures for plan in (before, after))
        spans: dict[tuple[str, str], Span] = {}
        for measure, indicator, period in _figures_differing(then, now):
            span = dependents(measure, period)
            spans[code, indicator] = spans.get((code, indicator), span) | span
        yield from spans.items()


_Figures = Mapping[tuple[str, str, Period], Figure]


def _figures_differing(before: _Figures, after: _Figures) -> Iterator[tuple[str, str, Period]]:
    yield from before.keys() - after.keys()
    for key, now in after.items():
        then = before.get(key)
        # The source of a figure is in no judgement.
        if then is None or then.value != now.value or then.marker is not now.marker:
            yield key


def _owed_differently(before: Plan, after: Plan) -> Iterator[str]:
    if before.obligations == after.obligations and before.owners == after.owners:
        return
    yield from _differing(before.owners, after.owners)
    kept = {*before.obligations} ^ {*after.obligations}
    yield from {each.indicator for each in kept}
