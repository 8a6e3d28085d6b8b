"""Printing for commands: each line is escaped, because many include text typed by partners."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cypp_etl.escapes import for_terminal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line, on stderr if `err` is set."""
    # A pipe on Windows has an encoding of its own, in which most characters are none.
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    shown = for_terminal(str(line)).encode(encoding, "backslashreplace").decode(encoding)
    typer.echo(shown, err=err)


def say_json(entry: "DataclassInstance") -> None:
    """Print an object as one line of JSON: exact, and with visible characters only."""
    typer.echo(json.dumps(asdict(entry)).replace("\x7f", "\\u007f"))
