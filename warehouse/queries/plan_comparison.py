"""Compares another plan: judges the figures in force by it, and records nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cypp_etl.judgement.columns import TITLES
from cypp_etl.plan.model import Plan
from warehouse.recording.judgements import judge_in_force
from warehouse.schema.tables import judgement


@dataclass(frozen=True, slots=True)
class Turned:
    """A judgement that would change; `now` is empty for an indicator that the other plan does not have."""

    partner_code: str
    indicator: str
    period: str
    column: str
    was: str
    now: str


def turned_by(connection: Connection, other: Plan) -> list[Turned]:
    """The judgements in force that another plan would change, by indicator, period and partner."""
    partner_codes = set(connection.scalars(select(judgement.c.partner_code).distinct()))
    found = [one for code in partner_codes for one in _turned(connection, other, code)]
    order = list(TITLES)
    return sorted(found, key=lambda one: (one.indicator, one.period, one.partner_code, order.index(one.column)))


def _turned(connection: Connection, other: Plan, partner_code: str) -> Iterator[Turned]:
    columns = judgement.c
    held = connection.execute(
        select(judgement).where(columns.superseded_at.is_(None), columns.partner_code == partner_code)
    )
    judged = judge_in_force(connection, other, partner_code)
    for row in held.mappings():
        now = judged.get((row["indicator"], row["period"]), {})
        for column in TITLES:
            if row[column] != now.get(column, ""):
                yield Turned(partner_code, row["indicator"], row["period"], column, row[column], now.get(column, ""))
