"""One `cypp serve` as those meet it who operate it: its health, its metrics, and what Prefect's server deletes."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from flows.settings import EVENTS_KEPT_FOR, RUNS_KEPT_FOR
from tests.flows.service.test_serve import CYPP, PERIOD, Served
from tests.support.samples import sample_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operate.md").read_text("utf-8")
ALERTS = ROOT / "docs" / "prometheus" / "alerts.yaml"
KEEPING = (
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD",
)


class Watched(Served):
    """A home that is served, and what can be asked of it; `told` are the datagrams to systemd."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(home / "notify"))
        self.manager.setblocking(False)
        self.told: list[str] = []

    def was_told(self, what: str) -> bool:
        try:
            while True:
                self.told.append(self.manager.recv(10_000).decode())
        except BlockingIOError:
            return any(what in said for said in self.told)

    @property
    def pages(self) -> str:
        """Ten above the UI's port."""
        return f"http://127.0.0.1:{self.port + 10}"

    def send(self, path: str, content: object) -> httpx.Response:
        """Send something to Prefect's server, whose SQLite has one writer: it may have to be sent again."""
        sent: list[httpx.Response] = []

        def is_taken() -> bool:
            sent.append(httpx.post(f"http://127.0.0.1:{self.port}/api{path}", json=content, timeout=60))
            return sent[-1].status_code != HTTPStatus.SERVICE_UNAVAILABLE

        self.wait_until(is_taken)
        return sent[-1].raise_for_status()

    def health(self) -> tuple[int, str]:
        """The status and the line of `cypp health`."""
        environment = os.environ | {"CYPP_HOME": str(self.home)}
        ended = subprocess.run([*CYPP, "health"], env=environment, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout

    def metrics(self) -> dict[tuple[str, ...], float]:
        """The values by the metric's name and its labels' values."""
        text = httpx.get(f"{self.pages}/metrics", timeout=30).raise_for_status().text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    served = Watched(tmp_path_factory.mktemp("operation"))
    # Once an hour otherwise.
    served.start(PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS="3", NOTIFY_SOCKET=str(served.home / "notify"))
    yield served
    for process in served.processes:
        process.kill()
        process.wait()
    served.manager.close()


@pytest.mark.server
@pytest.mark.trial
def test_drops_are_counted_when_they_are_answered(served: Watched) -> None:
    good, folder = sample_of("yos", PERIOD), served.home / "inbox" / "yos"
    drops = {"good.xlsx": good, "again.xlsx": good, "bad.xlsx": b"no workbook"}
    for name, content in drops.items():
        (folder / name).write_bytes(content)
        served.wait_until(lambda: not (folder / name).exists())  # noqa: B023 - called within the loop
    metrics = served.metrics()
    outcomes = [metrics["cypp_drops_total", outcome] for outcome in ("accepted", "duplicate", "rejected", "failed")]
    assert outcomes == [1, 1, 1, 0]
    assert metrics["cypp_receipt_seconds_count",] == 3
    assert 0.75 < metrics["cypp_receipt_seconds_sum",] < 60, "each has to settle first"
    assert metrics["cypp_findings_total", "workbook-not-excel", "ERROR"] == 1
    assert metrics["cypp_waiting_files",] == 0
    served.wait_until(lambda: served.metrics()["cypp_unfinished_runs",] == 0)
    # Each of few values, whoever drops whatever.
    assert not {"yos", "good.xlsx", "2010-11Q1"} & {part for key in metrics for part in key}


@pytest.mark.server
@pytest.mark.trial
def test_its_health_is_what_it_can_do(served: Watched) -> None:
    served.wait_until(lambda: served.health()[0] == 0)
    assert served.health()[1].startswith("Healthy. The inbox was last seen ")
    assert httpx.get(f"{served.pages}/health").json()["checks"].keys() == {
        "watcher", "waiting", "inbox", "warehouse", "archive", "runs", "prefect",
    }  # fmt: skip
    inbox = served.home / "inbox"
    inbox.rename(served.home / "elsewhere")
    served.wait_until(lambda: served.health() == (2, "Unhealthy. The inbox is out of reach.\n"))
    assert httpx.get(f"{served.pages}/health").status_code == 503
    assert served.metrics()["cypp_health", "inbox"] == 2
    (served.home / "elsewhere").rename(inbox)
    served.wait_until(lambda: served.health()[0] == 0)

    archive = served.home / "archive"
    archive.rename(served.home / "elsewhere")
    archive.write_bytes(b"")
    served.wait_until(lambda: served.health() == (2, "Unhealthy. The archive cannot be written: File exists.\n"))
    archive.unlink()
    (served.home / "elsewhere").rename(archive)
    served.wait_until(lambda: served.health()[0] == 0)

    with sqlite3.connect(served.home / "warehouse.db", timeout=30) as warehouse:
        (revision,) = warehouse.execute("SELECT version_num FROM alembic_version").fetchone()
        warehouse.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = (2, "Unhealthy. The warehouse is missing, or older or newer than the program.\n")
    served.wait_until(lambda: served.health() == newer)
    with sqlite3.connect(served.home / "warehouse.db", timeout=30) as warehouse:
        warehouse.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    served.wait_until(lambda: served.health()[0] == 0)


@pytest.mark.server
@pytest.mark.trial
def test_the_pages_are_shown_from_the_home(served: Watched) -> None:
    """The installation may be another user's, and cannot be written to then."""
    page = httpx.get(f"http://127.0.0.1:{served.port}/runs", headers={"Accept": "text/html"}, timeout=60)
    assert page.status_code == HTTPStatus.OK
    assert page.text == (served.home / ".prefect" / "pages" / "v1" / "index.html").read_text("utf-8")


@pytest.mark.server
@pytest.mark.trial
def test_what_is_not_taken_is_shown_without_a_word_of_prefects_in_the_log(served: Watched) -> None:
    stray = served.home / "inbox" / "stray.xlsx"
    stray.write_bytes(b"whose?")
    artifacts = f"http://127.0.0.1:{served.port}/api/artifacts/inbox-skipped/latest"
    served.wait_until(lambda: "stray.xlsx" in httpx.get(artifacts, timeout=60).text)
    assert "Warning" not in served.log.read_text()
    stray.unlink()
    served.wait_until(lambda: "stray.xlsx" not in httpx.get(artifacts, timeout=60).text)


@pytest.mark.server
@pytest.mark.trial
def test_the_operators_alerts_ask_for_what_there_is(served: Watched) -> None:
    names = {key[0] for key in served.metrics()}
    (group,) = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    asked = set(re.findall(r"cypp_\w+", " ".join(rule["expr"] for rule in group["rules"])))
    assert asked
    assert asked <= names
    section = PAGE.partition("## Watch the watcher\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `(cypp_\w+)", section, re.M))
    ours = {re.sub("_(bucket|count|sum)$", "", name) for name in names if name.startswith("cypp_")}
    assert told == ours
    checks = set(re.findall(r"^\| `([a-z]+)` \|", section, re.M))
    assert checks == {key[1] for key in served.metrics() if key[0] == "cypp_health"} | {"deployments"}


