"""A limit to how long a part of this process may take, for what is seldom too long and dear to do in another."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTimeError(Exception):
    """The time is up."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let what is done inside take so many seconds by the clock; a match of a regular expression is interrupted too.

    Signals reach the main thread of a process alone, and Windows has no such signal: elsewhere there is no limit.

    Raises:
        OutOfTimeError: the time is up.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTimeError(f"It took longer than {seconds:g} s.")

    former = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
