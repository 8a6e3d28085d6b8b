"""Which judgements a change affects: the series that are judged together, and their rows in the warehouse."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from operator import or_ as union
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, bindparam, false, func, or_

from cypp_etl.caching import once_for_each
from cypp_etl.figure_keys import Series
from cypp_etl.judgement.reach.dependents import Span
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Measure
from warehouse.schema.sets import is_one_of

PARTNERS_AT_ONCE = 100
"""How many partners' series are in memory at once; more, while their series are few."""

_SERIES_AT_ONCE = 4_000


class Reach(NamedTuple):
    """A span in codes, which sort as their periods do."""

    year: str
    first: str
    last: str

    @classmethod
    def of(cls, span: Span) -> "Reach":
        """What a span affects."""
        return cls(span.first.year.code, span.first.code, span.last.code)


def judged_together(spans: Mapping[Series, Span]) -> Iterator[dict[Series, Span]]:
    """Group series by partners, within memory limits, and by the year in which their spans start.

    Everything between the first and the last period of a group is read: with corrections of many years in one group,
    that would be nearly everything.
    """
    by_year: dict[Period, dict[str, dict[Series, Span]]] = {}
    for series, span in spans.items():
        by_year.setdefault(span.first.year, {}).setdefault(series.partner_code, {})[series] = span
    for by_partner in by_year.values():
        together: dict[Series, Span] = {}
        for number, code in enumerate(sorted(by_partner)):
            if number % PARTNERS_AT_ONCE == 0 and len(together) >= _SERIES_AT_ONCE:
                yield together
                together = {}
            together |= by_partner[code]
        yield together


def with_those_compared(
    spans: Mapping[Series, Span], about: Mapping[Series, frozenset[tuple[str, str]]], plan: Plan
) -> Mapping[Series, Span]:
    """The spans, and those of the series whose comparators are computed from actuals that changed.

    A comparator of a period is computed from figures of the year up to it. `about` has the measures and periods of the
    figures that changed, by series.
    """
    compared_by = _compared_by(plan)
    if not compared_by:
        return spans
    # Many bodies change in the same way at once, and the same partners compare with each: one by one, they would be
    # looked up a hundred times over, which took six tenths of recording a hundred returns of 448 indicators.
    changed: dict[tuple[str, Span], set[str]] = {}
    span_of = lru_cache(maxsize=None)(_summed_up)
    for series, figures in about.items():
        if (span := span_of(figures)) is not None:
            changed.setdefault((series.indicator, span), set()).add(series.partner_code)
    comparing = lru_cache(maxsize=None)(lambda bodies: frozenset().union(*(compared_by.get(one, ()) for one in bodies)))
    reached = dict(spans)
    for (indicator, span), bodies in changed.items():
        for partner_code in comparing(frozenset(bodies)):
            other = Series(partner_code, indicator)
            held = reached.get(other)
            if held is None or held.first > span.first or held.last < span.last:
                reached[other] = span if held is None else held | span
    return reached


def _summed_up(figures: Iterable[tuple[str, str]]) -> Span | None:
    """The periods for which actuals of a series are summed up and compared with, where they changed."""
    periods = [parse_period(period) for measure, period in figures if measure == Measure.ACTUAL]
    return Span(min(periods), max(periods).quarters[3]) if periods else None


def has_computed_comparators(plan: Plan) -> bool:
    """Whether what a partner returns can change what another is compared with."""
    return any(not comparator.is_given for comparator in plan.comparators.values())


def bodies_behind(plan: Plan, partner_codes: Iterable[str]) -> set[str]:
    """The partners from whose figures comparators of some partners are computed."""
    computed = [comparator for comparator in plan.comparators.values() if not comparator.is_given]
    return {body for code in partner_codes for comparator in computed for body in plan.bodies_of(comparator, code)}


@once_for_each
def _compared_by(plan: Plan) -> dict[str, set[str]]:
    """For each partner, those whose comparators are computed from its figures."""
    compared_by: dict[str, set[str]] = {}
    for comparator in plan.comparators.values():
        if not comparator.is_given:
            for partner_code in plan.partners:
                for body in plan.bodies_of(comparator, partner_code):
                    compared_by.setdefault(body, set()).add(partner_code)
    return compared_by


def reach_of_each(spans: Mapping[Series, Span]) -> dict[tuple[str, str], Reach]:
    """The part of each series that is judged, by partner and indicator."""
    reach = lru_cache(maxsize=None)(Reach.of)
    return {series: reach(span) for series, span in spans.items()}


def is_reached(reaches: Mapping[tuple[str, str], Reach], row: Sequence[Any], period: str) -> bool:
    """Whether a row, which starts with a series, is among those judged."""
    reach = reaches.get((row[0], row[1]))
    return reach is not None and (reach.first <= period <= reach.last or period == reach.year)


def of_series(table: Table) -> ColumnElement[bool]:
    """The rows in force of the series asked for, and of others that share a partner and an indicator with them."""
    columns = table.c
    return and_(
        columns.superseded_at.is_(None),
        is_one_of(columns.partner_code, "partner_codes"),
        is_one_of(columns.indicator, "indicators"),
    )


def within(table: Table) -> ColumnElement[bool]:
    """The rows of the span asked for: codes sort as their periods do."""
    period = table.c.period
    # A range, for the index, without the quarters before the first, which is hidden from SQLite: it would search an
    # index of periods for them, through all partners.
    is_wanted = or_(period == bindparam("year"), period >= bindparam("first"))
    return and_(period.between(bindparam("year"), bindparam("last")), func.coalesce(is_wanted, false()))


def asked(series: Iterable[tuple[str, str]], spans: Iterable[Span]) -> dict[str, Any]:
    """What `of_series` and `within` ask for: series, and the smallest span that includes all spans."""
    return asked_series(series) | Reach.of(reduce(union, set(spans)))._asdict()


def asked_series(series: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What `of_series` asks for."""
    partner_codes, indicators = zip(*series, strict=True)
    return {"partner_codes": set(partner_codes), "indicators": set(indicators)}
