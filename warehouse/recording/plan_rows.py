"""A plan as rows of the warehouse's tables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Table

from cypp_etl.periods import Period
from cypp_etl.plan.model import Aspiration, Indicator, Milestone, Partner, Plan
from cypp_etl.plan.spans import Span
from warehouse.schema import plan_tables


def plan_rows(plan: Plan) -> Iterator[tuple[Table, Iterable[dict[str, Any]]]]:
    """The rows of each table, tables that others refer to first. The caller drops surplus fields."""
    yield plan_tables.plan_body, [asdict(plan.body)]
    yield plan_tables.plan_outcome, [asdict(outcome) for outcome in plan.outcomes.values()]
    yield (
        plan_tables.plan_partner,
        [_said(partner) | _days(partner.span) | _periods(partner.span) for partner in plan.partners.values()],
    )
    yield (
        plan_tables.plan_group,
        [
            {"group_code": each.group_code, "group_name": each.group, "parent_group": each.parent_group}
            for each in plan.groups.values()
        ],
    )
    yield plan_tables.plan_comparator, [asdict(comparator) for comparator in plan.comparators.values()]
    yield (
        plan_tables.plan_calendar,
        [
            {"period": entry.period.code, "opens_on": entry.opens_on, "due_on": entry.due_on}
            for entry in plan.calendar.values()
        ],
    )
    yield (
        plan_tables.plan_aspiration,
        [_said(aspiration) for aspiration in plan.aspirations.values()],
    )
    yield plan_tables.plan_action, [asdict(action) | _days(action.span) for action in plan.actions.values()]
    yield (
        plan_tables.plan_milestone,
        [
            _said(milestone) | {"financial_year": milestone.financial_year.code}
            for milestone in plan.milestones.values()
        ],
    )
    yield (
        plan_tables.plan_indicator,
        [_described(indicator) for indicator in plan.indicators.values()],
    )
    yield (
        plan_tables.plan_measured,
        [
            {"indicator": leaf.indicator, "aspiration": aspiration}
            for leaf in plan.indicators.values()
            for aspiration in plan.measured_aspirations(leaf)
        ],
    )
    yield plan_tables.plan_edition, [row for indicator in plan.indicators for row in _editions(plan, indicator)]
    yield plan_tables.plan_owed, list(_owed(plan))
    yield (
        plan_tables.plan_due,
        [
            {"partner_code": partner_code, "period": period.code}
            for period in plan.calendar
            for partner_code in plan.owing(period)
        ],
    )
    # Those of single partners are in the plan's files alone: nothing reads them here, and a plan of many bodies has
    # hundreds of thousands, which took a fifth of adopting it.
    yield (
        plan_tables.plan_figure,
        [
            {
                "measure": measure,
                "indicator": indicator,
                "period": period.code,
                "value": None if figure.value is None else float(figure.value),
                "marker": figure.marker,
                "source": figure.source,
            }
            for (measure, indicator, period), figure in plan.figures.items()
        ],
    )


def _said(row: Partner | Aspiration | Milestone | Indicator) -> dict[str, Any]:
    """What a row of the plan says, with what is noted on it."""
    return asdict(row) | asdict(row.about)


def _described(leaf: Indicator) -> dict[str, Any]:
    """What an edition of an indicator says of it, and when it is asked."""
    return _said(leaf) | leaf.rhythm.stated | {"compares_bodies": "yes" if leaf.compares_bodies else "no"}


def _days(span: Span) -> dict[str, date]:
    return {"first_day": span.first_day, "last_day": span.last_day}


def _periods(span: Span) -> dict[str, str]:
    first, last = (period.code if period else "" for period in (span.first_period, span.last_period))
    return {"first_period": first, "last_period": last}


def named_periods(plan: Plan) -> set[Period]:
    """The periods that a view may name since the plan does: of its calendar, and where something begins or ends."""
    pieces = (piece for indicator in plan.indicators for piece in plan.editions_of(indicator))
    spans = (*(partner.span for partner in plan.partners.values()), *(piece.span for piece in pieces))
    bounds = (period for span in spans for period in (span.first_period, span.last_period) if period)
    return {*plan.calendar, *bounds}


def _editions(plan: Plan, indicator: str) -> Iterator[dict[str, Any]]:
    """A row of each edition, whatever margins it has had; its days go on to the next one's, or without end."""
    latest = {piece.edition: piece for piece in plan.editions_of(indicator)}
    firsts = {piece.edition: piece.span for piece in reversed(plan.editions_of(indicator))}
    begins = [date.min, *(firsts[number].first_day for number in list(latest)[1:])]
    ends = [*(first - timedelta(days=1) for first in begins[1:]), date.max]
    for piece, first_day, last_day in zip(latest.values(), begins, ends, strict=True):
        span = Span(firsts[piece.edition].first_period, piece.span.last_period)
        days = {"described_from": first_day, "described_until": last_day}
        yield _described(piece) | days | _periods(span)


def _owed(plan: Plan) -> Iterator[dict[str, Any]]:
    """What each partner owes, on the days on which partner, indicator and obligation all hold."""
    last_days: dict[tuple[str, str, date], date] = {}
    of_partners = {code: (partner.span.first_day, partner.span.last_day) for code, partner in plan.partners.items()}
    of_indicators = {code: _days_held(plan.editions_of(code)) for code in plan.indicators}
    # A plan of many bodies has tens of thousands, most of them without an end.
    for each in plan.obligations:
        (from_partner, to_partner), (from_first, to_last) = (
            of_partners[each.partner_code],
            of_indicators[each.indicator],
        )
        first_day = max(from_partner, from_first, each.span.first_day)
        last_day = min(to_partner, to_last, each.span.last_day)
        if first_day <= last_day:
            key = each.partner_code, each.indicator, first_day
            last_days[key] = max(last_day, last_days.get(key, last_day))
    for (partner_code, indicator, first_day), last_day in last_days.items():
        yield {"partner_code": partner_code, "indicator": indicator, "first_day": first_day, "last_day": last_day}


def _days_held(editions: Sequence[Indicator]) -> tuple[date, date]:
    """The first day of an indicator and its last, whatever its editions."""
    return editions[0].span.first_day, editions[-1].span.last_day
