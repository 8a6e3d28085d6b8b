"""Holds the ratios that performance rests on: it fails where one is half as bad again as `benchmarks/ratios.csv` says.

`python benchmarks/ratios.py` measures each, in a minute or two: what we take over what something else takes in the same
run, both in CPU time, in turn. A ratio is the median of several rounds, and one that is too high is measured once more.
`--write` measures what this tree takes, and writes it to the file and to `docs/performance.md`; `--only views` measures
one group of them, `--expected FILE` compares with another file.
"""

import argparse
import csv
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import board_report, judging, single
from benchmarks.support.big_warehouse import Size, empty_warehouse, seed
from benchmarks.support.plain_ways import read_calamine, take_plainly
from benchmarks.views import questions, values_of
from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker
from cypp_etl.judgement.judge import judge
from cypp_etl.report.folder import report_of
from cypp_etl.report.html import render_pages
from cypp_etl.report.workbook import render_workbook
from cypp_etl.workbook.reader import read_workbook
from flows.bulk.chunk_worker import ChunkTaker
from flows.bulk.chunks import CHUNK_WORKBOOKS, into_chunks
from flows.bulk.sources import sources_in
from flows.ingestion.context import open_to_write
from flows.settings import read_settings
from tests.support.returns import make_national_plan, write_returns
from warehouse.engine import open_warehouse, reading
from warehouse.queries.board.reader import read_board
from warehouse.queries.views import performance
from warehouse.recording.outstanding import judge_outstanding

EXPECTED = Path(__file__).with_name("ratios.csv")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGINNING, END = "<!-- benchmarks/ratios.py --write -->\n", "<!-- until here -->\n"
TOLERATED = 1.5
"""How many times the expected ratio is still held to be noise, or another machine."""
LEAST_HELD = 0.05
"""A ratio that is expected to be less is held to this: microseconds vary by more than a half."""
SHORTEST_SECONDS = 0.02
"""Work is repeated until it has taken so much CPU time: the clock, and what else the machine does, must not count."""

PARTNERS, PLAIN_RETURNS, SINGLE_RETURNS = 25, 16, 8
JUDGED_PARTNERS = 125
ASKED = Size(40, 25, 20, is_complete=True)
REPORTED = Size(1, 60, board_report.QUARTERS)
BASE_QUESTION = "SELECT * FROM observation LIMIT 500"

Cost = Callable[[], float]
"""The CPU seconds of some work, for one unit of it."""


