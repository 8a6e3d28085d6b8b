"""Judges again, by the rules of this program, what an older program judged."""

from datetime import datetime

from sqlalchemy import Connection

from cypp_etl.judgement.reach.differences import EVERYTHING
from cypp_etl.plan.model import Plan
from warehouse.recording.judged.clinics import keep_all_clinics
from warehouse.recording.judged.groups import rejudge_groups_by_plan
from warehouse.recording.judged.judgements import fill_in_outlooks, rejudge_by_plan
from warehouse.recording.validity import next_moment
from warehouse.stored_plans import NoStoredPlanError, identity_in_force, is_same, plan_in_force
from warehouse.upgrade import is_judged_by_these_rules, store_rules_version


def judge_by_newer_rules(connection: Connection, plan: Plan, at: datetime) -> None:
    """Judge everything in force again if its rules are older than this program, and write what differs.

    It comes before a plan is put in force, which otherwise would have to answer for what the rules change. Where the
    plan in force is neither `plan` nor stored, nothing is judged: only a plan that judges everything can follow.

    Args:
        connection: a transaction of `engine.writing`, with tables and views that are up to date.
        plan: the plan of the settings, which may be the one in force although its files are not stored.
        at: the moment from which it counts.

    Raises:
        cypp_etl.plan.reader.PlanError: this program finds faults in the plan in force that an older one did not.
        warehouse.upgrade.WarehouseTooNewError: it was judged by newer rules.
    """
    if is_judged_by_these_rules(connection):
        return
    held = identity_in_force(connection)
    if held:
        in_force = _in_force(connection, held, plan)
        if in_force:
            _judge(connection, in_force, held[0], next_moment(connection, at))
    store_rules_version(connection)


def _in_force(connection: Connection, held: tuple[int, str], plan: Plan) -> Plan | None:
    if is_same(connection, held, plan):
        return plan
    try:
        return plan_in_force(connection)
    except NoStoredPlanError:
        return None


def _judge(connection: Connection, plan: Plan, plan_id: int, at: datetime) -> None:
    # First the outlooks that are missing: filling them in changes nothing that was there.
    fill_in_outlooks(connection, plan)
    rejudge_by_plan(connection, plan, plan_id, EVERYTHING, at)
    rejudge_groups_by_plan(connection, plan, plan_id, EVERYTHING, at)
    keep_all_clinics(connection, plan, at)
