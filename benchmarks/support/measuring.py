"""Measures wall time, CPU time and memory of a process and its descendants."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.1
# Measuring a process's memory takes two milliseconds, which would slow down the work if done ten times a second.
_LOOKS_A_WEIGHING = 5
# The kernel counts CPU time in hundredths of a second.
_SHORTEST_SECONDS = 0.2


@dataclass(frozen=True)
class Measured:
    """A measurement: the number of returns, seconds, and peak memory in bytes."""

    returns: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def milliseconds(self) -> float:
        """The time per return."""
        return 1000 * self.seconds / self.returns


class Watch:
    """Monitors a process and its descendants; memory that they share is counted once."""

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
        """The CPU time since the start of monitoring, including ended processes."""
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
                # After the name, which may contain spaces, user and system time are the 12th and 13th.
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
    # A zombie process has no memory.
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def measure(work: Callable[[], object], returns: int) -> Measured:
    """Measure some work in this process."""
    with Watch(os.getpid()) as watch:
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    return Measured(returns, seconds, watch.cpu_seconds, watch.peak_bytes)


def measure_repeated(work: Callable[[], object], returns: int) -> Measured:
    """Measure some work that can be done again, as often as it takes to be measured at all."""

    def repeat() -> None:
        nonlocal times
        began = time.process_time()
        while not times or time.process_time() - began < _SHORTEST_SECONDS:
            work()
            times += 1

    times = 0
    taken = measure(repeat, returns)
    return Measured(returns, taken.seconds / times, taken.cpu_seconds / times, taken.peak_bytes)


def measure_command(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, returns: int, status: int = 0
) -> Measured:
    """Run a command in a folder as a separate process, and measure it with its descendants.

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


def cpu_seconds_of(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, statuses: Sequence[int] = (0,)
) -> float:
    """Run a command in a folder, and give its CPU time with that of all its descendants that it has waited for.

    It is exact, where `Watch` looks ten times a second.

    Raises:
        SystemExit: it ended with a status that is not one of the `statuses`.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in statuses:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {errors.read()}")
    return usage.ru_utime + usage.ru_stime
