"""Makes the plan's records of the rows of its tables, which are known to be sound."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.fingerprint import former_fingerprint_of
from cypp_etl.plan.indicator_rows import Rows, exact, leaf_rows, number, parent_row, parent_rows, polarity_row, span_of
from cypp_etl.plan.layout_files import brought_layouts
from cypp_etl.plan.model import (
    BUILT_IN_COMPARATORS,
    About,
    Action,
    Aspiration,
    Banding,
    Body,
    CalendarEntry,
    Comparator,
    Group,
    Indicator,
    Milestone,
    Obligation,
    Outcome,
    Parent,
    Partner,
    Plan,
    members_of,
    owed_by,
)
from cypp_etl.plan.partner_figures import Figures
from cypp_etl.plan.rhythm import quarters_asked
from cypp_etl.plan.spans import Span
from cypp_etl.plan.tables import PlanTables, Row
from schemas.codes import (
    Accumulation,
    ActionKind,
    ClinicRule,
    ComparatorMethod,
    Frequency,
    Polarity,
    ReportedYear,
    Unit,
    YearType,
)
from schemas.plan import ABOUT_COLUMNS, EVERY_PARTNER


def plan_from(tables: PlanTables, fingerprint: str, figures: Figures, partner_figures: Mapping[str, Figures]) -> Plan:
    """The plan that sound tables make, with its figures, those for single partners by their codes."""
    rows = tables.rows
    editions, parent_editions = _editions(rows), _parent_editions(rows)
    partners = {row["partner_code"]: _partner(row) for row in rows["partners.csv"]}
    groups = {row["group_code"]: Group(**row.cells) for row in rows["groups.csv"]}
    obligations = tuple(_obligations(rows, partners, groups))
    return Plan(
        fingerprint=fingerprint,
        former_fingerprint=former_fingerprint_of(tables.files),
        outcomes={row["outcome_code"]: Outcome(**row.cells) for row in rows["outcomes.csv"]},
        aspirations={row["aspiration"]: _aspiration(row) for row in rows["aspirations.csv"]},
        actions={row["action_id"]: _action(row) for row in rows["actions.csv"]},
        milestones={row["milestone"]: _milestone(row) for row in rows["milestones.csv"]},
        partners=partners,
        parents={ref: each[-1] for ref, each in parent_editions.items()},
        indicators={code: each[-1] for code, each in editions.items()},
        figures=figures,
        owed_by=owed_by(partners, obligations),
        calendar={entry.period: entry for entry in map(_calendar_entry, rows["calendar.csv"])},
        files=tables.files,
        body=_body(rows),
        groups=groups,
        editions=editions,
        parent_editions=parent_editions,
        obligations=obligations,
        partner_figures=partner_figures,
        comparators={row["comparator"]: _comparator(row) for row in rows["comparators.csv"]} or BUILT_IN_COMPARATORS,
        neighbours=_neighbours(rows),
        layouts=brought_layouts(rows),
    )


def _body(rows: Rows) -> Body:
    if not rows["body.csv"]:
        return Body()
    row = rows["body.csv"][0]
    default = Body()
    return Body(
        body=row["body"],
        report_title=row["report_title"] or default.report_title,
        clinics_from=ClinicRule(row["clinics_from"] or default.clinics_from),
        quartiles_from=int(row["quartiles_from"] or default.quartiles_from),
    )


def _about(row: Row, parent: Row | None = None) -> About:
    """What is noted on a row; on a sub-indicator's without a note of its own, what is on its parent's."""
    return About(**{name: row[name] or (parent[name] if parent else "") for name in ABOUT_COLUMNS})


def _aspiration(row: Row) -> Aspiration:
    return Aspiration(
        aspiration=row["aspiration"],
        outcome_code=row["outcome_code"],
        text=row["text"],
        is_area_of_focus=row["is_area_of_focus"] == "yes",
        focus_on=row["focus_on"],
        about=_about(row),
    )


def _action(row: Row) -> Action:
    return Action(
        action_id=row["action_id"],
        aspiration=row["aspiration"],
        kind=ActionKind(row["kind"]),
        action=row["action"],
        detail=row["detail"],
        strategic_lead=row["strategic_lead"],
        lead_officer=row["lead_officer"],
        partner_code=row["partner_code"],
        span=span_of(row),
    )


def _partner(row: Row) -> Partner:
    return Partner(
        partner_code=row["partner_code"],
        partner=row["partner"],
        group_code=row["group_code"],
        span=span_of(row),
        successor=row["successor"],
        about=_about(row),
    )


def _comparator(row: Row) -> Comparator:
    return Comparator(row["comparator"], row["heading"], ComparatorMethod(row["method"]), row["bodies"])


def _neighbours(rows: Rows) -> Mapping[str, tuple[str, ...]]:
    neighbours: dict[str, list[str]] = {}
    for row in rows["neighbours.csv"]:
        neighbours.setdefault(row["partner_code"], []).append(row["neighbour"])
    return {partner_code: tuple(of_partner) for partner_code, of_partner in neighbours.items()}


def _milestone(row: Row) -> Milestone:
    return Milestone(
        milestone=row["milestone"],
        action_id=row["action_id"],
        financial_year=parse_period(row["financial_year"]),
        description=row["description"],
        due=date.fromisoformat(row["due"]),
        is_due_stated=row["is_due_stated"] == "yes",
        about=_about(row),
    )


def _parent(row: Row) -> Parent:
    return Parent(
        indicator_no=row["indicator_no"],
        indicator_ref=row["indicator_ref"],
        outcome_code=row["outcome_code"],
        definition=row["definition"],
        polarity=Polarity(row["polarity"]) if row["polarity"] else None,
        span=span_of(row),
    )


def _parent_editions(rows: Rows) -> Mapping[str, tuple[Parent, ...]]:
    return {
        ref: tuple(sorted(map(_parent, editions), key=lambda parent: parent.span.first_day))
        for ref, editions in parent_rows(rows).items()
    }


def _editions(rows: Rows) -> Mapping[str, tuple[Indicator, ...]]:
    """The editions of each leaf, ascending, in the order in which the plan first names the leaves."""
    parents = parent_rows(rows)
    bandings: dict[str, list[Row]] = {}
    for row in rows["banding.csv"]:
        bandings.setdefault(row["indicator"], []).append(row)
    editions: dict[str, list[Row]] = {}
    for row in leaf_rows(rows):
        editions.setdefault(row["indicator"], []).append(row)
    return {
        code: tuple(
            _indicator(row, parents, number_of, span, _margins(bandings[""], bandings.get(code, []), span))
            for number_of, row in enumerate(sorted(each, key=lambda row: span_of(row).first_day), start=1)
            for span in span_of(row).cut(span_of(margins) for margins in (*bandings[""], *bandings.get(code, [])))
        )
        for code, each in editions.items()
    }


def _margins(defaults: Iterable[Row], own: Iterable[Row], span: Span) -> Banding:
    """The margins of an indicator in a span that no row covers in part."""
    default = next(row for row in defaults if span.within(span_of(row)))
    return _banding(next((row for row in own if span.within(span_of(row))), None), _default_banding(default))


def _indicator(row: Row, parents: Mapping[str, Sequence[Row]], edition: int, span: Span, banding: Banding) -> Indicator:
    parent = parent_row(row, parents)
    judged_by = polarity_row(row, parents)
    return Indicator(
        indicator=row["indicator"],
        indicator_no=row["indicator_no"],
        indicator_ref=row["indicator_ref"],
        sub=row["sub"],
        outcome_code=row["outcome_code"],
        definition=row["definition"],
        parent_definition=parent["definition"] if parent is not None else "",
        polarity=Polarity(judged_by["polarity"]),
        range_low=number(judged_by["range_low"]),
        range_high=number(judged_by["range_high"]),
        unit=Unit(row["unit"]),
        decimals=int(row["decimals"]),
        minimum=number(row["minimum"]),
        maximum=number(row["maximum"]),
        accumulation=Accumulation(row["accumulation"]),
        multiplier=int(exact(row["multiplier"])),
        number_indicator=row["number_indicator"],
        banding=banding,
        edition=edition,
        span=span,
        is_comparable=row["is_comparable"] == "yes",
        frequency=Frequency(row["frequency"] or Frequency.QUARTERLY),
        asked_in=_asked_in(row),
        year_type=YearType(row["year_type"] or YearType.FINANCIAL),
        reports_on=ReportedYear(row["reports_on"] or ReportedYear.THIS_YEAR),
        aspirations=tuple(row["aspirations"].split()),
        unit_label=row["unit_label"],
        currency=row["currency"],
        stated_to_compare=row["compares_bodies"] == "yes" if row["compares_bodies"] else None,
        about=_about(row, parent),
    )


def _asked_in(row: Row) -> tuple[int, ...]:
    """The quarters whose forms ask for an indicator: where the plan does not say, all of them, or the year's last."""
    if row["asked_in"]:
        return quarters_asked(row["asked_in"])
    quarters = tuple(period.quarter for period in Period(0).quarters)
    return quarters[-1:] if row["frequency"] == Frequency.YEARLY else quarters


