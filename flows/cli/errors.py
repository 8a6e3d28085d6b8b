"""How a command ends that could not run."""

from typing import NoReturn

import typer

from flows.cli.terminal import say


def stop(fault: object) -> NoReturn:
    """End with status 2: it could not run."""
    if isinstance(fault, OSError) and fault.filename and fault.strerror:
        fault = f"{fault.filename}: {fault.strerror}"
    # The reader of the pipe has gone, so there is nowhere to print a message.
    if not isinstance(fault, BrokenPipeError):
        # Each fault of a plan has its own line.
        for line in f"cypp: {fault}".splitlines():
            say(line, err=True)
    raise typer.Exit(2)
