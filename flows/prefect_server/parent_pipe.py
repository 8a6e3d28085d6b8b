"""The pipe by which a child process knows that its parent is gone, even by kill -9: its standard input."""

import os
import sys
import threading
from collections.abc import Callable


def when_parent_ends(end: Callable[[], None]) -> None:
    """Call `end`, in a thread of its own, when the parent that holds the other end of the pipe is gone."""
    threading.Thread(target=_wait, args=(end,), daemon=True).start()


def _wait(end: Callable[[], None]) -> None:
    # Unbuffered: Python aborts if a thread holds the lock of the buffer when the process ends.
    os.read(sys.stdin.fileno(), 1)
    end()
