"""Figures arranged for lookup: a sorted table per measure, in which all rows find their neighbours at once.

Last year's quarter is a binary search for a key, without a join. The plan's own figures are in the same tables and are
used if the partner has no row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cypp_etl.judgement.entries import PART_DECIMALS, Entries, Figures, leaf_of, read_entries
from cypp_etl.judgement.leaves import SLOTS, SPAN, Leaves, last_quarter
from cypp_etl.judgement.rounding import Bools, Floats, Ints, to_steps
from cypp_etl.plan.model import Plan
from schemas.codes import Measure


class State(IntEnum):
    """The state of a figure: all markers other than `not applicable` mean that it is missing."""

    MISSING = 0
    NOT_APPLICABLE = 1
    VALUED = 2


States: TypeAlias = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison; every array has shape (n,). `value` is NaN and `steps` 0 where there is no value.

    `source` is the index among the entries of the figure that was used, even if the value was computed from it; -1
    if there is none.
    """

    state: States
    steps: Ints
    value: Floats
    source: Ints

    @property
    def has_value(self) -> Bools:
        """Where there is a value."""
        return np.equal(self.state, State.VALUED)

    @property
    def is_not_applicable(self) -> Bools:
        """Where the figure is not applicable."""
        return np.equal(self.state, State.NOT_APPLICABLE)

    @property
    def speaks(self) -> Bools:
        """Where there is a value, or the figure is not applicable."""
        return np.not_equal(self.state, State.MISSING)

    def at(self, place: Ints) -> "Side":
        """The figures at indices, in their order."""
        return Side(self.state[place], self.steps[place], self.value[place], self.source[place])

    def replaced(self, where: Bools, other: "Side") -> "Side":
        """This side, with the other's figures where the condition holds."""
        return Side(
            np.where(where, other.state, self.state),
            np.where(where, other.steps, self.steps),
            np.where(where, other.value, self.value),
            np.where(where, other.source, self.source),
        )

    def without(self, where: Bools) -> "Side":
        """This side, not applicable where the condition holds and there is a figure."""
        nothing = np.where(self.speaks, np.int8(State.NOT_APPLICABLE), np.int8(State.MISSING))
        return Side(
            np.where(where, nothing, self.state),
            np.where(where, 0, self.steps),
            np.where(where, np.nan, self.value),
            self.source,
        )


