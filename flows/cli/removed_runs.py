"""How commands remove runs from Prefect: from a server that is named, or from one that they start for it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from flows import prefect_runs
from flows.extras import missing_extras
from flows.prefect_server.server import ServerError, server_for_command
from flows.settings import Settings, prepare_prefect

if TYPE_CHECKING:
    from cypp_etl.periods import Period


def is_used(settings: Settings) -> bool:
    """Whether there is a Prefect whose runs could be removed: a server that is named, or a database in the home."""
    return bool(os.environ.get("PREFECT_API_URL")) or (settings.home / ".prefect" / "prefect.db").exists()


def remove_runs_of(settings: Settings, sha256: str, periods: "Iterable[Period]") -> int:
    """Remove the runs of a workbook, and the tables of periods' queries; say how many runs.

    Raises:
        ServerError: Prefect is not installed, or its server does not start or refuses.
    """
    return _answered(settings, lambda: prefect_runs.remove_runs_of(sha256, periods))


def remove_runs_before(settings: Settings, moment: datetime, *, remove: bool) -> int:
    """Remove the runs that ended before a moment, or only count them.

    Raises:
        ServerError: as `remove_runs_of`.
    """
    return _answered(settings, lambda: prefect_runs.remove_runs_before(moment, remove=remove))


def _answered(settings: Settings, ask: Callable[[], Awaitable[int]]) -> int:
    if missing_extras(["server"]):
        raise ServerError('Prefect\'s runs need the extra "server": pip install "cypp-etl[server]"')
    prepare_prefect(settings.home)
    with server_for_command():
        import httpx  # noqa: PLC0415
        from prefect.exceptions import PrefectException  # noqa: PLC0415

    async def answer() -> int:
        return await ask()

    try:
        return asyncio.run(answer())
    except TimeoutError as fault:
        raise ServerError("Prefect's server has not removed the logs of the runs yet: run the command again") from fault
    except (PrefectException, httpx.HTTPError) as fault:
        raise ServerError(f"Prefect's server: {fault}") from fault
