"""Prefect's server as its parent sees it, which is `cypp serve` or a command that runs flows."""

import atexit
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cypp_etl.gc_control import imported_for_good
from flows.prefect_server.addresses import free_port, is_loopback, is_taken
from flows.prefect_server.child import FOR_A_COMMAND
from flows.storage.room import has_room

PASSWORD = "PREFECT_SERVER_API_AUTH_STRING"  # noqa: S105 - the name of a variable, not what it holds
_CLIENT_PASSWORD = "PREFECT_API_AUTH_STRING"  # noqa: S105
_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
# A new database and its log. With less, the server ends with a traceback for a message.
_NEEDED_BYTES = 4 << 20
_DATABASES = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")


class ServerError(RuntimeError):
    """A server cannot be started with these settings: Prefect's, or that of the health page."""


@dataclass
class PrefectServer:
    """Our own server, at one address; `is_for_command` leaves out the UI and the background services."""

    host: str
    port: int
    is_for_command: bool = False
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The UI's address for a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def prepare(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Set the server's address for Prefect, before it is imported.

        Raises:
            ServerError: others could reach the server, and it has no password.
        """
        if not is_loopback(self.host) and not environment.get(PASSWORD):
            raise ServerError(
                f"{self.host} can be reached from other machines: set {PASSWORD}=name:password, or leave out --host"
            )
        if environment.get(PASSWORD):
            environment.setdefault(_CLIENT_PASSWORD, environment[PASSWORD])
        environment["PREFECT_API_URL"] = f"{self.address}/api"
        # The browser uses the address at which it found the UI.
        environment.setdefault("PREFECT_UI_API_URL", "/api")
        # By default any page in the browser can read and change runs; our pages come from the server's own address.
        environment.setdefault("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", self.address)

    def start(self) -> None:
        """Start the server, and wait until it answers.

        Raises:
            ServerError: its port is in use, it ended, or it did not answer in time.
        """
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start the server, which answers after a few seconds.

        Raises:
            ServerError: its port is in use, or there is no room for its database.
        """
        if fault := _no_room():
            raise ServerError(fault)
        if is_taken(self.host, self.port):
            # Otherwise another installation's server would answer, and be taken for this one.
            raise ServerError(f"Prefect's server cannot start: port {self.port} is in use; choose another with --port")
        command = [sys.executable, "-m", "flows.prefect_server.child", self.host, str(self.port)]
        command += [FOR_A_COMMAND] if self.is_for_command else []
        # A separate session: Ctrl+C in the terminal is for the parent, which still has runs to finish.
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603

    def wait(self) -> None:
        """Wait until the server answers.

        Raises:
            ServerError: it ended, or it did not answer in time.
        """
        give_up = time.monotonic() + _START_SECONDS
        while not self.answers():
            if not self.is_alive():
                raise ServerError(
                    _no_room()
                    or f"Prefect's server ended at once: if port {self.port} is in use, choose another with --port"
                )
            if time.monotonic() > give_up:
                self.stop()
                raise ServerError(f"Prefect's server did not answer within {_START_SECONDS:.0f} seconds")
            time.sleep(0.1)

    def is_alive(self) -> bool:
        """Whether the child is still running."""
        return self._child is not None and self._child.poll() is None

    def answers(self) -> bool:
        """Whether the child is running and answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/api/health", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200) and self.is_alive()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def kill(self) -> None:
        """End the server at once."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """End the server; kill it if it does not end by itself."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def _no_room(environment: Mapping[str, str] = os.environ) -> str:
    """What is said if there is no room for the server's own database; empty if there is, or it is elsewhere."""
    folder = Path(environment.get("PREFECT_HOME") or Path.home() / ".prefect")
    if any(environment.get(name) for name in _DATABASES) or has_room(folder, _NEEDED_BYTES):
        return ""
    return (
        f"{folder}: Prefect's server needs {_NEEDED_BYTES >> 20} MiB, and no room is left on this disk: "
        "make some, and try again"
    )


@contextmanager
def server_for_command() -> Iterator[None]:
    """Start a server for this command while flows are imported, unless the environment names one.

    They are imported for good. Prefect would start one by itself, but only once it is imported, and by importing its
    server into the command too.

    Raises:
        ServerError: it did not start.
    """
    if os.environ.get("PREFECT_API_URL"):
        with imported_for_good():
            yield
        return
    if sys.stderr.isatty():
        print("Starting Prefect's server ...", file=sys.stderr)
    server = PrefectServer("127.0.0.1", free_port(), is_for_command=True)
    server.prepare()
    server.begin()
    # Registered before Prefect is imported, so it runs after Prefect has sent its last records.
    atexit.register(server.stop)
    with imported_for_good():
        yield
    server.wait()
