"""Figures as they were printed at a moment, and where their series break."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cypp_etl.figure_keys import FigureKey
from cypp_etl.judgement.outlook.variation import Ratio
from cypp_etl.layout import PUBLISHED
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.report.model import KnownText, Row, Texts
from schemas.codes import Marker, Measure, Qualifier
from schemas.markers import marker_text, qualifier_text
from warehouse.queries.as_of import Wanted, in_force_then
from warehouse.schema.tables import observation, submission
from warehouse.schema.values import qualifiers_of


@dataclass(frozen=True, slots=True)
class Figures:
    """How figures were printed, the counts that they were made of, and which of them break their series."""

    texts: Texts
    ratios: dict[FigureKey, Ratio]
    breaks: set[tuple[str, str, str]]


def figures_of(
    connection: Connection, stored: Plan | None, planned: dict[FigureKey, KnownText], wanted: Wanted, at: datetime
) -> Figures:
    """The figures in force at a moment of what is wanted: returned ones take precedence over the plan's."""
    texts = _texts_of_partners(stored, wanted)
    ratios: dict[FigureKey, Ratio] = {}
    breaks: set[tuple[str, str, str]] = set()
    columns = observation.c
    key = (columns.partner_code, columns.indicator, columns.measure, columns.period)
    said = (columns.value, columns.marker, columns.qualifiers, columns.typed, columns.numerator, columns.denominator)
    query = (
        select(*key, *said, submission.c.layout)
        .join(submission, submission.c.submission_id == columns.submission_id)
        .where(*wanted.of(columns))
    )
    for row in in_force_then(connection, observation, query, at):
        *key_of_figure, value, marker, qualifiers, typed, numerator, denominator, layout = tuple(row)
        figure = FigureKey._make(key_of_figure)
        beside = qualifiers_of(qualifiers) if qualifiers else frozenset()
        printed = typed.strip() if layout == PUBLISHED else printed_marker(marker)
        texts[figure] = KnownText(value, printed, qualifier_text(beside) if beside else "")
        if numerator is not None and denominator is not None:
            ratios[figure] = Ratio(numerator, denominator)
        if Qualifier.BREAK in beside and figure.measure == Measure.ACTUAL:
            breaks.add((figure.partner_code, figure.indicator, figure.period))
    return Figures(Texts(texts, planned), ratios, breaks)


def _texts_of_partners(stored: Plan | None, wanted: Wanted) -> dict[FigureKey, KnownText]:
    """The plan's figures for single partners; without its files, a plan has none."""
    found = {}
    for partner_code, figures in stored.partner_figures.items() if stored else ():
        if wanted.partners is not None and partner_code not in wanted.partners:
            continue
        for (measure, indicator, period), figure in figures.items():
            if wanted.has(partner_code, indicator):
                value = None if figure.value is None else float(figure.value)
                printed = marker_text(figure.marker) if figure.marker else None
                found[FigureKey(partner_code, indicator, measure, period.code)] = KnownText(value, printed)
    return found


def changes_of_what_is_counted(judged: Iterable[Row], stored: Plan) -> set[tuple[str, str, str]]:
    """Where series break because the plan counts something else, or for another body, than in the period before."""
    changes = set()
    for row in judged:
        partner_code, indicator, period = row["partner_code"], row["indicator"], parse_period(row["period"])
        if indicator in stored.indicators and not stored.compares(partner_code, indicator, period, period.previous):
            changes.add((partner_code, indicator, period.code))
    return changes


def printed_marker(marker: str | None) -> str | None:
    """How a stored marker is printed; None where there is none."""
    return marker_text(Marker(marker)) if marker else None
