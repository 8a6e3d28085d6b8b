"""How commands remove runs from Prefect."""

from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows import prefect_runs
from flows.prefect_server.client import run_with_server
from flows.prefect_server.server import ServerError
from flows.settings import Settings

if TYPE_CHECKING:
    from cypp_etl.periods import Period


def remove_runs_of(settings: Settings, sha256: str, periods: "Iterable[Period]") -> int:
    """Remove the runs of a workbook, and the tables of periods' queries; say how many runs.

    Raises:
        ServerError: Prefect is not installed, or its server does not start, refuses or takes too long.
    """
    return _counted(settings, lambda: prefect_runs.remove_runs_of(sha256, periods))


def remove_runs_before(settings: Settings, moment: datetime, *, remove: bool) -> int:
    """Remove the runs that ended before a moment, or only count them.

    Raises:
        ServerError: as `remove_runs_of`.
    """
    return _counted(settings, lambda: prefect_runs.remove_runs_before(moment, remove=remove))


def _counted(settings: Settings, remove: Callable[[], Coroutine[Any, Any, int]]) -> int:
    try:
        return run_with_server(settings, remove, "runs")
    except TimeoutError as fault:
        raise ServerError("Prefect's server has not removed the logs of the runs yet: run the command again") from fault
