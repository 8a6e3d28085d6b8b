"""How commands query the warehouse: in one read-only transaction, with errors reported in one line."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flows.cli.errors import faults, stop
from flows.cli.terminal import say
from flows.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cypp_etl.plan.model import Plan
    from flows.ingestion.context import Workplace
    from flows.settings import Settings


def say_notice(workplace: "Workplace") -> None:
    """Print on stderr if the plan in force is not the one that the environment names."""
    if workplace.notice:
        say(f"cypp: {workplace.notice}", err=True)


def plan_to_use(settings: "Settings") -> "Plan":
    """The plan in force; if there is no warehouse yet, the plan that it would start with.

    Raises:
        what `faults` lists.
    """
    from cypp_etl.plan.reader import read_plan
    from flows.ingestion.context import open_to_read
    from warehouse.upgrade import NoWarehouseError

    try:
        workplace = open_to_read(settings)
    except NoWarehouseError:
        return read_plan(settings.plan)
    workplace.engine.dispose()
    say_notice(workplace)
    return workplace.plan


def ask(show: "Callable[[Connection, Plan], int]") -> int:
    """Call `show` with the warehouse and its plan; its result is the command's exit status."""
    from cypp_etl.gc_control import imported_for_good

    with imported_for_good():
        from flows.ingestion.context import open_to_read
        from warehouse.engine import reading

    try:
        workplace = open_to_read(read_settings())
        say_notice(workplace)
        with reading(workplace.engine) as connection:
            return show(connection, workplace.plan)
    except faults() as fault:
        stop(fault)
