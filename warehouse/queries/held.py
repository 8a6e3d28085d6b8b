"""The submissions that are held, with why: what waits for the data team to decide."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from cypp_etl.findings import catalogue
from cypp_etl.periods import Period
from schemas.codes import SubmissionStatus
from warehouse.schema.tables import finding
from warehouse.views.selectable import view


def held_submissions(
    connection: Connection, period: Period | None = None, partner_code: str | None = None
) -> Sequence[Mapping[str, Any]]:
    """Rows of `bi_submissions` that are held, in the order in which they came, each with `reason`, in sentences."""
    wanted = {"status": SubmissionStatus.HELD.value, "period": period and period.code, "partner_code": partner_code}
    given = {name: value for name, value in wanted.items() if value}
    found = connection.execute(_held(frozenset(given)), given).mappings().all()
    reasons = _reasons(connection, [row["submission_id"] for row in found]) if found else {}
    return [{**row, "reason": " ".join(reasons.get(row["submission_id"], []))} for row in found]


@cache
def _held(given: frozenset[str]) -> Select[Any]:
    """The rows with given values; every receipt may ask for its partner's, so they are asked for in one way."""
    rows = view("bi_submissions")
    return (
        select(rows).where(*(rows.c[name] == bindparam(name) for name in sorted(given))).order_by(rows.c.submission_id)
    )


def _reasons(connection: Connection, submission_ids: Collection[int]) -> dict[int, list[str]]:
    codes = [code for code, advice in catalogue().items() if advice.holds]
    said = select(finding.c.submission_id, finding.c.message).where(
        finding.c.submission_id.in_(submission_ids), finding.c.code.in_(codes)
    )
    reasons: dict[int, list[str]] = {}
    for submission_id, message in connection.execute(said.order_by(finding.c.finding_id)):
        reasons.setdefault(submission_id, []).append(message)
    return reasons
