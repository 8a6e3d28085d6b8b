"""Every plan that was ever in force, and who adopted it, when and why."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from warehouse.schema.decisions import decision
from warehouse.schema.plan_tables import plan


def adopted_plans(connection: Connection) -> Sequence[RowMapping]:
    """The plans, latest first: fingerprint, when each came into force and ended, who decided it and why.

    The last two are None for a plan that was put in force before decisions were on record.
    """
    columns = plan.c
    query = (
        select(columns.fingerprint, columns.recorded_at, columns.superseded_at, decision.c.decided_by, decision.c.why)
        .outerjoin(decision, decision.c.decision_id == columns.decision_id)
        .order_by(columns.plan_id.desc())
    )
    return connection.execute(query).mappings().all()
