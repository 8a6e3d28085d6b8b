"""Series in columns: each is told as if it were alone, whatever is beside it, and however large its figures are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.judgement.outlook.series import Point, Series, noise_of_all
from cypp_etl.judgement.outlook.variation import NO_FIGURE, Noise, Scale
from cypp_etl.periods import Period
from cypp_etl.plan.rhythm import QUARTERLY, Rhythm
from schemas.codes import Accumulation, Frequency, ReportedYear, Unit, Variation, YearType
from tests.support.series import noise_of_course

_PERCENT = Scale(Unit.PERCENT, 1, Accumulation.LATEST)
_TWICE_A_YEAR = Rhythm(Frequency.QUARTERLY, (1, 3), YearType.FINANCIAL, ReportedYear.THIS_YEAR)
_PERIODS = [period for year in range(2005, 2011) for period in (Period(year), *Period(year).quarters)]

_Steps = list[int | None]


def _points(figures: dict[Period, int], broken: frozenset[Period] = frozenset()) -> dict[Period, Point]:
    """The points of figures in tenths, each compared with the same period of the year before."""
    found = {}
    for period, figure in figures.items():
        before = period.years_later(-1)
        last = figures.get(before)
        change = None if last is None else (figure - last) / 10
        actual = None if last is None else last / 10
        found[period] = Point(1, figure / 10, change, actual, before, False, None, period in broken, None)
    return found


_SERIES = st.dictionaries(st.sampled_from(_PERIODS), st.integers(600, 606), min_size=1)


@given(st.lists(st.tuples(_SERIES, st.frozensets(st.sampled_from(_PERIODS), max_size=2)), min_size=1, max_size=5))
def test_many_series_are_told_as_each_alone(drawn: list[tuple[dict[Period, int], frozenset[Period]]]) -> None:
    each = [_points(figures, broken) for figures, broken in drawn]
    series = [Series(points) for points in each]
    about = [
        (number, period, rhythm)
        for rhythm in (QUARTERLY, _TWICE_A_YEAR)
        for number, points in enumerate(each)
        for period in points
    ]
    not_judged = (series[0], Period(1990, 1), _PERCENT, QUARTERLY)
    asked = [(series[number], period, _PERCENT, rhythm) for number, period, rhythm in about]
    told = noise_of_all([not_judged, *asked])
    assert told == [Series(each[number]).noise(period, _PERCENT, rhythm) for number, period, rhythm in about]
    assert told == [one.noise(period, scale, rhythm) for one, period, scale, rhythm in asked]
    assert series[0].noise(*not_judged[1:]) == NO_FIGURE


def _of_quarters(figures: list[int], broken: frozenset[Period], rhythm: Rhythm) -> Noise:
    quarters = [Period(2005 + place // 4, place % 4 + 1) for place in range(len(figures))]
    points = _points(dict(zip(quarters, figures, strict=True)), broken)
    return Series(points).noise(quarters[-1], _PERCENT, rhythm)


def test_a_quarter_that_is_not_asked_follows_those_that_are() -> None:
    """Its own break ends its course, though no other quarter's course has it."""
    figures = [600 + 3 * (place % 3) for place in range(32)]
    last = Period(2012, 4)
    assert "process limits of" in _of_quarters(figures, frozenset(), _TWICE_A_YEAR).method
    assert _of_quarters(figures, frozenset({last}), _TWICE_A_YEAR).method.endswith("and there are 0")
    assert "process limits of" in _of_quarters(figures, frozenset({Period(2012, 2)}), _TWICE_A_YEAR).method
    assert _of_quarters(figures, frozenset({Period(2012, 3)}), _TWICE_A_YEAR).method.endswith("and there are 0")


@pytest.mark.parametrize("times", [1, 2**31, 10**15])
def test_figures_too_large_for_products_of_64_bits_are_told_alike(times: int) -> None:
    changes: _Steps = [30 * times * (-1) ** place for place in range(20)]
    scale = Scale(Unit.MONEY, 0, Accumulation.LATEST)
    # Nineteen ranges of 60, or so many times that, make limits of 159.6.
    assert noise_of_course(scale, [], [*changes, 158 * times]).variation is Variation.WITHIN
    assert noise_of_course(scale, [], [*changes, 162 * times]).variation is Variation.BEYOND
