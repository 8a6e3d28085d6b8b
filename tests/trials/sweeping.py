"""The work of a process that can be killed: one sweep of an inbox by the steps of `ingest-return`.

It dies by SIGKILL before the n-th line that it executes of the code that archives, records, sends receipts and removes:
no step can be missed, and the code needs no hooks for it.
"""

import json
import os
import resource
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import flows.ingestion.archive
import flows.ingestion.job
import flows.ingestion.receipt
import flows.ingestion.receipt_files
import flows.ingestion.removal
import warehouse.engine
import warehouse.recording.decisions
import warehouse.recording.inserts
import warehouse.recording.record
import warehouse.upgrade
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return
from flows.ingestion.context import open_to_write
from flows.ingestion.inbox import make_folders, sweep
from flows.ingestion.job import Steps
from flows.settings import read_settings

RECEIVED_AT = datetime(2010, 7, 20, 10, tzinfo=UTC)
_STEPS = {
    module.__file__
    for module in (
        flows.ingestion.receipt,
        flows.ingestion.archive,
        flows.ingestion.receipt_files,
        flows.ingestion.job,
        flows.ingestion.removal,
        warehouse.recording.decisions,
        warehouse.engine,
        warehouse.recording.record,
        warehouse.recording.inserts,
        sys.modules[__name__],
    )
}


def rehearse() -> None:
    """Sweep once in a throw-away home, so that its imports and compiled code are there after a fork."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "inbox" / "yos" / "return.xlsx"
        path.parent.mkdir(parents=True)
        path.write_bytes(sample_return(read_plan(), "yos", parse_period("2010-11Q1")))
        sweep_once({"CYPP_HOME": folder})


def sweep_once(environment: dict[str, str]) -> None:
    """Ingest whatever is in the inbox, like `flows.deployments.ingest_return.ingest_return`."""
    settings = read_settings(environment)
    workplace = open_to_write(settings)
    make_folders(settings.inbox, workplace.plan.partners)
    for waiting in sweep(settings.inbox, workplace.plan.partners, time.time()):
        steps = Steps(workplace, waiting.path, waiting.partner_code, RECEIVED_AT)
        try:
            steps.check()
        except FileNotFoundError:
            continue
        steps.load()
        steps.reply()
        steps.take_away()
    workplace.engine.dispose()


def sweep_and_die(environment: dict[str, str], lines: int, came_to: str = "") -> None:
    """The same, killed before its n-th line; if it has fewer, each is recorded with its first occurrence."""
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
        Path(came_to).write_text(json.dumps(sorted(first.values())))


def sweep_on_full_disk(environment: dict[str, str], free: int) -> None:
    """The same with a limit on the size of files: writing fails halfway, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, free))
    sweep_once(environment)
