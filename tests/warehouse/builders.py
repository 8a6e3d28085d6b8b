"""Small invented returns: the police owe NI 111a and NI 111b."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cypp_etl.checked_return import CheckedReturn, MilestoneReport, Observation
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from schemas.codes import Marker, Measure, MilestoneStatus, Qualifier, Severity

Rows = Callable[[str], list[dict[str, Any]]]


def later(days: int) -> datetime:
    """Noon, some days into the first return's quarter."""
    return datetime(2010, 7, 1, 12, tzinfo=UTC) + timedelta(days=days)


def observation(indicator: str, value: str | Marker | None, period: str = "2010-11Q1", **others: object) -> Observation:
    """An observation of the police, or of the partner in `others`."""
    fields: dict[str, object] = {
        "file": "police/return.xlsx",
        "sheet": "Indicators",
        "cell": "G2",
        "partner_code": "police",
        "indicator": indicator,
        "measure": Measure.ACTUAL,
        "period": parse_period(period),
        "value": None if value is None or isinstance(value, Marker) else Decimal(value),
        "marker": value if isinstance(value, Marker) else None,
        "qualifiers": frozenset[Qualifier](),
        "typed": str(value),
    }
    return Observation(**(fields | others))  # type: ignore[arg-type]


def report(milestone: str, status: MilestoneStatus | None, period: str = "2010-11Q1") -> MilestoneReport:
    return MilestoneReport(
        "police/return.xlsx", "Milestones", "F2", "police", milestone, parse_period(period), status, "", None, ""
    )


def finding(severity: Severity, message: str = "This is wrong.") -> Finding:
    return Finding(f"some-{severity.lower()}", severity, "Indicators", "G2", "x", message, "Do that.")


def checked(content: str, *rows: Observation, **others: object) -> CheckedReturn:
    """A return of the police for 2010-11Q1, whose bytes are distinguished by `content`."""
    fields: dict[str, object] = {
        "file": "police/return.xlsx",
        "file_name": "return.xlsx",
        "sha256": content * 8,
        "content_sha256": content * 8,
        "layout": "return",
        "partner_code": "police",
        "period": parse_period("2010-11Q1"),
        "prepared_by": "A. Person",
        "email": "a.person@example.org",
        "findings": (),
        "observations": rows,
        "milestone_reports": (),
    }
    return CheckedReturn(**(fields | others))  # type: ignore[arg-type]
