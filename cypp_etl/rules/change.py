"""Compares figures with earlier ones: large changes are queried, unchanged figures noted, years match quarters."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from cypp_etl.checked_return import History
from cypp_etl.decimals import agrees, rounded, step
from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.periods import Period
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.rules.arithmetic import shown
from schemas.codes import Accumulation, Marker, Measure


def judge_change(figures: Iterable[FigureRow], history: History, plan: Plan) -> Iterator[Finding]:
    """Compare each actual with the one before it.

    A change of more than the plan's share of the earlier figure, and of more than its margin and one step of the last
    decimal, is a QUERY unless a comment explains it. A figure equal to that of the period before, to the last digit, is
    a NOTE.
    """
    known = _Comparable(history, plan)
    for figure in figures:
        value, period, leaf = figure.value, figure.period, figure.leaf
        if figure.measure is not Measure.ACTUAL or period is None or value is None:
            continue
        earlier = _period_before(leaf, period)
        before = known[figure.partner_code, period, earlier].get(leaf.indicator)
        if before is None:
            found = _figure_long_before(figure, period, known, plan)
            if found is None:
                continue
            earlier, before = found
        if value == before:
            if earlier == _period_before(leaf, period):
                yield figure.find("unchanged", **_in_words(earlier, before, leaf))
        elif _may_be_large(leaf, value, before) and _is_large(leaf, value, before):
            code = "large-change-explained" if figure.comment else "large-change"
            yield figure.find(code, now=shown(value, leaf), **_in_words(earlier, before, leaf))


class _Comparable(dict[tuple[str, Period, Period], Mapping[str, Decimal]]):
    """The values by indicator of a partner's other period that compare with those of a period.

    Its keys are the partner, the period and the other one. A return's figures have few of them, so that what the plan
    and the history say is asked once for each, not for each figure.
    """

    def __init__(self, history: History, plan: Plan) -> None:
        super().__init__()
        self._history, self._plan = history, plan

    def __missing__(self, key: tuple[str, Period, Period]) -> Mapping[str, Decimal]:
        partner_code, period, other = key
        values = self._history.actuals(partner_code, other)
        doubtful = values.keys() - self._plan.always_comparable(partner_code)
        # No row is about what the plan does not have.
        doubtful &= self._plan.indicators.keys()
        if changed := {one for one in doubtful if not self._plan.compares(partner_code, one, period, other)}:
            values = {one: value for one, value in values.items() if one not in changed}
        self[key] = values
        return values


def _figure_long_before(
    figure: FigureRow, period: Period, known: _Comparable, plan: Plan
) -> tuple[Period, Decimal] | None:
    """Last year's figure of the same period, or of the whole year; otherwise the plan's figure of the year.

    If a quarter is missing, an earlier one is compared with: a figure in the wrong order of magnitude would not be
    queried without one.
    """
    leaf, last_year = figure.leaf, period.year.previous
    of_last_year = leaf.year_before(period)
    for earlier in of_last_year:
        value = known[figure.partner_code, period, earlier].get(leaf.indicator)
        if value is not None:
            return earlier, value
    if last_year not in of_last_year:
        return None
    outturn = plan.figure(Measure.HISTORY, leaf.indicator, last_year, figure.partner_code)
    if outturn is None or outturn.value is None:
        return None
    is_comparable = plan.compares(figure.partner_code, leaf.indicator, period, last_year)
    return (last_year, outturn.value) if is_comparable else None


def judge_beside(parsed: ParsedReturn, history: History, plan: Plan) -> Iterator[Finding]:
    """Compare what stands in the columns of other periods, of which nothing is loaded.

    An earlier figure that is not the one in force is a QUERY, as a correction that its own return has to make. A figure
    for a later quarter of the year is an ERROR: it stands in the wrong column, or is a forecast.
    """
    comparable = _Comparable(history, plan)
    for figure in parsed.figures_beside:
        if figure.period is None or figure.value is None or parsed.period is None:
            continue
        if figure.period.order > parsed.period.order:
            # The heading of a later year has its own finding.
            if figure.period.start_year == parsed.period.start_year:
                words = {"later": figure.period.label, "period": parsed.period.label}
                yield figure.find("later-figure", **words)
            continue
        key = figure.partner_code, figure.period, figure.period
        known = comparable[key].get(figure.leaf.indicator)
        if known is not None and not agrees(figure.value, known, figure.leaf.decimals):
            words = {"earlier": figure.period.label, "before": shown(known, figure.leaf)}
            yield figure.find("earlier-figure-differs", now=shown(figure.value, figure.leaf), **words)


def _period_before(leaf: Indicator, period: Period) -> Period:
    """The period that was asked just before; a year ago for cumulative figures, which start again in April."""
    return period.years_later(-1) if leaf.accumulation is Accumulation.CUMULATIVE else leaf.rhythm.before(period)


def judge_year(figures: Iterable[FigureRow], history: History, plan: Plan) -> Iterator[Finding]:
    """Query a whole year's actual that does not match its quarters, unless a comment explains it.

    It must be their sum if they add up, the sum of their numerators over that of their denominators if it is a ratio,
    and the last of them otherwise. A year on the cover may be a quarter whose number was forgotten. A yearly indicator
    has no quarters.
    """
    known = _Comparable(history, plan)
    of_years = [each for each in figures if each.period and not each.period.quarter and not each.leaf.rhythm.is_yearly]
    years = {(each.partner_code, each.period) for each in of_years if each.period}
    # Most years that are returned whole have none.
    with_quarters = {(code, year) for code, year in years if any(known[code, year, one] for one in year.quarters)}
    for figure in of_years:
        period, value, leaf = figure.period, figure.value, figure.leaf
        if figure.measure is not Measure.ACTUAL or period is None or value is None or figure.comment:
            continue
        quarters = None
        if leaf.accumulation is Accumulation.RATIO:
            quarters = _ratio_of_quarters(figure, _quarters(period, leaf.rhythm.quarters), history, plan)
        elif (figure.partner_code, period) in with_quarters:
            quarters = _of_quarters(figure, period, known)
        if quarters is not None and not agrees(value, quarters, leaf.decimals):
            yield figure.find("year-differs", now=shown(value, leaf), year=period.label, quarters=shown(quarters, leaf))


def _of_quarters(figure: FigureRow, year: Period, known: _Comparable) -> Decimal | None:
    """The total of a year's quarters that are asked, or the last of them, None if a necessary one is not known."""
    leaf, asked = figure.leaf, _quarters(year, figure.leaf.rhythm.quarters)
    last = known[figure.partner_code, year, asked[-1]].get(leaf.indicator)
    if last is None or leaf.accumulation is not Accumulation.SUM:
        return last
    values = [known[figure.partner_code, year, quarter].get(leaf.indicator) for quarter in asked]
    returned = [value for value in values if value is not None]
    return sum(returned, Decimal()) if len(returned) == len(asked) else None


