"""A process with everything in memory that a sweep needs, which forks a child for each: a kill needs no new Python.

`python -m tests.trials.nursery` reads jobs, one line of JSON each, and answers each with its exit status. It has
a single thread, because a fork would copy another thread's locks without the thread.
"""

import faulthandler
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
# No job takes so long: one that hangs prints its stack, and fails.
_HANGS_SECONDS = 120
# The last is of Arrow's allocator, which pandas brings along.
_WITHOUT_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class Nursery:
    """Runs functions of `tests.trials.sweeping`, one at a time, each in a separate process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.trials.nursery"],
            cwd=ROOT,
            env=os.environ | _WITHOUT_THREADS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, job: str, *arguments: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps([job, *arguments]) + "\n")
        self._process.stdin.flush()

    def end(self) -> int:
        """Wait for the job; returns its exit status, -9 if it was killed."""
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def run(self, job: str, *arguments: object) -> int:
        self.begin(job, *arguments)
        return self.end()

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(_HANGS_SECONDS)


def _nurse() -> None:
    from tests.trials import sweeping

    sweeping.rehearse()
    answers = os.fdopen(os.dup(1), "w")
    # A job's own output is not an answer.
    os.dup2(2, 1)
    threads = Path("/proc/self/task")
    _wait_for_alarms(threads)
    for line in sys.stdin:
        assert not threads.exists() or len(list(threads.iterdir())) == 1, "a fork would copy other threads' locks"
        job, *arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            _do(getattr(sweeping, job), arguments)
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _wait_for_alarms(threads: Path) -> None:
    """Wait until the alarms of the rehearsal would have been due, when their thread ends."""
    until = time.monotonic() + _HANGS_SECONDS
    while threads.exists() and len(list(threads.iterdir())) > 1 and time.monotonic() < until:
        time.sleep(0.1)


def _do(job: Callable[..., None], arguments: list[object]) -> NoReturn:
    """Do a job and exit, without the parent's exit handlers."""
    faulthandler.dump_traceback_later(_HANGS_SECONDS, exit=True)
    try:
        job(*arguments)
    except BaseException:  # noqa: BLE001 - the exit status tells of it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    _nurse()
