"""What `cypp serve` lets people start in the UI: it runs by a button and by a schedule, and ends with it."""

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from cypp_etl.checked_return import Waiver
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return
from flows.deployments.catalogue import CATALOGUE
from tests.flows.service.test_serve import PERIOD, Served, child_of
from tests.support.samples import sample_of
from tests.test_pages import CHROMIUM
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, writing
from warehouse.recording.administration import add_waiver
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

NAMES = {deployed.flow.name for deployed in CATALOGUE}
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Buttons:
    """What the UI can ask of a server."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.address = f"http://127.0.0.1:{served.port}"

    def ask(self, method: str, path: str, content: dict[str, Any] | list[Any] | None = None) -> Any:
        answer = httpx.request(method, f"{self.address}/api{path}", json=content, timeout=60)
        give_up = time.monotonic() + 30
        # Its SQLite has one writer. Prefect's own clients ask again too.
        while answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and time.monotonic() < give_up:
            time.sleep(1)
            answer = httpx.request(method, f"{self.address}/api{path}", json=content, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployments(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.ask("POST", "/deployments/filter", {})}

    def start(self, name: str, **parameters: object) -> str:
        path = f"/deployments/{self.deployments()[name]['id']}/create_flow_run"
        return str(self.ask("POST", path, {"parameters": parameters})["id"])

    def run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/flow_runs/{run}")
        return found

    def wait_for(self, run: str, attempt: int = 1) -> dict[str, Any]:
        self.served.wait_until(
            lambda: self.run(run)["state_type"] in ENDED and self.run(run)["run_count"] >= attempt, 180
        )
        return self.run(run)

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("POST", "/flow_runs/filter", {"limit": 200})
        return found

    def states(self, name: str) -> list[str]:
        """What the runs whose names begin so are in."""
        return [run["state_name"] for run in self.runs() if run["name"].startswith(name)]

    def wait_until_served(self) -> None:
        self.served.wait_until(lambda: "Serving " in self.served.log.read_text(), 180)
        self.served.wait_until(lambda: {one["status"] for one in self.deployments().values()} == {"READY"}, 180)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    for process in served.processes:
        process.kill()
        process.wait()


def group_of(runner: int) -> list[str]:
    """The commands of the processes in the group that the child leads; one that has ended has none."""
    commands = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[2]) == runner:
                commands.append((status.parent / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    # The system may not have asked yet how one ended that its parent has left behind.
    return [command for command in commands if command]


def due(served: Served, since: datetime) -> list[str]:
    """When the runs that schedules made were due in the twelve seconds after a moment, as Prefect's database has it."""
    span = [f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in (since, since + timedelta(seconds=12))]
    asked = "SELECT expected_start_time FROM flow_run WHERE auto_scheduled AND expected_start_time BETWEEN ? AND ?"
    with sqlite3.connect(served.home / ".prefect" / "prefect.db") as prefect:
        return [moment for (moment,) in prefect.execute(asked, span)]


@pytest.mark.server
@pytest.mark.trial
def test_a_run_started_over_http_sweeps_the_inbox_and_one_that_failed_can_be_tried_again(served: Served) -> None:
    process, buttons, plan = served.start(deployments=True), Buttons(served), read_plan()
    buttons.wait_until_served()
    assert buttons.deployments().keys() == NAMES

    # The watcher stands still, so that it is the run that takes the workbook.
    os.kill(process.pid, signal.SIGSTOP)
    drop = served.home / "inbox" / "yos" / "ours.xlsx"
    drop.write_bytes(sample_return(plan, "yos", PERIOD))
    swept = buttons.wait_for(buttons.start("sweep-inbox", settle_seconds=0))
    os.kill(process.pid, signal.SIGCONT)
    assert (swept["state_name"], swept["state"]["message"]) == ("Completed", "1 ingested, 0 failed, 0 left.")
    assert not drop.exists()
    assert (served.home / "inbox" / "yos" / "replies" / "ours - accepted.xlsx").exists()
    assert served.submissions() == [("yos", "accepted")]

    # What is not in the lists is refused before anything is begun.
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        buttons.start("publish-report", period="1999-00Q1")

    # A run that failed is begun again, as its button in the UI does.
    later = served.home / "later.xlsx"
    failed = buttons.start("ingest-return", file=str(later))
    assert buttons.wait_for(failed)["state_name"] == "Failed"
    later.write_bytes(sample_return(plan, "nhs", PERIOD))
    again = {"type": "SCHEDULED", "name": "AwaitingRetry", "state_details": {}}
    buttons.ask("POST", f"/flow_runs/{failed}/set_state", {"state": again, "force": True})
    assert buttons.wait_for(failed, attempt=2)["state_name"] == "Accepted"

    # What runs it is looked after.
    os.killpg(child_of(process, "flows.service.deployment_runner"), signal.SIGKILL)
    served.wait_until(lambda: "The deployment runner ended, and is being restarted." in served.log.read_text(), 60)
    served.wait_until(lambda: served.log.read_text().count("Serving ") == 2, 60)
    assert buttons.wait_for(buttons.start("remind"))["state_name"] == "Returns missing"


