"""The spellings of markers and qualifiers, in returns and in the plan: `markers.csv` lists them."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from schemas.codes import Marker, Qualifier
from schemas.packaged import read_rows


@dataclass(frozen=True, slots=True)
class MarkerSpelling:
    """One way to type a marker, or a qualifier of a figure that is there.

    `meaning` is empty but for the spelling that we write and offer ourselves, which is the first of its kind.
    """

    spelling: str
    marker: Marker | None
    qualifier: Qualifier | None
    meaning: str


@cache
def read_markers() -> tuple[MarkerSpelling, ...]:
    """Every accepted spelling of a marker or a qualifier; the one we write stands first of its kind."""
    return tuple(
        MarkerSpelling(
            row["spelling"],
            Marker(row["marker"]) if row["marker"] else None,
            Qualifier(row["qualifier"]) if row["qualifier"] else None,
            row["meaning"],
        )
        for row in read_rows("schemas", "markers.csv")
    )


def marker_text(marker: Marker) -> str:
    """How we write a marker ourselves: nothing at all for a figure that was not returned."""
    return next((known.spelling for known in read_markers() if known.marker is marker), "")


def qualifier_text(qualifiers: Collection[Qualifier]) -> str:
    """How we write what must be known beside a figure, such as `[p] [b]`."""
    return " ".join(known.spelling for known in read_markers() if known.qualifier in qualifiers)
