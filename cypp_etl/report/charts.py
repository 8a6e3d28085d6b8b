"""Where the marks of charts stand: lines over periods, made for paper and for screen readers.

`svg.py` draws them, and the style sheet says how each kind of line looks: its dashes distinguish it
where colours cannot. All places are in units of the drawing, from its upper left corner.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from textwrap import wrap

Values = Sequence[float | None]

_SPARK = (100, 28)
_SPARK_EDGE = 4
_CHART = (480, 168)
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 474, 26, 148
"""Between these lie the curves of a chart: figures stand left of them, periods below, and the names of lines above.

Longer figures move the curves to the right, and the words of a unit, which stand below the names, move them down.
"""
_LETTER = 5
"""The width of a letter at the chart's size of text, on average, with some room: what is drawn is not measured."""
_DIGIT = 6
"""The width of a digit, which has to fit between the edge and the curves in every font."""
_LINE = 12
"""From one line of text to the next."""
_UNIT_WIDTH = 60
"""As many letters as fit into a line even if they are wide."""
_UNIT_LINES = 2
_KEY_WIDTH = 20
_KEY_HEIGHT = 10
_MOST_STEPS = 5
_ALONE = 4
"""A gap in a line leaves isolated points: each is a dash of this length."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: `style` is one of actual, target, neighbours and national."""

    label: str
    style: str
    values: Values


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A line as a path of SVG, and another of its dots: lines without length, whose round ends are seen.

    `key` is the path of the stroke beside its name.
    """

    style: str
    path: str
    dots: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing with what it shows in words: curves, figures beside level lines, periods, and names of lines.

    `grid` is the path of the level lines, `unit` the words of the unit of the figures beside them, line by line.
    """

    style: str
    title: str
    width: int
    height: int
    curves: tuple[Curve, ...]
    levels: tuple[Mark, ...] = ()
    periods: tuple[Mark, ...] = ()
    names: tuple[Mark, ...] = ()
    grid: str = ""
    unit: tuple[Mark, ...] = ()


def sparkline(values: Values, target: float | None, title: str) -> Drawing | None:
    """A line small enough for a table's cell, its last point marked, with the target; None where nothing is known."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    width, height = _SPARK
    low, high = _spread(known if target is None else [*known, target])
    places = _places(len(values), _SPARK_EDGE, width - _SPARK_EDGE)
    points = _points(places, values, (low, high), (height - _SPARK_EDGE, _SPARK_EDGE))
    last = [point for point in points if point][-1:]
    curves = [Curve("actual", _path(points), _dots(last))]
    if target is not None:
        level = _height(target, (low, high), (height - _SPARK_EDGE, _SPARK_EDGE))
        curves.insert(0, Curve("target", f"M0 {level:g}H{width}"))
    return Drawing("spark", title, width, height, tuple(curves))


def chart(labels: Sequence[str], lines: Sequence[Line], title: str, unit: str = "") -> Drawing | None:
    """Lines over periods, each named at the top; None where no line has a value.

    The words of the unit stand above the figures; those of a long one go on in a second line, and end there.
    """
    drawn = [line for line in lines if any(value is not None for value in line.values)]
    if not drawn:
        return None
    known = [value for line in drawn for value in line.values if value is not None]
    step, count = _steps(*_spread(known))
    low, high = step * count[0], step * count[-1]
    decimals = max(0, -floor(log10(step)))
    figures = [f"{step * number:,.{decimals}f}" for number in count]
    left = max(_LEFT, _DIGIT * max(map(len, figures)) + 4)
    words = wrap(unit, _UNIT_WIDTH, max_lines=_UNIT_LINES, placeholder=" …")
    top, bottom = _TOP + _LINE * len(words), _BOTTOM + _LINE * len(words)
    places = _places(len(labels), *_inside(left, len(labels)))
    curves, names, at = [], [], float(_LEFT)
    for line in drawn:
        points = _points(places, line.values, (low, high), (bottom, top))
        dots = _dots(points) if line.style == "actual" else ""
        curves.append(Curve(line.style, _path(points), dots, f"M{at:g} {_KEY_HEIGHT}h{_KEY_WIDTH}"))
        names.append(Mark(round(at + _KEY_WIDTH + 4, 1), _KEY_HEIGHT + 3, line.label))
        at += _KEY_WIDTH + 4 + _LETTER * len(line.label) + 14
    heights = [_height(step * number, (low, high), (bottom, top)) for number in count]
    width, height = _CHART
    return Drawing(
        "chart",
        title,
        width,
        height + _LINE * len(words),
        tuple(curves),
        levels=tuple(Mark(left - 4, round(place + 3, 1), text) for text, place in zip(figures, heights, strict=True)),
        periods=tuple(Mark(place, bottom + 14, label) for place, label in zip(places, labels, strict=True)),
        names=tuple(names),
        grid="".join(f"M{left} {place:g}H{_RIGHT}" for place in heights),
        unit=tuple(Mark(0, _KEY_HEIGHT + 3 + _LINE * number, text) for number, text in enumerate(words, 1)),
    )


def _inside(left: float, count: int) -> tuple[float, float]:
    """From where to where the periods of a chart stand, so that the first and the last label have room."""
    edge = (_RIGHT - left) / (2 * count)
    return left + edge, _RIGHT - edge


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest of values, apart where there is but one."""
    low, high = min(values), max(values)
    if low == high:
        apart = abs(low) / 2 or 1
        return low - apart, high + apart
    return low, high


def _steps(low: float, high: float) -> tuple[float, range]:
    """Round steps that reach from a value to another: how far each is, and how many of them each level is from zero."""
    power = 10 ** floor(log10((high - low) / _MOST_STEPS))
    # The last is one of the next power, in case that dividing has rounded.
    step = next(
        step
        for step in (power * size for size in (1, 2, 5, 10, 20))
        if ceil(high / step) - floor(low / step) <= _MOST_STEPS
    )
    return step, range(floor(low / step), ceil(high / step) + 1)


def _places(count: int, first: float, last: float) -> list[float]:
    """Places side by side from one to another; one alone stands in the middle."""
    if count == 1:
        return [round((first + last) / 2, 1)]
    return [round(first + (last - first) * number / (count - 1), 1) for number in range(count)]


def _height(value: float, between: tuple[float, float], heights: tuple[float, float]) -> float:
    (low, high), (bottom, top) = between, heights
    return round(bottom + (top - bottom) * (value - low) / (high - low), 1)


def _points(
    places: Sequence[float], values: Values, between: tuple[float, float], heights: tuple[float, float]
) -> list[tuple[float, float] | None]:
    return [
        None if value is None else (place, _height(value, between, heights))
        for place, value in zip(places, values, strict=True)
    ]


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """A line through points, with gaps where there is none."""
    return "".join(_strokes([None, *points, None]))


def _strokes(points: Sequence[tuple[float, float] | None]) -> Iterator[str]:
    for (before, point), (_, after) in pairwise(pairwise(points)):
        if point is None:
            continue
        x, y = point
        if before is not None and before[1] == y:
            # A level line is one stroke, up to where it ends or bends.
            if after is None or after[1] != y:
                yield f"H{x:g}"
        elif before is not None:
            yield f"L{x:g} {y:g}"
        elif after is not None:
            yield f"M{x:g} {y:g}"
        else:
            yield f"M{x - _ALONE / 2:g} {y:g}h{_ALONE}"


def _dots(points: Sequence[tuple[float, float] | None]) -> str:
    return "".join(f"M{point[0]:g} {point[1]:g}h0" for point in points if point)
