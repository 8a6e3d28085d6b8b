"""Milestones as last reported, by aspiration and area of focus."""

from dataclasses import dataclass
from datetime import date

from cypp_etl.periods import Period
from cypp_etl.report.model import BoardData, Row
from schemas.codes import SETTLED_MILESTONES, MilestoneStatus


@dataclass(frozen=True, slots=True)
class AspirationPart:
    """An aspiration and its milestones as last reported."""

    aspiration: Row
    milestones: tuple[Row, ...]


def milestone_parts(data: BoardData) -> list[AspirationPart]:
    """The aspirations with milestones, each with its last report."""
    latest = data.milestones_until(None)
    parts = [
        AspirationPart(row, tuple(one for one in latest if one["aspiration"] == row["aspiration"]))
        for row in data.aspirations
    ]
    return [part for part in parts if part.milestones]


def milestone_key(row: Row) -> str:
    """The name of the page's part on a milestone."""
    return f"milestone-{row['milestone']}".lower().replace(" ", "-")


def is_past_due(row: Row, period: Period, at: date) -> bool:
    """Whether the day on which a milestone was due had passed on another, and it had not been achieved or withdrawn."""
    return row["status"] not in SETTLED_MILESTONES and bool(row["due"] <= period.last_day and row["due"] < at)


def is_overdue(row: Row, period: Period) -> bool:
    """Whether a milestone counts as due by the end of a period, and was not achieved: one that is missed counts."""
    is_due = bool(row["due"] <= period.last_day) or row["status"] == MilestoneStatus.MISSED.value
    return is_due and row["status"] not in SETTLED_MILESTONES
