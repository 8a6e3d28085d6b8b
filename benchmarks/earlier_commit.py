"""Measures a backfill and one return in this tree and in an earlier commit, in turn, on the same returns.

`python benchmarks/earlier_commit.py` compares with the commit before backfills and single returns were made faster;
`--commit` chooses another that has `benchmarks/single.py`. The earlier tree is taken from git's history, without which
this says so and ends, and runs with the packages that are installed now. It makes the plan and the returns: this tree
reads older forms too. `--smoke` takes a few returns, to see that it runs.

Today's program does more: it also works out outlooks, for one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.measuring import Measured, measure_command

BEFORE = "c374a4d"
_ROOT = Path(__file__).resolve().parents[1]
_MIB = 1 << 20
_MAKE = """
import sys
from pathlib import Path
from tests.support.returns import PERIODS, make_national_plan, write_returns
home, returns = Path(sys.argv[1]), int(sys.argv[2])
partners = -(-returns // len(PERIODS))
write_returns(home / "returns", make_national_plan(home / "plan", partners), partners)
"""
_UPGRADE = "from flows.cli.app import app; app(['upgrade'])"
# The same script under its former names too.
_POOLS = ("support/pool_alone.py", "pool_alone.py", "crew_alone.py")


def check_out(commit: str, folder: Path) -> Path | None:
    """Write the tree of a commit into a folder; None where git's history has no such commit, as in a shallow clone."""
    archive = ["git", "archive", "--format=zip", commit]
    packed = subprocess.run(archive, cwd=_ROOT, capture_output=True, check=False).stdout
    if not packed:
        return None
    with zipfile.ZipFile(BytesIO(packed)) as files:
        files.extractall(folder)
    return folder


def backfill(tree: Path, made: Path, home: Path, returns: int) -> Measured:
    """Measure the work of a backfill without Prefect, in a new home on SQLite."""
    home.mkdir()
    environment = os.environ | {
        **{"CYPP_HOME": str(home), "CYPP_PLAN": str(made / "plan"), "PYTHONPATH": str(tree)},
        "CYPP_WAREHOUSE_URL": f"sqlite:///{home / 'warehouse.db'}",
    }
    upgrade = [sys.executable, "-c", _UPGRADE]
    subprocess.run(upgrade, env=environment, cwd=tree, check=True, stdout=subprocess.DEVNULL)
    script = next(name for name in _POOLS if (tree / "benchmarks" / name).exists())
    command = [sys.executable, f"benchmarks/{script}", str(made / "returns"), str(returns)]
    return measure_command(command, environment, tree, returns)


def one_return(tree: Path, *, is_smoke: bool) -> list[str]:
    """The lines of `benchmarks/single.py`."""
    command = [sys.executable, "benchmarks/single.py", *(["--smoke"] if is_smoke else [])]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    said = subprocess.run(command, env=environment, cwd=tree, check=True, capture_output=True, text=True).stdout
    return said.splitlines()[1:-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default=BEFORE, help="the earlier commit")
    parser.add_argument("--returns", type=int, default=2000, help="how many returns are backfilled")
    parser.add_argument("--smoke", action="store_true", help="a few returns only")
    options = parser.parse_args()
    returns = 16 if options.smoke else options.returns
    with tempfile.TemporaryDirectory(prefix="cypp-earlier-") as place:
        folder = Path(place)
        before = check_out(options.commit, folder / "tree")
        if before is None:
            print(f"{options.commit} is not in git's history here: nothing to compare with")
            return
        trees = {options.commit: before, "today": _ROOT}
        earlier = os.environ | {"PYTHONPATH": str(before)}
        make = [sys.executable, "-c", _MAKE, place, str(returns)]
        subprocess.run(make, env=earlier, cwd=before, check=True)
        print(f"a backfill of {returns:,} on SQLite, the returns and plan of the earlier commit's own making")
        for name, tree in trees.items():
            took = backfill(tree, folder, folder / f"home {name}", returns)
            each, peak = took.cpu_seconds / returns * 1000, took.peak_bytes / _MIB
            print(
                f"  {name:<10}{took.seconds:>7.1f} s by the clock, {each:.1f} ms of CPU each, {peak:.0f} MiB",
                flush=True,
            )
        print("one return in a running process, milliseconds of CPU time, medians")
        for name, tree in trees.items():
            heading, *lines = one_return(tree, is_smoke=options.smoke)
            if tree is not _ROOT:
                print(f"  {'':<10}{heading.strip()}")
            for line in lines:
                print(f"  {name:<10}{line.strip()}", flush=True)


if __name__ == "__main__":
    main()