@lru_cache(maxsize=1024)
def _quarters(year: Period, asked: tuple[int, ...]) -> tuple[Period, ...]:
    return tuple(Period(year.start_year, quarter) for quarter in asked)


def _ratio_of_quarters(figure: FigureRow, quarters: Iterable[Period], history: History, plan: Plan) -> Decimal | None:
    """The ratio of the sums of the quarters' parts; a quarter that is not applicable adds nothing."""
    numerator = denominator = Decimal()
    for quarter in quarters:
        if figure.period and not plan.compares(figure.partner_code, figure.leaf.indicator, figure.period, quarter):
            return None
        key = FigureKey(figure.partner_code, figure.leaf.indicator, Measure.ACTUAL, quarter.code)
        known = history.figures.get(key)
        if known and known.numerator is not None and known.denominator is not None:
            numerator, denominator = numerator + known.numerator, denominator + known.denominator
        elif known is None or known.value is not None or known.marker is not Marker.NOT_APPLICABLE:
            return None
    return numerator * figure.leaf.multiplier / denominator if denominator > 0 else None


def _in_words(earlier: Period, value: Decimal, leaf: Indicator) -> dict[str, str]:
    return {"earlier": leaf.rhythm.label(earlier), "before": shown(value, leaf)}


def _may_be_large(leaf: Indicator, now: Decimal, then: Decimal) -> bool:
    """Whether a change may be large once its figures are rounded, which moves each by half a step at most."""
    one = step(leaf.decimals)
    return (abs(now - then) + one) * 100 > leaf.banding.large_change_percent * (abs(then) - one)


def _is_large(leaf: Indicator, now: Decimal, then: Decimal) -> bool:
    decimals, banding = leaf.decimals, leaf.banding
    before = rounded(then, decimals)
    change = abs(rounded(now, decimals) - before)
    is_large_share = change * 100 > banding.large_change_percent * abs(before)
    return is_large_share and change > max(banding.large_change_margin, step(decimals))
