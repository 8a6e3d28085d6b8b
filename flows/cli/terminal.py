"""Printing for commands: each line is escaped, because many include text typed by partners."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cypp_etl.escapes import for_terminal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from rich.progress import Progress


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line, on stderr if `err` is set."""
    # A pipe on Windows has an encoding of its own, in which most characters are none.
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    shown = for_terminal(str(line)).encode(encoding, "backslashreplace").decode(encoding)
    typer.echo(shown, err=err)


def progress_bar(*, is_wanted: bool = True) -> "Progress":
    """A bar on stderr that counts, and says how long the rest takes; on a terminal only, and where it is wanted."""
    # Few commands need it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not (is_wanted and console.is_terminal))


def say_json(entry: "DataclassInstance") -> None:
    """Print an object as one line of JSON: exact, and with visible characters only."""
    typer.echo(json.dumps(asdict(entry)).replace("\x7f", "\\u007f"))
