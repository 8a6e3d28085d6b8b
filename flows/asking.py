"""How a command asks the warehouse something: in one transaction that reads, with its faults told in a line."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flows.ending import faults, stop
from flows.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cypp_etl.plan_model import Plan


def ask(show: "Callable[[Connection, Plan], int]") -> int:
    """Give what is to show to the warehouse and its plan; the result is the command's exit status."""
    from cypp_etl.workbook.collecting import imported_for_good

    with imported_for_good():
        from flows.workplace import open_workplace
        from warehouse.engine import reading

    try:
        workplace = open_workplace(read_settings())
        with reading(workplace.engine) as connection:
            return show(connection, workplace.plan)
    except faults() as fault:
        stop(fault)
