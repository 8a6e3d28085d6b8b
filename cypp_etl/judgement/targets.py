"""The year to date, and its bands against its target and a comparator (docs/judgements.md)."""

import numpy as np

from cypp_etl.judgement.entries import SLOTS
from cypp_etl.judgement.ledger import Ledger, Side, State, States, states
from cypp_etl.judgement.rounding import Bools, Ints, divide_half_away, to_values
from cypp_etl.judgement.words import Text, choose
from schemas.codes import Band, Measure, OnTarget

_QUARTERS = 4


def year_to_date(ledger: Ledger) -> Side:
    """The year so far: the actual, or the sum of the year's quarters that are asked, for an indicator that sums."""
    rows, now = ledger.rows, ledger.rows.now
    adds = ledger.leaves.is_sum[rows.leaf] & ~rows.is_year
    if not adds.any():
        return now
    steps, is_whole = now.steps.copy(), now.has_value
    for back in range(1, _QUARTERS):
        # A slot before the first quarter adds nothing, and is never missing.
        is_in_year = adds & (rows.quarter > back)
        is_in_year &= ledger.leaves.is_asked[rows.leaf, np.maximum(rows.quarter - back, 0)]
        earlier = ledger.find(Measure.ACTUAL, rows.slot - back)
        steps += np.where(is_in_year, earlier.steps, 0)
        is_whole = is_whole & (earlier.has_value | ~is_in_year)
    total = _side(states(is_whole, now.is_not_applicable), steps, now.source, ledger)
    return now.replaced(adds, total)


def target_to_date(ledger: Ledger) -> Side:
    """The target as profiled to each row's period.

    It is the target of the quarter itself if there is one, otherwise the year's, spread evenly over the
    quarters if they accumulate.
    """
    rows = ledger.rows
    own = ledger.find(Measure.TARGET, rows.slot)
    year = ledger.find(Measure.TARGET, rows.year_slot)
    share = _side(year.state, divide_half_away(year.steps * rows.quarter, _QUARTERS), year.source, ledger)
    spreads = ledger.leaves.accumulates[rows.leaf] & ~rows.is_year
    return year.replaced(spreads, share).replaced(ledger.has_row(Measure.TARGET, rows.slot), own)


def next_target(ledger: Ledger, years: int) -> Side:
    """The whole-year target of a later financial year."""
    return ledger.find(Measure.TARGET, ledger.rows.year_slot + years * SLOTS)


def on_target(ledger: Ledger, ours: Side, target: Side) -> Text:
    """Whether the year to date meets its target."""
    cases = [
        (_never_applies(ledger, ours) | target.is_not_applicable, OnTarget.NOT_APPLICABLE),
        (~(ours.has_value & target.has_value), OnTarget.NO_DATA),
        (_gain(ledger, ours, target) >= 0, OnTarget.YES),
    ]
    return choose(cases, OnTarget.NO)


def target_band(ledger: Ledger, ours: Side, target: Side) -> Text:
    """The band of the year to date against its target: for better, both margins must be exceeded."""
    gain = _gain(ledger, ours, target)
    cases = [
        (_never_applies(ledger, ours) | target.is_not_applicable, Band.NOT_APPLICABLE),
        (~(ours.has_value & target.has_value), Band.NO_DATA),
        (gain < 0, Band.WORSE),
        (gain > ledger.leaves.target_margin(ledger.rows.leaf, target.steps), Band.BETTER),
    ]
    return choose(cases, Band.WITHIN)


def comparator_band(ledger: Ledger, ours: Side, comparator: Side) -> Text:
    """The band of the year to date against a comparator; not applicable if there is none."""
    gain = _gain(ledger, ours, comparator)
    cases = [
        (_never_applies(ledger, ours) | ~comparator.has_value, Band.NOT_APPLICABLE),
        (~ours.has_value, Band.NO_DATA),
        (gain < 0, Band.WORSE),
        (gain >= ledger.leaves.comparator_steps[ledger.rows.leaf], Band.BETTER),
    ]
    return choose(cases, Band.WITHIN)


def _never_applies(ledger: Ledger, ours: Side) -> Bools:
    """Where there is never a judgement: the figure is not applicable, or the indicator has no polarity."""
    return ours.is_not_applicable | ~ledger.leaves.is_judged[ledger.rows.leaf]


def _gain(ledger: Ledger, ours: Side, theirs: Side) -> Ints:
    return ledger.leaves.gain(ledger.rows.leaf, ours.steps, theirs.steps)


def _side(state: States, steps: Ints, source: Ints, ledger: Ledger) -> Side:
    """A computed side, whose value comes from its steps."""
    has_value = state == State.VALUED
    value = to_values(steps, ledger.leaves.decimals[ledger.rows.leaf])
    return Side(state, np.where(has_value, steps, 0), np.where(has_value, value, np.nan), source)