@dataclass(frozen=True)
class Ratio:
    """What we take over what something else takes; `name` says both."""

    name: str
    ours: Cost
    other: Cost
    rounds: int = 5

    def measured(self) -> float:
        """The median of some rounds, after one that is not counted."""
        self.ours(), self.other()
        return statistics.median(self.ours() / self.other() for _ in range(self.rounds))


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU seconds of some work in this process, once."""
    began = time.process_time()
    work()
    return time.process_time() - began


def repeated(work: Callable[[], object], units: int = 1) -> float:
    """The CPU seconds of some work that can be repeated, for each of its units."""
    began = time.process_time()
    for times in count(1):
        work()
        if (taken := time.process_time() - began) >= SHORTEST_SECONDS:
            return taken / times / units
    raise AssertionError("it ends once enough time is spent")


@contextmanager
def of_returns() -> Iterator[list[Ratio]]:
    """Reading, a backfill, and one return, of two hundred returns of a national collector."""
    with tempfile.TemporaryDirectory(prefix="cypp-ratios-") as name:
        folder = Path(name)
        plan = make_national_plan(folder / "plan", PARTNERS)
        write_returns(folder / "returns", plan, PARTNERS)
        sources = sources_in([folder / "returns"], plan.partners)
        some = [Path(source.path).read_bytes() for source in sources[:: len(sources) // PLAIN_RETURNS]]
        homes = (folder / f"home{number}" for number in count())

        def open_home() -> single.Workplace:
            return open_to_write(read_settings({"CYPP_HOME": str(next(homes)), "CYPP_PLAN": str(folder / "plan")}))

        def backfill() -> float:
            workplace = open_home()
            checker = Checker(plan, History(), single.RECEIVED_AT.date())
            taker = ChunkTaker(workplace, checker, single.RECEIVED_AT)
            chunks = list(into_chunks(sources, CHUNK_WORKBOOKS, 1))

            def take_all() -> None:
                for chunk in chunks:
                    taker.take(chunk, nullcontext())
                judge_outstanding(workplace.engine, plan, lambda: single.RECEIVED_AT)

            seconds = cpu_seconds(take_all)
            workplace.engine.dispose()
            return seconds / len(sources)

        def plainly() -> float:
            engine = open_warehouse(f"sqlite:///{next(homes)}.db")
            few = [Path(source.path) for source in sources[:PLAIN_RETURNS]]
            seconds = cpu_seconds(lambda: [take_plainly(path, engine, plan) for path in few])
            engine.dispose()
            return seconds / len(few)

        one = open_home()
        single.warm_up(one, Path(sources[0].path))
        waiting = iter(sorted((folder / "returns").rglob("*.xlsx"), key=lambda path: (path.name, path.parent)))

        def take_one() -> float:
            taken = []
            for path in (next(waiting) for _ in range(SINGLE_RETURNS)):
                dropped = one.settings.inbox / path.parent.name / path.name
                dropped.parent.mkdir(parents=True, exist_ok=True)
                dropped.write_bytes(path.read_bytes())
                taken.append(sum(single.take(one, dropped).values()) / 1000)
            return statistics.median(taken)

        def read() -> float:
            return repeated(lambda: [read_workbook(data) for data in some], len(some))

        yield [
            Ratio(
                "reading a return / calamine, values only",
                read,
                lambda: repeated(lambda: [read_calamine(BytesIO(data)) for data in some], len(some)),
            ),
            Ratio("a return of a backfill of 200 / the plain way", backfill, plainly, rounds=3),
            Ratio("one return, receipt included / reading it", take_one, read, rounds=7),
        ]
        one.engine.dispose()


@contextmanager
def of_judging() -> Iterator[list[Ratio]]:
    """Judging a hundred thousand figures."""
    plan = judging.make_plan()
    figures = judging.make_figures(JUDGED_PARTNERS, plan)
    yield [
        Ratio(
            "judging 100,000 figures / row by row",
            lambda: repeated(lambda: judge(figures, plan), len(figures)),
            lambda: judging.time_plain(figures, plan)[0],
        )
    ]


@contextmanager
def of_views() -> Iterator[list[Ratio]]:
    """Each question of the views, at twenty thousand observations on SQLite."""
    with empty_warehouse("sqlite") as engine:
        values = values_of(seed(engine, ASKED), ASKED)
        with reading(engine) as connection:

            def ask(sql: str) -> float:
                return repeated(lambda: connection.exec_driver_sql(sql).fetchall())

            yield [
                Ratio(
                    f"`{question.view}` by {question.by} / 500 rows of a table",
                    partial(ask, question.sql(values)),
                    partial(ask, BASE_QUESTION),
                )
                for question in questions()
            ]


@contextmanager
def of_the_report() -> Iterator[list[Ratio]]:
    """The board report on sixty measures of one partner."""
    with empty_warehouse("sqlite") as engine:
        seed(engine, REPORTED)
        with reading(engine) as connection:

            def report() -> float:
                data = read_board(connection, REPORTED.periods[-1], board_report.AT)
                dict(render_pages(report_of(data), board_report.WRITTEN))
                return len(render_workbook(data, board_report.WRITTEN))

            yield [
                Ratio(
                    "a measure of the board report / fetching its rows",
                    lambda: cpu_seconds(report),
                    lambda: repeated(lambda: performance(connection, as_of=board_report.AT)),
                )
            ]


GROUPS: dict[str, Callable[[], AbstractContextManager[list[Ratio]]]] = {
    "returns": of_returns,
    "judging": of_judging,
    "views": of_views,
    "report": of_the_report,
}

Ratios = dict[str, dict[str, float]]
"""Ratios by group and name."""


def read_expected(path: Path) -> Ratios:
    """The expected ratios."""
    expected: Ratios = {group: {} for group in GROUPS}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            expected[row["group"]][row["name"]] = float(row["ratio"])
    return expected


def hold(ratio: Ratio, expected: Mapping[str, float]) -> bool:
    """Measure a ratio, once more if it is too high; returns whether it is as expected, and prints it."""
    limit = max(expected[ratio.name], LEAST_HELD) * TOLERATED if ratio.name in expected else 0.0
    measured = ratio.measured()
    if measured > limit and ratio.name in expected:
        print(f"  {measured:>9.3f}  {ratio.name}: too high, measured once more", flush=True)
        measured = min(measured, ratio.measured())
    print(f"  {measured:>9.3f}  {ratio.name}: {_verdict(ratio.name, measured, expected)}", flush=True)
    return measured <= limit


def _verdict(name: str, measured: float, expected: Mapping[str, float]) -> str:
    if name not in expected:
        return "NOT EXPECTED"
    times = measured / expected[name]
    if measured > max(expected[name], LEAST_HELD) * TOLERATED:
        return f"FAILED, {expected[name]:.3f} is expected, and this is {times:.1f} times that"
    return f"expected {expected[name]:.3f}" + (", so --write would lower it" if times * TOLERATED < 1 else "")


def hold_group(group: str, expected: Mapping[str, float]) -> bool:
    """Measure the ratios of a group; returns whether they are the expected ones, and as expected."""
    with GROUPS[group]() as ratios:
        names = {ratio.name for ratio in ratios}
        held = [hold(ratio, expected) for ratio in ratios]
    for name in expected.keys() - names:
        print(f"             {name}: EXPECTED, and not measured", flush=True)
    return all(held) and names == expected.keys()


def measure_group(group: str) -> dict[str, float]:
    """Measure the ratios of a group, whatever is expected."""
    measured = {}
    with GROUPS[group]() as ratios:
        for ratio in ratios:
            measured[ratio.name] = ratio.measured()
            print(f"  {measured[ratio.name]:>9.3f}  {ratio.name}", flush=True)
    return measured


def write(measured: Ratios) -> None:
    """Write ratios to the file, and to the table of the page that has them."""
    rows = [(group, name, f"{ratio:.3g}") for group, of_it in measured.items() for name, ratio in of_it.items()]
    with EXPECTED.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("group", "name", "ratio"), *rows])
    before, _, rest = PAGE.read_text().partition(BEGINNING)
    _, _, after = rest.partition(END)
    lines = [f"| {' | '.join(row)} |" for row in [("of", "ours / the other", "ratio"), ("---",) * 3, *rows]]
    PAGE.write_text("\n".join([f"{before}{BEGINNING}", *lines, "", f"{END}{after}"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write what is measured, instead of comparing it")
    parser.add_argument("--only", choices=GROUPS, help="this group alone")
    parser.add_argument("--expected", type=Path, default=EXPECTED, help="another file to compare with")
    options = parser.parse_args()
    expected = read_expected(options.expected)
    groups = [options.only] if options.only else list(GROUPS)
    if options.write:
        write(expected | {group: measure_group(group) for group in groups})
    elif [group for group in groups if not hold_group(group, expected[group])]:
        sys.exit("Make it faster again, or, if this is what it must take, python benchmarks/ratios.py --write")


if __name__ == "__main__":
    main()
