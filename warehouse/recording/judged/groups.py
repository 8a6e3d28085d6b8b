"""Records the figures of groups of partners, and the judgements on them: they follow what the partners return."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from cypp_etl.figure_keys import FigureKey
from cypp_etl.judgement.reach.differences import PlanDifferences
from cypp_etl.plan.model import Plan
from schemas.codes import Measure
from warehouse.figures.groups import GROUP_KEY, GROUP_SAID, groups_reached_by, is_gone, judged_again, of_every_group
from warehouse.recording.bulk_insert import insert_rows
from warehouse.recording.validity import end_rows
from warehouse.schema.tables import group_judgement

if TYPE_CHECKING:
    from cypp_etl.judgement.groups import GroupKey


def rejudge_groups(
    connection: Connection, plan: Plan, plan_id: int, touched: Iterable[FigureKey], at: datetime
) -> None:
    """Add up and judge again what depends on changed figures of partners, in a transaction of `engine.writing`.

    Rows that differ are closed and written. Only groups of the plan in force are added up.
    """
    groups_of: dict[str, list[str]] = {}
    for group_code, members in plan.members.items():
        for partner_code in members:
            groups_of.setdefault(partner_code, []).append(group_code)
    keys = {
        (group_code, figure.indicator, figure.period)
        for figure in touched
        if figure.measure == Measure.ACTUAL and figure.indicator in plan.indicators
        for group_code in groups_of.get(figure.partner_code, ())
    }
    _rejudge(connection, plan, plan_id, keys, at)


def rejudge_every_group(
    connection: Connection, plan: Plan, plan_id: int, returned: Iterable[tuple[str, str]], at: datetime
) -> None:
    """Do as `rejudge_groups` for all groups, where partners' figures of some indicators and periods have changed."""
    _rejudge(connection, plan, plan_id, of_every_group(plan, returned), at)


def rejudge_groups_by_plan(
    connection: Connection, plan: Plan, plan_id: int, differences: PlanDifferences, at: datetime
) -> None:
    """Add up and judge by a new plan what differs from the one before, in a transaction of `engine.writing`."""
    gone = select(group_judgement.c.group_judgement_id).where(is_gone(plan))
    end_rows(connection, group_judgement, connection.scalars(gone).all(), at)
    _rejudge(connection, plan, plan_id, groups_reached_by(connection, plan, differences), at)


def _rejudge(connection: Connection, plan: Plan, plan_id: int, keys: "Collection[GroupKey]", at: datetime) -> None:
    for held, judged in judged_again(connection, plan, keys):
        ended = [number for key, (number, said) in held.items() if judged.get(key) != said]
        written = [key for key in judged if key not in held or judged[key] != held[key][1]]
        end_rows(connection, group_judgement, ended, at)
        rows = ((*key, *judged[key]) for key in sorted(written))
        names = (*GROUP_KEY, *GROUP_SAID)
        insert_rows(connection, group_judgement, names, rows, {"plan_id": plan_id, "recorded_at": at})
