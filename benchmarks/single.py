"""Measures one return in a running process, from its bytes in the inbox to the receipt in the partner's replies.

`python benchmarks/single.py` drops the returns of a national collector's partners into an inbox one by one, about
15 KiB each with 40 indicators and 10 milestones, and takes the steps that `cypp serve` takes, without Prefect, on
SQLite. It prints the median CPU time of each step, of both processes together, in the first quarter and in the eighth,
which has more to look back on; and what reading alone takes, in this process. `--smoke` takes a few returns, to see
that it runs.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.checked_return import History
from cypp_etl.checking.confined import shared_checker
from cypp_etl.checking.opening import Received
from cypp_etl.workbook.reader import content_sha256, read_workbook
from flows.ingestion import job
from flows.ingestion.context import Workplace, open_to_write
from flows.settings import read_settings
from tests.support.returns import PERIODS, make_national_plan, write_returns
from warehouse.recording import record

RECEIVED_AT = datetime(2012, 6, 30, 10, tzinfo=UTC)
GOAL_MILLISECONDS = 15
STEPS = ("kept", "checked", "recorded", "judged", "answered", "removed")
WITHIN = (
    (Workplace, "keep", "kept", "answered"),
    (Workplace, "check", "checked", "answered"),
    (Workplace, "load", "recorded", "answered"),
    (record, "rejudge", "judged", "recorded"),
    (record, "rejudge_groups", "judged", "recorded"),
)
"""What is a step of its own within another: where it stands, its name, the step, and the other."""


class Clock:
    """The CPU time of this process and of the one that checks, by step, in milliseconds."""

    def __init__(self) -> None:
        checking = shared_checker()._child
        assert checking is not None, "something was checked"
        # As Linux numbers the CPU clocks of other processes.
        self._other = (~checking._process.pid << 3) | 2
        self.spent = dict.fromkeys(STEPS, 0.0)

    @contextmanager
    def during(self, step: str, within: str = "") -> Iterator[None]:
        """Count what happens meanwhile as one step, and not as another."""
        before = self._now()
        yield
        taken = self._now() - before
        self.spent[step] += taken
        if within:
            self.spent[within] -= taken

    def around(self, work: Callable[..., Any], step: str, within: str) -> Callable[..., Any]:
        """The same function by the clock."""

        def timed(*arguments: Any, **named: Any) -> Any:
            with self.during(step, within):
                return work(*arguments, **named)

        return timed

    def _now(self) -> float:
        return (time.process_time() + time.clock_gettime(self._other)) * 1000


def take(workplace: Workplace, path: Path) -> dict[str, float]:
    """Ingest one workbook; returns the milliseconds of each step."""
    clock = Clock()
    steps = job.Steps(workplace, path, path.parent.name, RECEIVED_AT)
    with ExitStack() as timed:
        for place, name, step, within in WITHIN:
            timed.enter_context(patch.object(place, name, clock.around(getattr(place, name), step, within)))
        with clock.during("answered"):
            steps.reply()
        with clock.during("removed"):
            steps.take_away()
    return clock.spent


def reading(data: bytes) -> float:
    """The milliseconds of reading a workbook alone, with the digest of its cells."""
    began = time.process_time()
    content_sha256(read_workbook(data))
    return (time.process_time() - began) * 1000


def quarters(home: Path, partners: int) -> Iterator[tuple[list[float], list[dict[str, float]]]]:
    """Quarter by quarter, what reading alone takes for each partner's return, and each step of its ingestion."""
    plan = make_national_plan(home / "plan", partners)
    write_returns(home / "returns", plan, partners)
    folders = sorted((home / "returns").iterdir())
    workplace = open_to_write(read_settings({"CYPP_HOME": str(home), "CYPP_PLAN": str(home / "plan")}))
    try:
        warm_up(workplace, next(folders[0].iterdir()))
        for period in PERIODS:
            read, taken = [], []
            for folder in folders:
                data = (folder / f"{period.code}.xlsx").read_bytes()
                dropped = workplace.settings.inbox / folder.name / f"{period.code}.xlsx"
                dropped.parent.mkdir(parents=True, exist_ok=True)
                dropped.write_bytes(data)
                read.append(reading(data))
                taken.append(take(workplace, dropped))
            yield read, taken
    finally:
        workplace.engine.dispose()


def warm_up(workplace: Workplace, path: Path) -> None:
    """Start the process that checks, which then knows the plan."""
    received = Received(str(path), path.read_bytes())
    shared_checker().check(workplace.plan, received, RECEIVED_AT.date(), lambda *_: History())


def show(title: str, read: Sequence[float], taken: Sequence[dict[str, float]]) -> None:
    """Print the medians of a quarter; the sum is the median return's, and not that of the medians."""
    steps = "".join(f"{statistics.median(one[step] for one in taken):>10.1f}" for step in STEPS)
    whole = statistics.median(sum(one.values()) for one in taken)
    print(f"  {title:<10}{statistics.median(read):>10.1f}{steps}{whole:>10.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partners", type=int, default=25, help="how many returns a quarter has")
    parser.add_argument("--smoke", action="store_true", help="two partners only")
    options = parser.parse_args()
    print("one return in a running process, milliseconds of CPU time, medians")
    print(f"  {'quarter':<10}{'(reading)':>10}{''.join(f'{step:>10}' for step in STEPS)}{'all':>10}")
    with tempfile.TemporaryDirectory(prefix="cypp-single-") as home:
        for number, (read, taken) in enumerate(quarters(Path(home), 2 if options.smoke else options.partners), 1):
            # The first returns of a process also fill its caches.
            if number in (2, len(PERIODS)):
                show(str(number), read, taken)
    print(f"  goal: {GOAL_MILLISECONDS}")


if __name__ == "__main__":
    main()
