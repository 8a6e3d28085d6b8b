"""Measures a backfill of ten thousand returns, beside one by one, and beside what one would take instead.

`python benchmarks/backfilling.py` generates a national collector's returns from a seed, about 15 KiB each with 40
indicators and 10 milestones, and ingests them in each way, on SQLite and on PostgreSQL; the slow ways get a sample, and
are shown per return. `--returns 2000` is shorter, `--smoke` takes a few, to see that it runs. Compare the ratios: the
last table has those of CPU time to our backfill on SQLite, and says what each way does, since none does the same.

The plain way is a script, one file at a time: openpyxl, pandas, pandera schemas, loops over the rows, and
`to_sql`, with the checks that these can make; it finds less, and judges nothing. It is measured when its
table is empty, and when it has the rows of half of the returns: `to_sql` creates no index, so the last
quarter's figures are searched in all of it. Other tools are measured if they are installed (`pip install '.[bench]'`).
Memory is that of all processes, shared pages counted once.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from socket import socket
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.databases import postgres, sqlite
from benchmarks.support.measuring import Measured, measure, measure_command, measure_repeated
from benchmarks.support.other_tools import installed, load_with_dlt, validate_with_frictionless
from benchmarks.support.plain_ways import fill_up, read_calamine, take_plainly
from benchmarks.support.polars_ways import PolarsScript, validate_with_pandera
from cypp_etl.plan.model import Plan
from cypp_etl.workbook.reader import read_workbook
from flows.bulk.sources import Source, sources_in
from flows.ingestion import job
from flows.ingestion.context import open_to_write
from flows.prefect_server.server import PrefectServer
from flows.settings import Settings, prepare_prefect, read_settings
from tests.support.returns import PERIODS, make_national_plan, write_returns
from warehouse.engine import open_warehouse

RECEIVED_AT = datetime(2012, 6, 30, 10, tzinfo=UTC)
GOAL_SECONDS, GOAL_MIB, GOAL_PLAIN, GOAL_READING, GOAL_CALAMINE, GOAL_WHOLE = 30, 512, 10, 2, 5, 8
_MIB = 1 << 20
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Does:
    """What a way does with a return: `yes`, `part` or `-`.

    `formats` are those of cells, which tell 71% from 0.71; `checks` counts as a whole if it finds all that `docs/
    findings.md` has; `judges` are directions of travel, targets and bands; `answers` is what the partner gets back.
    """

    formats: str = "-"
    checks: str = "-"
    loads: str = "-"
    judges: str = "-"
    answers: str = "-"


NOTHING, SCRIPT = Does(), Does(formats="yes", checks="part", loads="yes")
BACKFILL = Does("yes", "yes", "yes", "yes")
SERVICE = Does("yes", "yes", "yes", "yes", "yes")


@dataclass
class Table:
    """The ways that were measured, each with what it does, to be shown together at the end."""

    ways: list[tuple[str, Measured, Does]] = field(default_factory=list)

    def add(self, name: str, one: Measured, does: Does, plain: Sequence[Measured] = ()) -> None:
        """Print one way at once; its speed-up is the plain way's time per return over its own."""
        self.ways.append((name, one, does))
        report(name, one, plain)

    def show(self, ours: str) -> None:
        """Print all of them, with their CPU time over that of one of them."""
        per_return = {name: one.cpu_seconds / one.returns for name, one, _ in self.ways}
        heads = "".join(f"{name:>9}" for name in Does.__dataclass_fields__)
        print(f"\n  {'way':<42}{'returns':>7}{'wall':>11}{'CPU per return':>16}{'to ours':>9} {heads}")
        for name, one, does in self.ways:
            said = "".join(f"{word:>9}" for word in astuple(does))
            print(
                f"  {name:<42}{one.returns:>7,}{one.seconds:>9.1f} s{per_return[name] * 1000:>13.2f} ms"
                f"{per_return[name] / per_return[ours]:>9.2f} {said}"
            )


