"""An event loop on a clock of its own, which leaps to the next moment that anybody waits for."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Waits for files and threads as ever; where nothing but time is waited for, it calls `leap` instead."""

    leap: Callable[[float], bool]

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if ready := super().select(0):
            return ready
        return [] if self.leap(timeout) else super().select(min(timeout, 0.05))


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its time stands still while threads work, and passes at once when all have come to wait for it.

    Threads that do not come from `run_in_executor` are not seen, such as those of watchfiles.
    """

    def __init__(self) -> None:
        selector = _Selector()
        selector.leap = self._leap
        self._now = 0.0
        self._working = 0
        super().__init__(selector)

    def time(self) -> float:
        # No two moments are the same: who waits for less than a float can tell would wait for ever.
        self._now += 1e-6
        return self._now

    def _leap(self, seconds: float) -> bool:
        if self._working:
            return False
        self._now += seconds
        return True

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        self._working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        self._working -= 1

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        self._working += 1
        await super().shutdown_default_executor(*arguments)
        self._working -= 1


def run_leaping(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end, however long it waits, in hardly any time."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(work)
