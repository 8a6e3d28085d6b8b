"""Whether `cypp serve` does its work: what is well, what is worse than it should be, and what keeps it from working.

It is unhealthy if no drop can be answered, and degraded if something beside that is missing or late.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from flows.prefect_server.server import PrefectServer
from flows.service.progress import Progress, State
from flows.service.served_deployments import ServedDeployments
from flows.settings import Settings
from flows.storage.archive import require_writable

# The longest step takes half as long: a workbook's, or waiting for the warehouse's other writer.
_STUCK_SECONDS = 60.0
# Within seconds is what partners are promised.
_LATE_SECONDS = 300.0
# Under load, Prefect's server may leave a few questions without an answer.
_AWAY_SECONDS = 30.0
_EXAMINED_EVERY_SECONDS = 10.0


class Verdict(IntEnum):
    """How well something is; the worst of its parts is the whole's, and the exit status of `cypp health`."""

    HEALTHY = 0
    DEGRADED = 1
    UNHEALTHY = 2

    @property
    def word(self) -> str:
        """As it is written in a line."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Check:
    """One part: `says` is a sentence without names, since anybody who reaches the page may read it."""

    name: str
    verdict: Verdict
    says: str


@dataclass(frozen=True, slots=True)
class Health:
    """All parts; the first two say what a healthy service does."""

    checks: Sequence[Check]

    @property
    def verdict(self) -> Verdict:
        """The worst part's."""
        return max(check.verdict for check in self.checks)

    @property
    def line(self) -> str:
        """One line: the verdict and its reasons, the worst first."""
        bad = sorted((check for check in self.checks if check.verdict), key=lambda check: -check.verdict)
        return f"{self.verdict.word}. {' '.join(check.says for check in bad or self.checks[:2])}"


@dataclass
class Examiner:
    """Judges a `cypp serve` by what its parts say of themselves, and by what it tries itself in a thread of its own.

    `interval` is the longest time between two looks at the inbox, in seconds. `server` and `deployments` are None
    where it has none. The page is answered from memory: a share that hangs does not keep it from answering.
    """

    settings: Settings
    progress: Progress
    stopped: threading.Event
    interval: float
    server: PrefectServer | None = None
    deployments: ServedDeployments | None = None
    clock: Callable[[], float] = time.monotonic
    watcher: threading.Thread | None = None
    """The watcher's thread, once it has begun."""
    _archive: tuple[float, str] | None = field(default=None, init=False)
    _began_at: float | None = field(default=None, init=False)
    _answered_at: float | None = field(default=None, init=False)

    def begin(self) -> None:
        """Examine in a thread until stopped."""
        self._began_at = self.clock()
        threading.Thread(target=self._keep_examining, name="examiner", daemon=True).start()

    def _keep_examining(self) -> None:
        self.examine()
        while not self.stopped.wait(_EXAMINED_EVERY_SECONDS):
            self.examine()

    def examine(self) -> None:
        """Try what may take long: write to the archive, and ask Prefect's server."""
        try:
            require_writable(self.settings.archive)
        except OSError as fault:
            self._archive = self.clock(), fault.strerror or type(fault).__name__
        else:
            self._archive = self.clock(), ""
        if self.server and self.server.answers():
            self._answered_at = self.clock()

    def is_moving(self) -> bool:
        """Whether the watcher is at work, however little it can do: if not, only another start may help."""
        return self._watcher(self.progress.state, self.clock()).verdict is Verdict.HEALTHY

    def health(self) -> Health:
        """Judge all parts now."""
        state, now = self.progress.state, self.clock()
        checks = [
            self._watcher(state, now),
            _waiting(state, now),
            _inbox(state),
            _warehouse(state),
            self._archive_check(now),
            _runs(state, now),
        ]
        if self.server:
            checks.append(self._prefect(now))
        if self.deployments:
            checks.append(_deployments(self.deployments))
        return Health(checks)

    def _watcher(self, state: State, now: float) -> Check:
        if self.stopped.is_set():
            return Check("watcher", Verdict.UNHEALTHY, "It is stopping.")
        if state.moved_at is None or self.watcher is None:
            return Check("watcher", Verdict.UNHEALTHY, "It is starting.")
        if not self.watcher.is_alive():
            return Check("watcher", Verdict.UNHEALTHY, "The watcher has ended.")
        still = now - state.moved_at
        if still > self.interval + _STUCK_SECONDS:
            return Check("watcher", Verdict.UNHEALTHY, f"The watcher has done nothing for {_seconds(still)}.")
        if state.looked_at is None:
            return Check("watcher", Verdict.HEALTHY, "The watcher has not seen the inbox yet.")
        return Check("watcher", Verdict.HEALTHY, f"The inbox was last seen {_seconds(now - state.looked_at)} ago.")

    def _archive_check(self, now: float) -> Check:
        tried_at, fault = self._archive or (self._began_at or now, "")
        if now - tried_at > _STUCK_SECONDS:
            says = f"The archive has not answered for {_seconds(now - tried_at)}."
            return Check("archive", Verdict.UNHEALTHY, says)
        if fault:
            return Check("archive", Verdict.UNHEALTHY, f"The archive cannot be written: {fault}.")
        if self._archive is None:
            return Check("archive", Verdict.HEALTHY, "The archive has not been tried yet.")
        return Check("archive", Verdict.HEALTHY, "The archive can be written.")

    def _prefect(self, now: float) -> Check:
        away = now - (self._answered_at or self._began_at or now)
        if away > _AWAY_SECONDS:
            says = f"Prefect's server has not answered for {_seconds(away)}."
            return Check("prefect", Verdict.DEGRADED, says)
        return Check("prefect", Verdict.HEALTHY, "Prefect's server answers.")


