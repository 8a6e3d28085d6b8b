"""Figures for the Board: as printed if they were printed, otherwise with the indicator's decimals."""

from collections.abc import Iterable
from decimal import Decimal

from cypp_etl.layout import read_markers
from cypp_etl.periods import Period, parse_period
from cypp_etl.report.model import FigureKey, Row, Texts
from schemas.codes import Measure, Unit


def number_text(value: float, row: Row) -> str:
    """A number with its indicator's decimals and percent sign."""
    text = f"{Decimal(repr(value)):,.{row['decimals']}f}"
    return text + ("%" if row["unit"] == Unit.PERCENT.value else "")


def figure_text(row: Row, column: str, texts: Texts) -> str:
    """A figure of a judgement for the Board; empty if there is neither figure nor marker."""
    value = row[column]
    for key in _keys(row, column, texts):
        known = texts.get(key)
        if known and known.value == value and known.printed is not None:
            return known.printed + _qualifiers(row, column)
    return "" if value is None else number_text(value, row) + _qualifiers(row, column)


def _keys(row: Row, column: str, texts: Texts) -> Iterable[FigureKey]:
    """The possible places of the figure, the likeliest first."""
    year = parse_period(row["financial_year"])
    match column:
        case "actual":
            places = [(Measure.ACTUAL, row["period"])]
        case "previous_actual":
            places = [(measure, row["previous_period"]) for measure in (Measure.ACTUAL, Measure.HISTORY)]
        case "year_to_date":
            places = []
        case "target":
            places = [(Measure.TARGET, row["period"]), (Measure.TARGET, year.code)]
        case "next_target" | "next_target_2":
            places = [(Measure.TARGET, year.years_later(1 + column.endswith("2")).code)]
        case _:
            # A comparator is valid until a later one, however old it is.
            years = (Period(start).code for start in range(year.start_year, texts.first_year - 1, -1))
            whose = (row["partner_code"], row["indicator"], Measure(column))
            latest = next((code for code in years if FigureKey(*whose, code) in texts), None)
            places = [(Measure(column), latest)] if latest else []
    return (FigureKey(row["partner_code"], row["indicator"], measure, period) for measure, period in places)


def _qualifiers(row: Row, column: str) -> str:
    if column != "actual" or not row["marker"]:
        return ""
    words = row["marker"].split("; ")
    return "".join(f" {known.spelling}" for known in read_markers() if known.qualifier in words)
