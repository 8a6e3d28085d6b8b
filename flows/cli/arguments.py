"""Arguments and options that several commands take, and how a period or a day is typed."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cypp_etl.periods import Period, parse_period
from flows.cli.errors import stop

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per file, each on its own line.")]
By = Annotated[str, typer.Option("--by", help="Your name, for the record.", envvar="USER")]
OfPartner = Annotated[str, typer.Option("--partner", help="Only what this partner returns: its code.")]
OfGroup = Annotated[str, typer.Option("--group", help="Only what the partners of this group return: its code.")]
OfOutcome = Annotated[str, typer.Option("--outcome", help="Only what belongs to this outcome: its code.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")]


def parsed_period(text: str) -> Period:
    """Parse a period that was typed, or end the command."""
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
