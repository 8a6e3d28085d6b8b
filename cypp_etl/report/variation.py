"""Whether a change is more than noise: in addition to the arrow, which follows the rule alone.

If a figure's counts are known, they show how far chance alone would move it: for a percentage, Newcombe's interval
for the difference of two proportions, made of Wilson's intervals (Statistics in Medicine 17, 1998, method 10); for a
count, or a rate of events, the Poisson variance of the difference. If not, its own history shows it: the
limits of an XmR chart, the mean and 2.66 mean moving ranges either way (Wheeler, Understanding Variation, 1993).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import sqrt

from schemas.codes import Unit

LEAST_EVENTS = 10
"""Fewer events than this in both periods together are small numbers: one case more or less changes the arrow."""

LEAST_POINTS = 6
"""Fewer earlier periods than this give no limits."""

_Z = 1.959964
_XMR = 2.66


class Variation(StrEnum):
    """The possible assessments of a change."""

    BEYOND = "beyond usual variation"
    WITHIN = "within usual variation"
    SMALL = "rests on small numbers"
    UNKNOWN = "not enough data"


@dataclass(frozen=True, slots=True)
class Ratio:
    """The counts behind a figure."""

    numerator: float
    denominator: float


@dataclass(frozen=True, slots=True)
class Noise:
    """The assessment of a change, and its method."""

    variation: Variation
    method: str


def noise(
    unit: Unit,
    now: float | None,
    before: float | None,
    counts: tuple[Ratio | None, Ratio | None],
    course: Sequence[float],
) -> Noise:
    """Assess whether a figure differs from an earlier one by more than chance.

    Args:
        unit: the unit of the figures.
        now: the figure.
        before: the one that the direction of travel compares it with.
        counts: the counts behind now and before, if they are known.
        course: the figures of the periods before now, in order, without gaps filled.
    """
    if now is None or before is None:
        return Noise(Variation.UNKNOWN, "there is no figure to compare with")
    ours, theirs = counts
    if unit is Unit.NUMBER and min(now, before) >= 0:
        ours, theirs = Ratio(now, 1), Ratio(before, 1)
    if ours and theirs and min(ours.denominator, theirs.denominator) > 0:
        return _noise_of_counts(unit, ours, theirs)
    if len(course) < LEAST_POINTS:
        return Noise(Variation.UNKNOWN, f"{len(course)} earlier periods, and limits need {LEAST_POINTS}")
    low, high = xmr_limits(course)
    return _told(not low <= now <= high, f"XmR limits of {len(course)} earlier periods")


def _noise_of_counts(unit: Unit, ours: Ratio, theirs: Ratio) -> Noise:
    if ours.numerator + theirs.numerator < LEAST_EVENTS:
        return Noise(Variation.SMALL, f"fewer than {LEAST_EVENTS} events in both periods together")
    if unit is Unit.PERCENT and _is_share(ours) and _is_share(theirs):
        return _told(_proportions_differ(ours, theirs), "Wilson intervals of two proportions")
    what = "counts" if unit is Unit.NUMBER else "rates"
    return _told(_rates_differ(ours, theirs), f"Poisson variance of two {what}")


def wilson(ratio: Ratio) -> tuple[float, float]:
    """Wilson's 95% interval of a proportion."""
    n, p = ratio.denominator, ratio.numerator / ratio.denominator
    centre = p + _Z**2 / (2 * n)
    spread = _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return (centre - spread) / scale, (centre + spread) / scale


def xmr_limits(course: Sequence[float]) -> tuple[float, float]:
    """The natural process limits of at least two points."""
    mean = sum(course) / len(course)
    ranges = [abs(after - before) for before, after in pairwise(course)]
    spread = _XMR * sum(ranges) / len(ranges)
    return mean - spread, mean + spread


def _told(differs: bool, method: str) -> Noise:
    return Noise(Variation.BEYOND if differs else Variation.WITHIN, method)


def _is_share(ratio: Ratio) -> bool:
    return 0 <= ratio.numerator <= ratio.denominator


def _proportions_differ(ours: Ratio, theirs: Ratio) -> bool:
    p, q = ours.numerator / ours.denominator, theirs.numerator / theirs.denominator
    (low_p, high_p), (low_q, high_q) = wilson(ours), wilson(theirs)
    lower = p - q - sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    upper = p - q + sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return not lower <= 0 <= upper


def _rates_differ(ours: Ratio, theirs: Ratio) -> bool:
    difference = ours.numerator / ours.denominator - theirs.numerator / theirs.denominator
    variance = ours.numerator / ours.denominator**2 + theirs.numerator / theirs.denominator**2
    return abs(difference) > _Z * sqrt(variance)
