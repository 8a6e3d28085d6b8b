"""The noise flag: each rule with a figure that meets it, one that does not, and the boundary between them."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.judgement.outlook.points import RUN, whole_units
from cypp_etl.judgement.outlook.variation import LEAST_RANGES, Noise, Ratio, Scale
from schemas.codes import Accumulation, Unit, Variation
from tests.support.series import Steps, noise_of_counts, noise_of_course

PERCENT = Scale(Unit.PERCENT, 1, Accumulation.LATEST)
EVENTS = Scale(Unit.NUMBER, 0, Accumulation.SUM)
RATE = Scale(Unit.RATE, 1, Accumulation.LATEST)

_Steps = list[int | None]


def _changes(figures: Steps) -> _Steps:
    """The changes of quarters on the same quarter of the year before."""
    before = [None, None, None, None, *figures]
    return [
        None if ours is None or theirs is None else ours - theirs for ours, theirs in zip(figures, before, strict=False)
    ]


def _of_course(figures: Steps, scale: Scale = PERCENT) -> Noise:
    return noise_of_course(scale, figures, _changes(figures))


def _units(figures: tuple[float, float], decimals: int) -> int:
    now, before = whole_units(np.array(figures), np.full(2, decimals)).tolist()
    return int(now - before)


def _of_shares(ours: tuple[int, int], theirs: tuple[int, int]) -> Variation:
    now, before = (round(100 * hits / size, 1) for hits, size in (ours, theirs))
    ratios = [Ratio(*ours), Ratio(*theirs)]
    return noise_of_counts(PERCENT, (now, before), _units((now, before), 1), ratios).variation


def _of_events(ours: int, theirs: int, scale: Scale = EVENTS) -> Noise:
    return noise_of_counts(scale, (ours, theirs), ours - theirs)


def test_a_difference_of_proportions_is_judged_as_published() -> None:
    """Newcombe 1998, table II: 56/70 less 48/80 is 0.0524 to 0.3339; 9/10 less 3/10 is 0.1705 to 0.8090."""
    assert _of_shares((56, 70), (48, 80)) is Variation.BEYOND
    assert _of_shares((56, 70), (54, 70)) is Variation.WITHIN


def test_small_numbers_are_small_on_either_side() -> None:
    """Six of twenty who were never there, and six of twenty who always were, are the same story."""
    for hits, other_hits in ((0, 6), (6, 0)):
        assert _of_shares((hits, 20), (other_hits, 20)) is Variation.SMALL
        assert _of_shares((20 - hits, 20), (20 - other_hits, 20)) is Variation.SMALL
    assert _of_shares((0, 20), (10, 20)) is Variation.BEYOND
    assert _of_shares((20, 20), (10, 20)) is Variation.BEYOND
    assert _of_shares((5, 104), (4, 112)) is Variation.SMALL
    assert _of_shares((5, 104), (5, 112)) is Variation.WITHIN


def test_counts_of_events_are_judged_exactly() -> None:
    assert _of_events(374, 212).variation is Variation.BEYOND
    assert _of_events(44, 60) == Noise(Variation.WITHIN, "exact binomial test of two counts")
    assert _of_events(1, 8).variation is Variation.SMALL
    assert _of_events(1, 9).variation is Variation.BEYOND
    assert _of_events(2, 8).variation is Variation.WITHIN


def test_rates_of_events_are_judged_over_their_bases() -> None:
    def of_rates(ours: Ratio, theirs: Ratio) -> Variation:
        now, before = (100_000 * one.numerator / one.denominator for one in (ours, theirs))
        return noise_of_counts(RATE, (now, before), _units((now, before), 1), [ours, theirs]).variation

    assert of_rates(Ratio(39, 24_000), Ratio(50, 24_100)) is Variation.WITHIN
    assert of_rates(Ratio(39, 24_000), Ratio(90, 24_100)) is Variation.BEYOND
    assert of_rates(Ratio(1, 100), Ratio(9, 10_000)) is Variation.WITHIN, "bases a hundred times apart"


@pytest.mark.parametrize(
    ("scale", "ratios"),
    [
        (Scale(Unit.NUMBER, 1, Accumulation.LATEST), [None, None]),
        (Scale(Unit.NUMBER, 0, Accumulation.LATEST), [None, None]),
        (Scale(Unit.NUMBER, 1, Accumulation.LATEST), [Ratio(32_000, 100), Ratio(30_000, 100)]),
        (Scale(Unit.RATE, 1, Accumulation.LATEST), [Ratio(32_000, 100), Ratio(30_000, 100)]),
        (Scale(Unit.NUMBER, 2, Accumulation.SUM), [None, None]),
        (Scale(Unit.PERCENT, 1, Accumulation.LATEST), [Ratio(320, 100), Ratio(300, 100)]),
        (Scale(Unit.PERCENT, 1, Accumulation.LATEST), [Ratio(10.5, 100), Ratio(30, 100)]),
        (Scale(Unit.MONEY, 0, Accumulation.SUM), [Ratio(32_000, 100), Ratio(30_000, 100)]),
        (Scale(Unit.DAYS, 0, Accumulation.CUMULATIVE), [Ratio(320, 1000), Ratio(300, 1000)]),
        (Scale(Unit.SCORE, 0, Accumulation.LATEST), [Ratio(320, 1000), Ratio(300, 1000)]),
    ],
    ids=[
        "an average score",
        "a whole score, or persons on a day",
        "an average score with points and pupils",
        "points a pupil as a rate",
        "millions of pounds",
        "no share",
        "no whole numbers",
        "a spending",
        "days lost",
        "a score",
    ],
)
def test_what_is_no_count_is_not_judged_as_one(scale: Scale, ratios: list[Ratio | None]) -> None:
    assert noise_of_counts(scale, (320.0, 300.0), 20, ratios).variation is Variation.UNKNOWN


def test_counts_that_move_the_other_way_than_the_figure_are_not_its_counts() -> None:
    counts = (Ratio(50, 100), Ratio(80, 100))
    assert noise_of_counts(PERCENT, (80.0, 50.0), 300, counts).variation is Variation.UNKNOWN
    assert noise_of_counts(PERCENT, (50.0, 80.0), -300, counts).variation is Variation.BEYOND


def test_where_nothing_changed_nothing_is_beyond() -> None:
    assert _of_course([661] * 8) == Noise(Variation.WITHIN, "there is no change")
    wild: _Steps = [661, 1, 999, 300, 5, 870, 420, 640, 1, 2, 3, 4, 640, 640, 640, 640, 640, 640]
    assert _of_course([*wild, 640, 640]).variation is Variation.WITHIN
    # The shares differ by chance of a thousandth of the last decimal.
    counts = (Ratio(661_400, 1_000_000), Ratio(660_600, 1_000_000))
    assert noise_of_counts(PERCENT, (66.1, 66.1), 0, counts).variation is Variation.WITHIN


def test_a_flat_series_makes_no_limits() -> None:
    flat: _Steps = [661] * 12
    assert _of_course([*flat, 662]) == Noise(
        Variation.UNKNOWN, "the earlier changes repeat each other, and make no process limits"
    )
    # A yearly figure that is returned each quarter varies from year to year, not from quarter to quarter.
    yearly: _Steps = [one for one in (600, 620, 610, 605) for _ in range(4)]
    assert _of_course([*yearly, 640]).variation is Variation.UNKNOWN


def test_limits_are_of_the_changes_and_about_no_change() -> None:
    # Changes of 3, -2, 3, -2, 3, -2: five moving ranges of 5, so 13.3, and a unit for two roundings.
    figures: _Steps = [500, 500, 500, 500, 503, 498, 503, 498, 506, 496]
    assert _of_course([*figures, 517]).variation is Variation.WITHIN
    beyond = _of_course([*figures, 518])
    assert beyond.variation is Variation.BEYOND
    assert beyond.method == (
        "special cause variation: a single point outside process limits of 1.4 either way of no change"
    )
    assert _of_course([*figures, 489]).variation is Variation.WITHIN
    assert _of_course([*figures, 488]).variation is Variation.BEYOND
    assert _of_course(figures).method == (
        f"process limits need {LEAST_RANGES} pairs of earlier changes in neighbouring periods, and there are 4"
    )
    assert _of_course(figures[:7]).method.endswith("and there is 1")


def test_two_of_three_changes_close_to_a_limit_are_beyond() -> None:
    steady: _Steps = [-30, 30] * 10

    def told(*last: int) -> Noise:
        changes = [*steady, *last]
        return noise_of_course(PERCENT, [], changes)

    # Nineteen ranges of 60 and one of 80 make limits of 162.26; two thirds of it, and a unit, are 109.17.
    assert told(110, 109).variation is Variation.WITHIN
    assert told(110, 110) == Noise(
        Variation.BEYOND,
        "special cause variation: two out of three points close to process limits of 16.3 either way of no change",
    )
    assert told(109, 110).variation is Variation.WITHIN, "the one before is not close enough"
    assert told(115, 0, 115).variation is Variation.BEYOND, "it need not be the one just before"
    assert told(115, 0, 0, 115).variation is Variation.WITHIN, "of the last three it is the only one"
    assert told(-115, 115).variation is Variation.WITHIN, "the other is on the other side"
    assert told(115, 10).variation is Variation.WITHIN, "this one is not close"


def test_a_real_rise_on_a_seasonal_series_is_found() -> None:
    """The limits of the figures themselves are as wide as the seasons, and found none of 5,000 rises of 15."""
    chance = np.random.default_rng(4)
    seasons = np.array([400, 600, 800, 500])
    found = 0
    for _ in range(200):
        figures = np.rint(np.tile(seasons, 5) + chance.normal(0, 10, 20)).astype(int)
        figures[-1] += 150
        found += _of_course(figures.tolist()).variation is Variation.BEYOND
    assert found > 190


def test_four_falls_running_are_no_usual_variation() -> None:
    steady: _Steps = [700, 705, 698, 703, 701, 699, 704, 700, 702, 698, 703, 701]
    assert _of_course(steady).variation is Variation.WITHIN
    assert _of_course([*steady, 680, 660, 640, 620]).variation is Variation.BEYOND


def test_gaps_are_not_closed_up() -> None:
    known: _Steps = [500, 500, 500, 500, 503, 498, 503, 498, 506, 496, 518]
    assert _of_course(known).variation is Variation.BEYOND
    with_gap: _Steps = [*known[:6], None, *known[6:]]
    # Put side by side again they would be judged as before; in their own quarters few changes have a neighbour.
    assert _of_course(with_gap).variation is Variation.UNKNOWN


def _climbing(figures: Steps, changes: Steps) -> Noise:
    return noise_of_course(PERCENT, figures, changes)


def test_a_shift_is_seven_changes_on_one_side() -> None:
    changes: _Steps = [10, 20, 5, 10, 30, 20, 10]
    figures: _Steps = [None] * RUN
    assert _climbing(figures, changes) == Noise(
        Variation.BEYOND, "special cause variation: a shift, 7 points running above the year before"
    )
    assert _climbing(figures, changes[1:]).variation is Variation.UNKNOWN
    for broken in (0, -5, None):
        assert _climbing(figures, [10, broken, *changes[2:]]).variation is not Variation.BEYOND
    falling = noise_of_course(PERCENT, figures, [-10] * RUN)
    assert falling.method == "special cause variation: a shift, 7 points running below the year before"


def test_a_trend_is_seven_points_that_rise_or_fall() -> None:
    rising: _Steps = [500, 501, 502, 503, 505, 506, 510]
    nothing: _Steps = [None] * (RUN - 1)
    assert _climbing(rising, [*nothing, 10]) == Noise(
        Variation.BEYOND, "special cause variation: a trend, 7 points running that rise"
    )
    assert _climbing(rising[1:], [*nothing, 10]).variation is Variation.UNKNOWN
    for broken in (501, 499, None):
        assert _climbing([500, 501, broken, *rising[3:]], [*nothing, 10]).variation is Variation.UNKNOWN
    assert noise_of_course(PERCENT, rising, [*nothing, -10]).variation is Variation.UNKNOWN, "the other way"


def test_figures_that_add_up_within_the_year_are_judged_by_counts_alone() -> None:
    cumulative = Scale(Unit.PERCENT, 1, Accumulation.CUMULATIVE)
    assert noise_of_course(cumulative, [], [10] * RUN).variation is Variation.UNKNOWN
    assert _of_events(374, 212, Scale(Unit.NUMBER, 0, Accumulation.CUMULATIVE)).variation is Variation.BEYOND


@pytest.mark.parametrize(
    ("value", "decimals", "units"),
    [(66.1, 1, 661), (70.95, 1, 710), (-0.25, 1, -3), (0.05, 1, 1), (0.04, 1, 0), (1.005, 2, 101), (1e15, 0, 10**15)],
)
def test_figures_are_counted_in_units_of_their_last_decimal(value: float, decimals: int, units: int) -> None:
    assert whole_units(np.array([value]), np.array([decimals])).tolist() == [units]


_FIGURES = st.lists(st.one_of(st.none(), st.integers(-1000, 1000)), min_size=5, max_size=24).filter(
    lambda figures: None not in (figures[-1], figures[-5])
)


@given(_FIGURES)
def test_a_series_turned_upside_down_is_told_alike(figures: _Steps) -> None:
    turned: _Steps = [None if one is None else -one for one in figures]
    assert _of_course(figures).variation is _of_course(turned).variation


@given(_FIGURES, st.integers(-500, 500))
def test_a_series_moved_as_a_whole_is_told_alike(figures: _Steps, by: int) -> None:
    assert _of_course(figures) == _of_course([None if one is None else one + by for one in figures])


@given(_FIGURES, st.lists(st.integers(-300, 300), min_size=4, max_size=4))
def test_seasons_cancel_out_of_the_limits(figures: _Steps, seasons: list[int]) -> None:
    seasonal: _Steps = [None if one is None else one + seasons[place % 4] for place, one in enumerate(figures)]
    ours, theirs = _of_course(figures), _of_course(seasonal)
    # Rises running are seen in the figures themselves, where a season can hide or make one.
    if not any("trend" in one.method for one in (ours, theirs)):
        assert ours == theirs


@given(_FIGURES)
def test_a_larger_change_is_no_more_usual(figures: _Steps) -> None:
    if _of_course(figures).variation is Variation.BEYOND:
        now, before = figures[-1], figures[-5]
        assert now is not None and before is not None
        assert _of_course([*figures[:-1], now + (1 if now > before else -1)]).variation is Variation.BEYOND


@given(st.lists(st.integers(-1000, 1000), min_size=12, max_size=24))
def test_limits_are_those_of_an_xmr_chart(figures: list[int]) -> None:
    changes = _changes(figures)
    earlier = [one for one in changes[4:-1] if one is not None]
    ranges = [abs(after - before) for before, after in pairwise(earlier)]
    told = _of_course([*figures])
    if "process limits of" in told.method:
        is_outside = 100 * len(ranges) * (abs(changes[-1] or 0) - 1) > 266 * sum(ranges)
        assert ("a single point" in told.method) == is_outside


@pytest.mark.slow
def test_the_manual_has_the_tables_of_the_simulation() -> None:
    root = Path(__file__).parents[3]
    printed = subprocess.check_output([sys.executable, "benchmarks/variation.py"], cwd=root, text=True)
    manual = (root / "docs/board.md").read_text("utf-8")
    for table in printed.strip().split("\n\n"):
        assert table in manual
