"""The deployments that `cypp serve` serves, as a child of its own: what is run there is in no receipt's way."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

from flows.service.backoff import Backoff
from flows.settings import Settings

# Well within what `cypp serve` may take to end.
_STOP_SECONDS = 5.0
# The answer to a partner comes first: whatever is run here gives way, from its first import on.
_NICENESS = 10
# After so long it did not end at once.
_STEADY_SECONDS = 60.0


@dataclass
class ServedDeployments:
    """The child with all the runs that it began, in a group of processes that ends with it."""

    settings: Settings
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _began_at: float = 0.0
    _pause: Backoff = field(default_factory=Backoff)
    _was_told: bool = False

    def begin(self) -> None:
        """Start the child, and wait for nothing: Prefect's server must be there already."""
        command = [sys.executable, "-m", "flows.service.deployment_runner"]
        # Where a command is run may be the home: a run has the same one, wherever it is.
        environment = os.environ | {"CYPP_HOME": str(self.settings.home)}
        self._began_at = time.monotonic()
        # A session of its own: Ctrl+C in the terminal is for the parent, and the group can be ended as one.
        self._child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
        os.setpriority(os.PRIO_PROCESS, self._child.pid, _NICENESS)

    def has_ended(self) -> bool:
        """Whether the child was begun, and has ended."""
        return self._child is not None and self._child.poll() is not None

    def begin_again(self) -> bool:
        """Start the child again if it ended, after a pause that grows while it does not last; says whether it did."""
        if self._child is None or self._child.poll() is None:
            return False
        now = time.monotonic()
        if now - self._began_at < self._pause.seconds:
            return False
        self._pause = Backoff() if now - self._began_at > _STEADY_SECONDS else self._pause.longer()
        # What it had started would run beside what is started now.
        self.kill()
        self.begin()
        return True

    def tell_to_end(self) -> None:
        """Tell the child to end, while others end too; `stop` waits for it."""
        # Told twice, it would drop what it is about to close.
        if self._child is not None and not self._was_told:
            self._was_told = True
            self._child.terminate()

    def stop(self) -> None:
        """Tell the child to end if nobody has yet, wait until it has, and end whatever is left of its group."""
        if self._child is None:
            return
        self.tell_to_end()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the child and its runs at once."""
        if self._child is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
