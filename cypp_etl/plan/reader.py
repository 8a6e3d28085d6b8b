"""Makes the plan from its CSV files, or lists all their faults."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from cypp_etl.gc_control import collection_paused
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.checks.all_tables import check_tables
from cypp_etl.plan.figure_lines import lines_about, lines_apart
from cypp_etl.plan.fingerprint import fingerprint_of, former_fingerprint_of
from cypp_etl.plan.indicator_rows import Rows, exact, leaf_rows, number, parent_row, parent_rows, polarity_row, span_of
from cypp_etl.plan.layout_files import brought_layouts, check_layouts
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
from cypp_etl.plan.partner_figures import Figures, LazyMapping, PartnerFigures
from cypp_etl.plan.rhythm import quarters_asked
from cypp_etl.plan.spans import Span
from cypp_etl.plan.tables import PlanError, PlanFault, PlanTables, Row, TableRows, read_files, sound_rows, tables_of
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
from schemas.plan import ABOUT_COLUMNS, EVERY_PARTNER, SCHEMAS

__all__ = [
    "PlanError",
    "PlanFault",
    "faults_of",
    "place_of",
    "plan_about",
    "plan_known_as",
    "plan_of",
    "plans_apart",
    "read_plan",
]

FIGURES = "figures.csv"


def read_plan(folder: Path | None = None) -> Plan:
    """Read the plan in a folder, whose figures are plain numbers, or the built-in plan.

    `cypp_etl/plan_source.py` reads a plan as people keep it: in a workbook too, and with figures typed as amounts.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
    """
    return plan_of(read_files(folder))


@collection_paused()
def plan_of(files: Mapping[str, bytes]) -> Plan:
    """The plan from its CSV files, given by name.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
    """
    tables = _sound_tables(files)
    figures = PartnerFigures(tables.rows[FIGURES])
    return _plan(tables, fingerprint_of(tables.rows), figures.of_every_partner, figures)


@collection_paused()
def plan_known_as(fingerprint: str, files: Mapping[str, bytes]) -> Plan:
    """The plan from CSV files whose fingerprint is known: its figures are only read, and checked, once they are needed.

    Most commands need none, and a plan of many bodies has hundreds of thousands: reading them takes half a second.

    Raises:
        PlanError: the plan has faults but for its figures, whose faults are raised when they are needed.
    """
    figures = _LazyFigures(files)
    tables = _sound_tables(files, but_for=(FIGURES,))
    return _plan(tables, fingerprint, LazyMapping(figures.of_every_partner), LazyMapping(figures.of_each))


def _sound_tables(files: Mapping[str, bytes], but_for: Collection[str] = ()) -> PlanTables:
    tables = tables_of(files, but_for)
    if faults := faults_of(tables):
        raise PlanError(*sorted(faults, key=place_of))
    return tables


class _LazyFigures:
    """The figures of a plan's files, read once; of a copy in another process once more, which is faster than to send.

    Raises:
        PlanError: when they are read, the plan has faults.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def __reduce__(self) -> tuple[object, ...]:
        return _LazyFigures, (self._files,)

    @cached_property
    def _read(self) -> PartnerFigures:
        with collection_paused():
            return PartnerFigures(_sound_tables(self._files).rows[FIGURES])

    def of_every_partner(self) -> Figures:
        return self._read.of_every_partner

    def of_each(self) -> PartnerFigures:
        return self._read


def plan_about(plan: Plan, indicator: str) -> Plan:
    """A plan with the figures of one indicator alone; if it has not read its figures yet, the others stay unread.

    Raises:
        PlanError: the figures have faults.
    """
    lines = lines_about(plan.files[FIGURES], indicator) if _has_its_files_figures(plan) else None
    rows = _sound_few(lines)
    if rows is not None:
        figures = PartnerFigures(rows.only(lambda row: row["indicator"] == indicator))
        return replace(plan, figures=figures.of_every_partner, partner_figures=figures)
    every, *of_each = (
        {key: figure for key, figure in of_whom.items() if key[1] == indicator}
        for of_whom in (plan.figures, *plan.partner_figures.values())
    )
    return replace(plan, figures=every, partner_figures=dict(zip(plan.partner_figures, of_each, strict=True)))


def plans_apart(before: Plan, after: Plan) -> tuple[Plan, Plan]:
    """Two plans without the figures that stand alike in the files of both, which need not be read to be compared."""
    if not (_has_its_files_figures(before) and _has_its_files_figures(after)):
        return before, after
    lines = lines_apart(before.files[FIGURES], after.files[FIGURES])
    rows = [_sound_few(each) for each in lines or (None,)]
    figures = [PartnerFigures(each) for each in rows if each is not None]
    if len(figures) < len((before, after)):
        return before, after
    then, now = (
        replace(plan, figures=each.of_every_partner, partner_figures=each)
        for plan, each in zip((before, after), figures, strict=True)
    )
    return then, now


def _has_its_files_figures(plan: Plan) -> bool:
    """Whether a plan's figures are those of its files, and were not replaced by others."""
    every, of_each = plan.figures, plan.partner_figures
    is_read = isinstance(of_each, PartnerFigures) and every is of_each.of_every_partner
    return is_read or (isinstance(every, LazyMapping) and isinstance(of_each, LazyMapping))


def _sound_few(lines: bytes | None) -> TableRows | None:
    """Some rows of the figures, if they are sound; the faults of others are found in all, where they have their row."""
    try:
        return None if lines is None else sound_rows(FIGURES, lines)
    except PlanError:
        return None


def _plan(tables: PlanTables, fingerprint: str, figures: Figures, partner_figures: Mapping[str, Figures]) -> Plan:
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


def faults_of(tables: PlanTables) -> tuple[PlanFault, ...]:
    """Every fault of a plan: of its cells, and between its rows and files."""
    return (*tables.faults, *check_tables(tables), *check_layouts(tables))


def place_of(fault: PlanFault) -> tuple[int, str, int]:
    """Where a fault is among those of a plan's files, which are told in this order."""
    order = list(SCHEMAS)
    return order.index(fault.file) if fault.file in SCHEMAS else len(order), fault.file, fault.row or 0


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
