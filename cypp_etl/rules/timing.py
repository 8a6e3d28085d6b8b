"""Checks a return against its period: whether it is open, whether it is closed, and whether anything is new."""

from collections.abc import Iterable, Iterator
from datetime import date

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.periods import Period
from cypp_etl.phrases import date_text
from cypp_etl.plan.model import Plan
from cypp_etl.rules.arithmetic import shown
from schemas.codes import Marker, Measure


def is_open(parsed: ParsedReturn, plan: Plan, today: date) -> bool:
    """Whether the period has opened; one that is not in the calendar is never closed to anybody."""
    entry = plan.calendar.get(parsed.period) if parsed.period else None
    return entry is None or today >= entry.opens_on


def judge_period(parsed: ParsedReturn, plan: Plan, today: date) -> Iterator[Finding]:
    """A return is accepted from the day on which its period opens; after the due date it is late, but not rejected."""
    if parsed.period is not None and not is_open(parsed, plan, today):
        (sheet, cell), opens_on = parsed.period_cell, date_text(plan.calendar[parsed.period].opens_on)
        yield find("period-not-open", sheet=sheet, cell=cell, value=parsed.period.label, opens_on=opens_on)


def judge_published_year(parsed: ParsedReturn, plan: Plan) -> Iterator[Finding]:
    """The year of a published table is one of the calendar."""
    if parsed.period not in plan.calendar:
        yield find("published-year-unknown", sheet=parsed.sheets["table"])


def judge_date(parsed: ParsedReturn, plan: Plan, today: date) -> Iterator[Finding]:
    """A return cannot have been finished before its period began, nor on a day that is still to come.

    Many date a return by the day on which it is due, which harms nobody.
    """
    dated, period = parsed.dated, parsed.period
    if dated is None or period is None:
        return
    sheet, cell = parsed.date_cell
    if dated < period.first_day:
        words = {"period": period.label, "first_day": date_text(period.first_day)}
        yield find("date-before-period", sheet=sheet, cell=cell, value=date_text(dated), **words)
    elif dated > today and (period not in plan.calendar or dated > plan.calendar[period].due_on):
        yield find("date-to-come", sheet=sheet, cell=cell, value=date_text(dated), today=date_text(today))


def judge_closed_period(
    figures: Iterable[FigureRow], history: History, returned: Period | None = None
) -> Iterator[Finding]:
    """A new or changed figure for a closed period must be explained to the data team."""
    for figure, closed, before in changed_when_closed(figures, history, returned):
        was = before.marker or shown(before.value, figure.leaf)
        yield figure.find("closed-period-changed", period=figure.leaf.rhythm.label(closed), was=was)


def changed_when_closed(
    figures: Iterable[FigureRow], history: History, returned: Period | None
) -> Iterator[tuple[FigureRow, Period, KnownFigure]]:
    """The figures that are not what was known when their period was closed, with the period and what was known.

    What a quarter's return says of a year is closed with either of them: the Board's report on the quarter shows it.
    """
    if not history.closed:
        return
    for figure in figures:
        if figure.measure is not Measure.ACTUAL or figure.period is None:
            continue
        closed = [period for period in (figure.period, returned) if period in history.closed]
        if not closed:
            continue
        key = FigureKey(figure.partner_code, figure.leaf.indicator, figure.measure, figure.period.code)
        before = history.figures.get(key) or KnownFigure(None, Marker.NOT_RETURNED)
        if (before.value, before.marker) != (figure.value, figure.marker):
            yield figure, closed[0], before


def judge_content(parsed: ParsedReturn, history: History) -> Iterator[Finding]:
    """A workbook that was saved again without a change has the same content."""
    if parsed.period is None or not parsed.content_sha256:
        return
    known = history.contents.get((parsed.partner_code, parsed.period))
    if known is not None and known.content_sha256 == parsed.content_sha256:
        yield find("same-content", submission=known.submission_id)
