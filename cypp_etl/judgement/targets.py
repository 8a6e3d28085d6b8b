"""Targets and comparators as of each period, and the bands of the year to date against them (docs/judgements.md)."""

import numpy as np

from cypp_etl.judgement.entries import Text
from cypp_etl.judgement.leaves import SLOTS
from cypp_etl.judgement.ledger import Ledger, Side
from cypp_etl.judgement.rounding import Bools, Floats, Ints, divide_half_away, to_values
from cypp_etl.judgement.words import choose
from cypp_etl.judgement.year_to_date import QUARTERS, computed_side
from schemas.codes import Band, Measure, OnTarget


def target_to_date(ledger: Ledger) -> Side:
    """The target as profiled to each row's period.

    It is the target of the quarter itself if there is one, otherwise the year's, spread evenly over the
    quarters if they accumulate. A year's target that the plan has for the partner alone comes before a quarter's that
    it has for every partner.
    """
    rows = ledger.rows
    own = ledger.find(Measure.TARGET, rows.slot)
    year = ledger.find(Measure.TARGET, rows.year_slot)
    is_profiled = ledger.has_row(Measure.TARGET, rows.slot) & (
        ledger.is_own(Measure.TARGET, rows.slot) | ~ledger.is_planned_for_partner(Measure.TARGET, rows.year_slot)
    )
    return spread_to_date(ledger, year).replaced(is_profiled, own)


def spread_to_date(ledger: Ledger, year: Side) -> Side:
    """A whole year's figure as of each row's period: a quarter of it for each quarter so far, if quarters add up."""
    rows = ledger.rows
    share = divide_half_away(year.steps * rows.quarter, QUARTERS)
    spread = computed_side(year.state, share, year.source, rows.piece, ledger)
    return year.replaced(ledger.leaves.accumulates[rows.piece] & ~rows.is_year, spread)


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


def target_gap(ledger: Ledger, ours: Side, target: Side) -> Floats:
    """By how much the year to date is better than its target, in the indicator's unit; shape (n,), NaN for none.

    It is the gain, which is negative where the target is missed. There is none where nothing is good or bad.
    """
    has_gap = ours.has_value & target.has_value & ledger.leaves.is_judged[ledger.rows.piece]
    gap = to_values(_gain(ledger, ours, target), ledger.leaves.decimals[ledger.rows.piece])
    return np.where(has_gap, gap, np.nan)


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
    """The band of the year to date against a comparator; not applicable if there is none.

    Nor is it where figures depend on the size of the body, which the comparator's is not: a count, a spending.
    """
    gain, compares = _gain(ledger, ours, comparator), ledger.leaves.compares_bodies[ledger.rows.piece]
    cases = [
        (_never_applies(ledger, ours) | ~comparator.has_value | ~compares, Band.NOT_APPLICABLE),
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
