"""The direction of travel: whether a figure is better than the one before it (docs/judgements.md)."""

from dataclasses import dataclass

import numpy as np

from cypp_etl.judgement.entries import Text
from cypp_etl.judgement.leaves import SLOTS
from cypp_etl.judgement.ledger import Ledger, Side
from cypp_etl.judgement.rounding import Bools, Floats, Ints, to_values
from cypp_etl.judgement.words import choose
from schemas.codes import Direction, DirectionBasis


@dataclass(frozen=True, slots=True)
class Travel:
    """Each row and the one it is compared with; shape (n,). `change` is NaN where the two cannot be compared.

    A break in series in a quarter after the slot `break_after`, up to `break_until`, lies between them.
    """

    before_slot: Ints
    before: Side
    change: Floats
    direction: Text
    break_after: Ints
    break_until: Ints


@dataclass(frozen=True, slots=True)
class YearOnYear(Travel):
    """The comparison with last year; `basis` says with which figure of it."""

    basis: Text


def year_on_year(ledger: Ledger) -> YearOnYear:
    """Compare with the same period of last year, or with its outturn.

    The outturn replaces a quarter that last year does not have, but not where quarters add up to the year: there, one
    quarter would be compared with four.
    """
    rows = ledger.rows
    before_slot = rows.slot - SLOTS
    before = ledger.find_actual_or_history(before_slot)
    may_use_outturn = ~before.speaks & ~rows.is_year & ~ledger.leaves.accumulates[rows.piece]
    outturn = ledger.find_actual_or_history(rows.year_slot - SLOTS)
    is_outturn = may_use_outturn & outturn.speaks
    before = before.replaced(is_outturn, outturn)
    before_slot = np.where(is_outturn, rows.year_slot - SLOTS, before_slot)
    after = np.where(is_outturn | rows.is_year, rows.year_slot, rows.slot - SLOTS)
    until = np.where(rows.is_year, rows.year_slot + SLOTS - 1, rows.slot)
    is_broken = ledger.has_break(after, until) | (rows.is_year & rows.is_break) | ~ledger.compares(before_slot)
    cases = [
        (is_outturn, DirectionBasis.OUTTURN),
        (~before.speaks, DirectionBasis.NONE),
        (rows.is_year, DirectionBasis.LAST_YEAR),
    ]
    return YearOnYear(
        before_slot=before_slot,
        before=before,
        change=_change(ledger, before, is_broken),
        direction=_direction(ledger, before, is_broken),
        break_after=after,
        break_until=until,
        basis=choose(cases, DirectionBasis.SAME_QUARTER),
    )


def breaks_between(ledger: Ledger, travel: Travel, row: int) -> list[int]:
    """The indices of the actuals with a break in series between a row and the one it is compared with.

    For a quarter: in a later quarter than the one compared with, up to its own. For a year: in the year's own figure
    or in one of its quarters.
    """
    own = [row] if ledger.rows.is_year[row] and ledger.rows.is_break[row] else []
    return own + ledger.find_breaks(row, int(travel.break_after[row]), int(travel.break_until[row]))


def quarter_on_quarter(ledger: Ledger) -> Travel:
    """Compare with the quarter that was asked just before; a whole year has none: there it is not applicable.

    It is the last one of which the plan asks for figures: between a first and a third quarter's, no figure is missing.
    """
    rows = ledger.rows
    is_asked, back = ledger.leaves.is_asked[rows.piece], np.zeros_like(rows.slot)
    # The year's own slot, between a first quarter and the fourth before it, is never asked here.
    for slots in range(SLOTS, 0, -1):
        back = np.where(is_asked[np.arange(len(back)), (rows.quarter - slots) % SLOTS], slots, back)
    before_slot = rows.slot - back
    before = ledger.find_actual_or_history(before_slot)
    is_broken = rows.is_year | ledger.has_break(before_slot, rows.slot) | ~ledger.compares(before_slot)
    return Travel(
        before_slot=before_slot,
        before=before,
        change=_change(ledger, before, is_broken),
        direction=_direction(ledger, before, is_broken),
        break_after=before_slot,
        break_until=rows.slot,
    )


def _change(ledger: Ledger, before: Side, is_broken: Bools) -> Floats:
    """The change of the figure, in the indicator's unit, both sides rounded."""
    now, piece = ledger.rows.now, ledger.rows.piece
    compares = now.has_value & before.has_value & ~is_broken
    return np.where(compares, to_values(now.steps - before.steps, ledger.leaves.decimals[piece]), np.nan)


def _direction(ledger: Ledger, before: Side, is_broken: Bools) -> Text:
    """The word for each row against the one before; not applicable takes precedence over no data."""
    now, piece, leaves = ledger.rows.now, ledger.rows.piece, ledger.leaves
    gain = leaves.gain(piece, now.steps, before.steps)
    is_judged = leaves.is_judged[piece]
    cases = [
        (now.is_not_applicable | before.is_not_applicable | is_broken, Direction.NOT_APPLICABLE),
        (~(now.has_value & before.has_value), Direction.NO_DATA),
        (gain == 0, Direction.NO_CHANGE),
        (is_judged & (gain > 0), Direction.IMPROVING),
        (is_judged, Direction.DECLINING),
        (gain > 0, Direction.INCREASING),
    ]
    return choose(cases, Direction.DECREASING)
