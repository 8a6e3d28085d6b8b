"""Measures checking a return: in a running process against a plain way, and as a whole command.

`python benchmarks/checking.py` checks a return of 50 indicators and 24 milestones, generated with its own plan;
`--smoke` does it only a few times. The plain way is a script: pandas.read_excel, a pandera schema that
coerces, and loops over the rows. It finds far less (no percent formats, no cells, no history of milestones), and is
only there for comparison. The ways alternate, so that a busy moment of the machine affects all; compare the ratios.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pandas as pd
import pandera.pandas as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.checking.checker import Checker, Received
from cypp_etl.workbook.reader import read_workbook
from schemas.codes import MilestoneStatus
from tests.support.plans import PARTNER, make_plan
from tests.support.seeding import Good, make_good

LEAVES, MILESTONES = 50, 24
TODAY = date(2012, 6, 30)
GOAL_MILLISECONDS, GOAL_COMMAND_MILLISECONDS = 20, 600

_FIGURES = pa.DataFrameSchema(
    {
        "Ref": pa.Column(str),
        "Good performance": pa.Column(str, pa.Check.isin(["HIGH", "LOW", "RANGE", "NONE"])),
        "Unit": pa.Column(str, pa.Check.isin(["percent", "number", "rate"])),
        "Actual": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
        "Numerator": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
        "Denominator": pa.Column(float, pa.Check.gt(0), coerce=True, nullable=True),
    }
)
_REPORTS = pa.DataFrameSchema(
    {"Milestone": pa.Column(str), "Status": pa.Column(str, pa.Check.isin(list(MilestoneStatus)))}
)


def check_plainly(data: bytes, good: Good) -> list[str]:
    """A script with pandas and pandera."""
    sheets = pd.read_excel(BytesIO(data), engine="openpyxl", sheet_name=["Return", "Indicators", "Milestones"])
    figures, reports = sheets["Indicators"], sheets["Milestones"]
    faults = []
    for schema, frame in ((_FIGURES, figures), (_REPORTS, reports)):
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            faults += errors.failure_cases["check"].astype(str).tolist()
    returned = set()
    for _, row in figures.iterrows():
        code = row["Ref"] + (row["Sub"] if isinstance(row["Sub"], str) else "")
        returned.add(code)
        leaf = good.plan.indicators.get(code)
        if leaf is None or leaf.polarity != row["Good performance"]:
            faults.append(code)
        elif leaf.multiplier and row["Denominator"] > 0:
            share = row["Numerator"] * leaf.multiplier / row["Denominator"] / (100 if leaf.unit == "percent" else 1)
            if abs(share - row["Actual"]) > 0.6 * 10.0**-leaf.decimals:
                faults.append(code)
    faults += sorted(set(good.plan.owed_by[PARTNER]) - returned)
    return faults


def check_as_a_command(path: Path, plan_folder: Path) -> None:
    """`cypp check`, including the start of Python.

    An installation has compiled modules, and no hypothesis, which pandera imports if it is installed.
    """
    start = "import sys; sys.modules['hypothesis'] = None; from flows.cli.app import app; app()"
    command = [sys.executable, "-c", start, "check", str(path)]
    root = Path(__file__).resolve().parents[1]
    environment = os.environ | {"CYPP_PLAN": str(plan_folder), "CYPP_HOME": str(path.parent), "PYTHONPATH": str(root)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=root)


def measure(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each way, after one round that is not counted."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds + 1):
        for way, work in ways.items():
            started = time.perf_counter()
            work()
            taken[way].append(time.perf_counter() - started)
    return {way: median(times[1:]) for way, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="a few rounds only")
    rounds, runs = (2, 1) if parser.parse_args().smoke else (41, 7)
    with TemporaryDirectory() as folder:
        plan_folder, path = Path(folder, "plan"), Path(folder, "return.xlsx")
        good = make_good(make_plan(plan_folder, LEAVES, MILESTONES), PARTNER, random.Random(1))
        path.write_bytes(good.workbook)
        checker = Checker(good.plan, good.history, TODAY)
        if checker.check(Received(str(path), good.workbook)).findings or check_plainly(good.workbook, good):
            raise SystemExit("the return that is timed must be accepted")
        ways: dict[str, Callable[[], object]] = {
            "reading alone": lambda: read_workbook(good.workbook),
            "reading and checking": lambda: checker.check(Received(str(path), good.workbook)),
            "the plain way": lambda: check_plainly(good.workbook, good),
        }
        taken = measure(ways, rounds) | measure({"cypp check": lambda: check_as_a_command(path, plan_folder)}, runs)
    print(f"a return of {LEAVES} indicators and {MILESTONES} milestones, {len(good.workbook) / 1024:.0f} KiB")
    for way, seconds in taken.items():
        print(f"  {way:<24}{seconds * 1000:>9.1f} ms")
    print(f"  plain / ours            {taken['the plain way'] / taken['reading and checking']:>9.1f}")
    print(f"  goals: {GOAL_MILLISECONDS} ms for reading and checking, {GOAL_COMMAND_MILLISECONDS} ms for the command")


if __name__ == "__main__":
    main()
