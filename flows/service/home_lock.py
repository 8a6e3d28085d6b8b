"""The lock of a home, by which one `cypp serve` runs in it, and no backup is restored under its feet."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from flows.settings import Settings


class AlreadyServedError(RuntimeError):
    """Another `cypp serve` is running in this home."""


@contextmanager
def home_alone(settings: Settings) -> Iterator[None]:
    """Hold the home's lock, which the system releases however the process ends.

    Raises:
        AlreadyServedError: somebody holds it.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / ".serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise AlreadyServedError(f"Another cypp serve is already running in {settings.home}") from fault
        yield
