"""`cypp health`: asks the running `cypp serve` of this home, for systemd, containers and people."""

import typer

from flows.cli.terminal import say
from flows.service.health_page import ask
from flows.settings import read_settings


def health() -> None:
    """Ask the running cypp serve whether it does its work.

    Status 0: it is healthy. 1: it is degraded, and drops are answered. 2: it is unhealthy, or does not answer.
    """
    verdict, line = ask(read_settings())
    say(line)
    raise typer.Exit(int(verdict))
