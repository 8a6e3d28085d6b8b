"""The watcher without Prefect: whatever happens to the folder, each complete file is ingested, in a fair order."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from cypp_etl.receipts.reply import Reply
from flows.inbox.corrected_receipts import CorrectedReceipts
from flows.inbox.receipt_files import write_reply
from flows.inbox.settling import Patience, Settling
from flows.inbox.sweep import Waiting
from flows.inbox.written_receipts import WrittenReceipts
from flows.service.watcher import OutOfReachError, Watcher, fairly
from tests.flows.inbox.test_settling import zipped
from tests.support.leaping_loop import run_leaping

PATIENCE = Patience(whole=0.1, unknown=0.1, unfinished=60)
WORKBOOK = zipped()


class Office:
    """Receives the watcher's files, like an ingestion; `away` and `fails` make it refuse."""

    def __init__(self, inbox: Path) -> None:
        self.inbox = inbox
        self.taken: list[str] = []
        self.contents: list[bytes] = []
        self.away = False
        self.fails: set[str] = set()
        self.tries = 0

    def partners(self) -> list[str]:
        if self.away:
            raise OutOfReachError("no warehouse.")
        return ["police", "yos"]

    async def ingest(self, waiting: Waiting) -> "asyncio.Future[bool]":
        return asyncio.ensure_future(self._take(waiting))

    async def _take(self, waiting: Waiting) -> bool:
        self.tries += 1
        if waiting.path.name in self.fails:
            return False
        self.contents.append(waiting.path.read_bytes())
        waiting.path.unlink()
        self.taken.append(f"{waiting.partner_code}/{waiting.path.name}")
        return True

    def drop(self, name: str, content: bytes = WORKBOOK) -> None:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    async def until(self, *names: str) -> None:
        async with asyncio.timeout(100):
            while not set(names) <= set(self.taken):
                await asyncio.sleep(0.01)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / "inbox").mkdir()
    return Office(tmp_path / "inbox")


def watch(office: Office, doing: Callable[[], Awaitable[None]], interval: float = 60, with_events: bool = True) -> None:
    """Watch while something is done, then stop; in real time."""
    asyncio.run(_watching(office, doing, interval, with_events))


def watch_leaping(office: Office, doing: Callable[[], Awaitable[None]], interval: float = 60) -> None:
    """The same without events, on a clock that leaps: nothing is waited for, however long it takes."""
    run_leaping(_watching(office, doing, interval, with_events=False))


async def _watching(office: Office, doing: Callable[[], Awaitable[None]], interval: float, with_events: bool) -> None:
    stop = asyncio.Event()
    watcher = Watcher(
        office.inbox,
        office.partners,
        office.ingest,
        interval,
        with_events,
        settling=Settling(PATIENCE),
        clock=asyncio.get_running_loop().time,
    )
    running = asyncio.create_task(watcher.run(stop))
    try:
        await asyncio.sleep(0.3)
        await doing()
    finally:
        stop.set()
        await asyncio.wait_for(running, 10)


def test_what_lies_there_at_the_start_is_taken(office: Office) -> None:
    office.drop("yos/a.xlsx")
    watch_leaping(office, lambda: office.until("yos/a.xlsx"))
    assert office.taken == ["yos/a.xlsx"]


def test_an_event_hurries_the_next_look(office: Office) -> None:
    async def drop() -> None:
        began = time.monotonic()
        office.drop("yos/a.xlsx")
        await office.until("yos/a.xlsx")
        assert time.monotonic() - began < 10, "the interval is a minute"

    watch(office, drop)


def test_without_events_the_interval_finds_everything(office: Office) -> None:
    async def drop() -> None:
        office.drop("yos/a.xlsx")
        await office.until("yos/a.xlsx")

    watch(office, drop, interval=0.2, with_events=False)
    assert office.taken == ["yos/a.xlsx"]


