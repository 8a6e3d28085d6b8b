"""What commands print: each line escaped, since texts of partners are in many of them."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cypp_etl.escapes import for_terminal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line, on the error stream if asked to."""
    typer.echo(for_terminal(str(line)), err=err)


def say_json(entry: "DataclassInstance") -> None:
    """Print an object as one line of JSON: exact, and of visible characters alone."""
    typer.echo(json.dumps(asdict(entry)).replace("\x7f", "\\u007f"))
