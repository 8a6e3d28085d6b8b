"""What keeps `cypp serve` from its work is told by its kind: no room, a faulty plan, a database out of reach."""

import asyncio
import errno
import shutil
from pathlib import Path

import pytest

from cypp_etl.periods import parse_period
from flows.inbox.sweep import Waiting
from flows.ingestion.context import open_to_write
from flows.settings import Settings, read_settings
from tests.support.samples import sample_of


@pytest.mark.usefixtures("settings")
def test_a_plan_that_cannot_be_read_is_not_a_warehouse_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.service.dispatcher import Dispatcher
    from flows.service.watcher import OutOfReachError

    plan = tmp_path / "plan"
    shutil.copytree(Path(__file__).parents[3] / "cypp_etl" / "plan" / "data", plan)
    (plan / "outcomes.csv").write_text("nothing\n", "utf-8")
    monkeypatch.setenv("CYPP_PLAN", str(plan))
    with pytest.raises(OutOfReachError) as faulty:
        Dispatcher(read_settings(), asyncio.Event()).partners()
    assert faulty.value.event == "cypp.plan.faulty"
    monkeypatch.delenv("CYPP_PLAN")
    (tmp_path / "warehouse.db").write_bytes(b"no database" * 1000)
    monkeypatch.setenv("CYPP_WAREHOUSE_URL", f"sqlite:///{tmp_path / 'warehouse.db'}")
    with pytest.raises(OutOfReachError) as away:
        Dispatcher(read_settings(), asyncio.Event()).partners()
    assert away.value.event == "cypp.warehouse.out-of-reach"


def test_a_status_is_written_once_for_all_that_are_answered_meanwhile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.service import dispatcher as module

    open_to_write(settings).engine.dispose()
    written: list[set[str]] = []

    def write(_workplace: object, partner_codes: set[str], _today: object) -> list[str]:
        written.append(set(partner_codes))
        return []

    monkeypatch.setattr(module, "refresh_status_pages", write)
    monkeypatch.setattr(module, "_REFRESH_SECONDS", 0.02)

    async def answer() -> None:
        dispatcher = module.Dispatcher(settings, asyncio.Event())
        for partner_code in ("yos", "nhs", "yos"):
            dispatcher._refresh_soon(partner_code)
        while not written:
            await asyncio.sleep(0.01)
        # What is answered while it is being written is written next.
        dispatcher._refresh_soon("vcs")
        while len(written) < 2:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(answer(), 30))
    assert written == [{"yos", "nhs"}, {"vcs"}]


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_a_full_disk_is_said_once_until_there_is_room(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from flows.ingestion.context import Workplace
    from flows.service.dispatcher import Dispatcher

    open_to_write(settings).engine.dispose()
    path = settings.inbox / "yos" / "ours.xlsx"
    path.parent.mkdir(parents=True)
    path.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    keep = Workplace.keep
    tries = 0

    def without_room(*arguments: object, **named: object) -> object:
        nonlocal tries
        tries += 1
        if tries > 4:
            return keep(*arguments, **named)  # type: ignore[arg-type]
        raise OSError(errno.ENOSPC, "No space left on device", str(settings.archive))

    monkeypatch.setattr(Workplace, "keep", without_room)

    async def work() -> list[bool]:
        dispatcher = Dispatcher(settings, asyncio.Event())
        return [await (await dispatcher.ingest(Waiting(path, "yos"))) for _ in range(3)]

    assert asyncio.run(work()) == [False, False, True]
    (said,) = (record for record in caplog.records if hasattr(record, "cypp_event"))
    assert said.cypp_event == "cypp.inbox.disk-full"
    assert said.cypp_concern["partner"] == "yos"
    assert not path.exists()
