"""What the watcher has done and which files wait for an answer: told by its thread, read by others'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.inbox.sweep import Waiting


@dataclass(frozen=True, slots=True)
class State:
    """How it stands at one moment. Times are in seconds of one monotonic clock, and None for what was not yet."""

    moved_at: float | None = None
    """When the watcher last ended a step, in vain or not."""
    looked_at: float | None = None
    """When it last saw the whole inbox."""
    answered_at: float | None = None
    """When a receipt was last sent."""
    inbox_fault: str = ""
    """What keeps it from looking at the inbox, for everybody to read; empty where nothing does."""
    warehouse_fault: str = ""
    """The same of warehouse and plan."""
    waiting: Mapping[Path, float] = field(default_factory=dict)
    """The files without a receipt, and since when each has been as it is."""
    runs: Mapping[Path, float] = field(default_factory=dict)
    """The files whose run has not ended, and when it began."""
    skipped: Sequence[Waiting] = ()
    """What is left where it is."""


class Progress:
    """Keeps the state. One thread tells it; any may read `state`, which is replaced as a whole."""

    def __init__(self) -> None:
        self.state = State()
        # So that a file that is tried again after its receipt does not wait, or count, a second time.
        self._answered: dict[Path, float] = {}

    def moved(self, now: float) -> None:
        """A step has ended."""
        self.state = replace(self.state, moved_at=now)

    def hindered(self, now: float, *, inbox: str = "", warehouse: str = "") -> None:
        """A look was in vain, and why."""
        self.state = replace(self.state, moved_at=now, inbox_fault=inbox, warehouse_fault=warehouse)

    def looked(self, now: float, lying: Mapping[Path, float], skipped: Sequence[Waiting]) -> None:
        """The whole inbox was seen: the files that are to be answered, with since when each is as it is, and others."""
        self._answered = {path: since for path, since in self._answered.items() if path in lying}
        waiting = {path: since for path, since in lying.items() if self._answered.get(path) != since}
        self.state = replace(
            self.state,
            moved_at=now,
            looked_at=now,
            inbox_fault="",
            warehouse_fault="",
            waiting=waiting,
            skipped=tuple(skipped),
        )

    def answered(self, now: float, path: Path) -> float | None:
        """A file has its receipt: after how many seconds, or None if it had one before."""
        since = self.state.waiting.get(path)
        if since is None:
            return None
        self._answered[path] = since
        self.state = replace(self.state, answered_at=now, waiting=_without(self.state.waiting, path))
        return now - since

    def run_began(self, now: float, path: Path) -> None:
        """A file was taken, and its run has not ended yet."""
        self.state = replace(self.state, moved_at=now, runs={**self.state.runs, path: now})

    def run_ended(self, path: Path) -> None:
        """A file's run has ended, well or not."""
        self.state = replace(self.state, runs=_without(self.state.runs, path))


def _without(times: Mapping[Path, float], path: Path) -> dict[Path, float]:
    return {other: time for other, time in times.items() if other != path}
