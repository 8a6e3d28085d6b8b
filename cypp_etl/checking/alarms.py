"""Calls functions after a time, unless they are cancelled before: one thread for all of them."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, RLock, Thread

_NEVER = float("inf")


@dataclass(slots=True, eq=False)
class _Alarm:
    """A function that is to be called, and when, by `time.monotonic`."""

    at: float
    call: Callable[[], None]
    calling: RLock = field(default_factory=RLock)


class Alarms:
    """Alarms of one process; any thread may set and cancel them.

    A timer for each message to another process would be a thread for each, and to start it takes longer than to send
    the message. Here an alarm that is cancelled in time wakes nobody: the thread looks when the first would have been
    due, and ends if there is none.
    """

    def __init__(self) -> None:
        """There is no thread before the first alarm."""
        self._begin()

    def _begin(self) -> None:
        self._process_id = os.getpid()
        self._changed = Condition()
        self._pending: set[_Alarm] = set()
        self._is_running = False
        self._looks_at = _NEVER

    def set(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after some seconds; returns what cancels it, and waits if it is just being called."""
        if self._process_id != os.getpid():
            # A fork copies no threads.
            self._begin()
        alarm = _Alarm(time.monotonic() + seconds, call)
        with self._changed:
            self._pending.add(alarm)
            if not self._is_running:
                self._start()
            elif alarm.at < self._looks_at:
                self._looks_at = alarm.at
                self._changed.notify()
        return lambda: self._cancel(alarm)

    def _cancel(self, alarm: _Alarm) -> None:
        with self._changed:
            self._pending.discard(alarm)
        with alarm.calling:
            pass

    def _start(self) -> None:
        self._is_running, self._looks_at = True, _NEVER
        Thread(target=self._run, name="alarms", daemon=True).start()

    def _run(self) -> None:
        try:
            while (due := self._next_due()) is not None:
                try:
                    due.call()
                finally:
                    due.calling.release()
        finally:
            # A call that fails ends this thread, as it would end its own, and leaves the other alarms to another.
            with self._changed:
                self._is_running = False
                if self._pending:
                    self._start()

    def _next_due(self) -> _Alarm | None:
        """Wait for the next alarm that is due, which is then being called; None if there is nothing to wait for."""
        with self._changed:
            while first := min(self._pending, key=lambda alarm: alarm.at, default=None):
                wait = first.at - time.monotonic()
                if wait <= 0:
                    self._pending.remove(first)
                    first.calling.acquire()
                    return first
                self._looks_at = first.at
                self._changed.wait(wait)
        return None
