"""What stops a command that works with the warehouse, without being anybody's bad data, and what is said of it."""

from typing import NoReturn

from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cypp_etl.plan.reader import PlanError
from flows.cli.errors import stop
from flows.fault_line import fault_line
from flows.prefect_server.server import ServerError
from flows.settings import read_settings
from warehouse.upgrade import WarehouseStateError

FAULTS = (PlanError, SQLAlchemyError, ArgumentError, WarehouseStateError, ServerError, OSError, ValueError)
"""A wrong plan or setting, and a database, a server or a folder out of reach."""


def stop_at(fault: Exception) -> NoReturn:
    """End with status 2 at one of FAULTS; of a full disk or a database that cannot be used, where and why."""
    is_of_the_settings = isinstance(fault, OSError | SQLAlchemyError)
    stop((is_of_the_settings and fault_line(fault, read_settings())) or fault)
