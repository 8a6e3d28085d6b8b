"""What commands print: each line escaped, since texts of partners are in many of them."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cypp_etl.escapes import for_terminal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line, on the error stream if asked to."""
    # A pipe on Windows has an encoding of its own, in which most characters are none.
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    shown = for_terminal(str(line)).encode(encoding, "backslashreplace").decode(encoding)
    typer.echo(shown, err=err)


def say_json(entry: "DataclassInstance") -> None:
    """Print an object as one line of JSON: exact, and of visible characters alone."""
    typer.echo(json.dumps(asdict(entry)).replace("\x7f", "\\u007f"))
