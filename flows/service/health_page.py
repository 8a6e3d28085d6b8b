"""The pages `/health` and `/metrics` of `cypp serve`, and how `cypp health` asks the first.

They hold numbers and sentences without anybody's name, so they need no password.
"""

import errno
import json
import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from flows.prefect_server.server import ServerError
from flows.service.health import Health, Verdict
from flows.service_log import log
from flows.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


# Who connects and then asks nothing.
_PATIENCE_SECONDS = 10
_ANSWER_SECONDS = 5.0
# A proxy of the environment is for other machines.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class HealthPage:
    """Where the pages are; port 0 is any that is free."""

    host: str
    port: int

    @contextmanager
    def shown(self, health: Callable[[], Health], registry: CollectorRegistry) -> Iterator[str]:
        """Answer in threads for the `with` block; yields the address at which this machine finds the pages.

        Raises:
            ServerError: the port is in use, or there is no such address.
        """
        server = self._listening(_pages(health, registry))
        threading.Thread(target=server.serve_forever, name="health page", daemon=True).start()
        try:
            yield f"http://{_from_here(self.host)}:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def _listening(self, pages: "WSGIApplication") -> WSGIServer:
        try:
            (family, *_), *_ = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            kind = type("_Server", (_ThreadingServer,), {"address_family": family})
            return make_server(self.host, self.port, pages, kind, _Handler)
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                reason = f"port {self.port} is in use; choose another with --health-port"
            else:
                reason = f"{self.host}: {fault.strerror or fault}; choose another address with --health-host"
            raise ServerError(f"The health page cannot be shown: {reason}") from fault


def _note_of(settings: Settings) -> Path:
    return settings.home / ".health.json"


@contextmanager
def noted(settings: Settings, address: str) -> Iterator[None]:
    """Note an address in the home, for `ask_health`, until the block ends; what a killed process left is replaced."""
    note = _note_of(settings)
    try:
        note.write_text(json.dumps({"address": address, "process": os.getpid()}), "utf-8")
    except OSError as fault:
        # Such as a full disk: what can be done without the note is done.
        log.warning("cypp health will not find the page: %s", fault)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def ask_health(settings: Settings) -> tuple[Verdict, str]:
    """Ask the `cypp serve` of a home for its verdict and one line; without an answer it is unhealthy."""
    try:
        noted_down = json.loads(_note_of(settings).read_text("utf-8"))
        address, process = noted_down["address"], noted_down["process"]
    except FileNotFoundError:
        return Verdict.UNHEALTHY, f"Unhealthy. cypp serve is not running in {settings.home}."
    except (OSError, ValueError, KeyError, TypeError):
        return Verdict.UNHEALTHY, f"Unhealthy. {_note_of(settings)} cannot be read."
    try:
        health = json.loads(_answer_of(f"{address}/health"))
        # Another home's may have the port of one that was killed.
        if health["process"] == process:
            return Verdict[health["status"].upper()], str(health["line"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        pass
    return Verdict.UNHEALTHY, f"Unhealthy. The cypp serve of {settings.home} does not answer at {address}."


def _answer_of(url: str) -> bytes:
    try:
        with _opener.open(url, timeout=_ANSWER_SECONDS) as answer:
            content: bytes = answer.read()
    except urllib.error.HTTPError as refused:
        if refused.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        # What is unhealthy says why.
        content = refused.read()
    return content


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_SECONDS

    def log_message(self, *_: object) -> None:
        """Log nothing: it is asked every few seconds."""


def _from_here(host: str) -> str:
    """An address at which a listener is found from its own machine."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared only
        return "[::1]" if host == "::" else "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _pages(health: Callable[[], Health], registry: CollectorRegistry) -> "WSGIApplication":
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start)
        if environ["PATH_INFO"] != "/health":
            return _sent(environ, start, "404 Not Found", {"there is": ["/health", "/metrics"]})
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _sent(environ, start, "405 Method Not Allowed", {"allowed": ["GET", "HEAD"]})
        found = health()
        status = "503 Service Unavailable" if found.verdict is Verdict.UNHEALTHY else "200 OK"
        return _sent(environ, start, status, _content(found))

    return answer


def _content(found: Health) -> dict[str, object]:
    checks = {check.name: {"status": check.verdict.name.lower(), "says": check.says} for check in found.checks}
    return {"status": found.verdict.name.lower(), "line": found.line, "process": os.getpid(), "checks": checks}


def _sent(
    environ: "WSGIEnvironment", start: "StartResponse", status: str, content: dict[str, object]
) -> Iterable[bytes]:
    body = json.dumps(content, indent=2).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Content-Length", str(len(body)))]
    start(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
