"""Measures judging again after one correction, against judging everything.

Corrections of one return each are recorded, and then everything is judged again, as for a new plan. Times are
CPU time and by the clock. `benchmarks/million.py` does so with a million observations; `python
benchmarks/rejudging.py` shows how a correction's time grows with the stored quarters, for a tenth of the partners.
`--postgresql` does so on PostgreSQL, whose own CPU time is not counted; `--smoke` in a small one.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from sqlalchemy import Connection, Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.big_warehouse import MILLION, SEEDED_AT, SMALL, Size, correction, empty_warehouse, seed
from cypp_etl.figure_keys import FigureKey
from cypp_etl.judgement.reach.differences import EVERYTHING
from cypp_etl.plan.model import Plan
from schemas.codes import Measure
from warehouse.engine import writing
from warehouse.recording.judged.judgements import rejudge, rejudge_by_plan
from warehouse.recording.plan import require_plan
from warehouse.recording.record import Arrival, record_batch

CORRECTIONS = 25

_Answer = TypeVar("_Answer")


def timed(work: Callable[[], _Answer]) -> tuple[float, float]:
    """Milliseconds by the clock, and of CPU time in this process."""
    clock, computing = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - clock) * 1000, (time.process_time() - computing) * 1000


def print_times(what: str, times: list[tuple[float, float]]) -> float:
    """Print the medians, and return that by the clock."""
    clock, computing = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{what:50}{clock:>12,.1f} ms{computing:>12,.1f} ms of CPU time")
    return clock


def correct(engine: Engine, plan: Plan, size: Size) -> None:
    """Correct returns in a warehouse of a size, judge everything in it again, and print the times."""
    chance = Random(1)
    at = SEEDED_AT + timedelta(days=3650)
    recorded, judged = [], []

    def judge_again(connection: Connection, touched: list[FigureKey]) -> tuple[float, float]:
        plan_id = require_plan(connection, plan, at)
        return timed(lambda: rejudge(connection, plan, plan_id, touched, at))

    for number in range(CORRECTIONS):
        partner_code, period = chance.choice(list(plan.partners)), chance.choice(size.periods)
        one = Arrival(correction(plan, partner_code, period, f"again {number}", chance), at)
        with writing(engine) as connection:
            recorded.append(timed(lambda: record_batch(connection, [one], plan, at)))  # noqa: B023
            # Its figures once more: everything is read and judged, and there is nothing to write.
            touched = [FigureKey(partner_code, name, Measure.ACTUAL, period.code) for name in plan.indicators]
            judged.append(judge_again(connection, touched))
    with writing(engine) as connection:
        plan_id = require_plan(connection, plan, at)
        everything = timed(lambda: rejudge_by_plan(connection, plan, plan_id, EVERYTHING, at))
    print_times(f"a correction of {size.indicators} figures, judged again and written", recorded)
    one_of_them = print_times("of which judging again, without writing", judged)
    all_of_it = print_times("everything judged again", [everything])
    print(f"{'ratio':50}{all_of_it / one_of_them:>12,.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="a few hundred observations only")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument(
        "--quarters", type=int, nargs="+", default=[10, 50, 100], help="only this number of stored quarters"
    )
    arguments = parser.parse_args()
    system = "postgresql" if arguments.postgresql else "sqlite"
    size = SMALL if arguments.smoke else replace(MILLION, partners=MILLION.partners // 10, is_complete=False)
    for quarters in [size.quarters] if arguments.smoke else arguments.quarters:
        one = replace(size, quarters=quarters)
        with empty_warehouse(system) as engine:
            plan = seed(engine, one)
            print(f"\n{one.observations:,} observations of {quarters} quarters on {system}")
            correct(engine, plan, one)


if __name__ == "__main__":
    main()
