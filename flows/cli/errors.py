"""Errors that stop a command with status 2, and their one-line messages."""

from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from flows.cli.terminal import say
from flows.settings import read_settings

if TYPE_CHECKING:
    from cypp_etl.periods import Period


def faults() -> tuple[type[Exception], ...]:
    """The exceptions that stop a command and are not bad data, such as a faulty plan or an unreachable database."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    from cypp_etl.plan.reader import PlanError
    from flows.service.prefect_server import ServerError
    from warehouse.upgrade import WarehouseStateError

    return PlanError, SQLAlchemyError, ArgumentError, WarehouseStateError, ServerError, OSError, ValueError


def parsed_period(text: str) -> "Period":
    """Parse a period that was typed, or end the command."""
    from cypp_etl.periods import parse_period

    try:
        return parse_period(text)
    except ValueError as fault:
        stop(fault)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r} is not a date such as 2011-03-31") from fault


def day_option(help_text: str, *names: str) -> Any:
    """Parse an option that takes a date."""
    return typer.Option(*names, parser=_day, metavar="YYYY-MM-DD", help=help_text)


def _is_of_the_database(fault: object) -> bool:
    """Whether the warehouse could not be opened, is locked or is missing, rather than a statement being wrong."""
    from sqlalchemy.exc import OperationalError

    return getattr(fault, "statement", None) is None or isinstance(fault, OperationalError)


def stop(fault: object) -> NoReturn:
    """End with status 2: it could not run."""
    if isinstance(fault, OSError) and fault.filename and fault.strerror:
        fault = f"{fault.filename}: {fault.strerror}"
    elif (said := getattr(fault, "orig", None)) and _is_of_the_database(fault):
        from warehouse.engine import place_of

        fault = f"{place_of(read_settings().warehouse_url)}: {' '.join(str(said).split())}"
    # The reader of the pipe has gone, so there is nowhere to print a message.
    if not isinstance(fault, BrokenPipeError):
        # Each fault of a plan has its own line.
        for line in f"cypp: {fault}".splitlines():
            say(line, err=True)
    raise typer.Exit(2)
