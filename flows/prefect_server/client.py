"""How commands reach Prefect: at the server that is named, or at one that is started for them.

Prefect is imported where it is needed: it reads its settings as it is imported, and need not be installed where nobody
uses it.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from flows.extras import missing_extras
from flows.prefect_server.server import ServerError, server_for_command
from flows.settings import Settings, prepare_prefect

Result = TypeVar("Result")


def is_used(settings: Settings) -> bool:
    """Whether there is a Prefect to reach: a server that is named, or a database in the home."""
    return bool(os.environ.get("PREFECT_API_URL")) or (settings.home / ".prefect" / "prefect.db").exists()


def run_with_server(settings: Settings, work: Callable[[], Coroutine[Any, Any, Result]], things: str) -> Result:
    """Do some work once Prefect is imported and its server answers.

    Args:
        settings: those of the home whose Prefect it is.
        work: what to do; it imports of Prefect what it needs.
        things: what it is about, in the plural, such as "runs": for the message if Prefect is not installed.

    Raises:
        ServerError: Prefect is not installed, or its server does not start, is out of reach or refuses.
    """
    if missing_extras(["server"]):
        raise ServerError(f'Prefect\'s {things} need the extra "server": pip install "cypp-etl[server]"')
    prepare_prefect(settings.home)
    with server_for_command():
        import httpx  # noqa: PLC0415
        from prefect.exceptions import PrefectException  # noqa: PLC0415
    try:
        return asyncio.run(work())
    except (PrefectException, httpx.HTTPError) as fault:
        raise ServerError(f"Prefect's server: {fault}") from fault
