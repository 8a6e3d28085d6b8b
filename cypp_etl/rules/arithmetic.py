"""The arithmetic within one return: decimals, ratios, and numbers beside their rates."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.periods import Period
from cypp_etl.submission import History
from schemas.codes import Measure, Unit


def rounded(value: Decimal, decimals: int) -> Decimal:
    """A value to so many decimals, halves away from zero."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def judge_decimals(parsed: ParsedReturn) -> Iterator[Finding]:
    """A figure with more decimals than its indicator keeps is judged as rounded; a count has its own finding."""
    for figure in parsed.figures:
        value = figure.value
        if value is None or figure.leaf.unit is Unit.NUMBER or value == rounded(value, figure.leaf.decimals):
            continue
        shown = f"{rounded(value, figure.leaf.decimals):f}"
        yield figure.find("too-many-decimals", decimals=figure.leaf.decimals, rounded=shown)


def judge_ratios(parsed: ParsedReturn) -> Iterator[Finding]:
    """Numerator over denominator, times the indicator's multiplier, gives the figure at the indicator's decimals."""
    for figure in parsed.figures:
        numerator, denominator = figure.numerator, figure.denominator
        if (numerator is None) != (denominator is None):
            present, absent = ("numerator", "denominator") if denominator is None else ("denominator", "numerator")
            if figure.source.text(absent) == "":
                yield figure.find("ratio-incomplete", column=absent, present=present, absent=absent)
        ratio = _ratio(figure)
        decimals = figure.leaf.decimals
        if ratio is None or figure.value is None or rounded(ratio, decimals) == rounded(figure.value, decimals):
            continue
        yield figure.find("ratio-differs", ratio=f"{rounded(ratio, decimals):f}")


def _ratio(figure: FigureRow) -> Decimal | None:
    """The figure that numerator and denominator make, or None where they make none."""
    numerator, denominator, multiplier = figure.numerator, figure.denominator, figure.leaf.multiplier
    if numerator is None or denominator is None or denominator <= 0 or multiplier == 0:
        return None
    return numerator * multiplier / denominator


def judge_populations(parsed: ParsedReturn, history: History) -> Iterator[Finding]:
    """A number and its rate imply a population, which hardly changes from one period to the next."""
    actuals = {figure.leaf.indicator: figure for figure in parsed.figures if figure.measure is Measure.ACTUAL}
    for figure in actuals.values():
        number = actuals.get(figure.leaf.number_indicator)
        if number is None or figure.period is None:
            continue
        population = _population(number.value, figure.value, figure.leaf.multiplier)
        before = _earlier_population(figure, history)
        if population is None or before is None:
            continue
        if abs(population - before) * 100 > figure.leaf.banding.population_margin_percent * before:
            words = {"number": number.leaf.indicator, "population": f"{population:,.0f}", "before": f"{before:,.0f}"}
            yield figure.find("population-differs", **words)


def _earlier_population(figure: FigureRow, history: History) -> Decimal | None:
    """The population implied in the last quarter, else in the same period of last year, else by last year's outturn."""
    period = figure.period or Period(1)
    for measure, earlier in (
        (Measure.ACTUAL, period.previous),
        (Measure.ACTUAL, period.years_later(-1)),
        (Measure.ACTUAL, period.year.previous),
        (Measure.HISTORY, period.year.previous),
    ):
        number = history.figures.get((figure.partner_code, measure, figure.leaf.number_indicator, earlier))
        rate = history.figures.get((figure.partner_code, measure, figure.leaf.indicator, earlier))
        if number and rate and (population := _population(number.value, rate.value, figure.leaf.multiplier)):
            return population
    return None


def _population(number: Decimal | None, rate: Decimal | None, multiplier: int) -> Decimal | None:
    return number * multiplier / rate if number and rate and multiplier else None
