"""The Board's table: column for column as in the source document, and a summary of its symbols in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from cypp_etl.judgement.columns import PRINTED
from cypp_etl.layout import SheetLayout, published_table
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import own_definition
from cypp_etl.report.charts import Drawing, sparkline
from cypp_etl.report.figures import comparator_year, figure_text, number_text, words_of_unit
from cypp_etl.report.model import BoardData, Row, is_judged
from cypp_etl.report.symbols import Sign, sign
from schemas.codes import Direction, DirectionBasis, OnTarget, Polarity

COMPARED = ("statistical_neighbours", "national")
"""The comparators that have a column."""

_FIGURES = ("previous_actual", "target", "actual", *COMPARED, "next_target", "next_target_2")

SHOWN_PERIODS = 8
"""How many periods a chart, a sparkline and the figures behind it go back."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: `text` as in the source, `aside` with further information, and a sign if it is a judgement."""

    text: str
    aside: str = ""
    sign: Sign | None = None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the table. `key` names the page's part on its indicator, `own_key` the row where it has no such part.

    A parent, or a figure that was not returned, has no judgement, and no such part.
    """

    key: str
    own_key: str
    cells: tuple[Cell, ...]
    spark: Drawing | None
    is_part: bool


@dataclass(frozen=True, slots=True)
class Band:
    """The rows of an outcome, under its heading."""

    heading: str
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's heading, and the shared heading above it."""

    text: str
    group: str


def headings(period: Period) -> list[Heading]:
    """The table's headings for a period: years as in the source, `08/09`, followed by a quarter."""

    def short(year: Period) -> str:
        return year.label.removeprefix("20")[: 5 if not year.quarter else None]

    years = {
        "previous": short(period.years_later(-1)),
        "year": short(period),
        "next": short(period.year.years_later(1)),
        "next_2": short(period.year.years_later(2)),
    }
    return [Heading(column.heading.format_map(years), column.group) for column in _layout().columns]


def bands(data: BoardData) -> list[Band]:
    """The rows of the period, by outcome; figures not returned have a row too, with blanks for symbols."""
    by_outcome: dict[str, list[Row]] = {}
    for row in data.table_rows():
        by_outcome.setdefault(row["outcome_code"], []).append(row)
    return [Band(_band_heading(data, rows[0]), tuple(_rows(data, rows))) for rows in by_outcome.values()]


_COUNTED: dict[str, type[StrEnum]] = {"direction": Direction, "on_target": OnTarget}


def word_counts(data: BoardData) -> dict[str, Counter[str]]:
    """How often each word occurs in those of the period's judgements that the summary counts."""
    rows = data.of_period(data.period)
    return {column: Counter(row[column] for row in rows) for column in _COUNTED}


