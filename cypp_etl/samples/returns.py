"""Sample returns for the demo and the tests: fills in return workbooks like a returns officer."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from io import BytesIO

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.layout import RETURN, SheetLayout, read_layouts
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.templates.openpyxl_styles import Content, put, to_bytes
from cypp_etl.templates.workbook import write_template
from schemas.codes import MilestoneStatus, Review
from schemas.packaged import read_rows


@dataclass(frozen=True, slots=True)
class IndicatorAnswer:
    """The entries for one indicator. `actual` is in its unit, percentages in percentage points, or is text."""

    actual: Decimal | str | None = None
    marker: str | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class MilestoneAnswer:
    """The entries for one milestone."""

    status: str | None = None
    evidence: str | None = None
    review: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """The entries: the cover, indicators by code (`NI 111a`) and milestones by code; the rest stays empty."""

    prepared_by: str | None = None
    email: str | None = None
    date: datetime.date | None = None
    indicators: Mapping[str, IndicatorAnswer] = field(default_factory=dict)
    milestones: Mapping[str, MilestoneAnswer] = field(default_factory=dict)


def fill_template(template: bytes, answers: Answers) -> bytes:
    """Fill in a return workbook; its formats, validations and locks stay.

    Raises:
        KeyError: the workbook has no row for one of the indicators or milestones.
    """
    layout = read_layouts()[RETURN]
    cover, indicators, milestones = (layout.part(name) for name in ("cover", "indicators", "milestones"))
    workbook = load_workbook(BytesIO(template))
    for label in ("prepared_by", "email", "date"):
        put(workbook[cover.sheet].cell(cover.position(label), 2), getattr(answers, label))
    _fill_rows(workbook[indicators.sheet], indicators, ("ref", "sub"), answers.indicators)
    _fill_rows(workbook[milestones.sheet], milestones, ("milestone",), answers.milestones)
    return to_bytes(workbook, workbook.properties.created)


def sample_return(plan: Plan, partner_code: str, period: Period) -> bytes:
    """A partner's return workbook for a period, filled in from the samples."""
    return fill_template(write_template(plan, partner_code, period), sample_answers(plan, partner_code, period))


def sample_answers(plan: Plan, partner_code: str, period: Period) -> Answers:
    """The samples' entries for a partner and a period; missing figures stay empty."""
    figures = _sample_figures(period)
    return Answers(
        prepared_by=f"Returns officer, {plan.partners[partner_code].partner}",
        email=f"{partner_code}@example.org",
        date=plan.calendar[period].due_on,
        indicators={code: figures[code] for code in plan.at(period).owed_by.get(partner_code, ()) if code in figures},
        milestones={
            known.milestone: _sample_milestone(known.milestone, period) for known in plan.milestones_of[partner_code]
        },
    )


def sample_periods() -> tuple[Period, ...]:
    """The quarters for which there are sample figures, in order."""
    return tuple(sorted({parse_period(row["period"]) for row in _rows("quarterly-figures.csv")}))


def _sample_figures(period: Period) -> dict[str, IndicatorAnswer]:
    return {
        row["indicator"]: IndicatorAnswer(
            actual=_number(row["value"]),
            marker=row["marker"] or None,
            numerator=_number(row["numerator"]),
            denominator=_number(row["denominator"]),
            comment=row["comment"] or None,
        )
        for row in _rows("quarterly-figures.csv")
        if parse_period(row["period"]) == period
    }


def _sample_milestone(milestone: str, period: Period) -> MilestoneAnswer:
    """The last report on a milestone by the end of a period."""
    reported = MilestoneAnswer(MilestoneStatus.NOT_STARTED.value, review=Review.CONTINUE.value)
    for row in _rows("milestone-reports.csv"):
        if row["milestone"] == milestone and parse_period(row["period"]) <= period:
            reported = MilestoneAnswer(*(row[name] or None for name in ("status", "evidence", "review", "reason")))
    return reported


def _fill_rows(
    sheet: Worksheet,
    layout: SheetLayout,
    key: tuple[str, ...],
    answers: Mapping[str, IndicatorAnswer] | Mapping[str, MilestoneAnswer],
) -> None:
    rows = dict(_keyed_rows(sheet, layout, key))
    for code, answer in answers.items():
        for column, content in asdict(answer).items():
            _fill_cell(sheet, rows[code], layout.position(column), content)


def _keyed_rows(sheet: Worksheet, layout: SheetLayout, key: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    for row in range(2, sheet.max_row + 1):
        yield "".join(str(sheet.cell(row, layout.position(column)).value or "") for column in key), row


def _fill_cell(sheet: Worksheet, row: int, column: int, content: Content) -> None:
    """Write the entries; percentage points go into a percent cell as a fraction."""
    cell = sheet.cell(row, column)
    if isinstance(content, Decimal) and cell.number_format.endswith("%"):
        content = content.scaleb(-2)
    if content is not None:
        put(cell, content)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _rows(name: str) -> list[dict[str, str]]:
    return read_rows("cypp_etl", "samples", name)
