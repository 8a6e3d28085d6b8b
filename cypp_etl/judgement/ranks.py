"""How the members of a group stand to each other: their ranks, and the quartiles of their figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from statistics import quantiles

import numpy as np

from cypp_etl.judgement.leaves import read_leaves, slot_of
from cypp_etl.judgement.rounding import Ints, divide_half_away, to_steps, to_values
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan

_QUARTERS = {1: "best quarter", 2: "second quarter", 3: "third quarter", 4: "last quarter"}


@dataclass(frozen=True, slots=True)
class Place:
    """A member's rank from 1, the best; and which quarter its figure is in, 1 the best, None of too few figures."""

    rank: int
    quartile: int | None

    @property
    def quarter(self) -> str:
        """Which quarter its figure is in, in words; empty of too few figures."""
        return _QUARTERS[self.quartile] if self.quartile else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The places of members by their codes, without those that have none, and the quartiles of all their figures.

    `quartiles` are the lower one, the median and the upper one in the indicator's unit, whichever way is good; None of
    too few figures.
    """

    places: Mapping[str, Place]
    quartiles: tuple[float, float, float] | None


NO_STANDING = Standing({}, None)


def standing(plan: Plan, indicator: str, period: Period, figures: Mapping[str, float | None]) -> Standing:
    """Rank the members of a group by their figures of a period, and find the quartiles.

    Figures are rounded to the indicator's decimals and compared by their gain, as everywhere (docs/judgements.md).
    Equal figures share the better rank, and the next rank is left out: 1, 2, 2, 4. Nobody is ranked where no direction
    is good. Figures that depend on the size of a body neither rank nor make quartiles.

    Quartiles are those of definition 7 of Hyndman and Fan (Sample Quantiles in Statistical Packages, The American
    Statistician 50, 1996, 361-365), which is QUARTILE.INC of Excel and the default of R and NumPy; they are exact, and
    rounded to the decimals once. A figure that is one of them is in the better quarter. There are none of fewer figures
    than `quartiles_from` of the plan's body.csv says.

    Args:
        plan: the plan.
        indicator: one of its leaves.
        period: the period that the figures are of.
        figures: the year to date of each member by its code, in the indicator's unit; None where there is none.
    """
    leaf = plan.edition(indicator, period)
    known = {code: figure for code, figure in figures.items() if figure is not None}
    if not known or not leaf.compares_bodies:
        return NO_STANDING
    leaves = read_leaves(plan)
    piece = leaves.piece(np.array([leaves.places[indicator]]), np.array([slot_of(period)])).repeat(len(known))
    steps = to_steps(np.array([*known.values()], dtype=np.float64), leaves.decimals[piece])
    is_enough = len(known) >= plan.body.quartiles_from
    quartiles = _in_unit(_quartiles(steps), leaf.decimals) if is_enough else None
    if not leaf.is_ranked:
        return Standing({}, quartiles)
    # The gain over one figure, whichever it is, puts all in order.
    gains = leaves.gain(piece, steps, np.full_like(steps, steps[0]))
    cuts = _quartiles(gains) if is_enough else None
    places = {
        code: Place(1 + int(np.sum(gains > gain)), None if cuts is None else _quarter(gain, cuts))
        for code, gain in zip(known, gains.tolist(), strict=True)
    }
    return Standing(places, quartiles)


def _quartiles(numbers: Ints) -> list[Fraction]:
    return quantiles(map(Fraction, numbers.tolist()), n=4, method="inclusive")


def _quarter(gain: int, cuts: list[Fraction]) -> int:
    """Which quarter a gain is in, 1 the best."""
    return 1 + sum(gain < cut for cut in cuts)


def _in_unit(cuts: list[Fraction], decimals: int) -> tuple[float, float, float]:
    above, below = (
        np.array([getattr(cut, part) for cut in cuts], dtype=object) for part in ("numerator", "denominator")
    )
    steps = divide_half_away(above, below).astype(np.int64)
    lower, median, upper = to_values(steps, np.full(len(cuts), decimals)).tolist()
    return lower, median, upper
