"""Comparators: figures that are given, or computed from those of other bodies for the same period."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cypp_etl.judgement.leaves import SPAN
from cypp_etl.judgement.ledger import Ledger, Side
from cypp_etl.judgement.rounding import Bools, Ints, divide_half_away
from cypp_etl.judgement.targets import spread_to_date
from cypp_etl.judgement.year_to_date import parts_to_date, ratio_of, side_of, year_to_date
from cypp_etl.plan.model import Comparator, Plan
from schemas.codes import ComparatorMethod, Measure

_FITS = 2**62


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparator's figure for each row to judge, and the number of bodies that it was computed from; shape (n,).

    `bodies` is 0 where the figure is given, or where there is none.
    """

    side: Side
    bodies: Ints


@dataclass(frozen=True, slots=True)
class Gathered:
    """The figures of bodies for each of some series and periods, with a column for each body; shape (n, bodies).

    `piece` is the piece of `Leaves` that holds for each, and `place` the index of each body's row, -1 where it has no
    such figure.
    """

    piece: Ints
    place: Ints

    def sum_of(self, numbers: Ints, counts: Bools) -> Ints:
        """The exact sum of what counts, as Python's whole numbers where 64 bits might not do; shape (n,)."""
        chosen = np.where(counts, numbers[self.place], 0)
        largest = int(np.abs(chosen).max(initial=0))
        if largest * max(self.place.shape[1], 1) * 2 >= _FITS:
            chosen = chosen.astype(object)
        total: Ints = chosen.sum(axis=1)
        return total


def compare_all(ledger: Ledger, plan: Plan) -> Mapping[str, Compared]:
    """The figures of every comparator of the plan, and of the two that every judgement has, by code."""
    codes = dict.fromkeys((Measure.STATISTICAL_NEIGHBOURS.value, Measure.NATIONAL.value, *plan.comparators))
    return {code: _compared(ledger, plan, code) for code in codes}


def bodies_counted(ledger: Ledger, plan: Plan, comparator: Comparator, rows: Ints) -> list[list[tuple[str, int]]]:
    """For each of some rows the partners whose figures make a comparator, and the index of each one's row."""
    pool_of, members = _pools(ledger, plan, comparator)
    owner, leaf = np.divmod(ledger.rows.series[rows], len(ledger.leaves.places))
    bodies = members[pool_of[owner]]
    gathered = gather(ledger, bodies, leaf, ledger.rows.slot[rows])
    counts = _counting(ledger, plan, comparator, gathered)
    return [
        [
            (ledger.partner_codes[body - 1], place)
            for body, place, is_counted in zip(*columns, strict=True)
            if is_counted
        ]
        for columns in zip(bodies.tolist(), gathered.place.tolist(), counts.tolist(), strict=True)
    ]


def gather(ledger: Ledger, bodies: Ints, leaf: Ints, slot: Ints) -> Gathered:
    """The rows of bodies for series and periods; `bodies` has shape (n, bodies), 0 for none, the others (n,)."""
    keys = (bodies * len(ledger.leaves.places) + leaf[:, None]) * SPAN + slot[:, None]
    place = ledger.tables[Measure.ACTUAL].find(keys.ravel()).reshape(keys.shape)
    return Gathered(ledger.leaves.piece(leaf, slot), np.where(bodies > 0, place, -1))


def ratio_of_sums(gathered: Gathered, ledger: Ledger, numerator: Ints, denominator: Ints, counts: Bools) -> Side:
    """The sum of numerators over the sum of denominators, times the multiplier, rounded; none without a denominator."""
    above, below = (gathered.sum_of(part, counts) for part in (numerator, denominator))
    return ratio_of(above, below, np.asarray(counts.any(axis=1)), gathered.piece, ledger)


