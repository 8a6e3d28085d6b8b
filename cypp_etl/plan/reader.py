"""Makes the plan from its CSV files, or lists all their faults."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.checks import check_tables
from cypp_etl.plan.indicators import Rows, exact, number, parent_rows, polarity_row
from cypp_etl.plan.layout_files import brought_layouts, check_layouts
from cypp_etl.plan.model import (
    Action,
    Aspiration,
    Banding,
    CalendarEntry,
    Figure,
    Indicator,
    Milestone,
    Outcome,
    Parent,
    Partner,
    Plan,
)
from cypp_etl.plan.tables import PlanError, PlanFault, Row, fingerprint_of, read_files, tables_of
from schemas.codes import Accumulation, ActionKind, Measure, Polarity, Unit
from schemas.plan import FIGURE_MARKERS, SCHEMAS

__all__ = ["PlanError", "PlanFault", "has_fingerprint", "plan_of", "read_plan"]


def read_plan(folder: Path | None = None) -> Plan:
    """Read the plan in a folder, or the built-in plan.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
    """
    return plan_of(read_files(folder))


def plan_of(files: Mapping[str, bytes]) -> Plan:
    """The plan from its CSV files, given by name.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
    """
    tables = tables_of(files)
    faults = (*tables.faults, *check_tables(tables), *check_layouts(tables))
    if faults:
        raise PlanError(*sorted(faults, key=_place))
    rows = tables.rows
    return Plan(
        fingerprint=tables.fingerprint,
        outcomes={row["outcome_code"]: Outcome(**row.cells) for row in rows["outcomes.csv"]},
        aspirations={row["aspiration"]: _aspiration(row) for row in rows["aspirations.csv"]},
        actions={row["action_id"]: _action(row) for row in rows["actions.csv"]},
        milestones={row["milestone"]: _milestone(row) for row in rows["milestones.csv"]},
        partners={row["partner_code"]: Partner(**row.cells) for row in rows["partners.csv"]},
        parents={ref: _parent(row) for ref, row in parent_rows(rows).items()},
        indicators=_indicators(rows),
        figures={_figure_key(row): _figure(row) for row in rows["figures.csv"]},
        owed_by=_owed_by(rows),
        calendar={entry.period: entry for entry in map(_calendar_entry, rows["calendar.csv"])},
        files=tables.files,
        layouts=brought_layouts(rows),
    )


def has_fingerprint(folder: Path, fingerprint: str) -> bool:
    """Whether the files in a folder are those of the plan with a fingerprint; their content is not checked."""
    try:
        return fingerprint_of(read_files(folder)) == fingerprint
    except (PlanError, OSError):
        return False


def _place(fault: PlanFault) -> tuple[int, str, int]:
    order = list(SCHEMAS)
    return order.index(fault.file) if fault.file in SCHEMAS else len(order), fault.file, fault.row or 0


def _aspiration(row: Row) -> Aspiration:
    return Aspiration(
        aspiration=row["aspiration"],
        outcome_code=row["outcome_code"],
        text=row["text"],
        is_area_of_focus=row["is_area_of_focus"] == "yes",
        focus_on=row["focus_on"],
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
    )


def _milestone(row: Row) -> Milestone:
    return Milestone(
        milestone=row["milestone"],
        action_id=row["action_id"],
        financial_year=parse_period(row["financial_year"]),
        description=row["description"],
        due=date.fromisoformat(row["due"]),
        is_due_stated=row["is_due_stated"] == "yes",
    )


def _parent(row: Row) -> Parent:
    return Parent(
        indicator_no=row["indicator_no"],
        indicator_ref=row["indicator_ref"],
        outcome_code=row["outcome_code"],
        definition=row["definition"],
        polarity=Polarity(row["polarity"]) if row["polarity"] else None,
    )


def _indicators(rows: Rows) -> Mapping[str, Indicator]:
    parents = parent_rows(rows)
    bandings = {row["indicator"]: row for row in rows["banding.csv"]}
    default = _default_banding(bandings[""])
    return {
        row["indicator"]: _indicator(row, parents, _banding(bandings.get(row["indicator"]), default))
        for row in rows["indicators.csv"]
        if row["indicator"] not in parents
    }


def _indicator(row: Row, parents: Mapping[str, Row], banding: Banding) -> Indicator:
    parent = parents.get(row["indicator_ref"])
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
    )


def _default_banding(row: Row) -> Banding:
    return Banding(
        target_margin_percent=exact(row["target_margin_percent"]),
        target_margin_steps=int(exact(row["target_margin_steps"])),
        comparator_margin=exact(row["comparator_margin"]),
        large_change_percent=exact(row["large_change_percent"]),
        population_margin_percent=exact(row["population_margin_percent"]),
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
    )


def _margin(row: Row, column: str, default: Decimal) -> Decimal:
    return exact(row[column]) if row[column] else default


def _figure_key(row: Row) -> tuple[Measure, str, Period]:
    return Measure(row["measure"]), row["indicator"], parse_period(row["period"])


def _figure(row: Row) -> Figure:
    # Decimal keeps the digits as written: 4.40 stays 4.40.
    return Figure(
        value=number(row["value"].removesuffix("%")),
        marker=FIGURE_MARKERS.get(row["value"]),
        source=row["source"],
    )


def _owed_by(rows: Rows) -> Mapping[str, tuple[str, ...]]:
    owed: dict[str, tuple[str, ...]] = {row["partner_code"]: () for row in rows["partners.csv"]}
    for row in rows["owed_by.csv"]:
        owed[row["partner_code"]] += (row["indicator"],)
    return owed


def _calendar_entry(row: Row) -> CalendarEntry:
    return CalendarEntry(
        period=parse_period(row["period"]),
        opens_on=date.fromisoformat(row["opens_on"]),
        due_on=date.fromisoformat(row["due_on"]),
    )
