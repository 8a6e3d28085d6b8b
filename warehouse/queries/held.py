"""The submissions that are held, with why: what waits for the data team to decide."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from cypp_etl.findings import catalogue
from cypp_etl.periods import Period
from schemas.codes import SubmissionStatus
from warehouse.schema.tables import finding
from warehouse.views.selectable import view


def held_submissions(
    connection: Connection, period: Period | None = None, partner_code: str | None = None
) -> Sequence[Mapping[str, Any]]:
    """Rows of `bi_submissions` that are held, in the order in which they came, each with `reason`, in sentences."""
    rows = view("bi_submissions")
    wanted = {"status": SubmissionStatus.HELD, "period": period and period.code, "partner_code": partner_code}
    conditions = [rows.c[name] == value for name, value in wanted.items() if value]
    found = connection.execute(select(rows).where(*conditions).order_by(rows.c.submission_id)).mappings().all()
    codes = [code for code, advice in catalogue().items() if advice.holds]
    said = select(finding.c.submission_id, finding.c.message).where(
        finding.c.submission_id.in_([row["submission_id"] for row in found]), finding.c.code.in_(codes)
    )
    reasons: dict[int, list[str]] = {}
    for submission_id, message in connection.execute(said.order_by(finding.c.finding_id)):
        reasons.setdefault(submission_id, []).append(message)
    return [{**row, "reason": " ".join(reasons.get(row["submission_id"], []))} for row in found]
