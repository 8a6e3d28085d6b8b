"""Series of quarters of which the noise is told, made of what each test is about."""

from collections.abc import Sequence

from cypp_etl.judgement.outlook.series import Point, Series
from cypp_etl.judgement.outlook.variation import Noise, Ratio, Scale
from cypp_etl.periods import Period
from cypp_etl.plan.rhythm import QUARTERLY

Steps = Sequence[int | None]

_LAST = Period(2030, 4)


def noise_of_course(scale: Scale, figures: Steps, changes: Steps) -> Noise:
    """The noise of the last of some quarters that follow each other.

    Figures and their changes on the year before are in whole units of the last decimal, None for a gap; both end with
    the quarter that is asked about.
    """
    length = max(len(figures), len(changes))
    both = zip(_padded(figures, length), _padded(changes, length), strict=True)
    points: dict[Period, Point] = {}
    period = _LAST
    for figure, change in reversed(list(both)):
        if figure is not None or change is not None:
            # What is asked about has a figure, whichever it is.
            known = 0 if figure is None and period == _LAST else figure
            points[period] = _point(scale, period, *(_in_unit(one, scale) for one in (known, change)))
        period = QUARTERLY.before(period)
    return Series(points).noise(_LAST, scale, QUARTERLY)


def noise_of_counts(
    scale: Scale, figures: tuple[float, float], change: int, ratios: Sequence[Ratio | None] = (None, None)
) -> Noise:
    """The noise of a figure beside last year's, with the counts returned with each; the change is in whole units."""
    before = _LAST.years_later(-1)
    ours = _point(scale, _LAST, figures[0], _in_unit(change, scale))._replace(
        previous_actual=figures[1], ratio=ratios[0]
    )
    theirs = _point(scale, before, figures[1], None)._replace(ratio=ratios[1])
    return Series({_LAST: ours, before: theirs}).noise(_LAST, scale, QUARTERLY)


def _padded(column: Steps, length: int) -> list[int | None]:
    return [None] * (length - len(column)) + [*column]


def _in_unit(units: int | None, scale: Scale) -> float | None:
    return None if units is None else units / 10**scale.decimals


def _point(scale: Scale, period: Period, figure: float | None, change: float | None) -> Point:
    before = period.years_later(-1)
    return Point(scale.decimals, figure, change, 0.0, before, False, None, False, None)
