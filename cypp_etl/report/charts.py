"""Charts as inline SVG: lines over periods, made for paper and for screen readers.

matplotlib draws them, with text kept as text, so that it can be found and copied and uses the page's font.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from math import nan
from textwrap import fill
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Values = Sequence[float | None]

_INK, _GREY, _GRID = "#0b0c0c", "#505a5f", "#d5d8da"
# The style of each kind of line: dashes distinguish it where colours cannot.
_LOOKS: dict[str, dict[str, Any]] = {
    "actual": {"color": _INK, "linewidth": 1.6, "marker": "o", "markersize": 4, "zorder": 4},
    "target": {"color": "#a8071a", "linewidth": 1.3, "dashes": (4, 3)},
    "neighbours": {"color": "#1d4f91", "linewidth": 1.4, "dashes": (1.5, 2)},
    "national": {"color": "#00642e", "linewidth": 1.4, "dashes": (6, 2, 1.5, 2)},
}
# A gap in a line leaves isolated points: each is shown as a short dash.
_ALONE: dict[str, Any] = {"marker": "_", "markersize": 9, "linestyle": "none"}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    # With a fixed salt the same figures give the same bytes.
    "svg.hashsalt": "cypp",
    # For measuring only; the page's style sheet sets the displayed font.
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.color": _INK,
    "axes.edgecolor": _GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid.axis": "y",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
_POINTS_PER_INCH = 72
# As many letters as fit beside a chart.
_WIDEST_UNIT = 24
_DRAWING = re.compile(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>(.*)</svg>', re.DOTALL)
_UNUSED = re.compile(
    r'<metadata>.*?</metadata>|<defs>\s*<(?:style|clipPath).*?</defs>|<!--.*?-->| clip-path="[^"]*"', re.DOTALL
)
# A page has many charts, but ids must be unique: only the shapes of points are referenced, and keep theirs.
_IDENTITY = re.compile(r' id="(?!m[0-9a-f]{10}")[^"]*"')


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: `style` is one of actual, target, neighbours and national."""

    label: str
    style: str
    values: Values


def sparkline(values: Values, target: float | None, title: str) -> str:
    """A line small enough for a table's cell, its last point marked, with the target as a dashed line."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if not known:
        return ""
    with rc_context(_SETTINGS):
        figure = _figure(100, 28)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.margins(0.04, 0.16)
        if target is not None:
            axes.axhline(target, **_LOOKS["target"] | {"clip_on": False})
        _draw(axes, Line("", "actual", values), marker="")
        axes.plot(*zip(*known[-1:], strict=True), marker="o", color=_INK, markersize=3.6, clip_on=False)
        return _svg(figure, "spark", title)


def chart(labels: Sequence[str], lines: Sequence[Line], title: str, unit: str = "") -> str:
    """Lines over periods, each named at the top, and the unit of their figures at the side; empty without a value."""
    drawn = [line for line in lines if any(value is not None for value in line.values)]
    if not drawn:
        return ""
    with rc_context(_SETTINGS):
        figure = _figure(480, 168)
        axes = figure.add_axes((0.09, 0.12, 0.89, 0.74))
        axes.locator_params(axis="y", nbins=5)
        for line in drawn:
            _draw(axes, line)
        if unit:
            _name_axis(axes, unit)
        axes.set_xticks(range(len(labels)), labels)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=len(drawn), frameon=False, borderpad=0.2)
        return _svg(figure, "chart", title)


def _figure(width_points: float, height_points: float) -> Figure:
    return Figure(figsize=(width_points / _POINTS_PER_INCH, height_points / _POINTS_PER_INCH))


def _name_axis(axes: Axes, unit: str) -> None:
    """Write the unit beside the axis, and make room for it and for amounts, which are long."""
    axes.set_ylabel(fill(unit, _WIDEST_UNIT), color=_GREY)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    left, bottom, width, height = axes.get_position().bounds
    box = axes.get_tightbbox()
    assert box is not None and axes.figure is not None, "the axes are drawn in a figure"  # noqa: S101
    missing = max(0.0, -box.x0 / axes.figure.bbox.width)
    axes.set_position((left + missing, bottom, width - missing, height))


def _draw(axes: Axes, line: Line, **more: Any) -> None:
    look = _LOOKS[line.style] | {"clip_on": False} | more
    places, values = range(len(line.values)), [nan if value is None else value for value in line.values]
    axes.plot(places, values, label=line.label, **look)
    padded = [None, *line.values, None]
    neighbours = zip(padded, padded[2:], strict=False)
    alone = [value if near == (None, None) else nan for value, near in zip(values, neighbours, strict=True)]
    axes.plot(places, alone, color=look["color"], clip_on=False, **_ALONE)


def _svg(figure: Figure, style: str, title: str) -> str:
    """The chart as a part of a page: with an accessible name, and without what only a separate file needs."""
    stream = StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    found = _DRAWING.search(stream.getvalue())
    assert found is not None, "matplotlib writes an svg element"  # noqa: S101
    inside = _IDENTITY.sub("", _UNUSED.sub("", found[2]))
    text = escape(title, quote=True)
    return (
        f'<svg class="{style}" role="img" aria-label="{text}" viewBox="{found[1]}"><title>{text}</title>{inside}</svg>'
    )