@pytest.mark.parametrize("with_events", [True, False])
def test_a_file_that_is_written_slowly_is_taken_whole(office: Office, with_events: bool) -> None:
    async def drop() -> None:
        path = office.inbox / "yos" / "slow.xlsx"
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            for start in range(0, len(WORKBOOK), 2_000):
                assert office.taken == []
                file.write(WORKBOOK[start : start + 2_000])
                file.flush()
                await asyncio.sleep(0.2)
        await office.until("yos/slow.xlsx")
        assert office.contents == [WORKBOOK]

    if with_events:
        watch(office, drop, interval=0.2)
    else:
        watch_leaping(office, drop, interval=0.2)


def test_a_file_that_is_renamed_into_place_is_taken(office: Office) -> None:
    async def drop() -> None:
        office.drop("yos/~$upload.tmp")
        (office.inbox / "yos" / "~$upload.tmp").rename(office.inbox / "yos" / "a.xlsx")
        await office.until("yos/a.xlsx")

    watch(office, drop)
    assert office.taken == ["yos/a.xlsx"]


def test_a_folder_that_appears_later_is_watched(office: Office) -> None:
    async def drop() -> None:
        shutil.rmtree(office.inbox / "yos")
        await asyncio.sleep(0.3)
        office.drop("yos/a.xlsx")
        await office.until("yos/a.xlsx")

    watch(office, drop, interval=2)
    assert office.taken == ["yos/a.xlsx"]


@pytest.mark.parametrize("with_events", [True, False])
def test_a_share_that_goes_away_comes_back(office: Office, with_events: bool) -> None:
    async def drop() -> None:
        elsewhere = office.inbox.with_name("elsewhere")
        office.inbox.rename(elsewhere)
        await asyncio.sleep(2.5)
        assert not office.inbox.exists(), "nothing is made in its place"
        (elsewhere / "yos" / "a.xlsx").write_bytes(WORKBOOK)
        elsewhere.rename(office.inbox)
        await office.until("yos/a.xlsx")
        clock = asyncio.get_running_loop().time
        began = clock()
        await asyncio.sleep(2)
        office.drop("yos/b.xlsx")
        await office.until("yos/b.xlsx")
        assert clock() - began < 10

    if with_events:
        watch(office, drop)
    else:
        watch_leaping(office, drop, interval=0.5)


def test_a_warehouse_that_is_away_costs_no_try(office: Office) -> None:
    async def drop() -> None:
        office.away = True
        office.drop("yos/a.xlsx")
        await asyncio.sleep(300)
        assert office.tries == 0
        office.away = False
        began = asyncio.get_running_loop().time()
        await office.until("yos/a.xlsx")
        assert asyncio.get_running_loop().time() - began < 1.5, "it is looked for every second, whatever the interval"

    watch_leaping(office, drop)


def test_a_file_that_fails_stops_no_other_and_is_tried_again(office: Office) -> None:
    async def drop() -> None:
        office.fails = {"a.xlsx"}
        office.drop("yos/a.xlsx")
        office.drop("yos/b.xlsx")
        await office.until("yos/b.xlsx")
        office.fails = set()
        await office.until("yos/a.xlsx")

    watch_leaping(office, drop)
    assert office.tries == 3


def test_a_file_that_keeps_failing_is_tried_ever_more_seldom(office: Office) -> None:
    """After two seconds, four, eight and so on, and at last every five minutes."""
    tried: list[float] = []
    ingest = office.ingest

    async def noted(waiting: Waiting) -> "asyncio.Future[bool]":
        tried.append(asyncio.get_running_loop().time())
        return await ingest(waiting)

    async def drop() -> None:
        office.fails = {"a.xlsx"}
        office.drop("yos/a.xlsx")
        await asyncio.sleep(1_500)

    office.ingest = noted  # type: ignore[method-assign]
    watch_leaping(office, drop)
    pauses = [round(later - earlier) for earlier, later in pairwise(tried)]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_an_answer_waits_for_no_run(office: Office) -> None:
    """However long Prefect's runs take, the files behind get their receipts, and none is ingested twice."""
    answered: list[str] = []
    server_answers = asyncio.Event()

    async def ingest(waiting: Waiting) -> "asyncio.Future[bool]":
        answered.append(waiting.path.name)
        return asyncio.ensure_future(run_of(waiting))

    async def run_of(waiting: Waiting) -> bool:
        await server_answers.wait()
        return await office._take(waiting)

    async def drop() -> None:
        for name in "abc":
            office.drop(f"yos/{name}.xlsx")
        async with asyncio.timeout(20):
            while len(answered) < 3:
                await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        assert (sorted(answered), office.taken) == (["a.xlsx", "b.xlsx", "c.xlsx"], [])
        server_answers.set()
        await office.until("yos/a.xlsx", "yos/b.xlsx", "yos/c.xlsx")

    office.ingest = ingest  # type: ignore[method-assign]
    watch_leaping(office, drop, interval=0.2)
    assert len(answered) == 3


