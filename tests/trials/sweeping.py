"""What is done in a process that may be made to die: one sweep of an inbox by the steps of `ingest-return`, or one
look into the archive for what the warehouse has lost.

It dies by SIGKILL before the n-th line that it executes of the code that archives, records, sends receipts and removes:
no step can be missed, and the code needs no hooks for it.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from sqlalchemy import select

import flows.backup.backup
import flows.backup.manifest
import flows.backup.restoration
import flows.inbox.corrected_receipts
import flows.inbox.erased_receipts
import flows.inbox.moves
import flows.inbox.receipt_files
import flows.inbox.subfolders
import flows.inbox.written_receipts
import flows.ingestion.erasure
import flows.ingestion.held
import flows.ingestion.job
import flows.ingestion.receipt
import flows.ingestion.reconciliation
import flows.storage.archive
import flows.storage.drop_notes
import flows.storage.erasures
import flows.team.held_verdicts
import flows.team.periods
import flows.team.plans
import flows.team.submissions
import flows.team.waivers
import warehouse.copies
import warehouse.engine
import warehouse.recording.administration
import warehouse.recording.decisions
import warehouse.recording.inserts
import warehouse.recording.plan
import warehouse.recording.record
import warehouse.recording.submissions.erasures
import warehouse.recording.submissions.held
import warehouse.recording.submissions.stored_returns
import warehouse.recording.submissions.withdrawals
import warehouse.upgrade
from cypp_etl.checked_return import Waiver
from cypp_etl.periods import parse_period
from flows.inbox.corrected_receipts import CorrectedReceipts
from flows.inbox.sweep import make_folders, sweep
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.job import Steps
from flows.ingestion.reconciliation import reconcile
from flows.settings import read_settings
from flows.team.held_verdicts import decide_held
from flows.team.periods import close_period, reopen_period
from flows.team.plans import adopt_plan
from flows.team.submissions import erase_content, withdraw_return
from flows.team.waivers import end_waiver, waive_query
from tests.support.plan_edits import PlanEdits
from tests.support.samples import sample_of
from warehouse.engine import reading
from warehouse.schema.tables import waiver

_SAID = {"by": "A. Officer", "why": "They rang"}
_CLOSED = parse_period("2009-10Q4")
_UNTIL = date(2999, 3, 31)
_OTHER_PLAN = "other plan"

RECEIVED_AT = datetime(2010, 7, 20, 10, tzinfo=UTC)
_STEPS = {
    module.__file__
    for module in (
        flows.backup.backup,
        flows.backup.manifest,
        flows.backup.restoration,
        warehouse.copies,
        flows.ingestion.receipt,
        flows.storage.archive,
        flows.storage.drop_notes,
        flows.ingestion.reconciliation,
        flows.inbox.receipt_files,
        flows.ingestion.job,
        flows.inbox.moves,
        flows.inbox.corrected_receipts,
        flows.inbox.written_receipts,
        flows.inbox.subfolders,
        flows.ingestion.held,
        flows.ingestion.erasure,
        flows.inbox.erased_receipts,
        flows.storage.erasures,
        flows.team.held_verdicts,
        flows.team.periods,
        flows.team.plans,
        flows.team.submissions,
        flows.team.waivers,
        warehouse.recording.administration,
        warehouse.recording.plan,
        warehouse.recording.submissions.erasures,
        warehouse.recording.submissions.withdrawals,
        warehouse.recording.submissions.held,
        warehouse.recording.submissions.stored_returns,
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
        path.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
        sweep_once({"CYPP_HOME": folder})


def sweep_once(environment: dict[str, str]) -> None:
    """Ingest whatever is in the inbox, like `flows.deployments.ingest_return.ingest_return`."""
    settings = read_settings(environment)
    workplace = open_to_write(settings)
    make_folders(settings.inbox, workplace.plan.partners)
    corrected = CorrectedReceipts(settings.receipts)
    for waiting in sweep(settings.inbox, workplace.plan.partners, time.time(), corrected=corrected):
        path = corrected.bring_in(waiting.path) if waiting.is_receipt else waiting.path
        if path is None:
            continue
        steps = Steps(workplace, path, waiting.partner_code, RECEIVED_AT)
        try:
            steps.check()
        except FileNotFoundError:
            continue
        steps.load()
        steps.reply()
        steps.take_away()
    workplace.engine.dispose()


def reconcile_once(environment: dict[str, str]) -> None:
    """Take what the archive holds and the warehouse does not know."""
    workplace = open_to_write(read_settings(environment))
    reconcile(workplace)
    workplace.engine.dispose()


def sweep_and_die(environment: dict[str, str], lines: int, came_to: str = "") -> None:
    """Sweep, killed before the n-th line; if there are fewer, each is written down with when it was first come to."""
    _do_and_die(sweep_once, environment, lines, came_to)


def reconcile_and_die(environment: dict[str, str], lines: int, came_to: str = "") -> None:
    """The same of `reconcile_once`."""
    _do_and_die(reconcile_once, environment, lines, came_to)


def prepare_decisions(environment: dict[str, str]) -> None:
    """Make what decisions need that are about something: a closed period, a waiver, another plan."""
    settings = read_settings(environment)
    workplace = open_to_write(settings)
    close_period(workplace, _CLOSED, **_SAID)
    waive_query(workplace, Waiver("date-before-period", "yos", "", None, "They rang", "A. Officer", _UNTIL))
    (settings.home / _OTHER_PLAN).mkdir()
    for name, content in PlanEdits.of_the_built_in_plan().change("indicators", "NI 19", polarity="HIGH").files.items():
        if "/" not in name:
            (settings.home / _OTHER_PLAN / name).write_bytes(content)
    workplace.engine.dispose()


def decide_once(environment: dict[str, str], decision: str) -> None:
    """Decide something, where the first submission is in force, and the second is held."""
    workplace = open_to_write(read_settings(environment))
    DECISIONS[decision](workplace)
    workplace.engine.dispose()


def decide_and_die(environment: dict[str, str], lines: int, decision: str, came_to: str = "") -> None:
    """The same of `decide_once`."""
    _do_and_die(lambda home: decide_once(home, decision), environment, lines, came_to)


def _end_waiver(workplace: Workplace) -> None:
    with reading(workplace.engine) as connection:
        (made,) = connection.scalars(select(waiver.c.decision_id))
    end_waiver(workplace, made, **_SAID)


DECISIONS: dict[str, Callable[[Workplace], object]] = {
    "accept": lambda workplace: decide_held(workplace, 2, is_accepted=True, word="Thank you.", **_SAID),
    "refuse": lambda workplace: decide_held(workplace, 2, is_accepted=False, word="Thank you.", **_SAID),
    "close": lambda workplace: close_period(workplace, parse_period("2010-11Q1"), **_SAID),
    "reopen": lambda workplace: reopen_period(workplace, _CLOSED, **_SAID),
    "waive": lambda workplace: waive_query(
        workplace, Waiver("large-change", "yos", "", None, "They rang", "A. Officer", _UNTIL)
    ),
    "end a waiver": _end_waiver,
    "withdraw": lambda workplace: withdraw_return(workplace, 1, **_SAID),
    "erase": lambda workplace: erase_content(workplace, 1, **_SAID),
    "adopt": lambda workplace: adopt_plan(
        workplace.settings, workplace.settings.home / _OTHER_PLAN, may_change_settled=True, **_SAID
    ),
}


def backup_once(environment: dict[str, str], folder: str) -> None:
    """Make a backup."""
    flows.backup.backup.make_backup(read_settings(environment), Path(folder), RECEIVED_AT)


def restore_once(environment: dict[str, str], folder: str) -> None:
    """Restore a backup, into a home in which there may be some of it already."""
    flows.backup.restoration.restore_backup(read_settings(environment), Path(folder), over=True)


def backup_and_die(environment: dict[str, str], lines: int, folder: str, came_to: str = "") -> None:
    """The same of `backup_once`."""
    _do_and_die(lambda home: backup_once(home, folder), environment, lines, came_to)


def restore_and_die(environment: dict[str, str], lines: int, folder: str, came_to: str = "") -> None:
    """The same of `restore_once`."""
    _do_and_die(lambda home: restore_once(home, folder), environment, lines, came_to)


def _do_and_die(job: Callable[[dict[str, str]], None], environment: dict[str, str], lines: int, came_to: str) -> None:
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
    job(environment)
    sys.settrace(None)
    if came_to:
        Path(came_to).write_text(json.dumps(sorted(first.values())))
        Path(f"{came_to} by place").write_text(json.dumps(first))


def sweep_on_full_disk(environment: dict[str, str], free: int) -> None:
    """Sweep where no file can grow beyond so many bytes: writing fails halfway, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, free))
    sweep_once(environment)