def states(has_value: Bools, is_not_applicable: Bools) -> States:
    """The states of figures; a value counts whatever its marker. Shape (n,)."""
    without = np.where(is_not_applicable, np.int8(State.NOT_APPLICABLE), np.int8(State.MISSING))
    return np.where(has_value, np.int8(State.VALUED), without)


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one measure by key, ascending, shape (m,); `side` has one more, at -1, for no figure.

    So has `pieces`: the piece of `Leaves` that holds for each figure's period.
    """

    keys: Ints
    side: Side
    pieces: Ints

    def part(self, start: int, end: int) -> "Table":
        """The figures from one index to another, and one more for no figure."""
        side = self.side
        with_nothing = Side(
            np.append(side.state[start:end], np.int8(State.MISSING)),
            np.append(side.steps[start:end], 0),
            np.append(side.value[start:end], np.nan),
            np.append(side.source[start:end], -1),
        )
        return Table(self.keys[start:end], with_nothing, np.append(self.pieces[start:end], 0))

    def find(self, keys: Ints) -> Ints:
        """The index of each key, -1 if it is absent; shape (n,)."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, place, -1)

    def find_latest(self, series: Ints, slot: Ints) -> Ints:
        """The index of each series' last figure at or before a slot, -1 if it has none; shape (n,)."""
        place = np.searchsorted(self.keys, series * SPAN + slot, side="right") - 1
        if not len(self.keys):
            return place
        return np.where((place >= 0) & (self.keys[place] // SPAN == series), place, -1)

    def slots(self, place: Ints) -> Ints:
        """The slot at each index, -1 if there is no figure; shape (n,)."""
        return np.where(place >= 0, np.append(self.keys, -1)[place] % SPAN, -1)

    def at(self, place: Ints) -> Side:
        """The figures at the indices."""
        return self.side.at(place)


@dataclass(frozen=True, slots=True)
class Rows:
    """The actuals to judge, ascending by key; every array has shape (n,). `order` is the original index of each.

    `piece` is the piece of `Leaves` by which each is judged.
    `numerator` and `denominator` are in steps of the last of six decimals, 0 unless it `has_parts`: both of them.
    """

    order: Ints
    series: Ints
    leaf: Ints
    piece: Ints
    slot: Ints
    year_slot: Ints
    quarter: Ints
    is_break: Bools
    now: Side
    numerator: Ints
    denominator: Ints
    has_parts: Bools

    @property
    def is_year(self) -> Bools:
        """Where the period is a whole year."""
        return np.equal(self.quarter, 0)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All figures, ready for lookup by the rows to judge.

    Every number that a row is given is one of its own edition, or of one that compares with it, in steps of the row's
    own decimals: what does not compare is not applicable.
    `breaks` counts the quarters with a break in series before each index of the actuals; shape (n + 1,). `returned` is
    how many of the entries are the partners'; the others are the plan's. The partners are numbered from 1, in the order
    of `partner_codes`. `new_bodies` are those of `Entries`.
    """

    rows: Rows
    leaves: Leaves
    tables: Mapping[str, Table]
    breaks: Ints
    new_bodies: Ints
    returned: int
    partner_codes: tuple[str, ...]

    def find(self, measure: str, slot: Ints) -> Side:
        """The figure of each row's series at a slot: the partner's own row, otherwise that of every partner."""
        return self._comparing(self._side(measure, self._places(measure, slot)), slot)

    def compares(self, slot: Ints) -> Bools:
        """Where figures of a slot compare with each row's: neither what is counted nor for whom changes between."""
        rows, leaves = self.rows, self.leaves
        compares = np.ones(len(slot), dtype=np.bool_)
        if self._has_eras:
            compares = leaves.era[leaves.piece(rows.leaf, slot)] == leaves.era[rows.piece]
        if len(self.new_bodies):
            base = rows.series * SPAN
            then, now = (
                np.searchsorted(self.new_bodies, base + last_quarter(each), side="right") for each in (slot, rows.slot)
            )
            compares = compares & (then == now)
        return compares

    @property
    def _has_eras(self) -> bool:
        return bool(self.leaves.era.any())

    def _comparing(self, side: Side, slot: Ints) -> Side:
        """A side whose figures are of a slot, without those that do not compare."""
        if not (self._has_eras or len(self.new_bodies)):
            return side
        return side.without(~self.compares(slot))

    def _side(self, measure: str, place: Ints) -> Side:
        """The figures at indices of a measure's table, in steps of the rows' decimals."""
        table, decimals = self.tables[measure], self.leaves.decimals
        side = table.at(place)
        if len(decimals) == len(self.leaves.places):
            return side
        others = np.flatnonzero(side.has_value & (decimals[table.pieces[place]] != decimals[self.rows.piece]))
        if not len(others):
            return side
        side.steps[others] = to_steps(side.value[others], decimals[self.rows.piece[others]])
        return side

    def has_row(self, measure: str, slot: Ints) -> Bools:
        """Whether the partner, or every partner, has a row for each row's series at a slot, even without a value."""
        return self._places(measure, slot) >= 0

    def is_planned_for_partner(self, measure: str, slot: Ints) -> Bools:
        """Whether the plan has a row for each row's own series at a slot, rather than for every partner."""
        place = self.tables[measure].find(self._own_keys(slot))
        return (place >= 0) & (self.tables[measure].side.source[place] >= self.returned)

    def is_own(self, measure: str, slot: Ints) -> Bools:
        """Whether there is a row of each row's own series at a slot, returned or planned."""
        return self.tables[measure].find(self._own_keys(slot)) >= 0

    def find_actual_or_history(self, slot: Ints) -> Side:
        """The actual of each row's series at a slot; if there is none, the history."""
        actual = self.find(Measure.ACTUAL, slot)
        return actual.replaced(~actual.speaks, self.find(Measure.HISTORY, slot))

    def find_latest(self, measure: str) -> Side:
        """The figure of the latest financial year up to each row's; in the same year the partner's own comes first."""
        table, until = self.tables[measure], self.rows.year_slot
        if self._has_eras:
            # Where an edition ends within the year, the year's own figure is of the next one.
            until = np.where(self.compares(until), until, until - SLOTS)
        own = table.find_latest(self.rows.series, until)
        plans = table.find_latest(self.rows.leaf, until)
        latest = np.where(table.slots(own) >= table.slots(plans), own, plans)
        return self._comparing(self._side(measure, latest), np.maximum(table.slots(latest), 0))

    def has_break(self, after: Ints, until: Ints) -> Bools:
        """Whether a quarter of each row's series after a slot, and up to another, has a break in series."""
        if not self.breaks[-1]:
            return np.zeros(len(after), dtype=np.bool_)
        first, last = self._between(self.rows.series, after, until)
        return self.breaks[last] > self.breaks[first]

    def find_breaks(self, row: int, after: int, until: int) -> list[int]:
        """The indices of the quarters for which `has_break` is true of one row, ascending."""
        (first,), (last,) = self._between(self.rows.series[row : row + 1], np.array([after]), np.array([until]))
        return [place for place in range(first, last) if self.breaks[place + 1] > self.breaks[place]]

    def _between(self, series: Ints, after: Ints, until: Ints) -> tuple[Ints, Ints]:
        """The index of the first actual of each series after a slot, and that after the last one up to another."""
        keys, base = self.tables[Measure.ACTUAL].keys, series * SPAN
        first, last = (np.searchsorted(keys, base + slot, side="right") for slot in (after, until))
        return first, last

    def _own_keys(self, slot: Ints) -> Ints:
        return self.rows.series * SPAN + slot

    def _places(self, measure: str, slot: Ints) -> Ints:
        """The index of the partner's own row, otherwise of that of every partner, otherwise -1; shape (n,)."""
        table = self.tables[measure]
        place = table.find(self._own_keys(slot))
        silent = np.flatnonzero(place < 0)
        place[silent] = table.find(self.rows.leaf[silent] * SPAN + slot[silent])
        return place


def read_ledger(figures: Figures, plan: Plan, leaves: Leaves) -> Ledger:
    """Arrange the figures, followed by the plan's own. `judge` describes the errors."""
    entries = read_entries(figures, plan, leaves)
    places, ends = _sorted_places(entries)
    every = _table(entries, places, leaves)
    tables = {
        measure: every.part(*between) for measure, between in zip(entries.measures, pairwise([0, *ends]), strict=True)
    }
    # The plan has no actuals, and its entries come after the figures: an index is a row of the figures.
    own = entries.measures.index(Measure.ACTUAL)
    rows = _rows(entries, places[ends[own - 1] if own else 0 : ends[own]], tables[Measure.ACTUAL], leaves)
    breaks = np.append(0, np.cumsum(rows.is_break & ~rows.is_year))
    return Ledger(rows, leaves, tables, breaks, entries.new_bodies, entries.returned, entries.partner_codes)


def _sorted_places(entries: Entries) -> tuple[Ints, list[int]]:
    """The indices of the entries by measure and key, and where each measure ends; a repeated key is an error."""
    used = np.flatnonzero(entries.measure >= 0)
    places = used[np.lexsort((entries.key[used], entries.measure[used]))]
    keys, measures = entries.key[places], entries.measure[places]
    repeated = np.flatnonzero((keys[1:] == keys[:-1]) & (measures[1:] == measures[:-1]))
    if len(repeated):
        measure = str(entries.measures[measures[repeated[0]]])
        raise ValueError(f"two figures of measure {measure!r} for one partner, indicator and period")
    return places, np.searchsorted(measures, np.arange(1, len(entries.measures) + 1)).tolist()


def _table(entries: Entries, places: Ints, leaves: Leaves) -> Table:
    """The figures at indices in their order, whatever their measures."""
    keys = entries.key[places]
    value = entries.value[places]
    has_value = ~np.isnan(value)
    pieces = leaves.piece(leaf_of(keys, leaves), keys % SPAN)
    steps = to_steps(value, leaves.decimals[pieces])
    state = states(has_value, entries.is_not_applicable[places])
    return Table(keys, Side(state, steps, value, places), pieces)


def _rows(entries: Entries, places: Ints, actuals: Table, leaves: Leaves) -> Rows:
    slot = actuals.keys % SPAN
    quarter = slot % SLOTS
    numerator, denominator = entries.numerator[places], entries.denominator[places]
    has_parts = ~(np.isnan(numerator) | np.isnan(denominator))
    parts = (
        to_steps(np.where(has_parts, part, np.nan), np.full(len(places), PART_DECIMALS))
        for part in (numerator, denominator)
    )
    return Rows(
        order=places,
        series=actuals.keys // SPAN,
        leaf=leaf_of(actuals.keys, leaves),
        piece=actuals.pieces[:-1],
        slot=slot,
        year_slot=slot - quarter,
        quarter=quarter,
        is_break=entries.is_break[places],
        now=actuals.at(np.arange(len(places))),
        numerator=next(parts),
        denominator=next(parts),
        has_parts=has_parts,
    )
