"""Printing for commands: each line is escaped, because many include text typed by partners."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cypp_etl.escapes import for_terminal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line, on stderr if `err` is set."""
    typer.echo(for_terminal(str(line)), err=err)


def say_json(entry: "DataclassInstance") -> None:
    """Print an object as one line of JSON: exact, and with visible characters only."""
    typer.echo(json.dumps(asdict(entry)).replace("\x7f", "\\u007f"))
