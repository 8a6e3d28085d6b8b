"""The program of the process that `confined` starts: a workbook in, its checked return or receipt out, one at a time.

It limits its own memory, and also its time, in case its parent is no longer there to kill it.
"""

import gc
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.checking.confined_process import MOST_KEPT
from cypp_etl.gc_control import collection_paused
from cypp_etl.plan.model import Plan
from cypp_etl.process_limits import end_after, has_taken, limit, limit_in_force, peak_bytes, taken_bytes
from cypp_etl.receipts.reply import Reply, reply_for
from cypp_etl.receipts.summary import ReceiptSummary

if TYPE_CHECKING:
    from cypp_etl.checking.collection import Piece

# The parent kills it earlier: this is for when the parent is dead.
_GRACE_SECONDS = 5.0
_LONG_JOBS = frozenset({"plan", "apart"})
_SPENT_BYTES = 250 << 20
# How many objects of a workbook's size may be left before they are looked through: a return has some 5,000.
_COLLECTED_AT = 20_000
# The stack of a new thread.
_STACK_BYTES = 16 << 20


def confine_memory(more: int) -> None:
    """Limit this process to a number of bytes beyond what it already uses, if the system reports that."""
    if (taken := taken_bytes()) is not None:
        limit("RLIMIT_AS", taken + more, for_good=False)
        limit("RLIMIT_CORE", 0)


class Desk:
    """Receives jobs on one stream and answers on another."""

    def __init__(self, source: IO[bytes], target: IO[bytes], seconds: float, apart_seconds: float) -> None:
        """`seconds` is the longest time of a job, and that of taking a collection apart: then the parent kills it."""
        self._source = source
        self._target = target
        self._seconds = seconds + _GRACE_SECONDS
        self._apart_seconds = apart_seconds + _GRACE_SECONDS
        self._answers: dict[str, Callable[..., object]] = {
            "plan": self._take_plan,
            "check": self._check,
            "reply": self._reply,
            "apart": self._take_apart,
        }
        self._told: Checker | None = None
        self._last_checked = b""
        self._spent_bytes = _SPENT_BYTES

    def say(self, *words: object) -> None:
        """Send a message to the parent."""
        pickle.dump(words, self._target, pickle.HIGHEST_PROTOCOL)
        self._target.flush()

    @property
    def _is_spent(self) -> bool:
        """Whether this process has used so much memory that the next workbook should get a new process."""
        return has_taken(self._spent_bytes)

    def work(self) -> None:
        """Process jobs until the parent has gone."""
        while True:
            try:
                kind, *job = pickle.load(self._source)  # noqa: S301 - the parent's
            except EOFError:
                return
            self._work_on(kind, job)

    def _work_on(self, kind: str, job: list[Any]) -> None:
        try:
            with self._ended_in_time(self._apart_seconds if kind in _LONG_JOBS else self._seconds):
                answer = self._answers[kind](*job)
            # Whoever has just taken the plan has it for the next job.
            self.say("done", answer, kind != "plan" and self._is_spent)
        except MemoryError:
            self.say("too much")
        except EOFError:
            sys.exit()
        except Exception as fault:  # noqa: BLE001 - the parent raises it
            if _is_out_of_memory():
                # Whatever ran out of memory, a thread or a process, reports it in its own words.
                self.say("too much")
                return
            fault.add_note(traceback.format_exc())
            self.say("done", fault, True)

    def _take_plan(self, plan: Plan) -> None:
        # No workbook is refused for the time that it takes to read hundreds of thousands of figures, nor is the process
        # replaced for the memory: the next one would have to read them again.
        len(plan.figures)
        self._told = Checker(plan, History(), date.min)
        self._spent_bytes = max(_SPENT_BYTES, (peak_bytes() or 0) + _SPENT_BYTES // 2)

    @property
    def _checker(self) -> Checker:
        assert self._told is not None, "the first job brings the plan"  # noqa: S101
        return self._told

    def _take_apart(self, received: Received) -> "tuple[Piece, ...]":
        return self._checker.take_apart(received)

    def _check(self, received: Received, today: date) -> CheckedReturn:
        checker = self._checker
        self._last_checked = received.data if len(received.data) <= MOST_KEPT else b""
        # Cells and rows are never in reference cycles.
        with collection_paused():
            opened = checker.open(received)
            history, has_more = self._ask("past", opened.partner_codes, opened.periods)
            if has_more:
                history = self._with_values(history)
            (checked,) = checker.beside(history, today).check_opened([opened])
        return checked

    def _reply(self, checked: CheckedReturn, data: bytes | None, summary: ReceiptSummary) -> Reply:
        """`data` is None for the workbook that was checked last: its receipt mostly comes next."""
        return reply_for(checked, self._last_checked if data is None else data, summary)

    def _with_values(self, history: History) -> History:
        @cache
        def all_values_of(partner_code: str) -> Any:
            return self._ask("values", partner_code)

        return History(
            history.figures,
            history.closed,
            history.milestone_states,
            history.contents,
            history.waivers,
            all_values_of,
        )

    def _ask(self, what: str, *words: object) -> Any:
        """Ask the parent, whose answer may take a while."""
        end_after(0)
        self.say("ask", what, words)
        answer = pickle.load(self._source)  # noqa: S301 - the parent's
        end_after(self._seconds)
        return answer

    @contextmanager
    def _ended_in_time(self, seconds: float) -> Iterator[None]:
        end_after(seconds)
        try:
            yield
        finally:
            end_after(0)


def _is_out_of_memory() -> bool:
    most, taken = limit_in_force("RLIMIT_AS"), taken_bytes()
    return most is not None and taken is not None and taken > most - _STACK_BYTES


def main() -> None:
    """Read jobs from standard input, and answer on the original standard output, separate from anything printed."""
    memory, seconds, apart_seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    gc.freeze()
    # Hardly anything here is in a reference cycle: no collection while a workbook's cells and rows are there.
    gc.set_threshold(_COLLECTED_AT)
    confine_memory(memory)
    desk = Desk(sys.stdin.buffer, target, seconds, apart_seconds)
    desk.say("ready")
    desk.work()


if __name__ == "__main__":
    main()
