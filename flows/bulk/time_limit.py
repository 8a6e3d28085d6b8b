"""A time limit within this process, for work that rarely takes too long and is expensive to do in another process."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTimeError(BaseException):
    """The time is up.

    No `Exception`, since it can be raised anywhere: pandera takes any exception in a check for a failure of the check.
    """


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit the `with` block to so many seconds by the clock; even the match of a regular expression is interrupted.

    Signals only reach the main thread of a process, and Windows has no such signal: there, there is no limit.

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
