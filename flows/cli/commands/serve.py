"""`cypp serve`, which watches the inbox and runs Prefect's server, and `cypp health`, which asks how it is."""

import os
from typing import Annotated

import typer

from flows.cli.faults import FAULTS, stop_at
from flows.cli.terminal import say
from flows.mail.settings import read_mail_settings
from flows.prefect_server.server import PrefectServer
from flows.service.health_page import HealthPage, ask_health
from flows.service.home_lock import AlreadyServedError
from flows.service.serve import Watching, log_to_terminal
from flows.service.serve import serve as watch_inbox
from flows.service.served_deployments import ServedDeployments
from flows.settings import prepare_prefect, read_settings

# So that two homes that differ in --port have their own.
_PAGES_ABOVE = 10


def serve(
    host: Annotated[str, typer.Option(help="The address of the Prefect UI.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port of the Prefect UI.")] = 4200,
    interval: Annotated[
        float, typer.Option(min=0.2, help="The longest time between two scans of the inbox, in seconds.")
    ] = 10.0,
    poll: Annotated[
        bool, typer.Option("--poll", help="Scan every second, for network shares, which send no file events.")
    ] = False,
    deployments: Annotated[
        bool | None,
        typer.Option(
            help="Run what is started in the UI or by a schedule. Unless said, where PREFECT_API_URL names no server, "
            "whose workers do.",
            show_default=False,
        ),
    ] = None,
    health_host: Annotated[str, typer.Option(help="The address of the pages /health and /metrics.")] = "127.0.0.1",
    health_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Their port; ten above --port, unless said.", show_default=False),
    ] = None,
) -> None:
    """Watch the inbox, with the Prefect UI, until Ctrl+C."""
    settings = read_settings()
    prepare_prefect(settings.home)
    server = None if os.environ.get("PREFECT_API_URL") else PrefectServer(host, port)
    log_to_terminal()
    try:
        mail = read_mail_settings()
        if server:
            server.prepare()
        watching = Watching(min(interval, 1.0), False) if poll else Watching(interval)
        are_served = server is not None if deployments is None else deployments
        page = HealthPage(health_host, min(port + _PAGES_ABOVE, 65_535) if health_port is None else health_port)
        watch_inbox(settings, server, watching, page, ServedDeployments(settings) if are_served else None, mail)
    except (AlreadyServedError, *FAULTS) as fault:
        stop_at(fault)


def health() -> None:
    """Show the health of the running cypp serve.

    Status 0: it is healthy. 1: it is degraded, and drops are answered. 2: it is unhealthy, or does not answer.
    """
    verdict, line = ask_health(read_settings())
    say(line)
    raise typer.Exit(int(verdict))
