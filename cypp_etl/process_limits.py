"""Limits that a process puts on itself, and what it has taken, as far as its system knows: Windows bounds no memory."""

import faulthandler
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

_resource: ModuleType | None
try:
    import resource as _resource
except ModuleNotFoundError:
    _resource = None

_STATM, _STATUS = Path("/proc/self/statm"), Path("/proc/self/status")


def limit(name: str, most: int, *, for_good: bool = True) -> bool:
    """Have the system refuse this process more than so much of something, and say whether it will.

    Args:
        name: what it is called in `resource`, such as "RLIMIT_AS".
        most: in the limit's own unit; a lower limit that holds already stays.
        for_good: whether the process gives up the right to raise the limit again.
    """
    which = getattr(_resource, name, None)
    if _resource is None or which is None:
        return False
    _, hard = _resource.getrlimit(which)
    most = most if hard == _resource.RLIM_INFINITY else min(most, hard)
    # A system may know a limit by its name and still refuse to set it.
    with suppress(ValueError, OSError):
        _resource.setrlimit(which, (most, most if for_good else hard))
        return True
    return False


def limit_in_force(name: str) -> int | None:
    """How much of something the system allows this process, None where there is no limit."""
    which = getattr(_resource, name, None)
    if _resource is None or which is None:
        return None
    soft: int = _resource.getrlimit(which)[0]
    return None if soft == _resource.RLIM_INFINITY else soft


def end_after(seconds: float) -> None:
    """Have the system end this process after a number of seconds, whatever it does; 0 cancels that."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
    elif seconds > 0:
        # Its thread is not one of Python's: it waits for nobody who holds the interpreter.
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def taken_bytes() -> int | None:
    """The addresses that this process has taken, in bytes; None where the system does not tell."""
    if _resource is None or not _STATM.exists():
        return None
    size: int = _resource.getpagesize()
    return int(_STATM.read_text("ascii").split()[0]) * size


def has_taken(most: int) -> bool:
    """Whether this process has had more memory than so many bytes at any time, as far as the system tells."""
    # What is asked first may include what the parent had; mostly that is little too, and the status takes long to read.
    return (_highest_bytes() or 0) > most and (peak_bytes() or 0) > most


def peak_bytes() -> int | None:
    """The most memory that this process has had at any time, in bytes; None where the system does not tell."""
    status = _STATUS.read_text("utf-8", "replace") if _STATUS.exists() else ""
    # Linux counts towards `ru_maxrss` what the parent had when it started this process.
    if found := re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE):
        return int(found[1]) * 1024
    return _highest_bytes()


def _highest_bytes() -> int | None:
    if _resource is None:
        return None
    peak: int = _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss
    # In bytes on macOS, in kilobytes elsewhere.
    return peak * (1 if sys.platform == "darwin" else 1024)