def _default_banding(row: Row) -> Banding:
    return Banding(
        target_margin_percent=exact(row["target_margin_percent"]),
        target_margin_steps=int(exact(row["target_margin_steps"])),
        comparator_margin=exact(row["comparator_margin"]),
        large_change_percent=exact(row["large_change_percent"]),
        population_margin_percent=exact(row["population_margin_percent"]),
        large_change_margin=_margin(row, "large_change_margin", Decimal(0)),
    )


def _banding(row: Row | None, default: Banding) -> Banding:
    if row is None:
        return default
    # An indicator's own row only has the margins that differ: its blank cells mean the default.
    steps = row["target_margin_steps"]
    return replace(
        default,
        target_margin_percent=_margin(row, "target_margin_percent", default.target_margin_percent),
        target_margin_steps=int(exact(steps)) if steps else default.target_margin_steps,
        comparator_margin=_margin(row, "comparator_margin", default.comparator_margin),
        large_change_percent=_margin(row, "large_change_percent", default.large_change_percent),
        population_margin_percent=_margin(row, "population_margin_percent", default.population_margin_percent),
        large_change_margin=_margin(row, "large_change_margin", default.large_change_margin),
    )


def _margin(row: Row, column: str, default: Decimal) -> Decimal:
    return exact(row[column]) if row[column] else default


def _obligations(rows: Rows, partners: Mapping[str, Partner], groups: Mapping[str, Group]) -> Iterator[Obligation]:
    """Who returns what: a row that names every partner, or a group, stands for one of each of its partners."""
    members = members_of(partners, groups) | {EVERY_PARTNER: tuple(partners)} | {code: (code,) for code in partners}
    for row in rows["owed_by.csv"]:
        indicator, span = row["indicator"], span_of(row)
        for partner_code in members[row["partner_code"]]:
            yield Obligation(partner_code, indicator, span)


def _calendar_entry(row: Row) -> CalendarEntry:
    return CalendarEntry(
        period=parse_period(row["period"]),
        opens_on=date.fromisoformat(row["opens_on"]),
        due_on=date.fromisoformat(row["due_on"]),
    )
