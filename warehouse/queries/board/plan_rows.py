"""What the plan of a moment says, from its rows in the warehouse."""

from datetime import date, datetime

from sqlalchemy import Connection, and_, literal, select

from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.plan.model import Body
from cypp_etl.report.model import KnownText, Row
from schemas.codes import ClinicRule
from warehouse.queries.as_of import milestones
from warehouse.queries.board.figures import printed_marker
from warehouse.queries.board.rows import plain
from warehouse.schema.plan_tables import (
    plan_action,
    plan_aspiration,
    plan_body,
    plan_calendar,
    plan_due,
    plan_edition,
    plan_figure,
    plan_measured,
    plan_milestone,
    plan_outcome,
    plan_owed,
    plan_partner,
)


def body_of(connection: Connection, plan_id: int | None) -> Body:
    """The body whose plan it is, its report's title, and from which band on clinics open."""
    # What else belongs to the body is read from the whole plan where it is asked.
    row = connection.execute(select(plan_body).where(plan_body.c.plan_id == plan_id)).mappings().one_or_none()
    return Body(row["body"], row["report_title"], ClinicRule(row["clinics_from"])) if row else Body()


def partner_names(connection: Connection, plan_id: int | None) -> dict[str, str]:
    """The names of partners by code, in the plan's order."""
    columns = plan_partner.c
    query = select(columns.partner_code, columns.partner).where(columns.plan_id == plan_id)
    return {row.partner_code: row.partner for row in connection.execute(query)}


def noted_on_partners(connection: Connection, plan_id: int | None) -> dict[str, Row]:
    """The free columns of partners, by code."""
    columns = plan_partner.c
    query = select(columns.partner_code, columns.note, columns.source, columns.url, columns.owner)
    rows = connection.execute(query.where(columns.plan_id == plan_id)).mappings()
    return {row["partner_code"]: {name: row[name] for name in row if name != "partner_code"} for row in rows}


def indicators_of(connection: Connection, plan_id: int | None, period: Period) -> dict[str, Row]:
    """What the plan says of each indicator in a period, even if it has ended."""
    leaf, outcome = plan_edition.c, plan_outcome.c
    query = (
        select(plan_edition, outcome.outcome, outcome.table_heading)
        .join(plan_outcome, and_(outcome.plan_id == leaf.plan_id, outcome.outcome_code == leaf.outcome_code))
        .where(leaf.plan_id == plan_id, literal(period.last_day).between(leaf.described_from, leaf.described_until))
    )
    measured: dict[str, set[str]] = {}
    pairs = select(plan_measured.c.indicator, plan_measured.c.aspiration).where(plan_measured.c.plan_id == plan_id)
    for indicator, aspiration in connection.execute(pairs):
        measured.setdefault(indicator, set()).add(aspiration)
    return {
        row["indicator"]: {**row, "measured": measured.get(row["indicator"], set())}
        for row in connection.execute(query).mappings()
    }


def aspirations_of(connection: Connection, plan_id: int | None) -> list[Row]:
    """The aspirations with the outcome of each, by code."""
    asked, outcome = plan_aspiration.c, plan_outcome.c
    query = (
        select(plan_aspiration, outcome.outcome)
        .join(plan_outcome, and_(outcome.plan_id == asked.plan_id, outcome.outcome_code == asked.outcome_code))
        .where(asked.plan_id == plan_id)
        .order_by(asked.aspiration)
    )
    return plain(connection.execute(query).mappings())


def milestones_of(connection: Connection, plan_id: int | None, period: Period, at: datetime) -> list[Row]:
    """The milestones with the partner that reports on each, empty where none does."""
    step, action = plan_milestone.c, plan_action.c
    query = (
        select(step.milestone, action.partner_code)
        .join(plan_action, and_(action.plan_id == step.plan_id, action.action_id == step.action_id))
        .where(step.plan_id == plan_id)
    )
    partners = {row.milestone: row.partner_code for row in connection.execute(query)}
    return [{**row, "partner_code": partners[row["milestone"]]} for row in milestones(connection, period, at)]


def owing_in(connection: Connection, plan_id: int | None, period: Period) -> set[tuple[str, str]]:
    """The indicators that are owed for a period, with the partners that owe them."""
    columns = plan_owed.c
    query = select(columns.indicator, columns.partner_code).where(
        columns.plan_id == plan_id, literal(period.last_day).between(columns.first_day, columns.last_day)
    )
    return {(row.indicator, row.partner_code) for row in connection.execute(query)}


def is_owed(connection: Connection, plan_id: int | None, period: Period) -> bool:
    """Whether any partner owes a return for a period."""
    columns = plan_due.c
    query = select(columns.period).where(columns.plan_id == plan_id, columns.period == period.code)
    return connection.scalar(query.limit(1)) is not None


def due_on(connection: Connection, plan_id: int | None, period: Period) -> date | None:
    """The day by which returns for a period are due; None if the calendar does not have it."""
    columns = plan_calendar.c
    query = select(columns.due_on).where(columns.plan_id == plan_id, columns.period == period.code)
    return connection.scalar(query)


def planned_texts(connection: Connection, plan_id: int | None) -> dict[FigureKey, KnownText]:
    """The plan's figures for every partner, or their markers, by keys without a partner."""
    planned = connection.execute(select(plan_figure).where(plan_figure.c.plan_id == plan_id)).mappings()
    return {
        FigureKey("", row["indicator"], row["measure"], row["period"]): KnownText(
            row["value"], printed_marker(row["marker"])
        )
        for row in planned
    }