@pytest.mark.server
@pytest.mark.trial
def test_schedules_fire_and_all_ends_with_it_and_comes_back_as_it_was(served: Served) -> None:
    process, buttons = served.start(deployments=True), Buttons(served)
    buttons.wait_until_served()
    runner = child_of(process, "flows.service.deployment_runner")

    # A schedule that somebody adds in the UI, and one that somebody pauses.
    schedules = f"/deployments/{buttons.deployments()['remind']['id']}/schedules"
    buttons.ask("POST", schedules, [{"schedule": {"interval": 5}, "active": True}])
    served.wait_until(
        lambda: any(run["auto_scheduled"] and run["state_type"] == "COMPLETED" for run in buttons.runs()), 180
    )
    buttons.ask("POST", f"/deployments/{buttons.deployments()['sweep-inbox']['id']}/pause_deployment")

    # It ends in the midst of a run, in time, and leaves nobody behind.
    under_way = buttons.start("publish-report", period="2009-10Q1")
    served.wait_until(lambda: buttons.run(under_way)["state_type"] in ("PENDING", "RUNNING"), 60)
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert time.monotonic() - told < 15
    assert group_of(runner) == []
    assert "Traceback" not in served.log.read_text()

    # Nobody is there for runs that are due: of a deployment's, the last is begun late, and the others are forgotten.
    ended = datetime.now(UTC)
    time.sleep(12)
    assert len(due(served, ended)) >= 2
    process = served.start(deployments=True)
    buttons.wait_until_served()
    assert buttons.run(under_way)["state_type"] in ENDED
    assert len(due(served, ended)) <= 1
    there = buttons.deployments()
    assert there.keys() == NAMES
    assert [name for name, one in there.items() if one["paused"]] == ["sweep-inbox"]
    scheduled = {deployed.flow.name: 1 for deployed in CATALOGUE if deployed.schedule}
    assert {name: len(one["schedules"]) for name, one in there.items() if one["schedules"]} == scheduled | {"remind": 2}
    runner = child_of(process, "flows.service.deployment_runner")
    assert buttons.wait_for(buttons.start("remind"))["state_name"] == "Nothing missing"

    # Not even kill -9 leaves a run behind.
    under_way = buttons.start("publish-report", period="2009-10Q1")
    served.wait_until(lambda: any("prefect.engine" in command for command in group_of(runner)), 60)
    process.kill()
    process.wait()
    served.wait_until(lambda: group_of(runner) == [], 30)


@pytest.mark.server
@pytest.mark.trial
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_forms_can_be_filled_in_and_no_page_asks_another_host(served: Served) -> None:
    fill(served.home)
    served.start(deployments=True)
    buttons = Buttons(served)
    buttons.wait_until_served()
    (served.home / "inbox" / "yos" / "ours.xlsx").write_bytes(sample_of("yos", PERIOD))
    asked: set[str] = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.add(request.url.partition("://")[2].partition("/")[0]))
        page.goto(f"{buttons.address}/deployments")
        for name in NAMES:
            # The page has ten of them.
            page.get_by_placeholder("Search deployments").fill(name)
            page.get_by_role("link", name=name, exact=True).first.wait_for()
        page.goto(f"{buttons.address}/deployments/deployment/{buttons.deployments()['publish-report']['id']}/run")
        page.get_by_text("As known on (Optional)").wait_for()
        page.get_by_text("such as 2010-11Q3. If left empty").wait_for()
        page.locator(".p-select-button__icon").first.click()
        page.get_by_text("2012-13Q3").click()
        page.get_by_role("button", name="Submit").click()
        served.wait_until(lambda: any(run["state_name"] == "Published" for run in buttons.runs()), 180)
        (run,) = [run for run in buttons.runs() if run["state_name"] == "Published"]
        assert run["parameters"] == {"period": "2012-13Q3"}
        page.goto(f"{buttons.address}/runs/flow-run/{run['id']}")
        page.get_by_role("button", name="Retry").wait_for()
        decide(page, buttons)
        # What the watcher did is nothing that could be begun again: the workbook is done with.
        served.wait_until(lambda: any(run["name"] == "yos/ours.xlsx" for run in buttons.runs()), 60)
        (run,) = [run for run in buttons.runs() if run["name"] == "yos/ours.xlsx"]
        page.goto(f"{buttons.address}/runs/flow-run/{run['id']}")
        page.get_by_text("Subflow Runs").wait_for()
        assert page.get_by_role("button", name="Retry").count() == 0
        for path in ("/runs", "/dashboard", "/flows", "/blocks", "/automations", "/settings"):
            page.goto(f"{buttons.address}{path}")
            page.wait_for_load_state("networkidle")
        browser.close()
    assert asked == {f"127.0.0.1:{served.port}"}


