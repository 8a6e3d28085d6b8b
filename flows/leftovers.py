"""What killed processes left behind: runs that nothing in Prefect would ever end, and files that nobody will finish."""

import logging
import time
from collections.abc import Collection

from prefect import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

from flows.archive import remove_unfinished
from flows.in_hand import InHand
from flows.replies import remove_unfinished_replies
from flows.settings import Settings

log = logging.getLogger("cypp.serve")

_UNENDED = [StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED, StateType.CANCELLING]


async def close_leftovers(tag: str) -> int:
    """Close as Crashed the runs with a tag that have not ended, and say how many; whoever began them must be dead."""
    left = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[tag]), state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNENDED))
    )
    closed = 0
    async with get_client() as client:
        while runs := await client.read_flow_runs(flow_run_filter=left, limit=200):
            for run in runs:
                message = "The process was killed. What lay in the inbox lies there still, and is taken again."
                await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            closed += len(runs)
    return closed


def clear_leftovers(settings: Settings, partner_codes: Collection[str]) -> None:
    """Remove what killed processes left half written in the archive and among the partners' replies."""
    now = time.time()
    remove_unfinished(settings.archive, now)
    InHand(settings.in_hand).forget_gone()
    for partner_code in partner_codes:
        try:
            remove_unfinished_replies(settings.inbox / partner_code, now)
        except OSError as fault:
            log.warning("The replies of %s cannot be tidied: %s.", partner_code, fault.strerror)
