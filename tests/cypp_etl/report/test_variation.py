"""The noise flag against published examples, and at its edges."""

import pytest

from cypp_etl.report.variation import Noise, Ratio, Variation, noise, wilson, xmr_limits
from schemas.codes import Unit

NONE = (None, None)


def test_wilson_is_the_published_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662, and 0 of 20 gives 0 to 0.1611."""
    assert wilson(Ratio(81, 263)) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(Ratio(0, 20)) == pytest.approx((0, 0.1611), abs=5e-5)


def test_a_difference_of_proportions_is_judged_as_published() -> None:
    """Newcombe 1998, table II: 56/70 less 48/80 is 0.0524 to 0.3339; 9/10 less 3/10 is 0.1705 to 0.8090."""
    assert _told(Ratio(56, 70), Ratio(48, 80)) is Variation.BEYOND
    assert _told(Ratio(9, 10), Ratio(3, 10)) is Variation.BEYOND
    assert _told(Ratio(56, 70), Ratio(54, 70)) is Variation.WITHIN


def _told(ours: Ratio, theirs: Ratio, unit: Unit = Unit.PERCENT) -> Variation:
    return noise(unit, 1, 2, (ours, theirs), []).variation


def test_counts_are_judged_as_poisson() -> None:
    assert noise(Unit.NUMBER, 374, 212, NONE, []).variation is Variation.BEYOND
    assert noise(Unit.NUMBER, 44, 60, NONE, []) == Noise(Variation.WITHIN, "Poisson variance of two counts")
    assert _told(Ratio(158, 262), Ratio(71, 254), Unit.RATE) is Variation.BEYOND


def test_few_events_are_said_to_be_few() -> None:
    assert noise(Unit.NUMBER, 1, 8, NONE, []).variation is Variation.SMALL
    assert _told(Ratio(5, 104), Ratio(4, 112)) is Variation.SMALL
    assert _told(Ratio(5, 104), Ratio(5, 112)) is Variation.WITHIN


def test_limits_need_six_points_and_are_those_of_an_xmr_chart() -> None:
    course = [10.0, 12.0, 11.0, 13.0, 12.0, 14.0]
    assert xmr_limits(course) == pytest.approx((12 - 2.66 * 1.6, 12 + 2.66 * 1.6))
    assert noise(Unit.PERCENT, 17, 12, NONE, course).variation is Variation.BEYOND
    assert noise(Unit.PERCENT, 16, 12, NONE, course).variation is Variation.WITHIN
    assert noise(Unit.PERCENT, 17, 12, NONE, course[:5]).variation is Variation.UNKNOWN


def test_without_a_figure_nothing_can_be_told() -> None:
    assert noise(Unit.PERCENT, None, 1, NONE, []).variation is Variation.UNKNOWN
    assert noise(Unit.NUMBER, 50, None, NONE, []).variation is Variation.UNKNOWN
