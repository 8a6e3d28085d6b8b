"""Judgements that were typed into a published table must match those computed from its figures."""

from collections.abc import Iterator
from functools import cache
from string import ascii_uppercase

import pandas as pd

from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.judgement.columns import PRINTED
from cypp_etl.judgement.judge import judge
from cypp_etl.layout import SheetLayout
from cypp_etl.plan.model import Plan
from schemas.codes import Qualifier, Severity
from schemas.packaged import read_rows


def judge_symbols(parsed: ParsedReturn, plan: Plan, layout: SheetLayout) -> Iterator[Finding]:
    """Compare each typed symbol with the one from the table's own figures; blanks are ignored.

    Rows with errors are left out: the symbols were typed for other figures.
    """
    if not parsed.typed_judgements or parsed.period is None:
        return
    rows = {(f.sheet, f.cell.lstrip(ascii_uppercase)) for f in parsed.findings if f.severity is Severity.ERROR}
    computed = _computed_symbols(parsed.figures, plan)
    for figure, column, typed in parsed.typed_judgements:
        if (figure.leaf.indicator, column) not in computed:
            continue
        symbol, word = computed[figure.leaf.indicator, column]
        if (figure.source.sheet, str(figure.source.row)) not in rows and _symbol_meant(typed) != symbol:
            heading = layout.column(column).heading
            yield figure.find("symbol-differs", column=column, heading=heading, computed=symbol, word=word)


def figures_frame(figures: list[FigureRow]) -> pd.DataFrame:
    """The figures of one workbook in the form for `judge`, each series' measure and period once."""
    records = {
        (figure.partner_code, figure.leaf.indicator, figure.measure.value, str(figure.period)): (
            float(figure.value) if figure.value is not None else None,
            figure.marker.value if figure.marker else None,
            Qualifier.BREAK in figure.qualifiers,
        )
        for figure in figures
    }
    frame = pd.DataFrame(
        [(*key, *record) for key, record in records.items()],
        columns=["partner_code", "indicator", "measure", "period", "value", "marker", "is_break"],
        dtype=object,
    )
    return frame.astype({"value": "float64", "is_break": bool})


def _computed_symbols(figures: list[FigureRow], plan: Plan) -> dict[tuple[str, str], tuple[str, str]]:
    """The symbol of each leaf and column, and its word: not of comparators that are computed from others' returns."""
    computed_bands = {f"{code}_band" for code, each in plan.comparators.items() if not each.is_given}
    judged = judge(figures_frame(figures), plan)
    computed: dict[tuple[str, str], tuple[str, str]] = {}
    for printed_in, column in PRINTED.items():
        if column.name in computed_bands:
            continue
        for indicator, word in zip(judged["indicator"], judged[column.name], strict=True):
            computed[indicator, printed_in] = (column.symbols[word], word)
    return computed


def _symbol_meant(typed: str) -> str:
    """The symbol that was meant, from any of its look-alikes or words."""
    # A variation selector requests the emoji form of the same symbol.
    plain = typed.replace("\ufe0e", "").replace("\ufe0f", "")
    return _spellings().get(" ".join(plain.split()).casefold(), plain)


@cache
def _spellings() -> dict[str, str]:
    return {
        spelling.casefold(): row["symbol"]
        for row in read_rows("cypp_etl", "layouts", "symbols.csv")
        for spelling in (row["symbol"], *row["spellings"].split("|"))
    }
