"""Watches the inbox: the folder is the truth, and events only hurry the next look at it.

Knows nothing of Prefect: what is done with a file that has settled is passed in.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import awatch

from flows.ingestion.files import path_as_text
from flows.ingestion.inbox import Waiting, make_folders, sweep
from flows.ingestion.settling import Settling

log = logging.getLogger("cypp.serve")

# After so many files the inbox is looked at again, so that who comes last does not wait behind a thousand of another's.
_ROUND = 10
# After one that took so long, too.
_LONG_SECONDS = 1.0
# So many files may have their answer and wait for their run to end; each holds its findings in memory.
_MOST_IN_HAND = 200
_AWAY_SECONDS = 1.0
_INBOX, _WAREHOUSE = "the inbox", "the warehouse"
_PASSING = {_INBOX, _WAREHOUSE}
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0


class OutOfReachError(Exception):
    """What every workbook needs cannot be had now: the warehouse, or a plan without faults."""


@dataclass
class Watcher:
    """Works off an inbox, partner by partner.

    `partners` gives the partners' codes, or raises OutOfReachError; it is called in a thread. `ingest` is awaited for
    one file at a time, until its partner has the answer; what it gives is done when the file is done with, and says
    whether it is. One that is not is tried again after a pause that grows. `interval` is how many seconds pass
    between two looks, at most. `show_skipped` is given what is left where it is, whenever that is something else.
    `clock` gives the seconds that pass for the event loop.
    """

    inbox: Path
    partners: Callable[[], Collection[str]]
    ingest: Callable[[Waiting], Awaitable[asyncio.Future[bool]]]
    interval: float
    with_events: bool = True
    show_skipped: Callable[[Sequence[Waiting]], Awaitable[None]] | None = None
    settling: Settling = field(default_factory=Settling)
    clock: Callable[[], float] = time.monotonic
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _in_hand: dict[Path, asyncio.Future[bool]] = field(default_factory=dict)
    _pauses: dict[Path, tuple[float, float]] = field(default_factory=dict)
    _served: dict[str, float] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)
    _skipped: list[Waiting] = field(default_factory=list)
    _showing: asyncio.Future[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; the files in hand are finished first."""
        events = asyncio.create_task(self._listen(stop)) if self.with_events else None
        try:
            while not stop.is_set():
                self._hurry.clear()
                try:
                    wait = await self._work(stop)
                except OutOfReachError as fault:
                    self._say_once(_WAREHOUSE, f"{fault} Nothing is taken from the inbox until this is mended.")
                    wait = _AWAY_SECONDS
                if wait > 0:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(_first_of(stop.wait(), self._hurry.wait()), wait)
        finally:
            if self._in_hand:
                await asyncio.wait(self._in_hand.values())
            if events:
                events.cancel()
                with suppress(asyncio.CancelledError):
                    await events

    async def _work(self, stop: asyncio.Event) -> float:
        """One look at the inbox and one round of work; how long the next look can wait."""
        self._let_go()
        try:
            ready, wait = await self._look()
        except OSError as fault:
            self._say_once(_INBOX, f"The inbox {self.inbox} is out of reach: {fault}. It is looked for every second.")
            return _AWAY_SECONDS
        if self._said & _PASSING:
            self._said -= _PASSING
            log.info("Everything is there again.")
        for waiting in ready[:_ROUND]:
            if len(self._in_hand) >= _MOST_IN_HAND:
                await asyncio.wait(self._in_hand.values(), return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                break
            began = self.clock()
            await self._take(waiting)
            if self.clock() - began > _LONG_SECONDS:
                # Others may have come meanwhile, who are not to wait for more of the same.
                break
        return 0.0 if ready else wait

    async def _look(self) -> tuple[list[Waiting], float]:
        """What can be taken now, fairly; and for how long nothing else will be ready unless something happens."""
        if not self.inbox.is_dir():
            raise FileNotFoundError("there is no such folder")
        now, wait = self.clock(), self.interval
        # The warehouse may take its time to answer.
        partners = await asyncio.to_thread(self.partners)
        # To finish what a killed process began, files are hashed: nobody is to wait for that.
        lying = await asyncio.to_thread(self._lying, partners)
        ready = []
        for waiting in lying:
            if waiting.path in self._in_hand:
                continue
            if waiting.reason:
                self._say_once(
                    str(waiting.path), f"{path_as_text(waiting.path)} is left where it is: {waiting.reason}."
                )
                continue
            left = self._seconds_left(waiting.path, now)
            if left < self.interval:
                # A fault that comes back is logged again.
                self._said.discard(str(waiting.path))
            if left <= 0:
                ready.append(waiting)
            else:
                wait = min(wait, left)
        self._forget_all_but({waiting.path for waiting in lying})
        self._show([waiting for waiting in lying if waiting.reason and waiting.path not in self._in_hand])
        # Whose turn is longest ago comes first.
        ready.sort(key=lambda waiting: self._served.get(waiting.partner_code, 0.0))
        return list(fairly(ready)), wait

    def _lying(self, partners: Collection[str]) -> list[Waiting]:
        make_folders(self.inbox, partners)
        return list(sweep(self.inbox, partners, time.time()))

    def _seconds_left(self, path: Path, now: float) -> float:
        until, _ = self._pauses.get(path, (now, 0.0))
        if until > now:
            return until - now
        try:
            return self.settling.seconds_left(path, now)
        except FileNotFoundError:
            return self.interval
        except OSError as fault:
            self._say_once(str(path), f"{path_as_text(path)} cannot be read: {fault}.")
            return self.interval

    async def _take(self, waiting: Waiting) -> None:
        self._served[waiting.partner_code] = self.clock()
        done = await self.ingest(waiting)
        self._in_hand[waiting.path] = done
        # The file may have been replaced meanwhile, or have failed.
        done.add_done_callback(lambda _: self._hurry.set())

    def _let_go(self) -> None:
        """Have done with the files that are done with; whatever else was raised about one ends the watching."""
        for path in [path for path, done in self._in_hand.items() if done.done()]:
            if self._in_hand.pop(path).result():
                self._pauses.pop(path, None)
                continue
            _, last = self._pauses.get(path, (0.0, _FIRST_PAUSE / 2))
            pause = min(last * 2, _LONGEST_PAUSE)
            self._pauses[path] = self.clock() + pause, pause
            log.warning("%s stays in the inbox, and is tried again in %.0f seconds.", path_as_text(path), pause)

    def _forget_all_but(self, there: set[Path]) -> None:
        self.settling.forget_all_but(there)
        for path in self._pauses.keys() - there:
            del self._pauses[path]
        self._said &= _PASSING | {str(path) for path in there}

    def _show(self, skipped: list[Waiting]) -> None:
        if self.show_skipped is None or skipped == self._skipped or (self._showing and not self._showing.done()):
            return
        self._skipped = skipped
        self._showing = asyncio.ensure_future(self.show_skipped(skipped))

    def _say_once(self, about: str, line: str) -> None:
        if about not in self._said:
            self._said.add(about)
            log.warning("%s", line)

    async def _listen(self, stop: asyncio.Event) -> None:
        """Hurry the next look whenever something happens in the inbox, and begin anew when the inbox is another."""
        while not stop.is_set():
            with suppress(OSError):
                inbox = _identity(self.inbox)
                async for changes in awatch(
                    self.inbox,
                    debounce=200,
                    step=20,
                    stop_event=stop,
                    rust_timeout=1000,
                    yield_on_timeout=True,
                    ignore_permission_denied=True,
                ):
                    if changes:
                        self._hurry.set()
                    if _identity(self.inbox) != inbox:
                        break
            await asyncio.sleep(_AWAY_SECONDS)


def fairly(waiting: Sequence[Waiting]) -> Iterator[Waiting]:
    """One file of each partner in turn, each partner's in the order given."""
    queues: dict[str, list[Waiting]] = defaultdict(list)
    for one in waiting:
        queues[one.partner_code].append(one)
    for turn in range(max(map(len, queues.values()), default=0)):
        yield from (queue[turn] for queue in queues.values() if turn < len(queue))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


async def _first_of(*waits: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