def test_a_file_that_is_replaced_while_it_is_in_hand_is_taken_again(office: Office) -> None:
    newer = zipped(b"newer")
    contents: list[bytes] = []

    async def ingest(waiting: Waiting) -> "asyncio.Future[bool]":
        contents.append(waiting.path.read_bytes())
        if contents == [WORKBOOK]:
            office.drop("yos/.newer", newer)
            (office.inbox / "yos" / ".newer").replace(waiting.path)
            return asyncio.ensure_future(asyncio.sleep(0.5, True))
        return asyncio.ensure_future(office._take(waiting))

    async def drop() -> None:
        office.drop("yos/a.xlsx")
        await office.until("yos/a.xlsx")

    office.ingest = ingest  # type: ignore[method-assign]
    watch_leaping(office, drop)
    assert contents == [WORKBOOK, newer]


def test_what_cannot_be_taken_is_said_once(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async def drop() -> None:
        office.drop("stray.xlsx")
        await asyncio.sleep(60)

    watch_leaping(office, drop, interval=0.2)
    assert [record.message.split("/")[-1] for record in caplog.records] == [
        "stray.xlsx is left in place: it is not in a partner's folder."
    ]


def test_partners_take_turns() -> None:
    waiting = [Waiting(Path(f"{name}"), name[0]) for name in ("a1", "a2", "a3", "b1", "c1", "c2")]
    assert [one.path.name for one in fairly(waiting)] == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_who_comes_last_does_not_wait_behind_a_hundred(office: Office) -> None:
    for number in range(100):
        office.drop(f"police/{number:03}.xlsx")

    async def drop() -> None:
        office.drop("yos/late.xlsx")
        await office.until(*(f"police/{number:03}.xlsx" for number in range(100)))

    ingest = office.ingest

    async def slowly(waiting: Waiting) -> "asyncio.Future[bool]":
        await asyncio.sleep(0.02)
        return await ingest(waiting)

    office.ingest = slowly  # type: ignore[method-assign]
    watch_leaping(office, drop)
    assert office.taken.index("yos/late.xlsx") < 60
    assert [name for name in office.taken if name.startswith("police")] == sorted(office.taken)[:100]


def test_who_drops_what_takes_long_waits_for_the_others(office: Office) -> None:
    for number in range(4):
        office.drop(f"police/{number}.xlsx")
    ingest = office.ingest

    async def slowly(waiting: Waiting) -> "asyncio.Future[bool]":
        if waiting.path.name == "0.xlsx":
            office.drop("yos/late.xlsx")
        await asyncio.sleep(1.1)
        return await ingest(waiting)

    office.ingest = slowly  # type: ignore[method-assign]

    async def wait() -> None:
        await office.until("police/3.xlsx", "yos/late.xlsx")

    watch_leaping(office, wait)
    # The first scan after its arrival may only have seen it: then one more of the others comes first.
    assert office.taken.index("yos/late.xlsx") <= 2


def test_what_is_out_of_reach_is_logged_with_its_event(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        office.away = True
        await asyncio.sleep(1.5)
        office.away = False
        elsewhere = office.inbox.with_name("elsewhere")
        await asyncio.sleep(1.5)
        office.inbox.rename(elsewhere)
        await asyncio.sleep(1.5)

    with caplog.at_level("INFO", "cypp.serve"):
        watch(office, work, interval=0.2, with_events=False)
    told = [(record.cypp_event, record.cypp_concern) for record in caplog.records if hasattr(record, "cypp_event")]  # type: ignore[attr-defined]
    assert told == [
        ("cypp.warehouse.out-of-reach", {"reason": "no warehouse."}),
        ("cypp.inbox.within-reach", {}),
        ("cypp.inbox.out-of-reach", {"file": str(office.inbox), "reason": "there is no such folder"}),
    ]


def test_an_inbox_that_goes_away_during_a_look_is_not_made_again(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = office.inbox.with_name("elsewhere")

    def slow_partners() -> list[str]:
        if not elsewhere.exists():
            office.inbox.rename(elsewhere)
        return ["police", "yos"]

    monkeypatch.setattr(office, "partners", slow_partners)

    async def wait() -> None:
        await asyncio.sleep(3)

    watch_leaping(office, wait)
    assert "is out of reach: there is no such folder." in caplog.text
    assert not office.inbox.exists()


def test_a_mended_receipt_is_brought_in_and_taken(office: Office, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    written = WrittenReceipts(notes, "yos")
    write_reply(_made(office.inbox / "yos"), Reply("a - rejected.xlsx", b"as it was written"), written)

    async def work() -> None:
        stop = asyncio.Event()
        watcher = Watcher(
            office.inbox,
            office.partners,
            office.ingest,
            60,
            settling=Settling(PATIENCE),
            corrected=CorrectedReceipts(notes),
        )
        watching = asyncio.create_task(watcher.run(stop))
        await asyncio.sleep(0.5)
        assert office.taken == []
        office.drop("yos/replies/a - rejected.xlsx")
        await office.until("yos/a.xlsx")
        stop.set()
        await watching

    asyncio.run(work())
    assert office.contents == [WORKBOOK]
    assert list((office.inbox / "yos" / "replies").iterdir()) == []


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_what_is_skipped_is_shown_whenever_it_changes(office: Office) -> None:
    shown: list[list[str]] = []

    async def show(skipped: Sequence[Waiting]) -> bool:
        shown.append([waiting.partner_code for waiting in skipped])
        return True

    async def work() -> None:
        stop = asyncio.Event()
        watcher = Watcher(
            office.inbox,
            office.partners,
            office.ingest,
            0.05,
            with_events=False,
            show_skipped=show,
            settling=Settling(PATIENCE),
            clock=asyncio.get_running_loop().time,
        )
        watching = asyncio.create_task(watcher.run(stop))
        async with asyncio.timeout(20):
            while [] not in shown[1:]:
                await asyncio.sleep(0.01)
                # Once it is gone, the watcher creates the partner's folder in its place.
                if shown and shown[-1] and (office.inbox / "police").is_file():
                    (office.inbox / "police").unlink()
        stop.set()
        await watching

    office.inbox.mkdir(exist_ok=True)
    (office.inbox / "police").write_text("no folder")
    run_leaping(work())
    assert shown == [["police"], []]


def test_a_workbook_in_a_folder_of_the_partners_own_is_taken(office: Office) -> None:
    async def doing() -> None:
        office.drop("yos/Q1/return.xlsx")
        await office.until("yos/return.xlsx")
        office.drop("yos/Q1/another.xlsx")
        await office.until("yos/another.xlsx")

    watch(office, doing)
    assert office.taken == ["yos/return.xlsx", "yos/another.xlsx"]


def test_what_lies_in_nobodys_folder_is_answered_for_as_long_as_it_lies_there(office: Office) -> None:
    note = office.inbox / "lost.xlsx - not taken.txt"

    async def until(is_there: bool) -> None:
        async with asyncio.timeout(20):
            while note.exists() != is_there:
                await asyncio.sleep(0.05)

    async def doing() -> None:
        office.drop("lost.xlsx")
        await until(True)
        (office.inbox / "lost.xlsx").rename(office.inbox / "yos" / "lost.xlsx")
        await office.until("yos/lost.xlsx")
        await until(False)

    watch(office, doing, interval=1)
