"""Milestones as last reported, by aspiration and area of focus."""

from dataclasses import dataclass
from datetime import date

from cypp_etl.periods import Period, parse_period
from cypp_etl.report.model import BoardData, Row
from schemas.codes import MilestoneStatus

_SETTLED = (MilestoneStatus.ACHIEVED.value, MilestoneStatus.WITHDRAWN.value)
_REPORTED = ("period", "status", "evidence", "review", "review_reason")


@dataclass(frozen=True, slots=True)
class AspirationPart:
    """An aspiration and its milestones as last reported."""

    aspiration: Row
    milestones: tuple[Row, ...]


def milestone_parts(data: BoardData) -> list[AspirationPart]:
    """The aspirations with milestones, each with its last report."""
    latest = latest_milestones(data)
    parts = [
        AspirationPart(row, tuple(one for one in latest if one["aspiration"] == row["aspiration"]))
        for row in data.aspirations
    ]
    return [part for part in parts if part.milestones]


def latest_milestones(data: BoardData, until: Period | None = None) -> list[Row]:
    """Each milestone once, as last reported by the end of the report's period, or of an earlier one."""
    latest: dict[str, Row] = {}
    for row in data.milestones:
        # Later reports do not count: the milestone is shown as not reported.
        is_later = until is not None and row["period"] is not None and parse_period(row["period"]).order > until.order
        if not is_later:
            latest[row["milestone"]] = row
        elif row["milestone"] not in latest:
            latest[row["milestone"]] = {**row, **dict.fromkeys(_REPORTED)}
    return sorted(latest.values(), key=lambda row: (row["aspiration"], row["due"], row["milestone"]))


def milestone_key(row: Row) -> str:
    """The name of the page's part on a milestone."""
    return f"milestone-{row['milestone']}".lower().replace(" ", "-")


def is_past_due(row: Row, period: Period, at: date) -> bool:
    """Whether the day on which a milestone was due had passed on another, and it had not been achieved or withdrawn."""
    return row["status"] not in _SETTLED and bool(row["due"] <= period.last_day and row["due"] < at)


def is_overdue(row: Row, period: Period) -> bool:
    """Whether a milestone counts as due by the end of a period, and was not achieved: one that is missed counts."""
    is_due = bool(row["due"] <= period.last_day) or row["status"] == MilestoneStatus.MISSED.value
    return is_due and row["status"] not in _SETTLED
