"""Tells systemd how the service is, by the protocol of sd_notify(3): a datagram of text to a socket that it names."""

import os
import socket
import time
from contextlib import suppress

from flows.service.health import Examiner

_TOLD_EVERY_SECONDS = 10.0


def tell(*assignments: str) -> None:
    """Send such as `READY=1` or `WATCHDOG=1`; nothing happens where no service manager asks for it.

    A manager that does not take it is no reason to stop: the watchdog is its own answer to silence.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        # Linux's abstract names begin with a zero byte.
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.settimeout(1)
        manager.sendto("\n".join(assignments).encode(), address)


class ServiceManager:
    """Tells systemd once that the watcher has begun, and then every few seconds that it moves, and how all is."""

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner
        self._next = 0.0
        self._is_ready = False

    def tell_when_due(self) -> None:
        """Say what is due; a watcher that stands still is passed over in silence, which the watchdog hears."""
        now = time.monotonic()
        if now < self._next or not self._examiner.is_moving():
            return
        self._next = now + _TOLD_EVERY_SECONDS
        begun = () if self._is_ready else ("READY=1",)
        self._is_ready = True
        tell(*begun, "WATCHDOG=1", f"STATUS={self._examiner.health().line}")
