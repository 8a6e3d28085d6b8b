"""The year so far: the actual, the sum of the year's quarters, or the ratio of the sums of their parts."""

import numpy as np

from cypp_etl.judgement.leaves import SPAN
from cypp_etl.judgement.ledger import Ledger, Side, State, States, states
from cypp_etl.judgement.rounding import LARGEST_STEPS, Bools, Ints, divide_half_away, to_values
from schemas.codes import Measure

QUARTERS = 4


def year_to_date(ledger: Ledger) -> Side:
    """The year so far, by the indicator's way of adding up.

    It is the actual; or the sum of the year's quarters that are asked; or the sum of their numerators over the sum of
    their denominators. It is not applicable where a quarter does not compare with the row's.
    """
    rows, leaves, now = ledger.rows, ledger.leaves, ledger.rows.now
    sums = leaves.is_sum[rows.piece] & ~rows.is_year
    ratios = leaves.is_ratio[rows.piece] & ~rows.is_year
    if sums.any():
        now = now.replaced(sums, _sum_to_date(ledger, sums))
    if ratios.any():
        now = now.replaced(ratios, _ratio_to_date(ledger, ratios))
    return now


def parts_to_date(ledger: Ledger) -> tuple[Ints, Ints, Bools]:
    """Numerator and denominator of the year so far, in steps, and where there are both; shape (n,).

    Where quarters add up, or their parts do, those of each quarter of the year so far that is asked are needed. Of a
    ratio, a quarter that is not applicable adds nothing: nobody was counted.
    """
    rows, leaves = ledger.rows, ledger.leaves
    numerator, denominator = rows.numerator.copy(), rows.denominator.copy()
    is_ratio = leaves.is_ratio[rows.piece] & ~rows.is_year
    adds = is_ratio | (leaves.is_sum[rows.piece] & ~rows.is_year)
    some = rows.has_parts
    whole = some | (is_ratio & rows.now.is_not_applicable)
    for back in range(1, QUARTERS) if adds.any() else ():
        is_in_year = _is_in_year(ledger, adds, back)
        place = ledger.tables[Measure.ACTUAL].find(rows.series * SPAN + rows.slot - back)
        compares = is_in_year & (place >= 0) & ledger.compares(rows.slot - back)
        counts = compares & rows.has_parts[place]
        numerator += np.where(counts, rows.numerator[place], 0)
        denominator += np.where(counts, rows.denominator[place], 0)
        adds_nothing = compares & is_ratio & rows.now.is_not_applicable[place]
        whole = whole & (counts | adds_nothing | ~is_in_year)
        some = some | counts
    return numerator, denominator, whole & some


def ratio_of(numerator: Ints, denominator: Ints, is_known: Bools, piece: Ints, ledger: Ledger) -> Side:
    """Numerators over denominators, times the multiplier, rounded; none without a denominator above zero.

    Numerators and denominators are in steps of one size, and may be Python's whole numbers; all have shape (n,).
    """
    leaves = ledger.leaves
    scale = [10 ** int(decimals) for decimals in leaves.decimals]
    factor = np.array([int(each) * by for each, by in zip(leaves.multiplier, scale, strict=True)], dtype=object)
    dividend, divisor = numerator.astype(object) * factor[piece], denominator.astype(object)
    is_known = is_known & (divisor > 0).astype(bool) & (leaves.multiplier[piece] > 0)
    steps = divide_half_away(np.where(is_known, dividend, 0), np.where(is_known, divisor, 1))
    return side_of(steps, is_known, piece, ledger)


def side_of(steps: Ints, is_known: Bools, piece: Ints, ledger: Ledger) -> Side:
    """A side computed from exact steps, none where they are not known or too large to be judged; shape (n,)."""
    is_known = is_known & (np.abs(steps) <= LARGEST_STEPS).astype(bool)
    whole = np.where(is_known, steps, 0).astype(np.int64)
    state = np.where(is_known, np.int8(State.VALUED), np.int8(State.MISSING))
    return computed_side(state, whole, np.full(len(whole), -1), piece, ledger)


def computed_side(state: States, steps: Ints, source: Ints, piece: Ints, ledger: Ledger) -> Side:
    """A computed side, whose value comes from its steps; every array has shape (n,)."""
    has_value = state == State.VALUED
    value = to_values(steps, ledger.leaves.decimals[piece])
    return Side(state, np.where(has_value, steps, 0), np.where(has_value, value, np.nan), source)


def _sum_to_date(ledger: Ledger, adds: Bools) -> Side:
    rows, now = ledger.rows, ledger.rows.now
    steps, is_whole, is_not_applicable = now.steps.copy(), now.has_value, now.is_not_applicable
    for back in range(1, QUARTERS):
        is_in_year = _is_in_year(ledger, adds, back)
        earlier = ledger.find(Measure.ACTUAL, rows.slot - back)
        steps += np.where(is_in_year, earlier.steps, 0)
        is_whole = is_whole & (earlier.has_value | ~is_in_year)
        is_not_applicable = is_not_applicable | (is_in_year & ~ledger.compares(rows.slot - back))
    return computed_side(states(is_whole, is_not_applicable), steps, now.source, rows.piece, ledger)


def _ratio_to_date(ledger: Ledger, adds: Bools) -> Side:
    rows, now = ledger.rows, ledger.rows.now
    numerator, denominator, has_parts = parts_to_date(ledger)
    asked = np.flatnonzero(adds)
    ratio = ratio_of(numerator[asked], denominator[asked], has_parts[asked], rows.piece[asked], ledger)
    is_not_applicable = now.is_not_applicable
    for back in range(1, QUARTERS):
        is_in_year = _is_in_year(ledger, adds, back)
        is_not_applicable = is_not_applicable | (is_in_year & ~ledger.compares(rows.slot - back))
    steps, has_value = np.zeros_like(now.steps), np.zeros_like(adds)
    steps[asked], has_value[asked] = ratio.steps, ratio.has_value
    return computed_side(states(has_value, is_not_applicable), steps, now.source, rows.piece, ledger)


def _is_in_year(ledger: Ledger, adds: Bools, back: int) -> Bools:
    """Where the quarter so many before a row's is of its year, and is asked.

    A slot before the first quarter adds nothing, and is never missing.
    """
    rows = ledger.rows
    is_asked: Bools = ledger.leaves.is_asked[rows.piece, np.maximum(rows.quarter - back, 0)]
    return adds & (rows.quarter > back) & is_asked
