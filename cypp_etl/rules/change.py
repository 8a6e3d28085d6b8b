"""Figures beside the last period's: a large change asks why, an unchanged figure is noted."""

from collections.abc import Iterator
from decimal import Decimal

from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.rules.arithmetic import rounded
from cypp_etl.submission import History
from schemas.codes import Measure


def judge_change(parsed: ParsedReturn, history: History) -> Iterator[Finding]:
    """Compare each actual with the one of the period just before, at the indicator's decimals.

    A change of more than the plan's share of the earlier figure, and of more than one step of the last decimal, is a
    QUERY unless a comment explains it already.
    """
    for figure in parsed.figures:
        before = _before(figure, history)
        if before is None or figure.value is None:
            continue
        decimals = figure.leaf.decimals
        now, then = rounded(figure.value, decimals), rounded(before, decimals)
        words = {"before": f"{then:f}", "now": f"{now:f}"}
        if now == then:
            yield figure.find("unchanged", **words)
        elif _is_large(now, then, figure):
            yield figure.find("large-change-explained" if figure.comment else "large-change", **words)


def _before(figure: FigureRow, history: History) -> Decimal | None:
    if figure.measure is not Measure.ACTUAL or figure.period is None or not figure.period.quarter:
        return None
    key = (figure.partner_code, Measure.ACTUAL, figure.leaf.indicator, figure.period.previous)
    known = history.figures.get(key)
    return known.value if known else None


def _is_large(now: Decimal, then: Decimal, figure: FigureRow) -> bool:
    change = abs(now - then)
    one_step = Decimal(1).scaleb(-figure.leaf.decimals)
    return change * 100 > figure.leaf.banding.large_change_percent * abs(then) and change > one_step