def _inbox(state: State) -> Check:
    if state.inbox_fault:
        return Check("inbox", Verdict.UNHEALTHY, state.inbox_fault)
    folders = sum(one.is_folder for one in state.skipped)
    if folders:
        number = "A partner's folder is" if folders == 1 else f"{folders} partners' folders are"
        return Check("inbox", Verdict.DEGRADED, f"{number} skipped: the log says why.")
    return Check("inbox", Verdict.HEALTHY, "The inbox can be read.")


def _warehouse(state: State) -> Check:
    if state.warehouse_fault:
        return Check("warehouse", Verdict.UNHEALTHY, state.warehouse_fault)
    return Check("warehouse", Verdict.HEALTHY, "The warehouse can be used.")


def _waiting(state: State, now: float) -> Check:
    ages = {path: now - since for path, since in state.waiting.items()}
    if not ages:
        return Check("waiting", Verdict.HEALTHY, "No file waits.")
    oldest = max(ages.values())
    says = f"{len(ages)} {'file waits' if len(ages) == 1 else 'files wait'}, the oldest for {_seconds(oldest)}."
    late = {path.parent for path, age in ages.items() if age > _LATE_SECONDS}
    # One partner's workbook may be at fault itself; those of two are not, if nobody's was answered since.
    nobody = state.answered_at is None or now - state.answered_at > _LATE_SECONDS
    verdict = Verdict.UNHEALTHY if len(late) > 1 and nobody else Verdict.DEGRADED if late else Verdict.HEALTHY
    return Check("waiting", verdict, says)


def _runs(state: State, now: float) -> Check:
    oldest = max((now - began for began in state.runs.values()), default=0.0)
    if oldest > _LATE_SECONDS:
        return Check("runs", Verdict.DEGRADED, f"A workbook's run has not ended for {_seconds(oldest)}.")
    return Check("runs", Verdict.HEALTHY, "Runs end in time.")


def _deployments(deployments: ServedDeployments) -> Check:
    if deployments.has_ended():
        return Check("deployments", Verdict.DEGRADED, "The deployment runner has ended, and is being restarted.")
    return Check("deployments", Verdict.HEALTHY, "The deployments are served.")


def _seconds(number: float) -> str:
    whole = round(number)
    return "1 second" if whole == 1 else f"{whole:,} seconds"
