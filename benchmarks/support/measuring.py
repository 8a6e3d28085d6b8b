"""What work takes: seconds by the clock, the processor's time, and memory, of a process and all that it starts."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.1
# To add up what a process holds takes two milliseconds, which the work would feel ten times a second.
_LOOKS_A_WEIGHING = 5


@dataclass(frozen=True)
class Measured:
    """How work went: over how many returns, in how many seconds, with how many bytes at the most."""

    returns: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def milliseconds(self) -> float:
        """The time a return takes."""
        return 1000 * self.seconds / self.returns


class Watch:
    """What a process and its descendants use; memory that they share is counted once."""

    def __init__(self, process: int) -> None:
        self.peak_bytes = 0
        self._process = process
        self._cpu_of: dict[int, float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> "Watch":
        self._look(weigh=True)
        self._before = sum(self._cpu_of.values())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._look(weigh=True)

    @property
    def cpu_seconds(self) -> float:
        """The processor's time since the watch began, of processes that have ended too."""
        return sum(self._cpu_of.values()) - self._before

    def _look_on(self) -> None:
        looks = 0
        while not self._is_over.wait(_LOOK_SECONDS):
            looks += 1
            self._look(weigh=looks % _LOOKS_A_WEIGHING == 0)

    def _look(self, *, weigh: bool) -> None:
        bytes_held = 0
        for process in _family(self._process):
            try:
                # After the name, which may hold spaces, user and system time are the 12th and 13th.
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                self._cpu_of[process] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                bytes_held += _proportional_bytes(process) if weigh else 0
            except (FileNotFoundError, ProcessLookupError):
                continue
        self.peak_bytes = max(self.peak_bytes, bytes_held)


def _family(process: int) -> Iterator[int]:
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except FileNotFoundError:
        return
    for child in children:
        yield from _family(int(child))


def _proportional_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    # A process that has ended and was not waited for holds nothing.
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def measure(work: Callable[[], object], returns: int) -> Measured:
    """Do some work in this process, and say what it took."""
    with Watch(os.getpid()) as watch:
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    return Measured(returns, seconds, watch.cpu_seconds, watch.peak_bytes)


def measure_command(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, returns: int, status: int = 0
) -> Measured:
    """Run a command in a folder as a process of its own, and say what that and all that it started took.

    Raises:
        SystemExit: it ended with another status.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with Watch(process.pid) as watch:
        _, errors = process.communicate()
        seconds = time.perf_counter() - started
    if process.returncode != status:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {errors}")
    return Measured(returns, seconds, watch.cpu_seconds, watch.peak_bytes)