def test_the_operators_page_says_what_is_kept() -> None:
    script = "import os; from pathlib import Path; from flows.settings import prepare_prefect\n"
    script += f"prepare_prefect(Path('home')); print(*(os.environ[name] for name in {KEEPING}), sep='\\n')"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    set_by_us = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, env=environment, text=True).split()
    of_several = PAGE.partition("## Several machines\n")[2].partition("```\n")[0]
    assert [re.findall(rf"{name}=(\S+)", of_several) for name in KEEPING] == [[value] for value in set_by_us]
    assert all(
        re.search(rf"^\| `{name}` \|.*\| `{value}` \|$", PAGE, re.M)
        for name, value in zip(KEEPING, set_by_us, strict=True)
    )


@pytest.mark.server
@pytest.mark.trial
def test_old_runs_and_events_go_and_younger_ones_stay(served: Watched) -> None:
    server = httpx.get(f"http://127.0.0.1:{served.port}/api/admin/settings", timeout=30).json()["server"]
    vacuum = server["services"]["db_vacuum"]
    assert sorted(vacuum["enabled"]) == ["events", "flow_runs"]
    assert (vacuum["retention_period"], server["events"]["retention_period"]) == ("P100D", "P30D")

    now, hour = datetime.now(UTC), timedelta(hours=1)
    flow = served.send("/flows/", {"name": "tried"}).json()["id"]
    runs = {"old": now - RUNS_KEPT_FOR - hour, "young": now - RUNS_KEPT_FOR + hour}
    events = {"old": now - EVENTS_KEPT_FOR - hour, "young": now - EVENTS_KEPT_FOR + hour}
    for name, ended_at in runs.items():
        run = {"flow_id": flow, "name": name, "state": {"type": "COMPLETED"}}
        served.send("/flow_runs/", run)
        change = ("UPDATE flow_run SET end_time = ? WHERE name = ?", (f"{ended_at:%Y-%m-%d %H:%M:%S.%f}", name))
        with sqlite3.connect(served.home / ".prefect" / "prefect.db", timeout=30) as prefect:
            assert prefect.execute(*change).rowcount == 1
    for name, occurred in events.items():
        event = {"event": name, "occurred": occurred.isoformat(), "id": str(uuid4())}
        event["resource"] = {"prefect.resource.id": "tried"}  # type: ignore[assignment]
        served.send("/events", [event])

    def left(query: str) -> list[str]:
        with sqlite3.connect(served.home / ".prefect" / "prefect.db", timeout=30) as prefect:
            return [name for (name,) in prefect.execute(query)]

    # Events are written in batches: the young one shows that both were there.
    served.wait_until(lambda: left("SELECT event FROM events WHERE event IN ('old', 'young')") == ["young"])
    served.wait_until(lambda: left("SELECT name FROM flow_run WHERE name IN ('old', 'young')") == ["young"])


@pytest.mark.server
@pytest.mark.trial
def test_systemd_is_told_until_it_ends(served: Watched) -> None:
    """The last test: it ends the service."""
    served.wait_until(lambda: served.was_told("READY=1\nWATCHDOG=1\nSTATUS=Healthy. "))
    assert sum("READY=1" in said for said in served.told) == 1
    assert not served.was_told("STOPPING=1")
    (process,) = served.processes
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(30) == 0
    assert served.was_told("STOPPING=1")
    assert served.health() == (2, f"Unhealthy. cypp serve is not running in {served.home}.\n")
