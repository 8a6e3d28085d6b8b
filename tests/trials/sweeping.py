"""One sweep of an inbox by the steps of `ingest-return`, without Prefect, in a process that may be made to die.

Run in a process of its own. It dies by SIGKILL before the n-th line that it comes to in the code which keeps, records
and takes away: no step of it can be missed, and the code needs no hooks for it.
"""

import faulthandler
import json
import os
import resource
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import flows.answering
import flows.archive
import flows.replies
import flows.taking
import warehouse.deciding
import warehouse.engine
import warehouse.load
import warehouse.loading
from flows.answering import answer
from flows.inbox import sweep
from flows.settings import read_settings
from flows.taking import take_away
from flows.workplace import open_workplace

_HANGS_SECONDS = 120
RECEIVED_AT = datetime(2010, 7, 20, 10, tzinfo=UTC)
_STEPS = {
    module.__file__
    for module in (
        flows.answering,
        flows.archive,
        flows.replies,
        flows.taking,
        warehouse.deciding,
        warehouse.engine,
        warehouse.load,
        warehouse.loading,
        sys.modules[__name__],
    )
}


def sweep_once(environment: dict[str, str]) -> None:
    """Ingest whatever lies in the inbox, as `flows.ingest.ingest_return` does."""
    # A sweep that hangs says where, and fails the trial instead of stopping it.
    faulthandler.dump_traceback_later(_HANGS_SECONDS, exit=True)
    settings = read_settings(environment)
    workplace = open_workplace(settings)
    for waiting in sweep(settings.inbox, workplace.plan.partners, time.time()):
        try:
            kept = workplace.keep(waiting.path)
        except FileNotFoundError:
            continue
        checked = workplace.check(str(waiting.path), kept, waiting.partner_code, RECEIVED_AT)
        recorded = workplace.load(checked, RECEIVED_AT, kept.delivery)
        answer(workplace, checked, recorded, kept, RECEIVED_AT)
        take_away(waiting.path, kept)


def sweep_and_die(environment: dict[str, str], lines: int, came_to: Path | None = None) -> None:
    """The same, killed before its n-th line; if it has fewer, each is written down with when it was first come to."""
    seen = 0
    first: dict[str, int] = {}

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in _STEPS:
            return None
        if event == "line":
            seen += 1
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            first.setdefault(place, seen)
            if seen == lines:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    sweep_once(environment)
    sys.settrace(None)
    if came_to:
        came_to.write_text(json.dumps(sorted(first.values())))


def sweep_on_full_disk(environment: dict[str, str], free: int) -> None:
    """The same, where no file can grow beyond so many bytes: writing fails halfway, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, free))
    sweep_once(environment)
