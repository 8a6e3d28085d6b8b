"""A slow share without events: files arrive in pieces, are replaced while they are read, and the share disappears."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from flows.inbox.sweep import Waiting
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.service.watcher import Watcher
from flows.settings import read_settings
from tests.support.samples import sample_of
from tests.trials.homes import Home, Site, contents, hashes

pytestmark = pytest.mark.trial

PLAN = read_plan()


class Hands:
    """Ingests the watcher's files by the real steps; `in_between` runs between the receipt and the removal."""

    def __init__(self, home: Home) -> None:
        self.workplace = open_to_write(read_settings(home.environment))
        self.in_between: Callable[[Path], None] = lambda _: None

    def partners(self) -> list[str]:
        return list(self.workplace.plan.partners)

    async def ingest(self, waiting: Waiting) -> "asyncio.Future[bool]":
        steps = Steps(self.workplace, waiting.path, waiting.partner_code, datetime.now(UTC))
        way = asyncio.create_task(self._take(steps))
        await asyncio.wait([way])
        return way

    async def _take(self, steps: Steps) -> bool:
        try:
            await asyncio.to_thread(steps.reply)
            self.in_between(steps.path)
            await asyncio.to_thread(steps.take_away)
        except OSError:
            return False
        return True


async def write_slowly(path: Path, content: bytes, chance: random.Random) -> None:
    """Like a client's copy over a slow line; a process with the file open continues to write without the share."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for start in range(0, len(content), len(content) // 8):
            file.write(content[start : start + len(content) // 8])
            file.flush()
            await asyncio.sleep(chance.uniform(0.05, 0.6))


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_a_slow_share_that_goes_away(site: Site) -> None:
    first = {f"{code}/ours.xlsx": sample_of(code, parse_period("2009-10Q1")) for code in PLAN.partners}
    second = {f"{code}/next.xlsx": sample_of(code, parse_period("2009-10Q2")) for code in PLAN.partners}
    correction = sample_of("yos", parse_period("2009-10Q3"))
    with site.home({}) as home:
        hands = Hands(home)
        inbox = home.folder / "inbox"
        away = home.folder / "away"
        chance = random.Random(2010)

        def replace(path: Path) -> None:
            if (path.parent.name, path.name) == ("yos", "ours.xlsx"):
                hands.in_between = lambda _: None
                newer = path.with_name(".newer")
                newer.write_bytes(correction)
                newer.replace(path)

        async def trial() -> None:
            stop = asyncio.Event()
            watching = asyncio.create_task(
                Watcher(inbox, hands.partners, hands.ingest, interval=0.2, with_events=False).run(stop)
            )
            hands.in_between = replace
            await asyncio.gather(*(write_slowly(inbox / name, data, chance) for name, data in first.items()))
            writing = [asyncio.create_task(write_slowly(inbox / name, data, chance)) for name, data in second.items()]
            await asyncio.sleep(0.5)
            inbox.rename(away)
            await asyncio.sleep(2)
            assert not inbox.exists(), "nothing is made in its place"
            away.rename(inbox)
            await asyncio.gather(*writing)
            async with asyncio.timeout(60):
                while home.waiting() or not home.replies():
                    await asyncio.sleep(0.1)
            stop.set()
            await watching

        asyncio.run(trial())
        hands.workplace.engine.dispose()
        dropped = first | second | {"yos/ours.xlsx, again": correction}
        rows = contents(home.warehouse_url)["submission"]
        assert rows.total() == len(dropped)
        answered = Counter(name.partition(" - ")[0] for name in home.replies())
        # The correction has the same name as its original, and so does its receipt, unless their statuses differ.
        assert answered["next"] == len(second)
        assert answered["ours"] in (len(first), len(first) + 1)
        assert hashes(dropped) <= home.bytes_there()
        # Half a workbook would have been rejected.
        assert home.statuses() <= {"accepted", "accepted with queries"}
