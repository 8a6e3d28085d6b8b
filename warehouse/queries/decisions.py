"""What the data team decided, and which waivers are in force."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from cypp_etl.periods import Period
from warehouse.schema.tables import WAIVER_SCOPE, decision, waiver
from warehouse.views.selectable import view


def decisions(
    connection: Connection, period: Period | None = None, partner_code: str | None = None, kind: str | None = None
) -> Sequence[RowMapping]:
    """Rows of `bi_decisions`, oldest first, filtered by the given values."""
    rows = view("bi_decisions")
    wanted = {"period": period and period.code, "partner_code": partner_code, "kind": kind}
    conditions = [rows.c[name] == value for name, value in wanted.items() if value is not None]
    return connection.execute(select(rows).where(*conditions).order_by(rows.c.decision_id)).mappings().all()


def waivers(connection: Connection, today: date) -> list[dict[str, Any]]:
    """The waivers in force on a day, oldest first.

    Each has the number of its decision, its scope (`code`, `partner_code`; `subject` and `period`, empty for all),
    `until`, `waived_by`, `waived_at` and `why`.
    """
    query = (
        select(
            waiver.c.decision_id,
            *(waiver.c[name] for name in (*WAIVER_SCOPE, "until")),
            decision.c.decided_by.label("waived_by"),
            decision.c.decided_at.label("waived_at"),
            decision.c.why,
        )
        .join(decision, decision.c.decision_id == waiver.c.decision_id)
        .order_by(waiver.c.waiver_id)
    )
    last = {tuple(row[name] for name in WAIVER_SCOPE): dict(row) for row in connection.execute(query).mappings()}
    in_force = [row for row in last.values() if row["until"] >= today]
    return sorted(in_force, key=lambda row: row["decision_id"])
