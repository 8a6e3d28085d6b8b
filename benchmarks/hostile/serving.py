"""Measures what a hostile file does to others under `cypp serve`, and the cost of the protecting process per return.

It drops a costly file and a good one in another partner's folder, with a real `cypp serve`, and prints the
seconds to each receipt and the peak memory of the server's processes (Linux). Then it checks an ordinary return and
writes its receipt in this process and in the confined one, alternately. `--smoke` tries one file and a few rounds.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.dropping import drop, serving, wait_for_receipt
from benchmarks.hostile.costly_texts import costly_returns
from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.checking.confined import ConfinedChecker
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.reply import reply_for
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.samples.returns import sample_return
from schemas.codes import SubmissionStatus

PERIOD = parse_period("2010-11Q1")
TODAY = date(2010, 7, 12)
MOST_SECONDS, MOST_MIB = 5.0, 512


class Memory(threading.Thread):
    """The peak memory of a process and its descendants, measured ten times a second."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.most: dict[str, float] = {}

    def run(self) -> None:
        """Measure until this program ends."""
        while True:
            for pid in self._family(self._process):
                try:
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                name = next(
                    (word for word in words if "." in word and word.startswith(("flows.", "cypp_etl."))), "serve"
                )
                if "VmHWM:" in status:
                    most = int(status.partition("VmHWM:")[2].split()[0]) / 1024
                    self.most[name] = max(self.most.get(name, 0.0), most)
            time.sleep(0.1)

    def _family(self, pid: int) -> list[int]:
        try:
            tasks = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            return []
        return [pid, *(one for child in " ".join(tasks).split() for one in self._family(int(child)))]


def try_drops(*, is_smoke: bool) -> int:
    """Drop each hostile file with a good one; returns how many receipts came too late."""
    plan = read_plan()
    late = 0
    with tempfile.TemporaryDirectory(prefix="cypp-hostile-") as folder, serving(Path(folder)) as process:
        home = Path(folder)
        memory = Memory(process)
        memory.start()
        print(f"| {'hostile file':<24} | KB | its receipt, s | the good one's, s |")
        print("|---|---|---|---|")
        # The first one includes warming up.
        drop(home, "nhs", "first.xlsx", sample_return(plan, "nhs", PERIOD))
        wait_for_receipt(home, "nhs", "first.xlsx")
        for number, (name, make) in enumerate(costly_returns(sample_return(plan, "lscb", PERIOD)).items()):
            if is_smoke and number:
                break
            data = make()
            taken = {"lscb": 60.0, "yos": 60.0}

            def follow(partner_code: str, file: str, began: float, taken: dict[str, float] = taken) -> None:
                give_up = time.time() + 60
                # A page keeps the whole name, a marked workbook only its stem.
                while not list((home / "inbox" / partner_code / "replies").glob(f"{Path(file).stem}*")):
                    if time.time() > give_up:
                        return
                    time.sleep(0.01)
                taken[partner_code] = time.time() - began

            bad, good = f"{number} bad.xlsx", f"{number} good.xlsx"
            threads = [threading.Thread(target=follow, args=("lscb", bad, drop(home, "lscb", bad, data)))]
            time.sleep(0.5)
            began = drop(home, "yos", good, sample_return(plan, "yos", PERIOD))
            threads.append(threading.Thread(target=follow, args=("yos", good, began)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wrong = max(taken.values()) > MOST_SECONDS + 1
            late += wrong
            print(
                f"| {name:<24} | {len(data) // 1000} | {taken['lscb']:.2f} | {taken['yos']:.2f} |"
                + (" LATE" if wrong else "")
            )
        for name, most in sorted(memory.most.items()):
            print(f"{name:<32} {most:.0f} MiB at peak" + (" LARGE" if most > MOST_MIB else ""))
    return late


def compare(turns: int) -> None:
    """Check an ordinary return and write its receipt, here and in the confined process, alternately."""
    plan = read_plan()
    received = Received("yos/return.xlsx", sample_return(plan, "yos", PERIOD), "yos")
    here, there = Checker(plan, History(), TODAY), ConfinedChecker()
    at = datetime(2010, 7, 12, tzinfo=UTC)
    summary = ReceiptSummary("YOS", "", 1, at, "return.xlsx", "0" * 64, SubmissionStatus.ACCEPTED)
    seconds: dict[str, list[float]] = {"in this process": [], "confined": []}
    for _ in range(turns + 1):
        began = time.perf_counter()
        reply_for(here.check(received), received.data, summary)
        between = time.perf_counter()
        there.reply(there.check(plan, received, TODAY, lambda *_: History()), received.data, summary)
        seconds["in this process"].append(between - began)
        seconds["confined"].append(time.perf_counter() - between)
    there.close()
    print("\nan ordinary return, checked, with its receipt:")
    for name, taken in seconds.items():
        # The first one includes warming up.
        print(f"{name:<16} median {1000 * statistics.median(taken[1:]):.1f} ms   worst {1000 * max(taken[1:]):.1f} ms")
    ratio = statistics.median(b / a for a, b in zip(*(taken[1:] for taken in seconds.values()), strict=True))
    print(f"ratio of each pair, median {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="one file and a few rounds, to see that it runs")
    options = parser.parse_args()
    late = try_drops(is_smoke=options.smoke)
    compare(5 if options.smoke else 200)
    sys.exit(int(late > 0))


if __name__ == "__main__":
    main()
