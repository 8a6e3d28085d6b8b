"""Keeps what each partner's folder says of itself up to date: how its returns stand, by the warehouse."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.receipts.status_page import OpenQuery, PartnerStatus, ReturnState, status_page
from cypp_etl.templates.names import template_file_name
from flows.inbox.notices import write_readme, write_status
from flows.inbox.partner_folder import FORMS, REPLIES
from flows.settings import CHASED_FOR
from schemas.codes import QueryStatus, ReturnStatus, SubmissionStatus
from warehouse.engine import reading
from warehouse.queries.partner_queries import partner_queries
from warehouse.queries.views import return_status, submissions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flows.ingestion.context import Workplace

# So many returns that came are listed; what is missing always is.
_SHOWN = 12
_Rows = Sequence[Any]


def refresh_status_pages(workplace: "Workplace", partner_codes: Collection[str], today: date) -> list[str]:
    """Write status.html in the folders of partners where it has changed, and README.txt where there is none.

    It asks the warehouse once for all of them: call it once for a batch of returns.

    Returns:
        A sentence for each folder that could not be written to: that stops no other, and no return.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the warehouse cannot be reached.
    """
    plan, settings, troubles = workplace.plan, workplace.settings, []
    # Whoever sweeps makes the folders; one that is a link or a file is said below.
    codes = [code for code in plan.partners if code in partner_codes and os.path.lexists(settings.inbox / code)]
    if not codes:
        return []
    with reading(workplace.engine) as connection:
        states = _states(connection, workplace, codes, today)
    for code in codes:
        folder = settings.inbox / code
        try:
            write_readme(folder, plan.partners[code].partner, code, settings.contact)
            write_status(folder, status_page(states[code]))
        except OSError as fault:
            troubles.append(f"The status of {code} cannot be written: {fault.strerror or fault}.")
    return troubles


def _states(
    connection: "Connection", workplace: "Workplace", codes: Sequence[str], today: date
) -> dict[str, PartnerStatus]:
    plan, inbox = workplace.plan, workplace.settings.inbox
    only = codes[0] if len(codes) == 1 else None
    returned = _by_partner(return_status(connection, partner_code=only))
    since = datetime.combine(today - CHASED_FOR, time(), UTC)
    tried = _by_partner(submissions(connection, partner_code=only, since=since))
    asked = _by_partner(partner_queries(connection, partner_code=only, status=QueryStatus.OPEN))
    return {
        code: PartnerStatus(
            plan.partners[code].partner,
            today,
            _returns(plan, returned[code], tried[code], today, inbox / code),
            [_query(row) for row in asked[code]],
            workplace.settings.contact,
        )
        for code in codes
    }


def _by_partner(rows: _Rows) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["partner_code"]].append(row)
    return found


def _returns(plan: Plan, rows: _Rows, attempts: _Rows, today: date, folder: Path) -> list[ReturnState]:
    """The partner's returns that came last, with all that are missing, open or rejected, the newest first."""
    first = min((row["due_on"] for row in rows if row["submission_id"] and row["due_on"]), default=today - CHASED_FOR)
    rejected = _rejected_last(attempts)
    ordered = sorted(rows, key=lambda row: parse_period(row["period"]).order, reverse=True)
    came = {row["period"] for row in [row for row in ordered if row["submission_id"]][:_SHOWN]}
    shown = came | rejected.keys()
    # A backfill writes no receipts.
    has_receipt = bool(rejected) and any((folder / REPLIES).glob(f"*{SubmissionStatus.REJECTED.value}*"))
    listed = [row for row in ordered if row["period"] in shown or _is_awaited(plan, row, first, today)]
    return [
        ReturnState(
            parse_period(row["period"]).label,
            row["due_on"],
            ReturnStatus(row["status"]),
            row["received_at"].date() if row["received_at"] else None,
            rejected.get(row["period"]),
            has_receipt,
            # Whatever it is: nobody is sent to a folder that has nothing of that name.
            os.path.lexists(folder / FORMS / template_file_name(row["partner_code"], _period(row))),
        )
        for row in listed
    ]


def _is_awaited(plan: Plan, row: Any, first: date, today: date) -> bool:
    """Whether a return has not come and is asked for: of those before the partner's first return none is."""
    if row["submission_id"] or row["due_on"] is None or row["due_on"] < first:
        return False
    entry = plan.calendar.get(_period(row))
    return entry is not None and entry.opens_on <= today


def _rejected_last(attempts: Iterable[Any]) -> dict[str, date]:
    """The returns of which the last attempt of the last year was rejected, with the day on which it was."""
    last = {row["period"]: row for row in attempts if row["period"]}
    return {
        period: row["received_at"].date() for period, row in last.items() if row["status"] == SubmissionStatus.REJECTED
    }


def _query(row: Any) -> OpenQuery:
    place = "!".join(filter(None, (row["sheet"], row["cell"])))
    about = f"{row['subject']} ({place})" if row["subject"] and place else row["subject"] or place
    return OpenQuery(_period(row).label, about or "the whole return", row["message"], row["asked_at"].date())


def _period(row: Any) -> Period:
    return parse_period(row["period"])
