"""One `cypp serve` as those meet it who operate it: what Prefect's server keeps and deletes."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from flows.settings import EVENTS_KEPT_FOR, RUNS_KEPT_FOR
from tests.flows.service.test_serve import Served

ROOT = Path(__file__).parents[3]
KEEPING = (
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("operation"))
    # Once an hour otherwise.
    served.start(PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS="1")
    yield served
    for process in served.processes:
        process.kill()
        process.wait()


def test_the_operators_page_says_what_is_kept() -> None:
    script = "import os; from pathlib import Path; from flows.settings import prepare_prefect\n"
    script += f"prepare_prefect(Path('home')); print(*(os.environ[name] for name in {KEEPING}), sep='\\n')"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    set_by_us = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, env=environment, text=True).split()
    page = (ROOT / "docs" / "operate.md").read_text("utf-8")
    of_several = page.partition("## Several machines\n")[2].partition("```\n")[0]
    assert [re.findall(rf"{name}=(\S+)", of_several) for name in KEEPING] == [[value] for value in set_by_us]
    assert all(
        re.search(rf"^\| `{name}` \|.*\| `{value}` \|$", page, re.M)
        for name, value in zip(KEEPING, set_by_us, strict=True)
    )


@pytest.mark.server
def test_old_runs_and_events_go_and_younger_ones_stay(served: Served) -> None:
    api = f"http://127.0.0.1:{served.port}/api"
    server = httpx.get(f"{api}/admin/settings", timeout=30).json()["server"]
    vacuum = server["services"]["db_vacuum"]
    assert sorted(vacuum["enabled"]) == ["events", "flow_runs"]
    assert (vacuum["retention_period"], server["events"]["retention_period"]) == ("P100D", "P30D")

    now, hour = datetime.now(UTC), timedelta(hours=1)
    flow = httpx.post(f"{api}/flows/", json={"name": "tried"}, timeout=30).json()["id"]
    runs = {"old": now - RUNS_KEPT_FOR - hour, "young": now - RUNS_KEPT_FOR + hour}
    events = {"old": now - EVENTS_KEPT_FOR - hour, "young": now - EVENTS_KEPT_FOR + hour}
    for name, ended_at in runs.items():
        run = {"flow_id": flow, "name": name, "state": {"type": "COMPLETED"}}
        httpx.post(f"{api}/flow_runs/", json=run, timeout=30).raise_for_status()
        change = ("UPDATE flow_run SET end_time = ? WHERE name = ?", (f"{ended_at:%Y-%m-%d %H:%M:%S.%f}", name))
        with sqlite3.connect(served.home / ".prefect" / "prefect.db", timeout=30) as prefect:
            assert prefect.execute(*change).rowcount == 1
    for name, occurred in events.items():
        event = {"event": name, "occurred": occurred.isoformat(), "id": str(uuid4())}
        event["resource"] = {"prefect.resource.id": "tried"}  # type: ignore[assignment]
        httpx.post(f"{api}/events", json=[event], timeout=30).raise_for_status()

    def left(query: str) -> list[str]:
        with sqlite3.connect(served.home / ".prefect" / "prefect.db", timeout=30) as prefect:
            return [name for (name,) in prefect.execute(query)]

    # Events are written in batches: the young one shows that both were there.
    served.wait_until(lambda: left("SELECT event FROM events WHERE event IN ('old', 'young')") == ["young"])
    served.wait_until(lambda: left("SELECT name FROM flow_run WHERE name IN ('old', 'young')") == ["young"])
