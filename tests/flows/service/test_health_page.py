"""The pages and `cypp health`: one answer for load balancers, one line and a status for everybody else."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from flows.cli.app import app
from flows.prefect_server.server import ServerError
from flows.service.health import Check, Health, Verdict
from flows.service.health_page import HealthPage, noted
from flows.settings import Settings


class Served:
    """A page that says what it is told."""

    def __init__(self) -> None:
        self.verdict = Verdict.HEALTHY
        self.address = ""

    def health(self) -> Health:
        return Health(
            [Check("watcher", self.verdict, "The watcher works."), Check("waiting", Verdict.HEALTHY, "None.")]
        )


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    with HealthPage("127.0.0.1", 0).shown(served.health, CollectorRegistry()) as served.address:
        yield served


def cypp_health() -> tuple[int, str]:
    ended = CliRunner().invoke(app, ["health"])
    return ended.exit_code, ended.stdout


@pytest.mark.parametrize(
    ("verdict", "status", "line"),
    [
        (Verdict.HEALTHY, 200, "Healthy. The watcher works. None."),
        (Verdict.DEGRADED, 200, "Degraded. The watcher works."),
        (Verdict.UNHEALTHY, 503, "Unhealthy. The watcher works."),
    ],
)
def test_each_verdict_has_its_status(
    served: Served, settings: Settings, verdict: Verdict, status: int, line: str
) -> None:
    served.verdict = verdict
    answer = httpx.get(f"{served.address}/health")
    assert (answer.status_code, answer.json()["line"]) == (status, line)
    assert answer.json()["checks"]["watcher"] == {"status": verdict.name.lower(), "says": "The watcher works."}
    assert httpx.head(f"{served.address}/health").status_code == status
    settings.home.mkdir()
    with noted(settings, served.address):
        assert cypp_health() == (int(verdict), f"{line}\n")
    assert cypp_health() == (2, f"Unhealthy. cypp serve is not running in {settings.home}.\n")


def test_only_that_is_answered(served: Served) -> None:
    assert httpx.get(f"{served.address}/").status_code == 404
    assert httpx.post(f"{served.address}/health").status_code == 405
    assert httpx.get(f"{served.address}/metrics").status_code == 200


def test_another_process_at_the_address_is_not_taken_for_ones_own(served: Served, settings: Settings) -> None:
    settings.home.mkdir()
    note = settings.home / ".health.json"
    note.write_text(json.dumps({"address": served.address, "process": 1}))
    silent = f"Unhealthy. The cypp serve of {settings.home} does not answer at {served.address}.\n"
    assert cypp_health() == (2, silent)
    note.write_text("{")
    assert cypp_health() == (2, f"Unhealthy. {note} cannot be read.\n")


def test_what_does_not_answer_is_unhealthy(settings: Settings) -> None:
    settings.home.mkdir()
    with noted(settings, "http://127.0.0.1:9"):
        status, line = cypp_health()
    assert (status, line.endswith("does not answer at http://127.0.0.1:9.\n")) == (2, True)


def test_what_speaks_another_language_is_no_health_page(settings: Settings) -> None:
    settings.home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            client, _ = other.accept()
            with client:
                client.recv(1000)
                client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with noted(settings, f"http://127.0.0.1:{other.getsockname()[1]}"):
            assert cypp_health()[0] == 2
        thread.join()


def test_a_note_that_cannot_be_written_stops_nothing(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with noted(settings, "http://127.0.0.1:9"):
        pass
    assert "cypp health will not find the page" in caplog.text, "there is no home"


def test_a_proxy_of_the_environment_is_not_asked(
    served: Served, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    settings.home.mkdir()
    with noted(settings, served.address):
        assert cypp_health()[0] == 0


def test_a_port_in_use_and_an_address_of_nobody_are_said(served: Served, tmp_path: Path) -> None:
    port = int(served.address.rpartition(":")[2])
    with (
        pytest.raises(ServerError, match=f"port {port} is in use; choose another with --health-port"),
        HealthPage("127.0.0.1", port).shown(served.health, CollectorRegistry()),
    ):
        pass
    with (
        pytest.raises(ServerError, match=r"192\.0\.2\.1: .*; choose another address with --health-host"),
        HealthPage("192.0.2.1", 0).shown(served.health, CollectorRegistry()),
    ):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::1"])  # noqa: S104 - only tried
def test_every_address_can_be_found_from_here(served: Served, host: str) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    with HealthPage(host, 0).shown(served.health, CollectorRegistry()) as address:
        assert httpx.get(f"{address}/health").status_code == 200
