"""Measures the board report at several sizes: CPU time of reading its data, its pages and its workbook; their bytes.

`python benchmarks/board_report.py` measures 13, 60 and 434 indicators of one partner, and 434 of five. The ratio is
how many times the CPU time of fetching the view's rows, all periods of them, the report takes.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.support.big_warehouse import Size, empty_warehouse, seed
from cypp_etl.report.html import render_pages
from cypp_etl.report.workbook import render_workbook
from warehouse.engine import reading
from warehouse.queries.board import read_board
from warehouse.queries.views import performance

QUARTERS = 12
SIZES = ((1, 13), (1, 60), (1, 434), (5, 434))
AT, WRITTEN = datetime(2013, 6, 1, tzinfo=UTC), date(2013, 6, 1)

_T = TypeVar("_T")


def timed(work: Callable[[], _T]) -> tuple[float, _T]:
    """Seconds of CPU time that a piece of work takes, and its result."""
    started = time.process_time()
    done = work()
    return time.process_time() - started, done


def measure(partners: int, indicators: int) -> None:
    """Measure the report on one size, and print a line."""
    size = Size(partners, indicators, QUARTERS)
    with empty_warehouse("sqlite") as engine:
        seed(engine, size)
        with reading(engine) as connection:
            fetching, _ = timed(lambda: performance(connection, as_of=AT))
            reading_it, data = timed(lambda: read_board(connection, size.periods[-1], AT))
    drawing, pages = timed(lambda: dict(render_pages(data, WRITTEN)))
    writing_it, workbook = timed(lambda: render_workbook(data, WRITTEN))
    total = reading_it + drawing + writing_it
    sizes = [len(page) for page in pages.values()]
    print(
        f"{partners:>8}{indicators:>11}{reading_it:>9.2f}{drawing:>8.2f}{writing_it:>10.2f}{total:>8.2f}"
        f"{total / fetching:>7.1f}"
        f"{len(pages):>7}{sum(sizes) / 1e6:>9.2f}{max(sizes) / 1e6:>10.2f}{len(workbook) / 1e6:>9.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="the smallest size alone, to see that it runs")
    sizes = SIZES[:1] if parser.parse_args().smoke else SIZES
    # The first report compiles the template.
    print("partners indicators  reading   pages  workbook   total  ratio  pages  all, MB  largest  xlsx, MB")
    for size in sizes:
        measure(*size)


if __name__ == "__main__":
    main()
