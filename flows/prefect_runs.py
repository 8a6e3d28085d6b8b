"""Removes runs from Prefect, with the artifacts and logs that quote workbooks: they are a display, and nothing is lost.

Prefect is imported where it is asked: it reads its settings as it is imported, and need not be installed where nobody
uses it.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flows.extras import missing_extras
from flows.service.prefect_server import ServerError, server_for_command
from flows.settings import Settings, prepare_prefect

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Artifact

_AT_ONCE = 200
# The artifacts that are of one workbook; others are of a quarter, or of the inbox.
_SUMMARY = "-summary"
_OF_A_WORKBOOK = (_SUMMARY, "-findings")
_LOGS_SECONDS = 30.0


def is_used(settings: Settings) -> bool:
    """Whether there is a Prefect whose runs could be removed: a server that is named, or a database in the home."""
    return bool(os.environ.get("PREFECT_API_URL")) or (settings.home / ".prefect" / "prefect.db").exists()


def remove_runs_of(settings: Settings, sha256: str) -> int:
    """Remove the runs of a workbook, from a server that is named or from one that is started for it; say how many.

    Raises:
        ServerError: Prefect is not installed, or its server does not start or refuses.
    """
    return _answered(settings, runs_of(sha256), remove=True)


def remove_runs_before(settings: Settings, moment: datetime, *, remove: bool) -> int:
    """Remove the runs that ended before a moment, or only count them.

    Raises:
        ServerError: as `remove_runs_of`.
    """
    return _answered(settings, runs_before(moment), remove=remove)


async def runs_of(sha256: str) -> list[UUID]:
    """The runs whose summary names a workbook by its SHA-256."""
    from prefect import get_client  # noqa: PLC0415
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey  # noqa: PLC0415

    summaries = ArtifactFilter(key=ArtifactFilterKey(like_=f"%{_SUMMARY}"))
    async with get_client() as client:
        found = [one for one in await _artifacts(client, summaries) if sha256 in str(one.data)]
    return sorted({one.flow_run_id for one in found if one.flow_run_id})


async def runs_before(moment: datetime) -> list[UUID]:
    """The runs that ended before a moment."""
    from prefect import get_client  # noqa: PLC0415
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterEndTime  # noqa: PLC0415

    ended = FlowRunFilter(end_time=FlowRunFilterEndTime(before_=cast(Any, moment), is_null_=False))
    numbers: list[UUID] = []
    async with get_client() as client:
        while page := await client.read_flow_runs(flow_run_filter=ended, limit=_AT_ONCE, offset=len(numbers)):
            numbers += [run.id for run in page]
    return numbers


async def remove_runs(runs: Sequence[UUID]) -> None:
    """Remove runs with their logs, and the artifacts that are of one workbook; one that is gone is passed over."""
    from prefect import get_client  # noqa: PLC0415
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId  # noqa: PLC0415
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415

    async with get_client() as client:
        for start in range(0, len(runs), _AT_ONCE):
            some = list(runs[start : start + _AT_ONCE])
            of_these = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=some))
            for artifact in await _artifacts(client, of_these):
                if artifact.id and (artifact.key or "").endswith(_OF_A_WORKBOOK):
                    await client.delete_artifact(artifact.id)
            for run in some:
                try:
                    await client.delete_flow_run(run)
                except ObjectNotFound:
                    continue
            await _wait_for_logs(client, some)


async def _artifacts(client: "PrefectClient", wanted: Any) -> list["Artifact"]:
    found: list[Artifact] = []
    while page := await client.read_artifacts(artifact_filter=wanted, limit=_AT_ONCE, offset=len(found)):
        found += page
    return found


async def _wait_for_logs(client: "PrefectClient", runs: Iterable[UUID]) -> None:
    """Wait until the server has removed the logs, which it does after it has answered; one for a command ends soon."""
    from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId  # noqa: PLC0415

    of_these = LogFilter(flow_run_id=LogFilterFlowRunId(any_=list(runs)))
    async with asyncio.timeout(_LOGS_SECONDS):
        while await client.read_logs(log_filter=of_these, limit=1):
            await asyncio.sleep(0.1)


def _answered(settings: Settings, asked: Any, *, remove: bool) -> int:
    if missing_extras(["server"]):
        asked.close()
        raise ServerError('Prefect\'s runs need the extra "server": pip install "cypp-etl[server]"')
    prepare_prefect(settings.home)
    with server_for_command():
        import httpx  # noqa: PLC0415
        from prefect.exceptions import PrefectException  # noqa: PLC0415

    async def act() -> int:
        runs = await asked
        if remove:
            await remove_runs(runs)
        return len(runs)

    try:
        return asyncio.run(act())
    except TimeoutError as fault:
        raise ServerError("Prefect's server has not removed the logs of the runs yet: run the command again") from fault
    except (PrefectException, httpx.HTTPError) as fault:
        raise ServerError(f"Prefect's server: {fault}") from fault
