"""The flow that publishes the board report, on a real Prefect server: permanent files, artifacts, and changes."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from flows.settings import Settings
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.publications import last_published
from warehouse.recording.plan import record_plan
from warehouse.recording.publications import Publication, record_publication
from warehouse.recording.record import record
from warehouse.upgrade import upgrade


@pytest.fixture
def engine(settings: Settings) -> Engine:
    """A warehouse with a declining indicator of last spring."""
    settings.home.mkdir()
    engine = open_warehouse(settings.warehouse_url)
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, read_plan(), later(-1))
    figures = [observation("NI 111a", "60", "2009-10Q1"), observation("NI 111a", "90")]
    record(engine, checked("a", *figures), read_plan(), later(0))
    return engine


def _publish(period: str) -> Any:
    from flows.deployments.publish_report import publish_report

    async def run() -> Any:
        return await publish_report(period, return_state=True)

    return asyncio.run(run())


async def _artifacts() -> dict[str, Any]:
    from prefect import get_client

    async with get_client() as client:
        return {one.key: one.data for one in await client.read_latest_artifacts()}


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_each_report_is_kept_and_says_what_changed_since_the_last(settings: Settings, engine: Engine) -> None:
    first = _publish("2010-11Q1")
    assert (first.type.value, first.name) == ("COMPLETED", "Published")
    shown = asyncio.run(_artifacts())
    assert "Direction of travel: 1 declining" in shown["report-2010-11q1"]
    assert "when returns for 2009/10 Q4 were due." in shown["report-2010-11q1"]
    assert json.loads(shown["judgements-2010-11q1"])[0]["Direction of travel"] == "↓ declining"
    assert "police NI 111a 2010-11Q1" in shown["clinics-2010-11q1"]

    corrected = [observation("NI 111a", "60", "2009-10Q1"), observation("NI 111a", "50")]
    record(engine, checked("b", *corrected), read_plan(), datetime.now(UTC))
    _publish("2010-11Q1")
    told = asyncio.run(_artifacts())["report-2010-11q1"]
    assert (
        "NI 111a, 2010/11 Q1, direction of travel: declining → improving (return.xlsx, sheet Indicators, cell G2)"
        in told
    )
    _publish("2010-11Q1")
    told = asyncio.run(_artifacts())["report-2010-11q1"]
    assert "No symbol of 2010/11 Q1 or before has turned after " in told
    assert "up to which the last published report, on 2010/11 Q1, knew." in told
    assert "declining → improving" not in told

    editions = sorted(path.name for path in settings.reports.glob("2010-11Q1/*/*"))
    assert editions == ["board report 2010-11Q1.html"] * 3 + ["board report 2010-11Q1.xlsx"] * 3


def test_the_last_report_is_the_one_that_knew_most_and_was_out_by_then(engine: Engine) -> None:
    at = datetime(2011, 3, 1, tzinfo=UTC)
    with reading(engine) as connection:
        assert last_published(connection, at) is None
    with writing(engine) as connection:
        for quarter, days_ago, days_out in ((1, 30, 29), (2, 20, 20), (3, 10, -1)):
            known, out = at - timedelta(days=days_ago), at - timedelta(days=days_out)
            record_publication(connection, Publication(Period(2010, quarter), known, "ab", out))
    with reading(engine) as connection:
        for asked, period, days_ago in ((at, "2010-11Q2", 20), (at - timedelta(days=20), "2010-11Q1", 30)):
            found = last_published(connection, asked)
            assert found is not None
            assert (found["period"], found["known_at"]) == (period, at - timedelta(days=days_ago))


def test_the_report_is_on_the_last_quarter_that_was_due() -> None:
    from flows.deployments.publish_report import last_due

    plan = read_plan()
    due_on = plan.calendar[Period(2010, 3)].due_on
    assert last_due(plan, due_on) == Period(2010, 3)
    assert last_due(plan, due_on - timedelta(days=1)) == Period(2010, 2)
    with pytest.raises(ValueError, match="say which period"):
        last_due(plan, date(1990, 1, 1))
