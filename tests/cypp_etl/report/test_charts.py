"""Charts: where lines, dots and figures stand."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.report.charts import Line, chart, sparkline

_VALUES = st.floats(-1e6, 1e9, allow_nan=False).map(lambda value: round(value, 3))


def _heights(path: str) -> list[float]:
    """The heights that a path goes through."""
    return [float(height) for height in re.findall(r"[ML][\d.-]+ ([\d.-]+)", path)]


def test_a_gap_parts_a_line_and_a_lone_point_is_a_dash() -> None:
    drawn = sparkline([1, 2, None, 2, None, None], None, "A title")
    assert drawn is not None
    (curve,) = drawn.curves
    assert re.fullmatch(r"M\S+ \S+L\S+ \S+M\S+ \S+h4", curve.path)
    assert curve.dots.count("h0") == 1
    assert curve.dots.startswith("M59.2 "), "the last point that is known is marked"
    assert drawn.title == "A title"


def test_nothing_known_is_not_drawn() -> None:
    assert sparkline([None, None], 3.0, "") is None
    assert chart(["a", "b"], [Line("Target", "target", [None, None])], "") is None


def test_a_target_is_within_the_drawing_however_far_it_is() -> None:
    drawn = sparkline([1.0, 2.0], 100.0, "")
    assert drawn is not None
    target, actual = drawn.curves
    assert (target.style, target.path) == ("target", "M0 4H100")
    assert _heights(actual.path) == [24, 23.8], "higher figures stand higher"


def test_lines_are_named_in_a_row_and_those_without_figures_are_left_out() -> None:
    lines = [
        Line("Performance", "actual", [1, 2]),
        Line("Target", "target", [None, None]),
        Line("National", "national", [1, 1]),
    ]
    drawn = chart(["09/10", "10/11"], lines, "")
    assert drawn is not None
    assert [one.text for one in drawn.names] == ["Performance", "National"]
    assert drawn.names[0].x < drawn.names[1].x
    assert [one.text for one in drawn.periods] == ["09/10", "10/11"]
    assert [bool(one.dots) for one in drawn.curves] == [True, False]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([97.8, 99.3], ["97.5", "98.0", "98.5", "99.0", "99.5"]),
        ([0, 5], ["0", "1", "2", "3", "4", "5"]),
        ([0, 5.1], ["0", "2", "4", "6"]),
        ([-3, 3], ["-4", "-2", "0", "2", "4"]),
        ([1500, 900], ["800", "1,000", "1,200", "1,400", "1,600"]),
        ([4], ["2", "3", "4", "5", "6"]),
        ([0, 0], ["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
        ([0.01, 0.00], ["0.000", "0.002", "0.004", "0.006", "0.008", "0.010"]),
    ],
)
def test_levels_are_round(values: list[float], said: list[str]) -> None:
    drawn = chart([str(place) for place in range(len(values))], [Line("", "actual", values)], "")
    assert drawn is not None
    assert [one.text for one in drawn.levels] == said


def test_a_unit_stands_between_the_names_of_lines_and_the_figures() -> None:
    plain = chart(["09/10", "10/11"], [Line("Performance", "actual", [900, 1500])], "")
    drawn = chart(["09/10", "10/11"], [Line("Performance", "actual", [900, 1500])], "", "£ per child")
    assert plain is not None and drawn is not None
    assert (plain.unit, [one.text for one in drawn.unit]) == ((), ["£ per child"])
    assert drawn.names == plain.names
    assert drawn.names[0].y < drawn.unit[0].y < drawn.levels[-1].y - 9, "a line of text apart from the highest figure"
    moved = drawn.height - plain.height
    assert moved > 0
    assert [one.y - moved for one in drawn.levels] == [one.y for one in plain.levels], "nothing is pressed together"
    assert [one.y - moved for one in drawn.periods] == [one.y for one in plain.periods]


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("x" * 60, ["x" * 60]),
        (f"{'x' * 60} y", ["x" * 60, "y"]),
        ("x" * 120, ["x" * 60] * 2),
        (f"{'x' * 60} {'y' * 50} z " + "z" * 60, ["x" * 60, f"{'y' * 50} z …"]),
    ],
    ids=["one line", "just longer", "one long word", "longer than two lines"],
)
def test_a_long_unit_goes_on_in_a_second_line_and_ends_there(unit: str, said: list[str]) -> None:
    drawn = chart(["10/11"], [Line("", "actual", [1])], "", unit)
    assert drawn is not None
    assert [one.text for one in drawn.unit] == said
    assert drawn.unit[-1].y < drawn.levels[-1].y - 9


def test_long_figures_move_the_curves_and_not_the_names() -> None:
    short, long = (chart(["10/11"], [Line("Target", "target", [value])], "") for value in (1.0, 4e12))
    assert short is not None and long is not None
    assert long.names == short.names
    assert long.levels[0].x > short.levels[0].x
    assert all(6 * len(one.text) <= one.x for one in (*short.levels, *long.levels)), "no digit is wider than this"
    assert long.periods[0].x > short.periods[0].x


@given(st.lists(_VALUES | st.none(), min_size=1, max_size=8))
def test_every_figure_stands_between_two_levels(values: list[float | None]) -> None:
    drawn = chart([""] * len(values), [Line("", "actual", values)], "")
    known = [value for value in values if value is not None]
    if not known:
        assert drawn is None
        return
    assert drawn is not None
    levels = [float(one.text.replace(",", "")) for one in drawn.levels]
    assert 2 <= len(levels) <= 7
    assert all(low < high for low, high in pairwise(levels))
    assert levels[0] <= min(known) + 1e-9
    assert max(known) <= levels[-1] + 1e-9
    heights = _heights(drawn.grid)
    assert all(heights[-1] - 0.1 <= height <= heights[0] + 0.1 for height in _heights(drawn.curves[0].dots))
