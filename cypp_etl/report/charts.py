"""Charts as SVG that stands in the page itself: lines over periods, drawn to be read on paper and read out.

Written by hand, since the page must open offline and stay small: two hundred sparklines of a plotting library are three
to five times as large, and take a second and 75 MB more (docs/decisions/0011).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: `style` is a class of the page's style sheet."""

    label: str
    style: str
    values: Values


@dataclass(frozen=True, slots=True)
class _Scale:
    """How values and places become points of the drawing."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    count: int

    def x(self, place: int) -> float:
        """Across: the places are spread evenly, a single one stands in the middle."""
        if self.count == 1:
            return (self.left + self.right) / 2
        return self.left + (self.right - self.left) * place / (self.count - 1)

    def y(self, value: float) -> float:
        """Down: higher values stand higher."""
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)


def sparkline(values: Values, target: float | None, title: str) -> str:
    """A line small enough for a table's cell, its last point marked, with the target as a dashed line."""
    known = [value for value in (*values, target) if value is not None]
    if not known or all(value is None for value in values):
        return ""
    low, high = min(known), max(known)
    margin = (high - low) * 0.1 or 1
    scale = _Scale(3, 97, 3, 25, low - margin, high + margin, len(values))
    parts = [*_line(values, scale, "actual")]
    if target is not None:
        parts.insert(0, f'<path class="target" d="M0 {scale.y(target):.1f}H100"/>')
    last = max(place for place, value in enumerate(values) if value is not None)
    parts.append(f'<circle class="dot" cx="{scale.x(last):.1f}" cy="{scale.y(_at(values, last)):.1f}" r="2.6"/>')
    return _svg("spark", 100, 28, title, parts)


def chart(labels: Sequence[str], lines: Sequence[Line], title: str) -> str:
    """Lines over periods, each named at the top; empty where no line has a value."""
    known = [value for line in lines for value in line.values if value is not None]
    if not known:
        return ""
    step = _step(max(known) - min(known) or abs(known[0]) or 1)
    low, high = floor(min(known) / step) * step, -floor(-max(known) / step) * step
    scale = _Scale(58, 610, 34, 196, low, high if high > low else low + step, len(labels))
    drawn = [line for line in lines if any(value is not None for value in line.values)]
    parts = [*_axes(labels, scale, step), *_names(drawn)]
    for line in reversed(drawn):
        parts += _line(line.values, scale, line.style)
    for place, value in enumerate(lines[0].values):
        if value is not None:
            parts.append(f'<circle class="dot" cx="{scale.x(place):.1f}" cy="{scale.y(value):.1f}" r="3.5"/>')
    return _svg("chart", 640, 224, title, parts)


def _svg(style: str, width: int, height: int, title: str, parts: Sequence[str]) -> str:
    text = escape(title, quote=True)
    return (
        f'<svg class="{style}" role="img" aria-label="{text}" viewBox="0 0 {width} {height}">'
        f"<title>{text}</title>{''.join(parts)}</svg>"
    )


def _line(values: Values, scale: _Scale, style: str) -> Iterator[str]:
    """A path through the values, broken where there is none; a value between two gaps is a short dash."""
    path, is_drawing = "", False
    for place, value in enumerate(values):
        if value is None:
            is_drawing = False
            continue
        point = f"{scale.x(place):.1f} {scale.y(value):.1f}"
        is_alone = not is_drawing and (place + 1 == len(values) or values[place + 1] is None)
        path += f"L{point}" if is_drawing else f"M{point}" + ("m-6 0h12" if is_alone else "")
        is_drawing = True
    yield f'<path class="{style}" d="{path}"/>'


def _axes(labels: Sequence[str], scale: _Scale, step: float) -> Iterator[str]:
    count = round((scale.high - scale.low) / step)
    places = max(0, -floor(log10(step)))
    for number in range(count + 1):
        value = scale.low + number * step
        y = scale.y(value)
        yield f'<path class="grid" d="M{scale.left} {y:.1f}H{scale.right}"/>'
        # A rounded zero must not come out as -0.
        shown = f"{round(value, places) + 0.0:,.{places}f}"
        yield f'<text class="tick" text-anchor="end" x="52" y="{y + 4:.1f}">{shown}</text>'
    for place, label in enumerate(labels):
        yield f'<text class="tick" text-anchor="middle" x="{scale.x(place):.1f}" y="215">{escape(label)}</text>'


def _names(lines: Sequence[Line]) -> Iterator[str]:
    x = 58.0
    for line in lines:
        yield f'<path class="{line.style}" d="M{x:.0f} 13h24"/>'
        yield f'<text x="{x + 30:.0f}" y="17">{escape(line.label)}</text>'
        x += 48 + 6.6 * len(line.label)


def _step(span: float) -> float:
    """A round step of an axis, so that it has three to seven of them."""
    rough = span / 4
    power: float = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _at(values: Values, place: int) -> float:
    value = values[place]
    return 0.0 if value is None else value
