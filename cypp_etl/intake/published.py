"""Reads the published table: outcome bands as rows, parents with sub-rows, history, targets and comparators."""

from dataclasses import dataclass

from cypp_etl.findings import find
from cypp_etl.intake.figures import FigureReader
from cypp_etl.intake.rows import FigureRow, IndicatorRow, ParsedReturn, PlanIndex, reference_key
from cypp_etl.intake.tables import Table, TableRow
from cypp_etl.intake.values import read_figure
from cypp_etl.periods import Period
from cypp_etl.plan_model import Indicator, Plan
from schemas.codes import Marker, Measure

# What each column of figures says, and of which year, counted from the table's own.
_FIGURE_COLUMNS = {
    "previous_actual": (Measure.HISTORY, -1),
    "target": (Measure.TARGET, 0),
    "actual": (Measure.ACTUAL, 0),
    "statistical_neighbours": (Measure.STATISTICAL_NEIGHBOURS, 0),
    "national": (Measure.NATIONAL, 0),
    "next_target": (Measure.TARGET, 1),
    "next_target_2": (Measure.TARGET, 2),
}
_JUDGEMENT_COLUMNS = ("on_target", "direction", "year_to_date", "statistical_neighbours_band", "national_band")


@dataclass
class _Place:
    """Where in the table we are: the band's outcome, and the parent whose sub-rows follow."""

    outcome_code: str = ""
    parent_ref: str = ""
    parent_polarity: str = ""


def read_published(table: Table, plan: Plan, index: PlanIndex, figures: FigureReader, parsed: ParsedReturn) -> None:
    """Read a published table into `parsed`; its period is the year that its headings name."""
    parsed.findings += table.findings
    parsed.period = table.year
    headings = {reference_key(heading): o.outcome_code for o in plan.outcomes.values() for heading in (o.outcome, o.table_heading) if heading}
    place = _Place()
    for row in table.rows:
        text = _only_text(row)
        if text and reference_key(text) in headings:
            place = _Place(headings[reference_key(text)])
        elif text and not row.text("ref"):
            parsed.findings.append(find("band-unknown", sheet=row.sheet, cell=_first_address(row), value=text))
        else:
            _read_row(row, place, plan, index, figures, parsed)


def _read_row(
    row: TableRow, place: _Place, plan: Plan, index: PlanIndex, figures: FigureReader, parsed: ParsedReturn
) -> None:
    ref, sub = row.text("ref"), ""
    if not ref:
        parsed.findings.append(find("row-without-ref", sheet=row.sheet, cell=row.address("ref")))
        return
    # Below a parent, the reference of a row is its sub-indicator's letter alone.
    if place.parent_ref and reference_key(ref) not in index.references and not any(map(str.isdigit, ref)):
        ref, sub = place.parent_ref, ref
    leaf = index.leaves.get(reference_key(ref) + reference_key(sub))
    is_parent = not sub and reference_key(ref) in index.parents
    typed_polarity = row.text("good_performance")
    if is_parent:
        place.parent_ref, place.parent_polarity = ref, typed_polarity
    elif not sub:
        place.parent_ref = place.parent_polarity = ""
    has_figure = any(not read_figure(row.cells.get(column)).is_blank for column in _FIGURE_COLUMNS)
    polarity = typed_polarity or (place.parent_polarity if sub else "")
    parsed.indicator_rows.append(IndicatorRow(parsed.file, row, ref, sub, leaf, is_parent, polarity, None, has_figure))
    if leaf is not None:
        _judge_band(row, leaf, place, plan, parsed)
        _read_figures(row, leaf, plan, figures, parsed)


def _judge_band(row: TableRow, leaf: Indicator, place: _Place, plan: Plan, parsed: ParsedReturn) -> None:
    if place.outcome_code and place.outcome_code != leaf.outcome_code:
        words = {"band": plan.outcomes[place.outcome_code].outcome, "outcome": plan.outcomes[leaf.outcome_code].outcome}
        cell = row.address("ref")
        parsed.findings.append(find("outcome-differs", sheet=row.sheet, cell=cell, indicator=leaf.indicator, **words))


def _read_figures(row: TableRow, leaf: Indicator, plan: Plan, figures: FigureReader, parsed: ParsedReturn) -> None:
    owners = plan.owners.get(leaf.indicator, ())
    if len(owners) != 1:
        words = {"indicator": leaf.indicator, "owners": ", ".join(owners) or "no partner"}
        parsed.findings.append(find("owner-not-single", sheet=row.sheet, cell=row.address("ref"), **words))
        return
    for column, (measure, years) in _FIGURE_COLUMNS.items():
        if column not in row.columns:
            continue
        figure = figures.read(row, leaf, owners[0], column, measure, _year(parsed.period, years))
        # Only an actual can be "not returned": what else is blank, the table does not speak of.
        if figure.marker is not Marker.NOT_RETURNED or measure is Measure.ACTUAL:
            parsed.figures.append(figure)
        if measure is Measure.ACTUAL:
            parsed.typed_judgements += _typed_judgements(row, figure)


def _typed_judgements(row: TableRow, figure: FigureRow) -> list[tuple[FigureRow, str, str]]:
    return [(figure, column, row.text(column)) for column in _JUDGEMENT_COLUMNS if row.text(column)]


def _year(period: Period | None, years: int) -> Period | None:
    return period.years_later(years) if period is not None else None


def _only_text(row: TableRow) -> str:
    """The text of a row that holds nothing else, as a band's heading does; empty for other rows."""
    texts = {text for column in row.cells if (text := row.text(column))}
    return texts.pop() if len(texts) == 1 else ""


def _first_address(row: TableRow) -> str:
    return next(row.cells[column].address for column in row.cells if row.text(column))
