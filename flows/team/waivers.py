"""Waiving a query until a date."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cypp_etl.findings import catalogue, in_words
from cypp_etl.plan.model import Plan, refuse_outside
from cypp_etl.plan.selection import listed
from flows.team.decided import Decided, require_who_and_why
from schemas.codes import Severity
from warehouse.engine import writing
from warehouse.recording.administration import add_waiver

if TYPE_CHECKING:
    from cypp_etl.checked_return import Waiver
    from flows.ingestion.context import Workplace


def waive_query(workplace: "Workplace", waiver: "Waiver") -> Decided:
    """Waive a query of a partner: until its last day it is a note, which names the waiver.

    The same waiver again changes nothing; another of the same query replaces it.

    Raises:
        ValueError: it would apply to nothing, or nobody says who waives it, or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(waiver.waived_by, waiver.reason)
    refuse_unknown(waiver, workplace.plan)
    now = datetime.now(UTC)
    with writing(workplace.engine) as connection:
        is_new = add_waiver(connection, waiver, now)
    scope = "".join(f", {part}" for part in (waiver.subject, waiver.period and waiver.period.label) if part)
    state = "is waived" if is_new else "was already waived"
    said = f"{waiver.code} {state} for {waiver.partner_code}{scope}, until {in_words(waiver.until)}."
    past = "That date is in the past: nothing is waived, and any earlier waiver of the same query has ended."
    return Decided(is_new, (said,), (past,) if waiver.until < now.date() else (), waiver.period)


def query_codes() -> list[str]:
    """The codes of the findings that are queries, which can be waived."""
    return [code for code, advice in catalogue().items() if advice.severity is Severity.QUERY]


def refuse_unknown(waiver: "Waiver", plan: Plan) -> None:
    """Check that a waiver applies to something; otherwise people would rely on it, and it would have no effect.

    Raises:
        ValueError: there is no such query, partner or period, or the query is never about such a subject.
    """
    if waiver.code not in (queries := query_codes()):
        raise ValueError(f"{waiver.code!r} is not a query; you can waive {', '.join(queries)}")
    if waiver.partner_code not in plan.partners:
        raise ValueError(f"there is no partner {waiver.partner_code!r}; the plan has {listed(plan.partners)}")
    if waiver.period:
        refuse_outside(plan.calendar, waiver.period)
    if waiver.subject:
        _refuse_subject(waiver, plan)


def _refuse_subject(waiver: "Waiver", plan: Plan) -> None:
    if waiver.subject not in {*plan.indicators, *plan.milestones}:
        raise ValueError(f"there is no indicator or milestone {waiver.subject!r} in the plan")
    about = catalogue()[waiver.code].about
    if about == "no row":
        raise ValueError(f"{waiver.code} is not about an indicator or a milestone: waive it without naming one")
    kind = "milestone" if waiver.subject in plan.milestones else "indicator"
    if about not in (kind, "any row"):
        raise ValueError(f"{waiver.code} is about {about}s, and {waiver.subject!r} is one of the {kind}s")
    milestones = (one.milestone for one in plan.milestones_of[waiver.partner_code])
    if waiver.subject not in {*plan.owed_by.get(waiver.partner_code, ()), *milestones}:
        raise ValueError(f"{waiver.partner_code} does not report on {waiver.subject}")
