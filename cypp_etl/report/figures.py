"""Figures for the Board: as printed if they were printed, otherwise with the indicator's decimals."""

from collections.abc import Iterable

from cypp_etl.decimals import decimal_text, unit_words
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period, parse_period
from cypp_etl.report.model import KnownText, Row, Texts
from schemas.codes import Measure


def number_text(value: float, row: Row) -> str:
    """A number with its indicator's decimals, and its percent sign or currency."""
    return decimal_text(value, row["decimals"], row["unit"], row["currency"] or "")


def words_of_unit(row: Row) -> str:
    """What people read of the unit of a row's figures beside them: `£ per child`, `days`; empty for a plain number."""
    return " ".join(filter(None, (row["currency"], unit_words(row["unit"], row["unit_label"] or ""))))


def figure_text(row: Row, column: str, texts: Texts) -> str:
    """A figure of a judgement for the Board; empty if there is neither figure nor marker."""
    value, known = row[column], _known(row, column, texts)
    text = known.printed if known and known.printed is not None else _number_or_blank(value, row)
    beside = known.beside if known else ""
    return f"{text} {beside}" if text and beside and beside not in text else text


def shorthand(row: Row, column: str, texts: Texts) -> str:
    """What must be known beside a figure of a judgement, such as `[p]`; empty where there is nothing."""
    known = _known(row, column, texts)
    return known.beside if known else ""


def comparator_year(row: Row, column: str, texts: Texts) -> str:
    """The year of a comparator, where it is another than that of the judgement; empty where it is not."""
    if row[column] is None:
        return ""
    found = [key for key in _keys(row, column, texts) if (known := texts.find(key)) and known.value == row[column]]
    year = parse_period(found[0].period) if found else None
    return year.label if year and year.year.code != row["financial_year"] else ""


def _number_or_blank(value: float | None, row: Row) -> str:
    return "" if value is None else number_text(value, row)


def _known(row: Row, column: str, texts: Texts) -> KnownText | None:
    """The figure that a judgement took."""
    found = (texts.find(key) for key in _keys(row, column, texts))
    return next((known for known in found if known and known.value == row[column]), None)


def _keys(row: Row, column: str, texts: Texts) -> Iterable[FigureKey]:
    """The possible places of the figure, the likeliest first."""
    year = parse_period(row["financial_year"])
    match column:
        case "actual":
            places = [(Measure.HISTORY if row.get("is_planned") else Measure.ACTUAL, row["period"])]
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
            latest = next((code for code in years if texts.find(FigureKey(*whose, code))), None)
            places = [(Measure(column), latest)] if latest else []
    return (FigureKey(row["partner_code"], row["indicator"], measure, period) for measure, period in places)
