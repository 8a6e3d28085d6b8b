"""The year to date, and its bands against its target and a comparator (docs/judgements.md)."""

import numpy as np

from cypp_etl.judgement.leaves import SLOTS
from cypp_etl.judgement.ledger import Ledger, Side, State, States, states
from cypp_etl.judgement.rounding import Bools, Ints, divide_half_away, to_values
from cypp_etl.judgement.words import Text, choose
from schemas.codes import Band, Measure, OnTarget

_QUARTERS = 4


def year_to_date(ledger: Ledger) -> Side:
    """The year so far: the actual, or the sum of the year's quarters that are asked, for an indicator that sums.

    It is not applicable where a quarter does not compare with the row's.
    """
    rows, now = ledger.rows, ledger.rows.now
    adds = ledger.leaves.is_sum[rows.piece] & ~rows.is_year
    if not adds.any():
        return now
    steps, is_whole, is_not_applicable = now.steps.copy(), now.has_value, now.is_not_applicable
    for back in range(1, _QUARTERS):
        # A slot before the first quarter adds nothing, and is never missing.
        is_in_year = adds & (rows.quarter > back)
        is_in_year &= ledger.leaves.is_asked[rows.piece, np.maximum(rows.quarter - back, 0)]
        earlier = ledger.find(Measure.ACTUAL, rows.slot - back)
        steps += np.where(is_in_year, earlier.steps, 0)
        is_whole = is_whole & (earlier.has_value | ~is_in_year)
        is_not_applicable = is_not_applicable | (is_in_year & ~ledger.compares(rows.slot - back))
    total = computed_side(states(is_whole, is_not_applicable), steps, now.source, rows.piece, ledger)
    return now.replaced(adds, total)


def target_to_date(ledger: Ledger) -> Side:
    """The target as profiled to each row's period.

    It is the target of the quarter itself if there is one, otherwise the year's, spread evenly over the
    quarters if they accumulate. A year's target that the plan has for the partner alone comes before a quarter's that
    it has for every partner.
    """
    rows = ledger.rows
    own = ledger.find(Measure.TARGET, rows.slot)
    year = ledger.find(Measure.TARGET, rows.year_slot)
    spread = divide_half_away(year.steps * rows.quarter, _QUARTERS)
    share = computed_side(year.state, spread, year.source, rows.piece, ledger)
    spreads = ledger.leaves.accumulates[rows.piece] & ~rows.is_year
    is_profiled = ledger.has_row(Measure.TARGET, rows.slot) & (
        ledger.is_own(Measure.TARGET, rows.slot) | ~ledger.is_planned_for_partner(Measure.TARGET, rows.year_slot)
    )
    return year.replaced(spreads, share).replaced(is_profiled, own)


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
        (gain > ledger.leaves.target_margin(ledger.rows.piece, target.steps), Band.BETTER),
    ]
    return choose(cases, Band.WITHIN)


def comparator_band(ledger: Ledger, ours: Side, comparator: Side) -> Text:
    """The band of the year to date against a comparator; not applicable if there is none."""
    gain = _gain(ledger, ours, comparator)
    cases = [
        (_never_applies(ledger, ours) | ~comparator.has_value, Band.NOT_APPLICABLE),
        (~ours.has_value, Band.NO_DATA),
        (gain < 0, Band.WORSE),
        (gain >= ledger.leaves.comparator_steps[ledger.rows.piece], Band.BETTER),
    ]
    return choose(cases, Band.WITHIN)


def _never_applies(ledger: Ledger, ours: Side) -> Bools:
    """Where there is never a judgement: the figure is not applicable, or the indicator has no polarity."""
    return ours.is_not_applicable | ~ledger.leaves.is_judged[ledger.rows.piece]


def _gain(ledger: Ledger, ours: Side, theirs: Side) -> Ints:
    return ledger.leaves.gain(ledger.rows.piece, ours.steps, theirs.steps)


def computed_side(state: States, steps: Ints, source: Ints, piece: Ints, ledger: Ledger) -> Side:
    """A computed side, whose value comes from its steps; every array has shape (n,)."""
    has_value = state == State.VALUED
    value = to_values(steps, ledger.leaves.decimals[piece])
    return Side(state, np.where(has_value, steps, 0), np.where(has_value, value, np.nan), source)
