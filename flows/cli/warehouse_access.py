"""How commands query the warehouse: in one read-only transaction, with errors reported in one line."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cypp_etl.plan.model import Plan
from cypp_etl.plan_source import read_plan_at
from flows.cli.faults import FAULTS, stop_at
from flows.cli.terminal import say
from flows.ingestion.context import Workplace, open_to_read
from flows.settings import Settings, read_settings
from warehouse.engine import reading
from warehouse.recording.outstanding import waiting_submissions
from warehouse.upgrade import NoWarehouseError

if TYPE_CHECKING:
    from sqlalchemy import Connection


def say_notice(workplace: Workplace) -> None:
    """Print on stderr if the plan in force is not the one that the environment names."""
    if workplace.notice:
        say(f"cypp: {workplace.notice}", err=True)


def plan_to_use(settings: Settings) -> Plan:
    """The plan in force; if there is no warehouse yet, the plan that it would start with.

    Raises:
        what `FAULTS` lists.
    """
    try:
        workplace = open_to_read(settings)
    except NoWarehouseError:
        return read_plan_at(settings.plan)
    workplace.engine.dispose()
    say_notice(workplace)
    return workplace.plan


def _say_what_waits(connection: "Connection") -> None:
    count = waiting_submissions(connection)
    if count:
        are = "return is" if count == 1 else "returns are"
        say(
            f"cypp: {count:,} {are} not judged yet: the backfill still runs, or was stopped. The next sweep of the "
            "inbox, cypp reconcile or the same backfill judges them",
            err=True,
        )


def with_warehouse(show: "Callable[[Connection, Plan], int]") -> int:
    """Call `show` with the warehouse and its plan; its result is the command's exit status."""
    try:
        workplace = open_to_read(read_settings())
        say_notice(workplace)
        with reading(workplace.engine) as connection:
            _say_what_waits(connection)
            return show(connection, workplace.plan)
    except FAULTS as fault:
        stop_at(fault)
