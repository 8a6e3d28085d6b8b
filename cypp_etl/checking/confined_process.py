"""The process that checks workbooks, from its parent's side: starting, messages, and killing after a time limit."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cypp_etl.checking.alarms import Alarms
from cypp_etl.workbook.limits import MIB

MOST_KEPT = MIB
"""Up to how many bytes the process keeps of the workbook that it checked last: more would be missing for the next."""

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits in seconds, by the clock, for each job, and in bytes.

    The jobs are checking a workbook, marking its receipt, and taking a collection of many returns apart. `memory` is
    what the process may use, on Linux, beyond its use when it is ready; elsewhere only time is limited. The time in
    which the caller looks up the history is not counted.
    """

    check_seconds: float = 3.0
    reply_seconds: float = 1.5
    apart_seconds: float = 300.0
    memory: int = 320 * MIB
    start_seconds: float = 60.0


DEFAULT_BOUNDS = Bounds()


class EndedError(Exception):
    """The process was killed, or ended itself, before it answered."""


class ConfinedProcess:
    """The process and its messages."""

    def __init__(self, bounds: Bounds, alarms: Alarms) -> None:
        self.plan = ""
        """The fingerprint of the plan that it has."""
        self.workbook = ""
        """The SHA-256 of the workbook that it keeps, empty if none."""
        self._bounds = bounds
        self._alarms = alarms
        self._is_ready = False
        command = [
            sys.executable,
            "-m",
            "cypp_etl.checking.confined_child",
            str(bounds.memory),
            str(bounds.check_seconds),
            str(bounds.apart_seconds),
        ]
        # Its matrices are small: threads for them cost memory. A group of its own: Ctrl+C is for the parent, and where
        # the system can, what it starts is killed with it. What a library prints as it goes down would fill a pipe that
        # nobody empties.
        self._process = subprocess.Popen(  # noqa: S603 - no word of the command comes from a file
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def is_alive(self) -> bool:
        """Whether it is running."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process and what it started, and release it."""
        self._strike()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            # Nothing reads what is left in the pipe's buffer.
            with suppress(OSError):
                assert pipe is not None  # noqa: S101 - both are pipes
                pipe.close()

    def wait_until_ready(self) -> None:
        """Wait for its imports.

        Raises:
            RuntimeError: it did not start, which is not a workbook's fault.
        """
        if self._is_ready:
            return
        try:
            self._listen(self._bounds.start_seconds, lambda: None)
        except EndedError as ended:
            raise RuntimeError("The process that checks workbooks did not start.") from ended
        self._is_ready = True

    def ask(
        self, job: tuple[object, ...], seconds: float, asked: dict[str, Callable[..., object]]
    ) -> tuple[object, bool]:
        """Send a job and answer questions about it; returns its result, and whether the process should be replaced."""
        said: object = job
        while True:
            began = time.monotonic()
            kind, *rest = self._listen(seconds, lambda said=said: self._send(said))  # type: ignore[misc]
            seconds -= time.monotonic() - began
            if kind == "ask":
                said = asked[rest[0]](*rest[1])
            elif kind == "too much":
                raise EndedError
            else:
                return rest[0], rest[1]

    def _listen(self, seconds: float, send: Callable[[], None]) -> tuple[Any, ...]:
        """Send a message and wait for the answer, for at most a number of seconds."""
        cancel = self._alarms.set(max(0.0, seconds), self._strike)
        try:
            send()
            answer: tuple[Any, ...] = pickle.load(self._pipe(self._process.stdout))  # noqa: S301 - our own program's
        except (EOFError, OSError, pickle.UnpicklingError) as cut_off:
            raise EndedError from cut_off
        finally:
            cancel()
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
        # Until it was waited for, nobody else can have its number.
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    # What it started ends by limits of its own.
                    self._process.kill()
