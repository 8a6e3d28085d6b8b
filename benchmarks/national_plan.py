"""Measures every command with a plan of a national collector's size, beside the built-in plan.

`python benchmarks/national_plan.py` makes a plan of 448 indicators and 152 partners from a seed, in which each partner
has targets, history and comparators of its own and ten neighbours (204,288 figures), and three whole-year returns of
each partner. It backfills them, and times the commands in the two homes in turn. `--smoke` takes a few partners and
indicators, to see that it runs.

Times are of CPU, those of child processes included, and of Prefect's server not: the backfill is the work of its flow.
"""

import argparse
import csv
import io
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.measuring import cpu_seconds_of, measure_command
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import plan_of, read_plan
from cypp_etl.plan.tables import read_files
from cypp_etl.samples.returns import sample_periods, sample_return
from tests.support.many_bodies import code_of_body, many_bodies
from tests.support.returns import write_returns

SEED = 17
YEARS = (Period(2008), Period(2009), Period(2010))
_ROOT = Path(__file__).resolve().parents[1]
_CYPP = (sys.executable, "-c", "from flows.cli.app import app; app()")


class Home:
    """A home with a plan in force and returns, in which commands are timed."""

    def __init__(self, folder: Path, plan_folder: Path) -> None:
        self.folder, self.plan_folder = folder, plan_folder
        folder.mkdir()
        self.cypp("upgrade", plan=plan_folder)

    def cypp(self, *arguments: str, plan: Path | None = None) -> float:
        """The CPU seconds of a command."""
        # Returns are missing, which `cypp status` says by its own status.
        statuses = (0, 1) if "status" in arguments else (0,)
        return cpu_seconds_of([*_CYPP, *arguments], self._environment(plan), _ROOT, statuses)

    def backfill(self, returns: Path) -> float:
        """The CPU seconds of the work of `cypp backfill`, without Prefect."""
        count = sum(1 for _ in returns.rglob("*.xlsx"))
        command = [sys.executable, "benchmarks/support/pool_alone.py", str(returns), str(count)]
        return measure_command(command, self._environment(), _ROOT, count).cpu_seconds

    def _environment(self, plan: Path | None = None) -> dict[str, str]:
        own = {"CYPP_HOME": str(self.folder), "PYTHONPATH": str(_ROOT), "CYPP_PLAN": str(plan or "")}
        return os.environ | own


def write_plan(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write a plan's files to a new folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def with_changed_target(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """A plan in which one partner's target is one more."""
    rows = list(csv.reader(io.StringIO(files["figures.csv"].decode())))
    header = rows[0]
    row = next(row for row in rows if row[header.index("measure")] == "target")
    row[header.index("value")] = str(float(row[header.index("value")].rstrip("%")) + 1)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return {**files, "figures.csv": text.getvalue().encode()}


def write_sample_returns(folder: Path, plan: Plan) -> None:
    """The sample returns of the built-in plan's partners."""
    for period in sample_periods():
        for partner_code in plan.partners:
            (folder / partner_code).mkdir(parents=True, exist_ok=True)
            (folder / partner_code / f"{period.code}.xlsx").write_bytes(sample_return(plan, partner_code, period))


def reading_seconds(files: Mapping[str, bytes]) -> float:
    """The CPU seconds of reading and checking a plan in this process."""
    started = time.process_time()
    plan_of(files)
    return time.process_time() - started


def adopting_seconds(home: Home, changed: Path) -> float:
    """The CPU seconds of adopting a plan; afterwards the warehouse is as it was before."""
    warehouse, kept = home.folder / "warehouse.db", home.folder / "warehouse.kept"
    # Closing the last connection moves what is in the log to the file.
    connection = sqlite3.connect(warehouse)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copyfile(warehouse, kept)
    seconds = home.cypp("plan", "adopt", str(changed), "--by", "A. Person", "--why", "A target", "--yes")
    for left in home.folder.glob("warehouse.db-*"):
        left.unlink()
    kept.replace(warehouse)
    return seconds


def compare(what: str, national: Callable[[], float], built_in: Callable[[], float], runs: int, goal: float) -> None:
    """Time both in turn, and print the medians and the median of their differences."""
    pairs = [(national(), built_in()) for _ in range(runs)]
    ours, theirs, over = (statistics.median(column) for column in zip(*((a, b, a - b) for a, b in pairs), strict=True))
    print(f"  {what:<32}{ours:>10.2f} s{theirs:>12.2f} s{over:>10.2f} s{goal:>10.1f} s", flush=True)


def measure(folder: Path, partners: int, indicators: int, runs: int) -> None:
    """Make both homes in a folder, and print the time of each command."""
    files, shipped = many_bodies(partners, indicators, SEED), read_files(None)
    plan = plan_of(files)
    national = Home(folder / "national", write_plan(folder / "plan", files))
    built_in = Home(folder / "built-in", write_plan(folder / "built-in plan", shipped))
    count = write_returns(folder / "returns", plan, partners, periods=YEARS, code_of=code_of_body)
    write_sample_returns(folder / "samples", read_plan())
    figures = sum(map(len, plan.partner_figures.values()))
    print(f"{indicators} indicators, {partners} partners, {figures:,} figures of single partners, {count} returns")
    print(f"\n  {'CPU':<32}{'national':>12}{'built-in':>14}{'over it':>12}{'goal':>12}")
    compare("reading and checking the plan", lambda: reading_seconds(files), lambda: reading_seconds(shipped), runs, 1)
    backfills = national.backfill(folder / "returns"), built_in.backfill(folder / "samples")
    print(f"  {'backfill':<32}{backfills[0]:>10.2f} s{backfills[1]:>12.2f} s{'':>12}{20.0:>10.1f} s", flush=True)
    changed = [
        write_plan(folder / f"changed {number}", with_changed_target(each))
        for number, each in enumerate((files, shipped))
    ]
    year, quarter = YEARS[-1].code, sample_periods()[-1].code
    checked = [str(home.plan_folder) for home in (national, built_in)]
    for what, ours, theirs, goal in (
        ("start (cypp decisions)", ("decisions",), ("decisions",), 0.3),
        ("cypp status", ("status",), ("status",), 0.3),
        ("cypp explain", ("explain", "M 1", year), ("explain", "NI 111b", quarter), 0.3),
        ("cypp plan check", ("plan", "check", checked[0]), ("plan", "check", checked[1]), 1.0),
        ("cypp export", ("export", "-o", str(folder / "out")), ("export", "-o", str(folder / "other")), 5.0),
    ):
        compare(what, partial(national.cypp, *ours), partial(built_in.cypp, *theirs), runs, goal)
    adopting = [partial(adopting_seconds, *each) for each in zip((national, built_in), changed, strict=True)]
    compare("cypp plan adopt, one target", *adopting, runs, 3.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="a few partners and indicators")
    parser.add_argument("--runs", type=int, default=5, help="how often each command is timed")
    options = parser.parse_args()
    partners, indicators, runs = (12, 9, 1) if options.smoke else (152, 448, options.runs)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), partners, indicators, runs)


if __name__ == "__main__":
    main()
