"""Every symbol with its word and its tone, so that none depends on shape or colour alone."""

from dataclasses import dataclass
from enum import StrEnum

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
        (("-", "no data"), ("N/A", "not applicable"), ("blank", "not returned, refused, or held until it is decided")),
    ),
)


def sign(row: Row, column: str) -> Sign:
    """A judgement of a row, blank if nothing was returned: there is nothing to judge."""
    if row["marker"] == Marker.NOT_RETURNED.value:
        refused = "refused" if row.get("is_refused") else "not returned"
        return Sign("", "held" if row.get("is_held") else refused, Tone.NONE)
    word = row[column]
    return Sign(row[f"{column}_symbol"], word, _TONES.get(word, Tone.NONE))
