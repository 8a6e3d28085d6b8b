"""How long it takes from a drop in the inbox to its receipt, while `cypp serve` watches.

Drops sample returns one by one at odd moments, and reads the warehouse until each is there: its commit counts as the
receipt. Prints the median, the 95th percentile and the worst. `--smoke` drops three.
"""

import argparse
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.plan_reader import read_plan
from cypp_etl.samples import sample_periods, sample_return

ROOT = Path(__file__).resolve().parents[1]
PROMISED_SECONDS = 2.0
START_SECONDS = 120


def workbooks(count: int) -> list[tuple[str, str, bytes]]:
    """Partner, name and bytes of so many returns: two years of every partner's, again and again."""
    plan = read_plan()
    made = [
        (partner_code, period.code, sample_return(plan, partner_code, period))
        for period in sample_periods()
        for partner_code in plan.partners
    ]
    taken = islice(cycle(made), count)
    return [(code, f"{number} {period}.xlsx", data) for number, (code, period, data) in enumerate(taken)]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def serving(home: Path) -> Iterator[None]:
    """`cypp serve` on a home of its own, from the moment it watches."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    command = [sys.executable, "-c", "from flows.cli import app; app()", "serve", "--port", str(free_port())]
    log = home / "serve.log"
    with log.open("w") as written:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment | {"CYPP_HOME": str(home)}, stdout=written, stderr=written
        )
    try:
        give_up = time.monotonic() + START_SECONDS
        while "Watching" not in log.read_text():
            if process.poll() is not None or time.monotonic() > give_up:
                sys.exit(f"cypp serve did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def drop(home: Path, partner_code: str, name: str, data: bytes) -> float:
    """Drop a workbook as a copy would, and wait for its receipt; the seconds between."""
    folder = home / "inbox" / partner_code
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    (folder / name).write_bytes(data)
    with closing(sqlite3.connect(home / "warehouse.db")) as warehouse:
        while not warehouse.execute("SELECT 1 FROM submission WHERE file_name = ?", (name,)).fetchone():
            if time.perf_counter() - began > 60:
                sys.exit(f"no receipt for {name} within a minute:\n{(home / 'serve.log').read_text()}")
            time.sleep(0.005)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="three drops, to see that it runs")
    parser.add_argument("--drops", type=int, default=100)
    options = parser.parse_args()
    chance = random.Random(2010)
    taken = []
    with tempfile.TemporaryDirectory(prefix="cypp-dropping-") as folder, serving(Path(folder)):
        for partner_code, name, data in workbooks(3 if options.smoke else options.drops):
            time.sleep(chance.uniform(0.2, 1.5))
            taken.append(drop(Path(folder), partner_code, name, data))
    taken.sort()
    print(f"{len(taken)} drops, seconds from drop to receipt:")
    print(f"  median {statistics.median(taken):.2f}   95% {taken[int(len(taken) * 0.95)]:.2f}   worst {taken[-1]:.2f}")
    late = sum(seconds > PROMISED_SECONDS for seconds in taken)
    print(f"  {late} took more than {PROMISED_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
