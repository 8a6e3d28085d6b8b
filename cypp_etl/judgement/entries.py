"""Converts figures, and the plan's own, to columns of numbers: every row gets an integer key.

A series is one indicator of one partner. In it each period has a slot: five per financial year, the whole year first,
then its quarters. Series and slot make the key. The plan's figures for every partner have keys as if partner 0 had
returned them, and those of one partner as if that partner had, unless it really has.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from cypp_etl.caching import once_for_each
from cypp_etl.judgement.leaves import SLOTS, SPAN, Leaves, read_leaves, slot_of
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


_FigureKey: TypeAlias = tuple[str, str, Period]

Text: TypeAlias = npt.NDArray[Any]
"""Texts, or None, as Python's own objects: rows have few different ones, and share them."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures to judge and to judge by, in columns of shape (n,); `judge` says what they mean.

    Those of texts may also be pandas' own arrays. `numerator` and `denominator` are NaN where there is none.
    """

    partner_code: Text
    indicator: Text
    measure: Text
    period: Text
    value: Floats
    marker: Text
    is_break: Bools
    numerator: Floats
    denominator: Floats

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Figures":
        """The columns of a frame, which may have no numerators and denominators."""
        none = np.full(len(frame), np.nan)
        words: dict[str, Any] = {name: frame[name].array for name in _WORDS}
        parts = {name: frame[name].to_numpy(dtype=np.float64) if name in frame else none for name in _PARTS}
        value, is_break = frame["value"].to_numpy(dtype=np.float64), frame["is_break"].to_numpy(dtype=np.bool_)
        return cls(**words, **parts, value=value, is_break=is_break)

    def __len__(self) -> int:
        return len(self.value)


_WORDS = ("partner_code", "indicator", "measure", "period", "marker")
_PARTS = ("numerator", "denominator")


@dataclass(frozen=True, slots=True)
class Entries:
    """Figures of all measures, first those to judge, then the plan's; every array has shape (n,).

    `measures` are the plan's, and `measure` an index into them, -1 if the figure is not used. `numerator` and
    `denominator` are NaN where there is none. `returned` is how many are not the plan's. Their partners, whose codes
    are `partner_codes`, are numbered from 1. `new_bodies` are the keys, ascending, at which a partner's series
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


