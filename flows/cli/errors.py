"""How a command ends that could not run, and what makes it end so."""

from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperCommand

from flows.cli.terminal import say
from flows.extras import advice
from flows.settings import read_settings

if TYPE_CHECKING:
    from cypp_etl.periods import Period


class Command(TyperCommand):
    """A command that says which extra is missing before it does anything; its help needs none."""

    def invoke(self, ctx: Any) -> Any:
        """Run it, or end with status 2."""
        name = ctx.command_path.removeprefix(f"{ctx.find_root().info_name} ")
        if missing := advice(name, read_settings().warehouse_url):
            say(missing, err=True)
            raise typer.Exit(2)
        return super().invoke(ctx)


def faults() -> tuple[type[Exception], ...]:
    """What stops a command without being anybody's bad data: a wrong plan, a database or a folder out of reach."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    from cypp_etl.plan.reader import PlanError
    from flows.service.prefect_server import ServerError
    from warehouse.upgrade import WarehouseStateError

    return PlanError, SQLAlchemyError, ArgumentError, WarehouseStateError, ServerError, OSError, ValueError


def parsed_period(text: str) -> "Period":
    """The period that somebody typed, or the end of the command."""
    from cypp_etl.periods import parse_period

    try:
        return parse_period(text)
    except ValueError as fault:
        stop(fault)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r} is not a day such as 2011-03-31") from fault


def day_option(help_text: str, *names: str) -> Any:
    """An option that takes a day."""
    return typer.Option(*names, parser=_day, metavar="YYYY-MM-DD", help=help_text)


def _is_of_the_database(fault: object) -> bool:
    """Whether no statement was at fault: the warehouse could not be opened, is locked or is gone."""
    from sqlalchemy.exc import OperationalError

    return getattr(fault, "statement", None) is None or isinstance(fault, OperationalError)


def stop(fault: object) -> NoReturn:
    """End with status 2: it could not run."""
    if isinstance(fault, OSError) and fault.filename and fault.strerror:
        fault = f"{fault.filename}: {fault.strerror}"
    elif (said := getattr(fault, "orig", None)) and _is_of_the_database(fault):
        from warehouse.engine import place_of

        fault = f"{place_of(read_settings().warehouse_url)}: {' '.join(str(said).split())}"
    # Whoever was to read what is printed has gone: there is nobody to tell.
    if not isinstance(fault, BrokenPipeError):
        # A plan's faults are lines of their own.
        for line in f"cypp: {fault}".splitlines():
            say(line, err=True)
    raise typer.Exit(2)
