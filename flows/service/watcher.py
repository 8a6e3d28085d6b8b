"""Watches the inbox: the folder is the truth, and file events only trigger the next scan sooner.

It does not use Prefect: the function that ingests a settled file is passed in.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from watchfiles import awatch

from flows.inbox.corrected_receipts import CorrectedReceipts
from flows.inbox.settling import Settling
from flows.inbox.stray_files import answer_strays
from flows.inbox.sweep import Waiting, make_partner_folders, sweep
from flows.service.backoff import Backoff
from flows.service.progress import Progress
from flows.service_log import about, log
from flows.storage.files import path_as_text

# Scan the inbox again after this many files, so that a new file does not wait behind a partner's thousand others.
_ROUND = 10
# Also after one that took this many seconds.
_LONG_SECONDS = 1.0
# How many files with a receipt may wait for their run to end; each keeps its findings in memory.
_MOST_IN_HAND = 200
_AWAY_SECONDS = 1.0
_INBOX, _WAREHOUSE = "the inbox", "the warehouse"
_STRAYS = "what lies in nobody's folder"
_PASSING = {_INBOX, _WAREHOUSE}


class OutOfReachError(Exception):
    """What every workbook needs cannot be had now: the warehouse, or a plan without faults; `event` says which.

    The reason may name places; `in_short` may be read by anybody.
    """

    def __init__(
        self, reason: str, event: str = "cypp.warehouse.out-of-reach", in_short: str = "The warehouse is out of reach."
    ) -> None:
        super().__init__(reason)
        self.event = event
        self.in_short = in_short


@dataclass
class Watcher:
    """Ingests the files of an inbox, partner by partner.

    `partners` returns the partners' codes, or raises OutOfReachError; it is called in a thread. `ingest` is awaited for
    one file at a time, until its partner has the receipt; its result is a future that is done when the run has ended,
    and says whether the file is finished. If not, it is tried again after growing pauses. `interval` is the longest
    between two looks, at most. `show_skipped` is given what is left where it is, whenever that is something else; it
    says whether it could be shown, and is given it again at the next look if not. With `corrected`, receipts that
    partners changed are brought into their folders, where the next look finds them.
    `clock` gives the seconds that pass for the event loop. `progress` is notified of each step.
    """

    inbox: Path
    partners: Callable[[], Collection[str]]
    ingest: Callable[[Waiting], Awaitable[asyncio.Future[bool]]]
    interval: float
    with_events: bool = True
    show_skipped: Callable[[Sequence[Waiting]], Awaitable[bool]] | None = None
    settling: Settling = field(default_factory=Settling)
    corrected: CorrectedReceipts | None = None
    clock: Callable[[], float] = time.monotonic
    progress: Progress = field(default_factory=Progress)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _in_hand: dict[Path, asyncio.Future[bool]] = field(default_factory=dict)
    _pauses: dict[Path, tuple[float, Backoff]] = field(default_factory=dict)
    _served: dict[str, float] = field(default_factory=dict)
    _logged: set[str] = field(default_factory=set)
    _skipped: list[Waiting] | None = None
    _showing: asyncio.Future[bool] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stopped; the current files are finished first."""
        events = asyncio.create_task(self._listen(stop)) if self.with_events else None
        try:
            while not stop.is_set():
                self._hurry.clear()
                try:
                    wait = await self._work(stop)
                except OutOfReachError as fault:
                    line = f"{fault} Nothing is taken from the inbox until this is corrected."
                    self._say_once(_WAREHOUSE, line, about(fault.event, reason=str(fault)))
                    self.progress.hindered(self.clock(), warehouse=fault.in_short)
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
        """One scan of the inbox and one round of work; returns how long the next scan can wait."""
        self._let_go()
        try:
            ready, wait = await self._look()
        except OSError as fault:
            line = f"The inbox {self.inbox} is out of reach: {fault}. It is looked for every second."
            concern = about("cypp.inbox.out-of-reach", file=path_as_text(self.inbox), reason=str(fault))
            self._say_once(_INBOX, line, concern)
            self.progress.hindered(self.clock(), inbox="The inbox is out of reach.")
            return _AWAY_SECONDS
        if self._logged & _PASSING:
            self._logged -= _PASSING
            log.info("Everything is there again.", extra=about("cypp.inbox.within-reach"))
        for waiting in ready[:_ROUND]:
            if len(self._in_hand) >= _MOST_IN_HAND:
                await asyncio.wait(self._in_hand.values(), return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                break
            began = self.clock()
            await self._take(waiting)
            if self.clock() - began > _LONG_SECONDS:
                # Other files may have arrived meanwhile, which should not wait for more of the same partner.
                break
        return 0.0 if ready else wait

    async def _look(self) -> tuple[list[Waiting], float]:
        """The files that can be ingested now, in a fair order, and how long no other will be ready without an event."""
        now, wait = self.clock(), self.interval
        # The warehouse may take long to answer.
        partners = await asyncio.to_thread(self.partners)
        # Finishing what a killed process started hashes files, which should not delay the event loop.
        lying = await asyncio.to_thread(self._lying, partners)
        ready: list[Waiting] = []
        skipped: list[Waiting] = []
        for waiting in lying:
            if waiting.path in self._in_hand:
                continue
            if waiting.reason:
                self._say_once(str(waiting.path), f"{path_as_text(waiting.path)} is left in place: {waiting.reason}.")
                skipped.append(waiting)
                continue
            try:
                left = self._seconds_left(waiting.path, now)
            except OSError as fault:
                self._say_once(str(waiting.path), f"{path_as_text(waiting.path)} cannot be read: {fault}.")
                skipped.append(replace(waiting, reason=f"it cannot be read: {fault.strerror or fault}"))
                continue
            if left < self.interval:
                # An error that returns is logged again.
                self._logged.discard(str(waiting.path))
            if left <= 0 and waiting.is_receipt:
                wait = min(wait, await asyncio.to_thread(self._bring_in, waiting.path))
            elif left <= 0:
                ready.append(waiting)
            else:
                wait = min(wait, left)
        self._forget_all_but({waiting.path for waiting in lying})
        self._note(lying, skipped)
        self._show(skipped)
        # The partner who has waited longest comes first.
        ready.sort(key=lambda waiting: self._served.get(waiting.partner_code, 0.0))
        return list(fairly(ready)), wait

    def _note(self, lying: Sequence[Waiting], skipped: Sequence[Waiting]) -> None:
        left = {waiting.path for waiting in skipped}
        wanted = [waiting.path for waiting in lying if not waiting.is_receipt and waiting.path not in left]
        since = {path: begun for path in wanted if (begun := self.settling.since(path)) is not None}
        self.progress.looked(self.clock(), since, skipped)

    def _lying(self, partners: Collection[str]) -> list[Waiting]:
        make_partner_folders(self.inbox, partners)
        now = time.time()
        lying = list(sweep(self.inbox, partners, now, corrected=self.corrected))
        try:
            answer_strays(self.inbox, [waiting.path for waiting in lying if waiting.is_stray], partners, now)
            self._logged.discard(_STRAYS)
        except OSError as fault:
            self._say_once(_STRAYS, f"What lies beside the partners' folders cannot be answered: {fault}.")
        return lying

    def _bring_in(self, receipt: Path) -> float:
        """Bring a receipt that was changed into its partner's folder; how long the next look can wait."""
        try:
            brought = self.corrected.bring_in(receipt) if self.corrected else None
        except OSError as fault:
            self._say_once(str(receipt), f"{path_as_text(receipt)} was changed, and cannot be taken: {fault}.")
            self._pause(receipt)
            return self.interval
        if brought:
            log.info("%s was changed, and is taken as %s.", path_as_text(receipt), brought.name)
        return 0.0 if brought else self.interval

    def _seconds_left(self, path: Path, now: float) -> float:
        until, _ = self._pauses.get(path, (now, None))
        if until > now:
            return until - now
        try:
            return self.settling.seconds_left(path, now)
        except FileNotFoundError:
            return self.interval

    async def _take(self, waiting: Waiting) -> None:
        self._served[waiting.partner_code] = self.clock()
        done = await self.ingest(waiting)
        self._in_hand[waiting.path] = done
        self.progress.run_began(self.clock(), waiting.path)
        # The file may have been replaced meanwhile, or have failed.
        done.add_done_callback(lambda _: self._hurry.set())

    def _let_go(self) -> None:
        """Finish the files that are done; any other exception about one stops the watcher."""
        for path in [path for path, done in self._in_hand.items() if done.done()]:
            self.progress.run_ended(path)
            if self._in_hand.pop(path).result():
                self._pauses.pop(path, None)
                continue
            pause = self._pause(path)
            log.warning("%s stays in the inbox, and is tried again in %.0f seconds.", path_as_text(path), pause)

    def _pause(self, path: Path) -> float:
        """Leave a file alone for twice as long as the last time; how long that is."""
        _, last = self._pauses.get(path, (0.0, None))
        pause = last.longer() if last else Backoff()
        self._pauses[path] = self.clock() + pause.seconds, pause
        return pause.seconds

    def _forget_all_but(self, there: set[Path]) -> None:
        self.settling.forget_all_but(there)
        for path in self._pauses.keys() - there:
            del self._pauses[path]
        self._logged &= _PASSING | {_STRAYS} | {str(path) for path in there}

    def _show(self, skipped: list[Waiting]) -> None:
        if self._showing:
            if not self._showing.done():
                return
            if not self._showing.result():
                self._skipped = None
            self._showing = None
        # What an earlier process showed may have gone before this one began: the first look is always shown.
        if self.show_skipped is None or skipped == self._skipped:
            return
        self._skipped = skipped
        self._showing = asyncio.ensure_future(self.show_skipped(skipped))

    def _say_once(self, subject: str, line: str, event: dict[str, object] | None = None) -> None:
        if subject not in self._logged:
            self._logged.add(subject)
            log.warning("%s", line, extra=event)

    async def _listen(self, stop: asyncio.Event) -> None:
        """Trigger the next scan whenever something happens in the inbox, and start again if the inbox is replaced."""
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
    """One file of each partner in turn, each partner's in the given order."""
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
