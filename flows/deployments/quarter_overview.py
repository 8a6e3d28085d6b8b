"""The quarter in the Prefect UI, refreshed as returns come in: who has returned what, and what was asked of them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

from prefect.artifacts import acreate_table_artifact

from cypp_etl.escapes import for_markdown
from cypp_etl.periods import Period
from flows.ingestion.context import Workplace, open_to_read
from flows.prefect_runs import queries_key
from flows.settings import read_settings
from schemas.codes import QueryStatus, ReturnStatus, SubmissionStatus
from warehouse.engine import reading
from warehouse.queries.as_of import queries_as_of
from warehouse.queries.views import return_status, submissions

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

# The table in the UI is an overview.
_SHOWN_QUERIES = 500


async def show_quarter(workplace: Workplace, period: Period) -> None:
    """Show who has returned what for a period. The key contains the period, so that the UI shows the history."""
    with reading(workplace.engine) as connection:
        rows = return_status(connection, period)
        attempts = submissions(connection, period=period)
        asked = queries_as_of(connection, period, datetime.now(UTC))
    await cast(Any, acreate_table_artifact)(
        key=artifact_key(period), table=overview(rows, attempts), description=_headline(period, rows, attempts)
    )
    await _show_asked(period, asked)


async def show_queries(period: Period) -> None:
    """Show what was asked of the partners for a period, and what has become of it."""
    engine = open_to_read(read_settings()).engine
    with reading(engine) as connection:
        asked = queries_as_of(connection, period, datetime.now(UTC))
    engine.dispose()
    await _show_asked(period, asked)


async def _show_asked(period: Period, asked: Sequence["RowMapping"]) -> None:
    if asked:
        still_open = sum(row["status"] == QueryStatus.OPEN for row in asked)
        description = f"Queries for {period.label}: {len(asked)} asked, {still_open} open."
        table = queries_table(asked, datetime.now(UTC).date())
        await cast(Any, acreate_table_artifact)(key=queries_key(period), table=table, description=description)


def queries_table(asked: Sequence["RowMapping"], today: date) -> list[dict[str, str]]:
    """One row per query, the open ones first; the cells are Markdown. The warehouse has those that are left out."""
    ordered = sorted(asked, key=lambda row: row["status"] != QueryStatus.OPEN)
    return [
        {
            "number": str(row["query_id"]),
            "partner": row["partner_code"],
            "about": for_markdown(row["subject"] or ""),
            "cell": for_markdown("!".join(filter(None, (row["sheet"], row["cell"])))),
            "query": for_markdown(row["message"]),
            "status": row["status"],
            "days": str(((row["answered_at"].date() if row["answered_at"] else today) - row["asked_at"].date()).days),
            "answer": for_markdown(f"{row['answered_by']}: {row['answer']}" if row["answer"] else ""),
        }
        for row in ordered[:_SHOWN_QUERIES]
    ]


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


def _headline(period: Period, rows: Sequence["RowMapping"], attempts: Sequence["RowMapping"]) -> str:
    returned = sum(row["submission_id"] is not None for row in rows)
    held = {row["partner_code"]: row["submission_id"] for row in attempts if row["status"] == SubmissionStatus.HELD}
    is_missing = (row["partner_code"] for row in rows if row["status"] == ReturnStatus.MISSING)
    missing = [partner for partner in is_missing if partner not in held]
    late = f" Missing: {', '.join(missing)}." if missing else ""
    waiting = ", ".join(f"{partner} (submission {number})" for partner, number in held.items())
    return f"Returns for {period.label}: {returned} of {len(rows)} received.{late}" + (
        f" Held: {waiting}." if waiting else ""
    )
