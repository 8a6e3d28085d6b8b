"""Forms for partners: made of the plan and of what they returned before, and put into their folders."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.phrases import date_text, short_list
from cypp_etl.plan.model import Plan, refuse_outside, refuse_unknown_partner
from cypp_etl.plan.rhythm import recalled_periods
from cypp_etl.templates.names import template_file_name
from cypp_etl.templates.workbook import write_template
from flows.inbox.form_files import Form, IssuedForms, Put, put_form
from flows.inbox.partner_folder import FORMS
from flows.inbox.sweep import make_folders
from flows.ingestion.status_pages import refresh_status_pages
from flows.storage.files import path_as_text
from warehouse.engine import reading
from warehouse.queries.history import read_history

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cypp_etl.periods import Period
    from flows.ingestion.context import Workplace


@dataclass(frozen=True, slots=True)
class Issued:
    """What was done with a partner's form for a period; `fault` says why it could not be put there, if so."""

    partner_code: str
    period: "Period"
    path: Path
    put: Put | None
    fault: str = ""

    @property
    def is_trouble(self) -> bool:
        """Whether the partner does not have the form that it should have."""
        return self.put is None or self.put.is_trouble

    def __str__(self) -> str:
        return f"{path_as_text(self.path)}: {self.fault or self.put}"


def form_of(connection: "Connection", plan: Plan, partner_code: str, period: "Period") -> bytes:
    """A partner's form for a period, with what it returned before.

    Raises:
        ValueError: there is no such return.
    """
    rhythms = {leaf.rhythm for leaf in plan.at(period).indicators.values()}
    history = read_history(connection, [partner_code], recalled_periods(period, rhythms))
    return write_template(plan, partner_code, period, history)


def issue_forms(
    workplace: "Workplace", period: "Period | None" = None, partner_codes: Collection[str] = (), *, today: date
) -> list[Issued]:
    """Put each partner's form for a period into its folder, and say what was done with each.

    Only who owes a return for it gets one. Without a period it is what is due: the forms of all periods that are open,
    for those who have not been given them. A folder that cannot be written to does not stop the others.

    Args:
        workplace: the plan, the warehouse and the inbox.
        period: the period; every one that is open, if not given.
        partner_codes: only these partners; all, if empty.
        today: the day, by which it is told what is open.

    Raises:
        ValueError: the calendar has no such period, there is no such partner, or it owes no return for the period.
        OSError: the inbox cannot be made.
        sqlalchemy.exc.SQLAlchemyError: the warehouse cannot be reached.
    """
    plan = workplace.plan
    _refuse_unknown(plan, period, partner_codes)
    make_folders(workplace.settings.inbox, plan.partners)
    issued = []
    with reading(workplace.engine) as connection:
        for wanted in [period] if period else open_periods(plan, today):
            for code in plan.owing(wanted):
                if not partner_codes or code in partner_codes:
                    issued.append(_issue(connection, workplace, code, wanted, today, is_asked_for=period is not None))
    refresh_status_pages(workplace, {one.partner_code for one in issued}, today)
    return issued


def open_periods(plan: Plan, today: date) -> list["Period"]:
    """The periods whose returns can be sent on a day, and are not overdue."""
    return [period for period, entry in plan.calendar.items() if entry.opens_on <= today <= entry.due_on]


def issue_summary(issued: Sequence[Issued]) -> str:
    """How many forms were issued, and how many could not be."""
    new = sum(one.put is not None and one.put.is_new for one in issued)
    trouble = sum(one.is_trouble for one in issued)
    summary = f"{new} {'form' if new == 1 else 'forms'} issued"
    return f"{summary}, {trouble} not." if trouble else f"{summary}."


def not_open_yet(plan: Plan, period: "Period", today: date) -> str:
    """A sentence that says when the returns for a period can be sent; empty if they can."""
    opens = plan.calendar[period].opens_on
    return f"Returns for {period.label} are taken from {date_text(opens)} on." if today < opens else ""


def _issue(
    connection: "Connection", workplace: "Workplace", code: str, period: "Period", today: date, *, is_asked_for: bool
) -> Issued:
    plan, settings = workplace.plan, workplace.settings
    name, folder = template_file_name(code, period), settings.inbox / code
    write = partial(form_of, connection, plan, code, period)
    form = Form(name, write, plan.fingerprint, _asks(plan, code, period))
    try:
        put = put_form(folder, form, IssuedForms(settings.forms, code), today, is_asked_for=is_asked_for)
    except OSError as fault:
        return Issued(code, period, folder / FORMS / name, None, f"it cannot be put there: {fault.strerror or fault}")
    return Issued(code, period, folder / FORMS / name, put)


def _asks(plan: Plan, code: str, period: "Period") -> str:
    """A hash of what the plan asks of a partner in a period: a form is not renewed for what concerns others alone."""
    held = plan.at(period)
    leaves = [held.indicators[indicator] for indicator in held.owed_by[code]]
    asked = (
        held.partners[code].partner,
        held.calendar[period],
        [(leaf, held.target(leaf.indicator, leaf.rhythm.period_in(period), code)) for leaf in leaves],
        [(milestone, held.actions[milestone.action_id]) for milestone in held.milestones_of[code]],
    )
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _refuse_unknown(plan: Plan, period: "Period | None", partner_codes: Collection[str]) -> None:
    if period:
        refuse_outside(plan.calendar, period)
    for code in partner_codes:
        refuse_unknown_partner(plan.partners, code)
        if period and code not in (owing := plan.owing(period)):
            who = f"those who do are {short_list(owing)}" if owing else "nobody does"
            raise ValueError(f"{code} owes no return for {period.label}; {who}")
