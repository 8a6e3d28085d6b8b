"""How a command asks the warehouse something: in one transaction that reads, with its faults told in a line."""

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
    """Say on stderr where another plan is in force than the one that the environment names."""
    if workplace.notice:
        say(f"cypp: {workplace.notice}", err=True)


def plan_to_use(settings: "Settings") -> "Plan":
    """The plan in force; before there is a warehouse, the one with which it would begin.

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
    """Give what is to show to the warehouse and its plan; the result is the command's exit status."""
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
