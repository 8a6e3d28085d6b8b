"""Figures beside earlier ones: a large change asks why, an unchanged figure is noted."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow
from cypp_etl.periods import Period
from cypp_etl.plan_model import Indicator
from cypp_etl.rules.arithmetic import rounded, shown, step
from cypp_etl.submission import History
from schemas.codes import Accumulation, Measure


def judge_change(figures: Iterable[FigureRow], history: History) -> Iterator[Finding]:
    """Compare each actual with the one before it.

    A change of more than the plan's share of the earlier figure, and of more than one step of the last decimal, is a
    QUERY unless a comment explains it already. A figure that is the earlier one to the last digit is a NOTE.
    """
    for figure in figures:
        if figure.measure is not Measure.ACTUAL or figure.period is None or figure.value is None:
            continue
        earlier = _earlier(figure, figure.period)
        known = history.figures.get((figure.partner_code, Measure.ACTUAL, figure.leaf.indicator, earlier))
        if known is None or known.value is None:
            continue
        if figure.value == known.value:
            yield figure.find("unchanged", **_in_words(earlier, known.value, figure.leaf))
        elif _is_large(figure, figure.value, known.value):
            code = "large-change-explained" if figure.comment else "large-change"
            now, before = shown(figure.value, figure.leaf), _in_words(earlier, known.value, figure.leaf)
            yield figure.find(code, now=now, **before)


def _in_words(earlier: Period, value: Decimal, leaf: Indicator) -> dict[str, str]:
    return {"earlier": earlier.label, "before": shown(value, leaf)}


def _earlier(figure: FigureRow, period: Period) -> Period:
    """The period just before; a year ago for figures that grow from quarter to quarter and begin anew in April."""
    is_cumulative = figure.leaf.accumulation is Accumulation.CUMULATIVE
    return period.years_later(-1) if is_cumulative else period.previous


def _is_large(figure: FigureRow, now: Decimal, then: Decimal) -> bool:
    decimals = figure.leaf.decimals
    before = rounded(then, decimals)
    change = abs(rounded(now, decimals) - before)
    return change * 100 > figure.leaf.banding.large_change_percent * abs(before) and change > step(decimals)