def read_entries(figures: Figures, plan: Plan, leaves: Leaves) -> Entries:
    """Number the figures and the plan's own.

    Raises:
        ValueError: an indicator is not in the plan, or a measure or period is invalid.
    """
    owners, partners = pd.factorize(figures.partner_code)
    measures, partner_codes = measures_of(plan), tuple(map(str, partners))
    own = _own_entries(figures, owners + 1, leaves, measures)
    plans = [_entries_for_all(plan)]
    if plan.partner_figures:
        plans.append(_plan_entries(_planned_for_partners(figures, plan), partner_codes, leaves, measures))
    # What a partner has returned comes before what the plan says of it, even without a value.
    counting = [np.where(np.isin(_names(each), _names(own)), -1, each.measure) for each in plans]
    every = [own, *plans]
    return Entries(
        measures=measures,
        partner_codes=partner_codes,
        measure=np.concatenate([own.measure, *counting]),
        key=np.concatenate([each.key for each in every]),
        value=np.concatenate([each.value for each in every]),
        is_not_applicable=np.concatenate([each.is_not_applicable for each in every]),
        is_break=np.concatenate([each.is_break for each in every]),
        new_bodies=_new_bodies(partner_codes, plan),
        numerator=np.concatenate([each.numerator for each in every]),
        denominator=np.concatenate([each.denominator for each in every]),
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


def planned_figures(figures: Figures, plan: Plan) -> list[Planned]:
    """The plan's own figures that are used in judging others, in the order of their entries: it has no actuals."""
    return [*_planned_for_all(plan), *_planned_for_partners(figures, plan)]


def _planned_for_all(plan: Plan) -> Iterator[Planned]:
    for key, figure in plan.figures.items():
        if key[0] != Measure.ACTUAL:
            yield Planned("", *key, figure)


def _planned_for_partners(figures: Figures, plan: Plan) -> Iterator[Planned]:
    if not plan.partner_figures:
        return
    keys_of, indicators = _planned_keys(plan), dict.fromkeys(figures.indicator)
    for partner_code in dict.fromkeys(figures.partner_code):
        of_partner = plan.partner_figures.get(partner_code, {})
        if partner_code not in keys_of:
            keys_of[partner_code] = _by_indicator(of_partner)
        for indicator in indicators:
            for key in keys_of[partner_code].get(indicator, ()):
                yield Planned(partner_code, *key, of_partner[key])


@once_for_each
def _planned_keys(_plan: Plan) -> dict[str, Mapping[str, Sequence[_FigureKey]]]:
    """By partner and indicator, for which figures were looked up, none yet: of a national plan, a share needs few."""
    return {}


def _by_indicator(figures: Iterable[_FigureKey]) -> Mapping[str, Sequence[_FigureKey]]:
    """What is planned, but for actuals, by indicator."""
    keys: dict[str, list[_FigureKey]] = {}
    for key in figures:
        if key[0] != Measure.ACTUAL:
            keys.setdefault(key[1], []).append(key)
    return keys


def leaf_of(keys: Ints, leaves: Leaves) -> Ints:
    """The index in the plan of each key's indicator; shape (n,)."""
    return keys // SPAN % max(len(leaves.places), 1)


def period_of(slot: int) -> Period:
    """The period of a slot."""
    return Period(*divmod(slot, SLOTS))


def _names(entries: Entries) -> Ints:
    """Measure and key of each entry as one number; shape (n,)."""
    # One more than there are measures, because one that is not used is -1.
    return entries.key * (len(entries.measures) + 1) + entries.measure


def _own_entries(figures: Figures, owner: Ints, leaves: Leaves, measures: tuple[str, ...]) -> Entries:
    """The figures as they came; `owner` is the number of each one's partner, from 1."""
    leaf = _places("indicator", figures.indicator, leaves.places)
    measure = _places("measure", figures.measure, {str(each): place for place, each in enumerate(measures)})
    slot = _slots(figures.period)
    return Entries(
        measures=measures,
        partner_codes=(),
        measure=_that_count(measure, slot),
        key=(owner * len(leaves.places) + leaf) * SPAN + slot,
        value=figures.value,
        is_not_applicable=np.asarray(figures.marker == Marker.NOT_APPLICABLE.value, dtype=np.bool_),
        is_break=figures.is_break,
        new_bodies=_NO_BODIES,
        numerator=_parts(figures.numerator),
        denominator=_parts(figures.denominator),
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


def _parts(parts: Floats) -> Floats:
    """Numerators or denominators; NaN for what is too large to add."""
    return np.where(np.abs(parts) <= _LARGEST_PART, parts, np.nan)


@once_for_each
def _entries_for_all(plan: Plan) -> Entries:
    """What the plan has for every partner."""
    return _plan_entries(_planned_for_all(plan), (), read_leaves(plan), measures_of(plan))


def _plan_entries(
    planned: Iterable[Planned], partner_codes: tuple[str, ...], leaves: Leaves, measures: tuple[str, ...]
) -> Entries:
    """The plan's targets, history and comparators; partners are numbered from 1 in their given order."""
    rows = list(planned)
    number_of = {partner_code: number for number, partner_code in enumerate(["", *partner_codes])}
    leaf = _places("indicator", np.array([row.indicator for row in rows], dtype=object), leaves.places)
    owner = np.array([number_of[row.partner_code] for row in rows], dtype=np.int64)
    slot = np.array([slot_of(row.period) for row in rows], dtype=np.int64)
    place_of = {measure: place for place, measure in enumerate(measures)}
    measure = np.array([place_of[row.measure] for row in rows], dtype=np.int64)
    values = [row.figure.value for row in rows]
    return Entries(
        measures=measures,
        partner_codes=partner_codes,
        measure=_that_count(measure, slot),
        key=(owner * len(leaves.places) + leaf) * SPAN + slot,
        value=np.array([np.nan if value is None else float(value) for value in values], dtype=float),
        is_not_applicable=np.array([row.figure.marker is Marker.NOT_APPLICABLE for row in rows], dtype=np.bool_),
        is_break=np.zeros(len(rows), dtype=np.bool_),
        new_bodies=_NO_BODIES,
        numerator=np.full(len(rows), np.nan),
        denominator=np.full(len(rows), np.nan),
        returned=0,
    )


def _places(name: str, texts: Text, known: Mapping[str, int]) -> Ints:
    """The place of each text of a column among the known ones; shape (n,)."""
    codes, distinct = pd.factorize(texts, use_na_sentinel=False)
    places = [known.get(text, -1) for text in distinct]
    if -1 in places:
        raise ValueError(f"{name}: {distinct[places.index(-1)]!r} is not one of {', '.join(known)}")
    return np.array(places, dtype=np.int64)[codes]


def _slots(periods: Text) -> Ints:
    """The slot of each period's code; shape (n,)."""
    codes, distinct = pd.factorize(periods, use_na_sentinel=False)
    return np.array([slot_of(parse_period(str(text))) for text in distinct], dtype=np.int64)[codes]


def _that_count(measure: Ints, slot: Ints) -> Ints:
    """The measures, with -1 for comparators of a quarter: comparators are published for years."""
    return np.where((slot % SLOTS == 0) | np.isin(measure, _OF_QUARTERS_TOO), measure, -1)
