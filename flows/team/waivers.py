"""Waiving a query until a date, and ending a waiver."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cypp_etl.findings import catalogue
from cypp_etl.phrases import date_text
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Plan, refuse_outside, refuse_unknown_partner
from cypp_etl.plan.reference_keys import reference_key
from flows.team.decided import Decided, require_who_and_why, shown_to_partner
from schemas.codes import Severity
from warehouse.engine import writing
from warehouse.recording.administration import add_waiver
from warehouse.recording.administration import end_waiver as end_waiver_in

if TYPE_CHECKING:
    from cypp_etl.checked_return import Waiver
    from cypp_etl.periods import Period
    from flows.ingestion.context import Workplace


def waive_query(workplace: "Workplace", waiver: "Waiver") -> Decided:
    """Waive a query of a partner: until its last day it is a note, which names the waiver.

    The same waiver again changes nothing; another of the same query replaces it.

    Raises:
        ValueError: it would apply to nothing, or nobody says who waives it, or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(waiver.waived_by, waiver.reason)
    waiver = replace(waiver, subject=_subject_meant(waiver.subject, workplace.plan))
    refuse_unknown(waiver, workplace.plan)
    now = datetime.now(UTC)
    with writing(workplace.engine) as connection:
        is_new = add_waiver(connection, waiver, now)
    state = "is waived" if is_new else "was already waived"
    sentence = f"{waiver.code} {state} for {_scope(waiver)}, until {date_text(waiver.until)}."
    past = "That date is in the past: nothing is waived, and any earlier waiver of the same query has ended."
    warnings = (past,) if waiver.until < now.date() else ()
    return shown_to_partner(workplace, Decided(is_new, (sentence,), warnings, _periods(waiver)), waiver.partner_code)


def end_waiver(workplace: "Workplace", decision_id: int, *, by: str, why: str) -> Decided:
    """End the waiver of a decision.

    Raises:
        ValueError: there is no such waiver, another took its place, or nobody says who ends it, or why.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    with writing(workplace.engine) as connection:
        waived, was_in_force = end_waiver_in(connection, decision_id, by=by, why=why, at=datetime.now(UTC))
    state = "has ended" if was_in_force else "had already ended"
    sentence = f"The waiver of {waived.code} for {_scope(waived)} {state}."
    return shown_to_partner(
        workplace, Decided(was_in_force, (sentence,), periods=_periods(waived)), waived.partner_code
    )


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
    refuse_unknown_partner(plan.partners, waiver.partner_code)
    if waiver.period:
        refuse_outside(plan.calendar, waiver.period)
    if waiver.subject:
        _refuse_subject(waiver, plan)


def _periods(waiver: "Waiver") -> "tuple[Period, ...]":
    return (waiver.period,) if waiver.period else ()


def _scope(waiver: "Waiver") -> str:
    parts = (waiver.partner_code, waiver.subject, waiver.period and waiver.period.label)
    return ", ".join(part for part in parts if part)


def _subject_meant(typed: str, plan: Plan) -> str:
    """An indicator or a milestone as the plan writes it, read as a return's references are; otherwise as typed."""
    if not typed:
        return ""
    index = PlanIndex.of(plan)
    if (leaf := index.leaf_meant(typed)) is not None:
        return leaf.indicator
    milestone = index.milestones.get(reference_key(index.milestone_meant(typed)))
    return milestone.milestone if milestone else typed


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