def words_in_order(counts: Mapping[str, Mapping[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """The words that occur, in the code list's order, by judgement."""
    return {
        column: [(word.value, count) for word in words if (count := counts.get(column, {}).get(word.value, 0))]
        for column, words in _COUNTED.items()
    }


def spark_of(data: BoardData, row: Row) -> Drawing | None:
    """The sparkline of an indicator: its year to date over the last periods, with a gap where there is none."""
    values = [one["year_to_date"] if one else None for _, one in data.course(row, SHOWN_PERIODS)]
    if len(values) == 1 and has_like_before(row):
        values.insert(0, row["previous_actual"])
    words = [number_text(value, row) if value is not None else "no figure" for value in values]
    target = f"; target {number_text(row['target'], row)}" if row["target"] is not None else ""
    return sparkline(values, row["target"], f"{data.named(row)}: {', '.join(words)}{target}")


def has_like_before(row: Row) -> bool:
    """Whether last year's figure can stand beside the year to date: a quarter's cannot beside a sum of quarters."""
    return bool(row["year_to_date"] in (None, row["actual"]))


def _layout() -> SheetLayout:
    return published_table()


def _band_heading(data: BoardData, first: Row) -> str:
    known = data.indicators.get(first["indicator"])
    return (known and known["table_heading"]) or str(first["outcome"])


def _rows(data: BoardData, rows: Sequence[Row]) -> Iterator[TableRow]:
    """The rows of an outcome, parents above their sub-indicators."""
    for reference, members in groupby(rows, key=lambda row: row["indicator_ref"]):
        parts = list(members)
        polarities = {row["polarity"] for row in parts}
        shared = polarities.pop() if parts[0]["sub"] and len(polarities) == 1 else ""
        if parts[0]["sub"]:
            yield _parent_row(data, reference, parts[0], shared)
        for row in parts:
            keys = (key_of(row), "") if is_judged(row) else ("", missing_key(row))
            yield TableRow(*keys, tuple(_cells(data, row, shared)), spark_of(data, row), bool(row["sub"]))


def _parent_row(data: BoardData, reference: str, part: Row, polarity: str) -> TableRow:
    known = data.indicators.get(part["indicator"])
    texts = {
        "no": part["indicator_no"] or "",
        "ref": reference,
        "definition": str(known["parent_definition"]) if known else "",
        "good_performance": polarity,
    }
    return TableRow("", "", tuple(Cell(texts.get(column.column, "")) for column in _layout().columns), None, False)


def _cells(data: BoardData, row: Row, shared_polarity: str) -> Iterator[Cell]:
    is_part = bool(row["sub"])
    for column in _layout().columns:
        match column.column:
            case "no":
                yield Cell(row["sub"] if is_part else row["indicator_no"] or "")
            case "ref":
                yield Cell(row["sub"] if is_part else row["indicator"])
            case "definition":
                text = own_definition(row["definition"]) if is_part else row["definition"]
                yield Cell(text, "; ".join(filter(None, (words_of_unit(row), data.whose(row)))))
            case "good_performance":
                yield Cell("" if shared_polarity else row["polarity"])
            case name if name in _FIGURES:
                yield Cell(figure_text(row, name, data.texts), _aside(data, row, name))
            case name:
                shown = sign(row, PRINTED[name].name)
                yield Cell(shown.symbol, sign=shown)


def _aside(data: BoardData, row: Row, column: str) -> str:
    """The addition to a figure: its period or year, a sum to date, or a note that it is last year's outturn."""
    if column in COMPARED:
        return comparator_year(row, column, data.texts)
    if column == "previous_actual" and row["direction_basis"] == DirectionBasis.OUTTURN:
        return "year's outturn"
    is_there = row[column] is not None or column == "actual"
    if is_there and (other := _other_period(data.period, row, column)) is not None:
        return data.label(row, other.code)
    if column == "actual" and row["quarter"] and row["year_to_date"] not in (None, row["actual"]):
        return f"{number_text(row['year_to_date'], row)} this year"
    return ""


def _other_period(period: Period, row: Row, column: str) -> Period | None:
    """The period that a figure is of, where it is not the one that the column's heading says."""
    year = parse_period(row["financial_year"])
    match column:
        case "actual" | "target":
            expected, found = period, parse_period(row["period"])
        case "previous_actual":
            expected, found = period.years_later(-1), parse_period(row["previous_period"])
        case "next_target":
            expected, found = period.year.years_later(1), year.years_later(1)
        case _:
            expected, found = period.year.years_later(2), year.years_later(2)
    return found if found != expected else None


def key_of(row: Row) -> str:
    """The name of the page's part on an indicator."""
    return f"{row['indicator']}-{row['partner_code']}".lower().replace(" ", "-")


def missing_key(row: Row) -> str:
    """The name of the row of a figure that was not returned."""
    return f"missing-{key_of(row)}"


def polarity_words(row: Row) -> str:
    """What good performance is, in words."""
    return {Polarity.HIGH.value: "higher is better", Polarity.LOW.value: "lower is better"}.get(
        row["polarity"],
        "inside a band is good" if row["polarity"] == Polarity.RANGE.value else "nothing is good or bad",
    )