@dataclass(frozen=True)
class Bench:
    """The returns, their plan, and the folder of the homes in which they are ingested."""

    folder: Path
    plan_folder: Path
    plan: Plan
    sources: Sequence[Source]

    def home(self, url: str) -> Settings:
        """A home with an empty warehouse, for one way. It is removed with all others at the end.

        Some file systems are slow to create files where thousands have just been removed, at the next way's cost.
        """
        home = tempfile.mkdtemp(prefix="home-", dir=self.folder)
        settings = read_settings({"CYPP_HOME": home, "CYPP_WAREHOUSE_URL": url, "CYPP_PLAN": str(self.plan_folder)})
        open_to_write(settings).engine.dispose()
        return settings

    def one_by_one(self, sources: Sequence[Source], settings: Settings) -> None:
        """The work of `cypp serve` for each, from the inbox to the receipt in `replies`, without Prefect."""
        workplace = open_to_write(settings)
        for source in sources:
            dropped = settings.inbox / source.folder_partner / Path(source.path).name
            dropped.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.path, dropped)
            steps = job.Steps(workplace, dropped, source.folder_partner, RECEIVED_AT)
            steps.reply()
            steps.take_away()
        workplace.engine.dispose()

    def backfill(self, returns: int, settings: Settings) -> Measured:
        """The work of the flow `backfill`, without Prefect, in a separate process."""
        command = [sys.executable, "benchmarks/support/pool_alone.py", str(self.folder / "returns"), str(returns)]
        return measure_command(command, self._environment(settings), _ROOT, returns)

    def command(self, settings: Settings) -> Measured:
        """`cypp backfill` on all returns, in a separate process, with Prefect's server."""
        command = [
            sys.executable,
            "-c",
            "from flows.cli.app import app; app()",
            "backfill",
            str(self.folder / "returns"),
        ]
        # Some returns have errors by design, so the status is 1.
        return measure_command(command, self._environment(settings), _ROOT, len(self.sources), status=1)

    def _environment(self, settings: Settings) -> dict[str, str]:
        own = {"CYPP_HOME": settings.home, "CYPP_WAREHOUSE_URL": settings.warehouse_url, "CYPP_PLAN": self.plan_folder}
        return os.environ | {name: str(value) for name, value in own.items()} | {"PYTHONPATH": str(_ROOT)}


@contextmanager
def prefect_server(folder: Path) -> Iterator[None]:
    """Run Prefect's server, like `cypp serve`, so that commands find it."""
    with patch.dict(os.environ), socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        found.close()
        # Prefect creates its own folder in this one.
        folder.mkdir()
        prepare_prefect(folder)
        server = PrefectServer("127.0.0.1", port)
        server.prepare()
        server.start()
        try:
            yield
        finally:
            server.stop()


def read_all(sources: Sequence[Source]) -> None:
    """Our reader alone, in one process."""
    for source in sources:
        read_workbook(Path(source.path).read_bytes())


def read_all_plainly(sources: Sequence[Source]) -> None:
    """Calamine, which returns values without formats: the lower bound."""
    for source in sources:
        read_calamine(BytesIO(Path(source.path).read_bytes()))


def take_all_plainly(sources: Sequence[Source], bench: Bench, url: str) -> None:
    """The plain way."""
    engine = open_warehouse(url)
    for source in sources:
        take_plainly(Path(source.path), engine, bench.plan)
    engine.dispose()


def take_all_with_polars(sources: Sequence[Source], bench: Bench, url: str) -> None:
    """The plain way on calamine and polars."""
    engine = open_warehouse(url)
    script = PolarsScript(engine, bench.plan)
    for source in sources:
        script.take(Path(source.path))
    engine.dispose()


def report(name: str, one: Measured, plain: Sequence[Measured] = ()) -> None:
    """Print one way; its ratios are the plain way's time per return over its own."""
    ratios = "".join(f"{beside.milliseconds / one.milliseconds:8.1f}x" for beside in plain)
    print(
        f"  {name:<42}{one.returns:>7,}{one.seconds:>9.1f} s{one.milliseconds:>9.2f} ms{one.cpu_seconds:>9.1f} s"
        f"{one.peak_bytes / _MIB:>8.0f} MiB{ratios}",
        flush=True,
    )


def compare(bench: Bench, sample: int, *, is_served_too: bool) -> None:
    """All ways on both database systems."""
    sources, few, table = bench.sources, bench.sources[:sample], Table()
    title = f"\n  {'way':<42}{'returns':>7}{'wall':>11}{'per return':>12}{'CPU':>11}{'memory':>12}"
    print(f"{title}   speed-up over plain, empty and half full")
    # What was never used before has to be imported, and has empty caches.
    read_all(few[:2])
    calamine = measure_repeated(lambda: read_all_plainly(few), len(few))
    reading = measure_repeated(lambda: read_all(few), len(few))
    table.add("reading only, calamine", calamine, NOTHING)
    table.add("reading only, ours", reading, Does(formats="yes"))
    compare_others(bench, few, table)
    wholes = []
    for database, served in (("SQLite", sqlite), ("PostgreSQL", postgres)):
        with served(bench.folder) as url_of:
            take_all_plainly(few[:2], bench, url_of("imported"))
            plain = measure_plain_way(bench, few, url_of("plain"), database, table)
            bench.one_by_one(few[:2], bench.home(url_of("before")))
            home = bench.home(url_of("single"))
            single = measure(lambda: bench.one_by_one(few, home), len(few))  # noqa: B023 - called at once
            table.add(f"one by one, with receipts, {database}", single, SERVICE, plain)
            backfilled = bench.backfill(len(sources), bench.home(url_of("backfill")))
            table.add(f"backfill, {database}", backfilled, BACKFILL, plain)
            if served is sqlite:
                compare_commands(bench, url_of, plain, table, is_served_too=is_served_too)
            wholes.append((database, backfilled.cpu_seconds / backfilled.returns))
    table.show("backfill, SQLite")
    print()
    for database, seconds in wholes:
        over = [seconds * few.returns / few.cpu_seconds for few in (reading, calamine)]
        print(f"  backfill's CPU, {database}: {over[0]:.1f} times our reader's, {over[1]:.1f} times calamine's", end="")
        print(f" (goals {GOAL_READING} and {GOAL_WHOLE})")
    print(f"  our reader over calamine: {reading.milliseconds / calamine.milliseconds:.1f} (goal {GOAL_CALAMINE})")
    print(
        f"  goals: {GOAL_PLAIN}x the plain way; 10,000 returns in {GOAL_SECONDS} s on two quiet cores, {GOAL_MIB} MiB"
    )


