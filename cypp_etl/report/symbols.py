"""Every symbol with its word and its tone, so that none depends on shape or colour alone."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from cypp_etl.report.model import Row
from schemas.codes import Band, Direction, Marker, OnTarget


class Tone(StrEnum):
    """A symbol's meaning for performance, which its colour repeats."""

    GOOD = "good"
    STEADY = "steady"
    BAD = "bad"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sign:
    """A symbol as shown to the Board."""

    symbol: str
    word: str
    tone: Tone

    @property
    def look(self) -> str:
        """The classes of the style sheet that show the symbol before the word, in its colour."""
        return _look(self)


_SHAPES = {
    "✓": "yes",
    "✗": "no",
    "↑": "up",
    "→": "same",
    "↓": "down",
    "★": "star",
    "●": "dot",
    "▲": "wedge",
}
"""The class of the style sheet that draws a symbol before its word."""

_TONES = {
    Direction.IMPROVING.value: Tone.GOOD,
    Direction.DECLINING.value: Tone.BAD,
    Direction.NO_CHANGE.value: Tone.STEADY,
    Direction.INCREASING.value: Tone.STEADY,
    Direction.DECREASING.value: Tone.STEADY,
    OnTarget.YES.value: Tone.GOOD,
    OnTarget.NO.value: Tone.BAD,
    Band.BETTER.value: Tone.GOOD,
    Band.WITHIN.value: Tone.STEADY,
    Band.WORSE.value: Tone.BAD,
}
LEGEND = (
    ("On target", (("✓", "yes: the year to date meets its target"), ("✗", "no: it does not"))),
    (
        "Direction of travel, against the same period of last year, or last year's outturn",
        (
            ("↑", "improving; increasing, where nothing is good or bad"),
            ("→", "no change"),
            ("↓", "declining; decreasing, where nothing is good or bad"),
        ),
    ),
    (
        "Year to date, and performance against others",
        (("★", "better, beyond the margin"), ("●", "within the margin"), ("▲", "worse")),
    ),
    (
        "Where there is no symbol",
        (
            ("-", "no data"),
            ("N/A", "not applicable"),
            ("blank", "not returned, refused, or held until it is decided; or the plan's own figure"),
        ),
    ),
)


def sign(row: Row, column: str) -> Sign:
    """A judgement of a row, blank if nothing was returned: there is nothing to judge."""
    if row.get("is_planned"):
        return Sign("", "from the plan", Tone.NONE)
    if row["marker"] == Marker.NOT_RETURNED.value:
        refused = "refused" if row.get("is_refused") else "not returned"
        return Sign("", "held" if row.get("is_held") else refused, Tone.NONE)
    return _sign(row[f"{column}_symbol"], row[column])


@cache
def _sign(symbol: str, word: str) -> Sign:
    return Sign(symbol, word, _TONES.get(word, Tone.NONE))


@cache
def _look(one: Sign) -> str:
    shape = _SHAPES.get(one.symbol, "")
    # An arrow is good or bad but where neither direction is.
    return f"{shape} {one.tone}".strip() if one.tone in (Tone.STEADY, Tone.NONE) else shape
