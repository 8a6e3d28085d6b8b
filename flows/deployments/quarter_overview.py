"""The quarter's overview in the Prefect UI: who has returned what, refreshed as returns come in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from prefect.artifacts import acreate_table_artifact

from cypp_etl.periods import Period
from flows.ingestion.context import Workplace
from schemas.codes import ReturnStatus
from warehouse.engine import reading
from warehouse.queries.views import return_status, submissions

if TYPE_CHECKING:
    from sqlalchemy import RowMapping


async def show_quarter(workplace: Workplace, period: Period) -> None:
    """Show who has returned what for a period. The key contains the period, so that the UI shows the history."""
    with reading(workplace.engine) as connection:
        rows = return_status(connection, period)
        attempts = submissions(connection, period=period)
    await cast(Any, acreate_table_artifact)(
        key=artifact_key(period), table=overview(rows, attempts), description=_headline(period, rows)
    )


def artifact_key(period: Period) -> str:
    """Prefect allows lower-case letters, digits and dashes."""
    return f"returns-{period.code.lower()}"


def overview(rows: Sequence["RowMapping"], attempts: Sequence["RowMapping"]) -> list[dict[str, str]]:
    """One row per partner: the submission in force, and the last attempt if that is a different one."""
    table = []
    for row in rows:
        own = [attempt for attempt in attempts if attempt["partner_code"] == row["partner_code"]]
        standing = next((one for one in own if one["submission_id"] == row["submission_id"]), None)
        table.append(
            {
                "partner": row["partner_code"],
                "return": row["status"],
                "due": str(row["due_on"] or ""),
                "received": f"{row['received_at']:%Y-%m-%d %H:%M}" if row["received_at"] else "",
                "queries": str(standing["queries"]) if standing else "",
                "attempts": str(len(own)),
                "last attempt": _attempt(own[-1]) if own else "",
            }
        )
    return table


def _attempt(submission: "RowMapping") -> str:
    errors = submission["errors"]
    return f"{submission['status']}, {errors} {'error' if errors == 1 else 'errors'}"


def _headline(period: Period, rows: Sequence["RowMapping"]) -> str:
    returned = sum(row["submission_id"] is not None for row in rows)
    missing = [row["partner_code"] for row in rows if row["status"] == ReturnStatus.MISSING]
    late = f" Missing: {', '.join(missing)}." if missing else ""
    return f"Returns for {period.label}: {returned} of {len(rows)} received.{late}"