def _compared(ledger: Ledger, plan: Plan, code: str) -> Compared:
    comparator, none = plan.comparators.get(code), np.zeros(len(ledger.rows.slot), dtype=np.int64)
    if comparator is None:
        return Compared(side_of(none, none > 0, ledger.rows.piece, ledger), none)
    if comparator.is_given:
        # It is of a whole year. What is computed is of the row's own period already.
        return Compared(spread_to_date(ledger, ledger.find_latest(code)), none)
    return _computed(ledger, plan, comparator)


def _computed(ledger: Ledger, plan: Plan, comparator: Comparator) -> Compared:
    rows, leaves = ledger.rows, len(ledger.leaves.places)
    pool_of, members = _pools(ledger, plan, comparator)
    # Partners that are compared with the same bodies have one figure: it is computed once.
    asked = (pool_of[rows.series // leaves] * leaves + rows.leaf) * SPAN + rows.slot
    distinct, place = np.unique(asked, return_inverse=True)
    pool, leaf = np.divmod(distinct // SPAN, leaves)
    gathered = gather(ledger, members[pool], leaf, distinct % SPAN)
    counts = _counting(ledger, plan, comparator, gathered)
    side = _pooled(ledger, comparator.method, gathered, counts)
    bodies = np.where(side.has_value, counts.sum(axis=1), 0)
    return Compared(side.at(place), bodies[place])


def _pools(ledger: Ledger, plan: Plan, comparator: Comparator) -> tuple[Ints, Ints]:
    """The number of the bodies of each partner, and the bodies of each number: shapes (partners + 1,), (pools, most).

    Bodies are partners by number, 0 for none; the first pool is empty.
    """
    number_of = {code: number for number, code in enumerate(ledger.partner_codes, start=1)}
    pools: dict[tuple[int, ...], int] = {(): 0}
    pool_of = [0]
    for code in ledger.partner_codes:
        known = (number_of.get(body) for body in plan.bodies_of(comparator, code))
        pool_of.append(pools.setdefault(tuple(number for number in known if number), len(pools)))
    members = np.zeros((len(pools), max(1, *map(len, pools))), dtype=np.int64)
    for bodies, pool in pools.items():
        members[pool, : len(bodies)] = bodies
    return np.array(pool_of, dtype=np.int64), members


def _counting(ledger: Ledger, plan: Plan, comparator: Comparator, gathered: Gathered) -> Bools:
    """Where a body's figure counts: it has a value, or, for a ratio, a numerator and a denominator."""
    if not len(ledger.rows.slot):
        return np.zeros(gathered.place.shape, dtype=np.bool_)
    if comparator.method is ComparatorMethod.RATIO:
        _, _, has = parts_to_date(ledger)
    else:
        has = year_to_date(ledger).has_value
    counts: Bools = (gathered.place >= 0) & has[gathered.place]
    return counts


def _pooled(ledger: Ledger, method: ComparatorMethod, gathered: Gathered, counts: Bools) -> Side:
    if method is ComparatorMethod.RATIO:
        numerator, denominator, _ = parts_to_date(ledger)
        return ratio_of_sums(gathered, ledger, numerator, denominator, counts)
    steps, number = year_to_date(ledger).steps, counts.sum(axis=1)
    is_known = number > 0
    if method is ComparatorMethod.MEDIAN:
        # Those that do not count come last.
        in_order = np.sort(np.where(counts, steps[gathered.place], np.iinfo(np.int64).max), axis=1)
        every, number = np.arange(len(number)), np.maximum(number, 1)
        middle = in_order[every, (number - 1) // 2], in_order[every, number // 2]
        total = np.where(is_known, middle[0], 0) + np.where(is_known, middle[1], 0)
        return side_of(divide_half_away(total, 2), is_known, gathered.piece, ledger)
    total = gathered.sum_of(steps, counts)
    if method is ComparatorMethod.MEAN:
        total = divide_half_away(total, np.maximum(number, 1))
    return side_of(total, is_known, gathered.piece, ledger)
