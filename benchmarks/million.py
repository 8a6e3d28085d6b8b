"""Measures a warehouse of a million observations: the time of its views, and the cost of a correction.

`python benchmarks/million.py` fills a warehouse, queries its views like BI tools, and then corrects returns
in it. `--postgresql` does so on PostgreSQL instead of SQLite; `--smoke` fills in only a few hundred observations.
Filling takes several minutes more where, as by default, one return in 50 is corrected: `--corrected 0.002` is shorter.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rejudging import correct
from benchmarks.support.big_warehouse import MILLION, SMALL, empty_warehouse, seed
from benchmarks.views import ask_views


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="a few hundred observations only")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--corrected", type=float, default=MILLION.corrected, help="the share that is corrected later")
    arguments = parser.parse_args()
    size = replace(SMALL if arguments.smoke else MILLION, corrected=arguments.corrected)
    with empty_warehouse("postgresql" if arguments.postgresql else "sqlite") as engine:
        started = time.perf_counter()
        plan = seed(engine, size)
        seconds = time.perf_counter() - started
        print(f"{size.observations:,} observations on {engine.dialect.name}, filled in {seconds:.0f} s\n")
        ask_views(engine, plan, size)
        print()
        correct(engine, plan, size)


if __name__ == "__main__":
    main()
