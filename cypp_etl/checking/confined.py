"""Checks workbooks and marks their receipts in a process that is killed when one takes too much time or memory.

The process is started once and receives one workbook after another, so that an ordinary return only costs the
transfer. `confined_child` is its program. Good regular expressions make checking fast; this guarantees that it ends.
"""

import atexit
import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import PurePath
from threading import Lock
from typing import TYPE_CHECKING, Any

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.alarms import Alarms
from cypp_etl.checking.confined_process import DEFAULT_BOUNDS, MOST_KEPT, Bounds, ConfinedProcess, EndedError
from cypp_etl.checking.opening import Opened, Received
from cypp_etl.findings import find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.periods import Period
from cypp_etl.personal import shown_file_name
from cypp_etl.plan.model import Plan
from cypp_etl.receipts.reply import Reply, may_be_marked, page_for
from cypp_etl.receipts.summary import ReceiptSummary

if TYPE_CHECKING:
    from cypp_etl.checking.collection import Piece

Past = Callable[[frozenset[str], frozenset[Period] | None], History]
"""The history of partners, for some periods or, with None, for all."""

SET_ASIDE = "workbook-set-aside"
"""The code of a workbook that is not opened, because processes died while they were processing it."""

_TOO_COMPLEX = "workbook-too-complex"
# An ordinary return takes a hundredth of this; one that takes so long may have to be stopped.
_LONG_SECONDS = 0.5
_log = logging.getLogger(__name__)


class ConfinedChecker:
    """Checks and marks in a separate process, one workbook at a time; any thread may call it."""

    def __init__(self, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """Nothing is started until it is needed, or `prepare` is called."""
        self._bounds = bounds
        self._turn = Lock()
        self._alarms = Alarms()
        self._child: ConfinedProcess | None = None
        self._successor: ConfinedProcess | None = None
        self._is_closed = False

    def prepare(self) -> None:
        """Start the process, which takes a second, without waiting for it."""
        with self._turn:
            self._running()

    def check(self, plan: Plan, received: Received, today: date, past: Past) -> CheckedReturn:
        """Check one workbook against its history, which `past` returns once its partner is known.

        Returns:
            The checked return; refused with `workbook-too-complex` if it took too much time or memory.
        """
        history = History()

        def look_back(partner_codes: frozenset[str], periods: frozenset[Period] | None) -> tuple[History, bool]:
            nonlocal history
            history = past(partner_codes, periods)
            return replace(history, all_values_of=None), history.all_values_of is not None

        asked: dict[str, Callable[..., object]] = {
            "past": look_back,
            "values": lambda code: dict(history.values_of(code)),
        }
        try:
            with self._turn:
                self._tell(plan)
                child = self._running()
                # From now on it keeps another one, however this call ends.
                child.workbook = ""
                checked: CheckedReturn = self._ask(("check", received, today), self._bounds.check_seconds, asked)
                child.workbook = checked.sha256 if len(received.data) <= MOST_KEPT else ""
                return checked
        except EndedError:
            _log.warning(
                "Checking %r was stopped: it took too much time or memory.",
                shown_file_name(PurePath(received.file).name),
            )
            return refused(received, _TOO_COMPLEX)

    def take_apart(self, plan: Plan, received: Received) -> "tuple[Piece, ...]":
        """The returns in a collection of many, as `Checker.take_apart`; none if that took too much time or memory."""
        if not any(layout.is_flat for layout in plan.layouts.values()):
            return ()
        try:
            with self._turn:
                self._tell(plan)
                pieces: tuple[Piece, ...] = self._ask(("apart", received), self._bounds.apart_seconds, {})
                return pieces
        except EndedError:
            _log.warning("Taking %r apart was stopped.", shown_file_name(PurePath(received.file).name))
            return ()

    def reply(self, checked: CheckedReturn, data: bytes, summary: ReceiptSummary) -> Reply:
        """The receipt of a return, marked by `receipts.reply`; a page if that took too much time or memory."""
        if not may_be_marked(checked):
            return page_for(checked, summary)
        try:
            with self._turn:
                # Marking needs what was found; the figures would take longer to send than all else.
                found = replace(checked, observations=(), milestone_reports=(), withheld=())
                sent = None if self._running().workbook == checked.sha256 else data
                reply: Reply = self._ask(("reply", found, sent, summary), self._bounds.reply_seconds, {})
                return reply
        except EndedError:
            _log.warning("Marking %r was stopped: it took too much time or memory.", checked.file_name)
            return page_for(checked, summary)

    def close(self) -> None:
        """Stop the process for good; waiting callers get a RuntimeError, and no workbook is refused for that."""
        self._is_closed = True
        for process in (self._child, self._successor):
            if process:
                process.kill()
        self._child = self._successor = None

    def _running(self) -> ConfinedProcess:
        if self._is_closed:
            raise RuntimeError("The checker was closed.")
        if self._child is None or not self._child.is_alive():
            self._child = ConfinedProcess(self._bounds, self._alarms)
        return self._child

    def _tell(self, plan: Plan) -> None:
        """Send a plan that the process does not have: it is larger than a return, and rarely changes."""
        if self._running().plan != plan.fingerprint:
            self._ask(("plan", plan), self._bounds.start_seconds, {})
            self._running().plan = plan.fingerprint

    def _ask(self, job: tuple[object, ...], seconds: float, asked: dict[str, Callable[..., object]]) -> Any:
        child = self._running()
        is_spent = True
        try:
            child.wait_until_ready()
            expect_no_longer = self._alarms.set(_LONG_SECONDS, self._expect_to_replace)
            try:
                answer, is_spent = child.ask(job, seconds, asked)
            finally:
                expect_no_longer()
        finally:
            # Whatever it was doing: the next workbook gets a fresh process.
            self._succeed(child if is_spent else None)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _expect_to_replace(self) -> None:
        """Start a process that can take the next workbook as soon as this one is killed."""
        self._successor = ConfinedProcess(self._bounds, self._alarms)

    def _succeed(self, spent: ConfinedProcess | None) -> None:
        """Replace a process by its successor, or by a new one; without a process, the successor is not needed."""
        successor, self._successor = self._successor, None
        if spent is not None:
            spent.kill()
            self._child = successor
            self._running()
        elif successor is not None:
            successor.kill()


def refused(received: Received, code: str) -> CheckedReturn:
    """A workbook that was refused unread, with one finding about the file."""
    return CheckedReturn(
        file=received.file,
        file_name=shown_file_name(PurePath(received.file).name),
        sha256=hashlib.sha256(received.data).hexdigest(),
        layout="",
        partner_code=received.folder_partner,
        period=None,
        prepared_by="",
        email="",
        findings=(find(code),),
        observations=(),
        milestone_reports=(),
    )


def unopened(received: Received) -> Opened:
    """A workbook that took too much time or memory: refused with `workbook-too-complex`."""
    sha256 = hashlib.sha256(received.data).hexdigest()
    parsed = ParsedReturn(received.file, sha256, "", received.folder_partner, findings=[find(_TOO_COMPLEX)])
    own = frozenset([received.folder_partner] if received.folder_partner else [])
    return Opened(parsed, None, "", None, own)


@cache
def shared_checker() -> ConfinedChecker:
    """The checker of this process; its child process ends with this one."""
    checker = ConfinedChecker()
    atexit.register(checker.close)
    return checker
