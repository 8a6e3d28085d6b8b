"""Converts a frame of figures, and the plan's own, to columns of numbers: every row gets an integer key.

A series is one indicator of one partner. In it each period has a slot: five per financial year, the whole year first,
then its quarters. Series and slot make the key. The plan's own figures have keys as if partner 0 had returned them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cypp_etl.judgement.leaves import SLOTS, SPAN, TEXT, Leaves, slot_of
from cypp_etl.judgement.rounding import Bools, Floats, Ints
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Figure, Plan
from schemas.codes import Marker, Measure

MEASURES = tuple(Measure)

_OF_QUARTERS_TOO = [MEASURES.index(each) for each in (Measure.ACTUAL, Measure.HISTORY, Measure.TARGET)]


@dataclass(frozen=True, slots=True)
class Entries:
    """Figures of all measures, first the frame's rows, then the plan's; every array has shape (n,).

    `measure` is an index into MEASURES, -1 if the figure is not used. `new_bodies` are the keys, ascending, at which a
    partner's series begins anew because it takes over another's; their shape is their own.
    """

    measure: Ints
    key: Ints
    value: Floats
    is_not_applicable: Bools
    is_break: Bools
    new_bodies: Ints


def read_entries(figures: pd.DataFrame, plan: Plan, leaves: Leaves) -> Entries:
    """Number the figures and the plan's own.

    Raises:
        ValueError: an indicator is not in the plan, or a measure or period is invalid.
    """
    own, plans = _own_entries(figures, plan, leaves), _plan_entries(plan, leaves)
    return Entries(
        measure=np.concatenate([own.measure, plans.measure]),
        key=np.concatenate([own.key, plans.key]),
        value=np.concatenate([own.value, plans.value]),
        is_not_applicable=np.concatenate([own.is_not_applicable, plans.is_not_applicable]),
        is_break=np.concatenate([own.is_break, plans.is_break]),
        new_bodies=own.new_bodies,
    )


def planned_figures(plan: Plan) -> list[tuple[tuple[Measure, str, Period], Figure]]:
    """The plan's own figures that are used in judging, in the order of their entries: it has no actuals."""
    return [(key, figure) for key, figure in plan.figures.items() if key[0] is not Measure.ACTUAL]


def leaf_of(keys: Ints, leaves: Leaves) -> Ints:
    """The index in the plan of each key's indicator; shape (n,)."""
    return keys // SPAN % max(len(leaves.names), 1)


def period_of(slot: int) -> Period:
    """The period of a slot."""
    return Period(*divmod(slot, SLOTS))


def _own_entries(figures: pd.DataFrame, plan: Plan, leaves: Leaves) -> Entries:
    owners, codes = pd.factorize(figures["partner_code"])
    owner = owners + 1
    leaf = _places(figures["indicator"], leaves.names)
    slot = _slots(figures["period"])
    return Entries(
        measure=_that_count(_places(figures["measure"], pd.Index([each.value for each in MEASURES])), slot),
        key=(owner * len(leaves.names) + leaf) * SPAN + slot,
        value=figures["value"].to_numpy(dtype=np.float64),
        is_not_applicable=(figures["marker"] == Marker.NOT_APPLICABLE.value).to_numpy(dtype=np.bool_),
        is_break=figures["is_break"].to_numpy(dtype=np.bool_),
        new_bodies=_new_bodies(list(codes), plan),
    )


def _new_bodies(codes: list[str], plan: Plan) -> Ints:
    """The keys at which the series of these partners, numbered from 1, begin anew."""
    if not plan.taken_over:
        return np.zeros(0, dtype=np.int64)
    places = {name: place for place, name in enumerate(plan.indicators)}
    keys = [
        (number * len(places) + places[indicator]) * SPAN + slot_of(first)
        for number, code in enumerate(codes, start=1)
        for indicator, first in plan.taken_over.get(code, ())
    ]
    return np.array(sorted(keys), dtype=np.int64)


def _plan_entries(plan: Plan, leaves: Leaves) -> Entries:
    """The plan's targets, history and comparators."""
    rows = planned_figures(plan)
    leaf = _places(pd.Series([indicator for (_, indicator, _), _ in rows], dtype=TEXT), leaves.names)
    slot = np.array([slot_of(period) for (_, _, period), _ in rows], dtype=np.int64)
    measure = np.array([MEASURES.index(measure) for (measure, _, _), _ in rows], dtype=np.int64)
    return Entries(
        measure=_that_count(measure, slot),
        key=leaf * SPAN + slot,
        value=np.array([np.nan if figure.value is None else float(figure.value) for _, figure in rows], dtype=float),
        is_not_applicable=np.array([figure.marker is Marker.NOT_APPLICABLE for _, figure in rows], dtype=np.bool_),
        is_break=np.zeros(len(rows), dtype=np.bool_),
        new_bodies=np.zeros(0, dtype=np.int64),
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
