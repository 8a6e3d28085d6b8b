"""Checks workbooks and marks their receipts in a process that is killed when one takes too much time or memory.

The process is started once and handed one workbook after the other, so that an ordinary return costs no more than the
way there and back. `confined_child` is its program. Good patterns make checking fast; that it ends, this guarantees.
"""

import atexit
import hashlib
import logging
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path, PurePath
from threading import Lock, Timer
from typing import IO, Any

from cypp_etl.findings import find
from cypp_etl.opening import Received
from cypp_etl.periods import Period
from cypp_etl.plan_model import Plan
from cypp_etl.receipts.reply import Reply, may_be_marked, page_for
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.submission import CheckedReturn, History
from cypp_etl.workbook.guards import MIB

if sys.platform != "win32":
    import signal

Past = Callable[[frozenset[str], frozenset[Period] | None], History]
"""What is known of partners, of some periods or, with None, of all."""

_ROOT = Path(__file__).resolve().parents[1]
_TOO_COMPLEX = "workbook-too-complex"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many seconds, by the clock, checking a workbook and marking its receipt may take, and how many bytes.

    `memory` is what the process may take on top of what it has once it is ready, on Linux; elsewhere only time is
    bounded. The time in which the caller looks up what was known is not the workbook's, and not counted.
    """

    check_seconds: float = 3.0
    reply_seconds: float = 1.5
    memory: int = 320 * MIB
    start_seconds: float = 60.0


DEFAULT_BOUNDS = Bounds()


class _EndedError(Exception):
    """The process was killed, or ended itself, before it answered."""


class ConfinedChecker:
    """Checks and marks in a process of its own, one workbook at a time; any thread may call."""

    def __init__(self, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """Nothing is started before it is needed, or `prepare` is called."""
        self._bounds = bounds
        self._turn = Lock()
        self._child: _Child | None = None

    def prepare(self) -> None:
        """Start the process, which takes a second, and do not wait for it."""
        with self._turn:
            self._running()

    def check(self, plan: Plan, received: Received, today: date, past: Past) -> CheckedReturn:
        """Check one workbook beside the past, for which `past` is asked once it is known whose it is.

        Returns:
            What the workbook says; refused with `workbook-too-complex` if it took too much.
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
                child = self._running()
                # A plan is larger than a return, and seldom another.
                unknown = None if child.plan == plan.fingerprint else plan
                child.plan = plan.fingerprint
                checked: CheckedReturn = self._ask(
                    ("check", unknown, received, today), self._bounds.check_seconds, asked
                )
                return checked
        except _EndedError:
            _log.warning("Checking %r was stopped: it took too much time or memory.", PurePath(received.file).name)
            return refused(received, _TOO_COMPLEX)

    def reply(self, checked: CheckedReturn, data: bytes, summary: ReceiptSummary) -> Reply:
        """The answer to a return, marked as `receipts.reply` does it; a page if that took too much."""
        if not may_be_marked(checked):
            return page_for(checked, summary)
        try:
            with self._turn:
                reply: Reply = self._ask(("reply", checked, data, summary), self._bounds.reply_seconds, {})
                return reply
        except _EndedError:
            _log.warning("Marking %r was stopped: it took too much time or memory.", checked.file_name)
            return page_for(checked, summary)

    def close(self) -> None:
        """End the process."""
        if self._child:
            self._child.kill()
            self._child = None

    def _running(self) -> "_Child":
        if self._child is None or not self._child.is_alive():
            self._child = _Child(self._bounds)
        return self._child

    def _ask(self, job: tuple[object, ...], seconds: float, asked: dict[str, Callable[..., object]]) -> Any:
        child = self._running()
        try:
            child.wait_until_ready()
            answer, is_spent = child.ask(job, seconds, asked)
        except BaseException:
            # Whatever it was in the midst of: the next workbook meets a process that is not.
            child.kill()
            self._child = _Child(self._bounds)
            raise
        if is_spent:
            child.kill()
            self._child = _Child(self._bounds)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(received: Received, code: str) -> CheckedReturn:
    """A workbook of which nothing is known but that it was refused, with one finding about the file."""
    return CheckedReturn(
        file=received.file,
        file_name=PurePath(received.file).name,
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


@cache
def shared_checker() -> ConfinedChecker:
    """The checker of this process; its own process ends with this one."""
    checker = ConfinedChecker()
    atexit.register(checker.close)
    return checker


class _Child:
    """The process, and what was said to it."""

    def __init__(self, bounds: Bounds) -> None:
        self.plan = ""
        self._bounds = bounds
        self._is_ready = False
        command = [sys.executable, "-m", "cypp_etl.confined_child", str(bounds.memory), str(bounds.check_seconds)]
        # Its matrices are small: threads for them cost memory. A group of its own: what it starts is killed with it,
        # and Ctrl+C is for the parent. What a library prints as it goes down would fill a pipe that nobody empties.
        self._process = subprocess.Popen(  # noqa: S603 - no word of the command comes from a file
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process and what it started, and let go of it."""
        self._strike()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            # What is left in the pipe's buffer is for nobody.
            with suppress(OSError):
                assert pipe is not None  # noqa: S101 - both are pipes
                pipe.close()

    def wait_until_ready(self) -> None:
        """Wait for its imports.

        Raises:
            RuntimeError: it did not start, which no workbook is to blame for.
        """
        if self._is_ready:
            return
        try:
            self._listen(self._bounds.start_seconds, lambda: None)
        except _EndedError as ended:
            raise RuntimeError("The process that checks workbooks did not start.") from ended
        self._is_ready = True

    def ask(
        self, job: tuple[object, ...], seconds: float, asked: dict[str, Callable[..., object]]
    ) -> tuple[object, bool]:
        """Hand over a job and answer what is asked about it; its result, and whether the process has had its day."""
        said: object = job
        while True:
            began = time.monotonic()
            kind, *rest = self._listen(seconds, lambda said=said: self._send(said))  # type: ignore[misc]
            seconds -= time.monotonic() - began
            if kind == "ask":
                said = asked[rest[0]](*rest[1])
            elif kind == "too much":
                raise _EndedError
            else:
                return rest[0], rest[1]

    def _listen(self, seconds: float, send: Callable[[], None]) -> tuple[Any, ...]:
        """Send something and wait for what is said to it, so many seconds and no longer."""
        watch = Timer(max(0.0, seconds), self._strike)
        watch.daemon = True
        watch.start()
        try:
            send()
            answer: tuple[Any, ...] = pickle.load(self._pipe(self._process.stdout))  # noqa: S301 - our own program's
        except (EOFError, OSError, pickle.UnpicklingError) as cut_off:
            raise _EndedError from cut_off
        finally:
            watch.cancel()
        return answer

    def _send(self, said: object) -> None:
        stream = self._pipe(self._process.stdin)
        pickle.dump(said, stream, pickle.HIGHEST_PROTOCOL)
        stream.flush()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None, "both are pipes"  # noqa: S101
        return pipe

    def _strike(self) -> None:
        if sys.platform != "win32":
            # Until it was waited for, nobody else can have its number.
            if self._process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
