"""Converts a frame of figures, and the plan's own, to columns of numbers: every row gets an integer key.

A series is one indicator of one partner. In it each period has a slot: five per financial year, the whole year first,
then its quarters. Series and slot make the key. The plan's figures for every partner have keys as if partner 0 had
returned them, and those of one partner as if that partner had, unless it really has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from cypp_etl.judgement.leaves import SLOTS, SPAN, TEXT, Leaves, slot_of
from cypp_etl.judgement.rounding import Bools, Floats, Ints
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Figure, Plan
from schemas.codes import Marker, Measure

MEASURES = tuple(Measure)

PART_DECIMALS = 6
"""The decimals with which numerators and denominators are added up."""

_LARGEST_PART = 10**12
_NO_BODIES: Ints = np.zeros(0, dtype=np.int64)

_OF_QUARTERS_TOO = [MEASURES.index(each) for each in (Measure.ACTUAL, Measure.HISTORY, Measure.TARGET)]


@dataclass(frozen=True, slots=True)
class Entries:
    """Figures of all measures, first the frame's rows, then the plan's; every array has shape (n,).

    `measures` are the plan's, and `measure` an index into them, -1 if the figure is not used. `numerator` and
    `denominator` are NaN where there is none. `returned` is how many rows the frame has. The frame's partners, whose
    codes are `partner_codes`, are numbered from 1. `new_bodies` are the keys, ascending, at which a partner's series
    starts again because it takes over another's; their shape is their own.
    """

    measures: tuple[str, ...]
    partner_codes: tuple[str, ...]

    measure: Ints
    key: Ints
    value: Floats
    is_not_applicable: Bools
    is_break: Bools
    new_bodies: Ints
    numerator: Floats
    denominator: Floats
    returned: int


def read_entries(figures: pd.DataFrame, plan: Plan, leaves: Leaves) -> Entries:
    """Number the figures and the plan's own.

    Raises:
        ValueError: an indicator is not in the plan, or a measure or period is invalid.
    """
    owners, partners = pd.factorize(figures["partner_code"])
    measures, partner_codes = measures_of(plan), tuple(map(str, partners))
    own = _own_entries(figures, owners + 1, leaves, measures)
    plans = _plan_entries(planned_figures(figures, plan), partner_codes, leaves, measures)
    # What a partner has returned comes before what the plan says of it, even without a value.
    is_returned = np.isin(_names(plans), _names(own))
    return Entries(
        measures=measures,
        partner_codes=partner_codes,
        measure=np.concatenate([own.measure, np.where(is_returned, -1, plans.measure)]),
        key=np.concatenate([own.key, plans.key]),
        value=np.concatenate([own.value, plans.value]),
        is_not_applicable=np.concatenate([own.is_not_applicable, plans.is_not_applicable]),
        is_break=np.concatenate([own.is_break, plans.is_break]),
        new_bodies=_new_bodies(partner_codes, plan),
        numerator=np.concatenate([own.numerator, plans.numerator]),
        denominator=np.concatenate([own.denominator, plans.denominator]),
        returned=own.returned,
    )


def measures_of(plan: Plan) -> tuple[str, ...]:
    """The measures that figures may have: those that every plan has, and the plan's own comparators."""
    return (*MEASURES, *(code for code in plan.comparators if code not in set(MEASURES)))


class Planned(NamedTuple):
    """A figure of the plan's: for every partner if `partner_code` is empty."""

    partner_code: str
    measure: str
    indicator: str
    period: Period
    figure: Figure


def planned_figures(figures: pd.DataFrame, plan: Plan) -> list[Planned]:
    """The plan's own figures that are used in judging a frame, in the order of their entries: it has no actuals."""
    return [row for row in _planned(figures, plan) if row.measure != Measure.ACTUAL]


def _planned(figures: pd.DataFrame, plan: Plan) -> Iterator[Planned]:
    for key, figure in plan.figures.items():
        yield Planned("", *key, figure)
    if plan.partner_figures:
        judged = set(figures["indicator"].unique())
        for partner_code in figures["partner_code"].unique():
            for key, figure in plan.partner_figures.get(partner_code, {}).items():
                if key[1] in judged:
                    yield Planned(partner_code, *key, figure)


def leaf_of(keys: Ints, leaves: Leaves) -> Ints:
    """The index in the plan of each key's indicator; shape (n,)."""
    return keys // SPAN % max(len(leaves.names), 1)


def period_of(slot: int) -> Period:
    """The period of a slot."""
    return Period(*divmod(slot, SLOTS))


