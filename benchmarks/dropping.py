"""Measures the time from a drop in the inbox to its receipt, and to the end of its run, with `cypp serve`.

It drops sample returns one by one at random moments, and waits until the receipt of each is in the partner's replies.
The end of each run is read from Prefect's database afterwards. It prints the median, the 95th percentile and the worst
of both. `--smoke` drops three; `--at-once` drops all together, and prints receipts and runs per minute, disk and
memory (Linux).
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
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_periods, sample_return

ROOT = Path(__file__).resolve().parents[1]
PROMISED_SECONDS = 2.0
START_SECONDS = 120


def workbooks(count: int) -> list[tuple[str, str, bytes]]:
    """Partner, name and bytes of so many returns: two years of every partner, repeatedly."""
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
def serving(home: Path) -> Iterator[int]:
    """`cypp serve` in a separate home, from the moment it watches; yields its PID."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    command = [sys.executable, "-c", "from flows.cli.app import app; app()", "serve", "--port", str(free_port())]
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
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def drop(home: Path, partner_code: str, name: str, data: bytes) -> float:
    """Drop a workbook as a copy would; returns the time, in seconds."""
    folder = home / "inbox" / partner_code
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return time.time()


def wait_for_receipt(home: Path, partner_code: str, name: str) -> None:
    replies = home / "inbox" / partner_code / "replies"
    began = time.monotonic()
    while not any(replies.glob(f"{Path(name).stem} - *")):
        give_up_after(began, 60, home, f"no receipt for {name} within a minute")
        time.sleep(0.005)


def ends_of_runs(home: Path, count: int) -> dict[str, float]:
    """The end of each workbook's run, by name, after all have ended."""
    began = time.monotonic()
    query = "SELECT name, end_time FROM flow_run WHERE end_time IS NOT NULL"
    while True:
        with closing(sqlite3.connect(home / ".prefect" / "prefect.db")) as prefect:
            found = dict(prefect.execute(query).fetchall())
        if len(found) >= count:
            return {name: datetime.fromisoformat(end).replace(tzinfo=UTC).timestamp() for name, end in found.items()}
        give_up_after(began, 10 + 10 * count, home, f"only {len(found)} runs ended")
        time.sleep(0.5)


def give_up_after(began: float, seconds: float, home: Path, fault: str) -> None:
    if time.monotonic() - began > seconds:
        sys.exit(f"{fault}:\n{(home / 'serve.log').read_text()}")


def show(what: str, taken: list[float]) -> None:
    taken = sorted(taken)
    late = sum(seconds > PROMISED_SECONDS for seconds in taken)
    print(
        f"{what:<18} median {statistics.median(taken):.2f} s   95% {taken[int(len(taken) * 0.95)]:.2f} s"
        f"   worst {taken[-1]:.2f} s   more than {PROMISED_SECONDS:.0f} s: {late}"
    )


def drop_one_by_one(home: Path, count: int, _serving: int) -> None:
    chance = random.Random(2010)
    dropped, to_receipt = {}, []
    for partner_code, name, data in workbooks(count):
        time.sleep(chance.uniform(0.2, 1.5))
        at = dropped[f"{partner_code}/{name}"] = drop(home, partner_code, name, data)
        wait_for_receipt(home, partner_code, name)
        to_receipt.append(time.time() - at)
    ends = ends_of_runs(home, count)
    print(f"{count} drops, from drop to")
    show("receipt", to_receipt)
    show("end of its run", [ends[name] - at for name, at in dropped.items()])


def drop_at_once(home: Path, count: int, serving: int) -> None:
    returns = workbooks(count)
    began = time.time()
    for partner_code, name, data in returns:
        drop(home, partner_code, name, data)
    for partner_code, name, _ in returns:
        wait_for_receipt(home, partner_code, name)
    answered = time.time()
    ended = max(ends_of_runs(home, count).values())
    print(f"{count} drops at once: {60 * count / (answered - began):.0f} receipts per minute, ", end="")
    print(f"{60 * count / (ended - began):.0f} runs per minute")
    for name, place in (
        ("warehouse", home / "warehouse.db"),
        ("archive", home / "archive"),
        ("runs", home / ".prefect"),
    ):
        print(f"{name:<10} {kilobytes(place) / count:.0f} kB per return")
    children = Path(f"/proc/{serving}/task/{serving}/children").read_text().split()
    for name, process in (("cypp serve", serving), *(("its server", int(child)) for child in children)):
        print(f"{name:<10} {most_memory_mebibytes(process):.0f} MiB at peak")


def kilobytes(place: Path) -> float:
    files = [place, *place.parent.glob(f"{place.name}-wal")] if place.is_file() else place.rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file()) / 1000


def most_memory_mebibytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="three drops, to see that it runs")
    parser.add_argument("--at-once", action="store_true", help="drop all together")
    parser.add_argument("--drops", type=int, default=100)
    options = parser.parse_args()
    dropping = drop_at_once if options.at_once else drop_one_by_one
    with tempfile.TemporaryDirectory(prefix="cypp-dropping-") as folder, serving(Path(folder)) as process:
        dropping(Path(folder), 3 if options.smoke else options.drops, process)


if __name__ == "__main__":
    main()
