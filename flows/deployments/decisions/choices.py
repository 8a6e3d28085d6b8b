"""What can be chosen in a decision's form, as the warehouse has it: each with its number first, where it has one."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cypp_etl.periods import LAST_PERIOD, parse_period
from cypp_etl.phrases import date_text
from flows.deployments.parameter_forms import MOST_CHOSEN, Choices
from flows.team.held_lines import held_in_short
from flows.team.partner_queries import query_label
from schemas.codes import ClinicStatus, QueryStatus
from warehouse.queries.as_of import clinics
from warehouse.queries.decisions import waivers
from warehouse.queries.held import held_submissions
from warehouse.queries.history import closed_periods
from warehouse.queries.partner_queries import partner_queries
from warehouse.queries.views import newest_in_force

if TYPE_CHECKING:
    from sqlalchemy import Connection


def stored_choices(connection: "Connection", now: datetime) -> dict[Choices, dict[str, str]]:
    """What the warehouse has to choose from, each with what it is about.

    Open clinics come before closed ones, and of both, of periods and of submissions the newest first.
    """
    register = [dict(row) for row in clinics(connection, LAST_PERIOD, now)]
    register.sort(key=lambda row: parse_period(row["opened_period"]).order, reverse=True)
    register.sort(key=lambda row: row["status"] == ClinicStatus.CLOSED)
    closed = sorted(closed_periods(connection), key=lambda period: period.order, reverse=True)
    asked = partner_queries(connection, status=QueryStatus.OPEN)
    return {
        Choices.CLINICS: {row["clinic_id"]: row["indicator"] for row in register},
        Choices.CLOSED_PERIODS: {period.code: period.label for period in closed},
        Choices.OPEN_QUERIES: {f"{row['query_id']} {query_label(dict(row))}": row["message"] for row in asked},
        Choices.HELD: {held_in_short(row): row["reason"] for row in held_submissions(connection)},
        Choices.WAIVERS: {_waiver(row): row["why"] for row in waivers(connection, now.date())},
        Choices.SUBMISSIONS: {_submission(dict(row)): "" for row in newest_in_force(connection, MOST_CHOSEN + 1)},
    }


def number_of(chosen: str, what: str) -> int:
    """The number with which a choice begins, or that was typed.

    Raises:
        ValueError: it does not begin with one; `what` is what has numbers, such as "a query".
    """
    number = next(iter(chosen.split()), "")
    if not number.isdecimal():
        raise ValueError(f"{chosen!r} does not begin with the number of {what}, such as 12")
    return int(number)


def _waiver(row: Mapping[str, Any]) -> str:
    what = " ".join(filter(None, (row["code"], row["subject"])))
    period = parse_period(row["period"]).label if row["period"] else "every period"
    return f"{row['decision_id']} {what} ({row['partner_code']}, {period}), until {date_text(row['until'])}"


def _submission(row: Mapping[str, Any]) -> str:
    period = parse_period(row["period"]).label
    return f"{row['submission_id']} {row['partner_code']}, {period}, version {row['version']}"
