"""What stops a command that works with the warehouse, without being anybody's bad data, and what is said of it."""

from typing import NoReturn

from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from cypp_etl.plan.reader import PlanError
from flows.cli.errors import stop
from flows.prefect_server.server import ServerError
from flows.settings import read_settings
from warehouse.engine import place_of
from warehouse.upgrade import WarehouseStateError

FAULTS = (PlanError, SQLAlchemyError, ArgumentError, WarehouseStateError, ServerError, OSError, ValueError)
"""A wrong plan or setting, and a database, a server or a folder out of reach."""


def stop_at(fault: Exception) -> NoReturn:
    """End with status 2 at one of FAULTS; of a database that cannot be used, where it is and what it said."""
    if (cause := getattr(fault, "orig", None)) and _is_of_the_database(fault):
        stop(f"{place_of(read_settings().warehouse_url)}: {' '.join(str(cause).split())}")
    stop(fault)


def _is_of_the_database(fault: Exception) -> bool:
    """Whether the warehouse could not be opened, is locked or is missing, rather than a statement being wrong."""
    return getattr(fault, "statement", None) is None or isinstance(fault, OperationalError)
