"""Removes from Prefect what quotes workbooks: runs with their artifacts and logs. They are a display; nothing is lost.

Prefect is imported where it is asked: it reads its settings as it is imported, and need not be installed where nobody
uses it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Artifact

    from cypp_etl.periods import Period

_AT_ONCE = 200
# The artifacts that are of one workbook; others are of a quarter, or of the inbox.
_SUMMARY = "-summary"
_OF_A_WORKBOOK = (_SUMMARY, "-findings")
_LOGS_SECONDS = 30.0


def queries_key(period: "Period") -> str:
    """The key of the table of a period's queries, which quotes workbooks of all partners."""
    return f"queries-{period.code.lower()}"


async def remove_runs_of(sha256: str, periods: Iterable["Period"] = ()) -> int:
    """Remove the runs of a workbook, and the tables of periods' queries; say how many runs.

    Raises:
        TimeoutError: the server has not removed the logs yet.
        prefect.exceptions.PrefectException, httpx.HTTPError: it is out of reach.
    """
    from prefect import get_client  # noqa: PLC0415
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey  # noqa: PLC0415

    runs = await _runs_of(sha256)
    if keys := [queries_key(period) for period in periods]:
        async with get_client() as client:
            for table in await _artifacts(client, ArtifactFilter(key=ArtifactFilterKey(any_=keys))):
                if table.id:
                    await client.delete_artifact(table.id)
    await _remove_runs(runs)
    return len(runs)


async def remove_runs_before(moment: datetime, *, remove: bool) -> int:
    """Remove the runs that ended before a moment, or only count them.

    Raises:
        as `remove_runs_of`.
    """
    runs = await _runs_before(moment)
    if remove:
        await _remove_runs(runs)
    return len(runs)


async def _runs_of(sha256: str) -> list[UUID]:
    """The runs whose summary names a workbook by its SHA-256."""
    from prefect import get_client  # noqa: PLC0415
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey  # noqa: PLC0415

    summaries = ArtifactFilter(key=ArtifactFilterKey(like_=f"%{_SUMMARY}"))
    async with get_client() as client:
        found = [one for one in await _artifacts(client, summaries) if sha256 in str(one.data)]
    return sorted({one.flow_run_id for one in found if one.flow_run_id})


async def _runs_before(moment: datetime) -> list[UUID]:
    """The runs that ended before a moment."""
    from prefect import get_client  # noqa: PLC0415
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterEndTime  # noqa: PLC0415

    ended = FlowRunFilter(end_time=FlowRunFilterEndTime(before_=cast(Any, moment), is_null_=False))
    numbers: list[UUID] = []
    async with get_client() as client:
        while page := await client.read_flow_runs(flow_run_filter=ended, limit=_AT_ONCE, offset=len(numbers)):
            numbers += [run.id for run in page]
    return numbers


async def _remove_runs(runs: Sequence[UUID]) -> None:
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