def measure_plain_way(
    bench: Bench, few: Sequence[Source], url: str, database: str, table: Table
) -> tuple[Measured, Measured]:
    """The plain way, with an empty table and halfway through all returns."""
    first = measure(lambda: take_all_plainly(few, bench, url), len(few))
    table.add(f"the plain way, empty table, {database}", first, SCRIPT)
    half = len(bench.sources) // 2
    engine = open_warehouse(url)
    fill_up(engine, half - len(few))
    engine.dispose()
    others = bench.sources[half : half + len(few)]
    halfway = measure(lambda: take_all_plainly(others, bench, url), len(others))
    table.add(f"the plain way, half full, {database}", halfway, SCRIPT)
    return first, halfway


def compare_commands(
    bench: Bench, url_of: Callable[[str], str], plain: Sequence[Measured], table: Table, *, is_served_too: bool
) -> None:
    """The command, through the Prefect flow: with its own server, and perhaps with one that is already running."""
    table.add("the command, Prefect's server included", bench.command(bench.home(url_of("command"))), BACKFILL, plain)
    if is_served_too:
        with prefect_server(bench.folder / "prefect"):
            served = bench.command(bench.home(url_of("served")))
            table.add("the command, with a running server", served, BACKFILL, plain)


def compare_others(bench: Bench, sources: Sequence[Source], table: Table) -> None:
    """Tools that do part of the work, if they are installed, on SQLite."""
    # What it cannot tell the type of, which an empty column is.
    logging.getLogger("fastexcel").setLevel(logging.ERROR)
    others: tuple[tuple[str, str, Callable[[Sequence[Source], str], object], Does], ...] = (
        (
            "frictionless",
            "frictionless, a sheet",
            lambda few, _: validate_with_frictionless(paths_of(few)),
            Does(checks="part"),
        ),
        (
            "fastexcel",
            "pandera on polars, two sheets",
            lambda few, _: validate_with_pandera(paths_of(few)),
            Does(checks="part"),
        ),
        ("dlt", "dlt, a sheet", lambda few, url: load_with_dlt(paths_of(few), url), Does(checks="part", loads="part")),
        (
            "fastexcel",
            "a script on calamine and polars",
            lambda few, url: take_all_with_polars(few, bench, url),
            Does(checks="part", loads="yes"),
        ),
    )
    with sqlite(bench.folder) as url_of:
        for number, (tool, name, work, does) in enumerate(others):
            if installed(tool):
                work(sources[:2], url_of(f"before{number}"))
                table.add(name, measure(partial(work, sources, url_of(f"other{number}")), len(sources)), does)
            else:
                print(f"  {name}: not installed")


def paths_of(sources: Sequence[Source]) -> list[Path]:
    return [Path(source.path) for source in sources]


def show_growth(bench: Bench, counts: Sequence[int]) -> None:
    """Backfills of increasing size: time should grow with the returns, and memory should not."""
    print("\n  growth, on SQLite")
    for count in counts:
        with sqlite(bench.folder) as url_of:
            report(f"backfill of {count:,}", bench.backfill(count, bench.home(url_of(f"growth{count}"))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--returns", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=200, help="how many returns the slow ways get")
    parser.add_argument("--served", action="store_true", help="the command also with a server that runs already")
    parser.add_argument("--smoke", action="store_true", help="a few returns")
    options = parser.parse_args()
    returns, sample = (32, 8) if options.smoke else (options.returns, options.sample)
    partners = -(-returns // len(PERIODS))
    with tempfile.TemporaryDirectory() as folder:
        plan_folder = Path(folder, "plan")
        plan = make_national_plan(plan_folder, partners)
        started = time.perf_counter()
        count = write_returns(Path(folder, "returns"), plan, partners)
        print(f"{count:,} returns of {partners:,} partners, made in {time.perf_counter() - started:.0f} s")
        bench = Bench(Path(folder), plan_folder, plan, sources_in([Path(folder, "returns")], plan.partners)[:returns])
        show_growth(bench, [count for count in (100, 1_000) if count < returns] or [returns])
        compare(bench, sample, is_served_too=options.served)


if __name__ == "__main__":
    main()