def _names(entries: Entries) -> Ints:
    """Measure and key of each entry as one number; shape (n,)."""
    # One more than there are measures, because one that is not used is -1.
    return entries.key * (len(entries.measures) + 1) + entries.measure


def _own_entries(figures: pd.DataFrame, owner: Ints, leaves: Leaves, measures: tuple[str, ...]) -> Entries:
    """The frame's figures; `owner` is the number of each one's partner, from 1."""
    leaf = _places(figures["indicator"], leaves.names)
    slot = _slots(figures["period"])
    return Entries(
        measures=measures,
        partner_codes=(),
        measure=_that_count(_places(figures["measure"], pd.Index([str(each) for each in measures])), slot),
        key=(owner * len(leaves.names) + leaf) * SPAN + slot,
        value=figures["value"].to_numpy(dtype=np.float64),
        is_not_applicable=(figures["marker"] == Marker.NOT_APPLICABLE.value).to_numpy(dtype=np.bool_),
        is_break=figures["is_break"].to_numpy(dtype=np.bool_),
        new_bodies=_NO_BODIES,
        numerator=_parts(figures, "numerator"),
        denominator=_parts(figures, "denominator"),
        returned=len(figures),
    )


def _new_bodies(codes: tuple[str, ...], plan: Plan) -> Ints:
    """The keys at which the series of these partners, numbered from 1, start again."""
    if not plan.taken_over:
        return _NO_BODIES
    places = {name: place for place, name in enumerate(plan.indicators)}
    keys = [
        (number * len(places) + places[indicator]) * SPAN + slot_of(first)
        for number, code in enumerate(codes, start=1)
        for indicator, first in plan.taken_over.get(code, ())
    ]
    return np.array(sorted(keys), dtype=np.int64)


def _parts(figures: pd.DataFrame, name: str) -> Floats:
    """A frame's numerators or denominators; NaN for all if it has no such column, and for what is too large to add."""
    if name not in figures:
        return np.full(len(figures), np.nan)
    parts = figures[name].to_numpy(dtype=np.float64)
    return np.where(np.abs(parts) <= _LARGEST_PART, parts, np.nan)


def _plan_entries(
    rows: list[Planned], partner_codes: tuple[str, ...], leaves: Leaves, measures: tuple[str, ...]
) -> Entries:
    """The plan's targets, history and comparators; partners are numbered from 1 in their given order."""
    number_of = {partner_code: number for number, partner_code in enumerate(["", *partner_codes])}
    leaf = _places(pd.Series([row.indicator for row in rows], dtype=TEXT), leaves.names)
    owner = np.array([number_of[row.partner_code] for row in rows], dtype=np.int64)
    slot = np.array([slot_of(row.period) for row in rows], dtype=np.int64)
    place_of = {measure: place for place, measure in enumerate(measures)}
    measure = np.array([place_of[row.measure] for row in rows], dtype=np.int64)
    values = [row.figure.value for row in rows]
    return Entries(
        measures=measures,
        partner_codes=partner_codes,
        measure=_that_count(measure, slot),
        key=(owner * len(leaves.names) + leaf) * SPAN + slot,
        value=np.array([np.nan if value is None else float(value) for value in values], dtype=float),
        is_not_applicable=np.array([row.figure.marker is Marker.NOT_APPLICABLE for row in rows], dtype=np.bool_),
        is_break=np.zeros(len(rows), dtype=np.bool_),
        new_bodies=_NO_BODIES,
        numerator=np.full(len(rows), np.nan),
        denominator=np.full(len(rows), np.nan),
        returned=0,
    )


def _places(column: "pd.Series[str]", known: pd.Index) -> Ints:
    """The index of each text of a column among the known ones; shape (n,)."""
    codes, texts = pd.factorize(column, use_na_sentinel=False)
    places = known.get_indexer(texts)
    if np.any(places < 0):
        raise ValueError(f"{column.name}: {texts[places < 0][0]!r} is not one of {', '.join(known)}")
    return np.asarray(places, dtype=np.int64)[codes]


def _slots(column: "pd.Series[str]") -> Ints:
    """The slot of each period's code; shape (n,)."""
    codes, texts = pd.factorize(column, use_na_sentinel=False)
    return np.array([slot_of(parse_period(str(text))) for text in texts], dtype=np.int64)[codes]


def _that_count(measure: Ints, slot: Ints) -> Ints:
    """The measures, with -1 for comparators of a quarter: comparators are published for years."""
    return np.where((slot % SLOTS == 0) | np.isin(measure, _OF_QUARTERS_TOO), measure, -1)
