"""The process pool of a backfill: processes check chunks in parallel, and record them one after the other, in order."""

import gc
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flows.bulk.chunks import Chunk, ChunkResult
from flows.settings import RETRY_DELAYS_SECONDS, Settings

if TYPE_CHECKING:
    from cypp_etl.plan.model import Plan
    from flows.bulk.chunk_worker import ChunkTaker
    from warehouse.recording.outstanding import Share

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")

_STOPPED = -1
# Generations of the garbage collector: after a chunk the younger ones are looked through, after every tenth of a worker
# all of them.
_YOUNGER, _OLDEST = 1, 2
_FULLY_AFTER = 10
_chunks_of_this_process = count(1)


class StoppedError(RuntimeError):
    """A chunk before this one could not be recorded."""


class Turns:
    """Gives processes their turn to record."""

    def __init__(self, context: BaseContext) -> None:
        self._next = context.Value("q", 0, lock=False)
        self._changed = context.Condition()

    @contextmanager
    def turn(self, number: int) -> Iterator[None]:
        """Wait for a turn, and pass it on at the end.

        Raises:
            StoppedError: an earlier chunk could not be recorded.
        """
        self._wait_for(number)
        yield
        self._pass_on(number + 1)

    def stop_at(self, number: int) -> None:
        """Cancel this turn and all later ones; earlier ones continue."""
        self._wait_for(number)
        self._pass_on(_STOPPED)

    def _wait_for(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._next.value in (number, _STOPPED))
            if self._next.value == _STOPPED:
                raise StoppedError

    def _pass_on(self, number: int) -> None:
        with self._changed:
            self._next.value = number
            self._changed.notify_all()


@dataclass(frozen=True)
class WorkerSettings:
    """The settings of a worker process; `own_only` as in `ChunkTaker`."""

    settings: Settings
    plan: "Plan"
    received_at: datetime
    own_only: bool = False


def _can_fork() -> bool:
    return "forkserver" in get_all_start_methods()


def preload_workers() -> None:
    """Start the workers' imports early, in the process that they are forked from."""
    if _can_fork():
        from multiprocessing import forkserver  # noqa: PLC0415 - not every system has it

        forkserver.set_forkserver_preload(["flows.bulk.preload"])
        forkserver.ensure_running()


class TrackedContext:
    """Stands for a context of multiprocessing, and remembers the processes that are made in it.

    An executor makes its own processes, and tells nobody which they are.
    """

    def __init__(self, context: BaseContext) -> None:
        self._context = context
        self._processes: list[BaseProcess] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def Process(self, *arguments: Any, **settings: Any) -> BaseProcess:  # noqa: N802 - the name that contexts give it
        """Make a process that can be ended."""
        process: BaseProcess = self._context.Process(*arguments, **settings)  # type: ignore[attr-defined]
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Terminate the processes that were started, and wait until they are gone."""
        started = [process for process in self._processes if process.pid is not None]
        for process in started:
            process.terminate()
        for process in started:
            process.join()


class WorkerPool:
    """Worker processes; the limit `under_way` on unfinished chunks keeps memory from growing with their number."""

    def __init__(self, settings: WorkerSettings, workers: int) -> None:
        preload_workers()
        context = get_context("forkserver" if _can_fork() else "spawn")
        self.under_way = workers + 1
        self._turns_given = 0
        self._context = TrackedContext(context)
        self._executor = ProcessPoolExecutor(
            workers, cast(BaseContext, self._context), _begin, (settings, Turns(context))
        )

    def take(self, chunks: Sequence[Chunk]) -> Iterator["Future[ChunkResult]"]:
        """Ingest chunks; the outcomes come in order. Their numbers must count from 0."""
        self._turns_given += len(chunks)
        yield from self._in_order(_take, chunks)

    def judge(self, shares: Sequence["Share"]) -> Iterator["Future[None]"]:
        """Make the judgements that all chunks have left, when all are taken."""
        numbered = list(enumerate(shares, start=self._turns_given))
        self._turns_given += len(shares)
        yield from self._in_order(_judge, numbered)

    def _in_order(self, work: Callable[[Work], Outcome], parts: Sequence[Work]) -> Iterator["Future[Outcome]"]:
        waiting = iter(parts)
        under_way = deque(self._executor.submit(work, part) for part in islice(waiting, self.under_way))
        while under_way:
            yield under_way.popleft()
            under_way.extend(self._executor.submit(work, part) for part in islice(waiting, 1))

    def stop(self) -> None:
        """Stop the processes; unrecorded work is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._context.end()


_worker: ContextVar["tuple[ChunkTaker, Turns]"] = ContextVar("worker")


def _begin(given: WorkerSettings, turns: Turns) -> None:
    # `flows.bulk.preload` has imported them for every worker; the parent, which only passes chunks on, needs none.
    from cypp_etl.checked_return import History  # noqa: PLC0415
    from cypp_etl.checking.checker import Checker  # noqa: PLC0415
    from flows.bulk.chunk_worker import ChunkTaker  # noqa: PLC0415
    from flows.ingestion.context import Workplace  # noqa: PLC0415
    from warehouse.engine import open_warehouse  # noqa: PLC0415

    # Ctrl+C is for the parent, which stops the pool; if the parent is killed, the pool ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # The figures are read before a chunk's time counts.
    len(given.plan.figures)
    workplace = Workplace(given.settings, given.plan, open_warehouse(given.settings.warehouse_url))
    checker = Checker(given.plan, History(), given.received_at.date())
    _worker.set((ChunkTaker(workplace, checker, given.received_at, given.own_only), turns))
    # Existing objects are permanent: the garbage collector need not scan them after each chunk.
    gc.collect()
    gc.freeze()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _take(chunk: Chunk) -> ChunkResult:
    return _in_turn(chunk.number, lambda taker, turn: taker.take(chunk, turn))


def _judge(numbered: "tuple[int, Share]") -> None:
    number, share = numbered
    _in_turn(number, lambda taker, turn: taker.judge(share, turn))


def _in_turn(number: int, work: Callable[["ChunkTaker", AbstractContextManager[None]], Outcome]) -> Outcome:
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 - as above

    taker, turns = _worker.get()
    try:
        for delay_seconds in RETRY_DELAYS_SECONDS:
            try:
                return work(taker, turns.turn(number))
            except OperationalError:
                time.sleep(delay_seconds)
        return work(taker, turns.turn(number))
    except StoppedError:
        raise
    except BaseException:
        turns.stop_at(number)
        raise
    finally:
        # Cells are not in reference cycles, but pandas and SQLAlchemy leave some behind. What has outlived a chunk
        # takes long to look through, and hardly any of it goes.
        gc.collect(_OLDEST if next(_chunks_of_this_process) % _FULLY_AFTER == 0 else _YOUNGER)
