"""Measures the board report at several sizes: CPU time, memory, and the bytes of its pages and its workbook.

`python benchmarks/board_report.py` measures 13, 60 and 434 indicators of one partner, and 434 of five;
`--national` 434 of 153 partners, whose warehouse takes a gigabyte and some minutes to make. Each is written by a
process of its own, as `cypp report` writes it. The ratio is how many times the CPU time of fetching the view's rows, of
all periods, the report takes.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent))

from sqlalchemy import URL

from benchmarks.support.big_warehouse import Size, empty_warehouse, seed
from cypp_etl.periods import Period
from flows.deployments.report_files import write_editions
from warehouse.engine import open_warehouse, reading
from warehouse.queries.board.reader import read_report
from warehouse.queries.views import performance

QUARTERS = 12
SIZES = ((1, 13), (1, 60), (1, 434), (5, 434))
NATIONAL = ((153, 434),)
AT, WRITTEN = datetime(2013, 6, 1, tzinfo=UTC), date(2013, 6, 1)

_T = TypeVar("_T")


def timed(work: Callable[[], _T]) -> tuple[float, _T]:
    """Seconds of CPU time that a piece of work takes, and its result."""
    started = time.process_time()
    done = work()
    return time.process_time() - started, done


def write(url: URL, period: Period, folder: Path, said: Pipe) -> None:
    """Write the report into a folder, and say how many seconds of CPU time and bytes of memory it took."""
    # The first report compiles the template, and imports what judges.
    small = Size(1, 1, 1)
    with empty_warehouse("sqlite") as warm:
        seed(warm, small)
        with reading(warm) as connection:
            write_editions(read_report(connection, small.periods[0], AT), folder / "warm", WRITTEN)
    engine = open_warehouse(url)
    with reading(engine) as connection:
        taken, _ = timed(lambda: write_editions(read_report(connection, period, AT), folder / "out", WRITTEN))
    engine.dispose()
    said.send((taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def fetch(url: URL, said: Pipe) -> None:
    """Fetch all rows of the view, and say how many seconds of CPU time it took."""
    engine = open_warehouse(url)
    with reading(engine) as connection:
        said.send(timed(lambda: performance(connection, as_of=AT))[0])
    engine.dispose()


def ask(work: Callable[..., None], *given: object) -> Any:
    """What a process of its own says."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(*given, there))
    process.start()
    said = here.recv()
    process.join()
    return said


def measure(partners: int, indicators: int) -> None:
    """Measure the report on one size, and print a line."""
    size = Size(partners, indicators, QUARTERS)
    with empty_warehouse("sqlite") as engine, TemporaryDirectory(prefix="cypp-benchmark-") as name:
        folder = Path(name)
        seed(engine, size)
        fetching: float = ask(fetch, engine.url)
        taken, memory = ask(write, engine.url, size.periods[-1], folder)
        sizes = [page.stat().st_size for page in (folder / "out").rglob("*.html")]
        (workbook,) = (folder / "out").glob("*.xlsx")
        print(
            f"{partners:>8}{indicators:>11}{taken:>9.2f}{taken / fetching:>8.1f}{memory / 2**20:>8.0f}"
            f"{len(sizes):>7}{sum(sizes) / 1e6:>9.2f}{max(sizes) / 1e6:>10.2f}{workbook.stat().st_size / 1e6:>10.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="the smallest size alone, to see that it runs")
    parser.add_argument("--national", action="store_true", help="153 partners of 434 indicators alone")
    asked = parser.parse_args()
    print("partners indicators  CPU, s   ratio    MiB  pages  all, MB   largest  xlsx, MB")
    for size in SIZES[:1] if asked.smoke else NATIONAL if asked.national else SIZES:
        measure(*size)


if __name__ == "__main__":
    main()