def fill(home: Path) -> None:
    """A return that is in force, and a waiver."""
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    upgrade(engine)
    record(engine, checked("a", observation("NI 111a", "90", comment="Too much was said")), read_plan(), later(0))
    with writing(engine) as connection:
        waived = Waiver("large-change", "yos", "NI 43", None, "New", "A. Officer", date(2999, 3, 31))
        add_waiver(connection, waived, later(0))
    engine.dispose()


def decide(page: Page, buttons: Buttons) -> None:
    """Fill in three forms of decisions as somebody would, and see what each run ends as."""
    deployments = buttons.deployments()
    for name, chosen, cell in (
        ("end-waiver", "2 large-change NI 43 (yos, every period), until 31 March 2999", ""),
        ("erase-content", "", "Indicators!M2"),
        ("withdraw-return", "1 police, 2010/11 Q1, version 1", ""),
    ):
        page.goto(f"{buttons.address}/deployments/deployment/{deployments[name]['id']}/run")
        page.get_by_text("Your name (Optional)").wait_for()
        if chosen:
            page.locator(".p-select-button__icon").first.click()
            page.get_by_text(chosen).click()
        else:
            page.locator("input[type=number]").first.fill("1")
            page.get_by_role("button", name="Add item").click()
            # Why, the cell and the name: before the cell is there, the second is the name.
            page.locator("textarea").nth(2).wait_for()
            page.locator("textarea").nth(1).fill(cell)
        page.locator("textarea").first.fill("Agreed in July")
        page.locator("textarea").last.fill("A. Officer")
        page.get_by_role("button", name="Submit").click()

        buttons.served.wait_until(lambda name=name: "Decided" in buttons.states(name), 180)  # type: ignore[misc]
    with sqlite3.connect(buttons.served.home / "warehouse.db") as warehouse:
        decided = warehouse.execute("SELECT kind, decided_by, why FROM bi_decisions WHERE decision_id > 2").fetchall()
        (status,) = warehouse.execute("SELECT status FROM bi_submissions WHERE submission_id = 1").fetchone()
    kinds = ("end-waiver", "erase-content", "withdraw-return")
    assert decided == [(kind, "A. Officer", "Agreed in July") for kind in kinds]
    assert status == "withdrawn"


@pytest.fixture
def other_host() -> Iterator[socket.socket]:
    """Whom a browser comes to that looks for the host which the pages would ask."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.mark.server
@pytest.mark.trial
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_not_even_the_pages_that_would_ask_another_host_do(served: Served, other_host: socket.socket) -> None:
    served.start(deployments=True)
    address = f"http://127.0.0.1:{served.port}"
    elsewhere = f"127.0.0.1:{other_host.getsockname()[1]}"
    # Browsers themselves ask still others.
    rules = f"--host-resolver-rules=MAP *.amplitude.com {elsewhere}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", rules])
        page = browser.new_page()
        page.goto(f"{address}/v2/deployments")
        page.get_by_role("link", name="Deployments").first.wait_for()
        page.wait_for_timeout(3000)
        with pytest.raises(BlockingIOError):
            other_host.accept()
        # The same page without the header would come there.
        page.goto("about:blank")
        page.evaluate("fetch('http://api.amplitude.com').catch(() => 0)")
        page.wait_for_timeout(1000)
        other_host.accept()[0].close()
        browser.close()
