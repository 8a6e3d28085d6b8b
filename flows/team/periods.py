"""Closing a period, once the Board has seen it, and reopening it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cypp_etl.phrases import short_list
from cypp_etl.plan.model import refuse_outside
from flows.team.decided import Decided, require_who, require_who_and_why
from warehouse.engine import writing
from warehouse.queries.views import return_status
from warehouse.recording.administration import close_period as close_period_in
from warehouse.recording.administration import reopen_period as reopen_period_in

if TYPE_CHECKING:
    from cypp_etl.periods import Period
    from flows.ingestion.context import Workplace


def close_period(workplace: "Workplace", period: "Period", *, by: str, why: str = "") -> Decided:
    """Close a period: a later correction of its figures is held until somebody decides on it.

    Raises:
        ValueError: it is not in the plan's calendar, or nobody says who closes it.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who(by)
    refuse_outside(workplace.plan.calendar, period)
    with writing(workplace.engine) as connection:
        was_open = close_period_in(connection, period, by, datetime.now(UTC), why)
        missing = [row["partner_code"] for row in return_status(connection, period) if not row["submission_id"]]
    sentence = f"{period.label} is closed." if was_open else f"{period.label} was already closed."
    late = f"Not returned yet: {short_list(missing)}. Their returns will be accepted with a query."
    return Decided(was_open, (sentence,), (late,) if missing else ())


def reopen_period(workplace: "Workplace", period: "Period", *, by: str, why: str) -> Decided:
    """Reopen a closed period: its figures can be corrected without a decision, and its returns be withdrawn.

    Raises:
        ValueError: it is not in the plan's calendar, or nobody says who reopens it, or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    refuse_outside(workplace.plan.calendar, period)
    with writing(workplace.engine) as connection:
        was_closed = reopen_period_in(connection, period, by, datetime.now(UTC), why)
    return Decided(was_closed, (f"{period.label} is open again." if was_closed else f"{period.label} is not closed.",))
