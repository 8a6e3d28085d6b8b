"""Measures a backfill of ten thousand returns, against the plain way, one by one, and reading only.

`python benchmarks/backfilling.py` generates a national collector's returns from a seed, about 15 KiB each with 40
indicators and 10 milestones, and ingests them in each way, on SQLite and on PostgreSQL; the slow ways get a sample, and
are shown per return. `--returns 2000` is shorter, `--smoke` takes a few, to see that it runs. Compare the ratios.

The plain way is a script, one file at a time: openpyxl, pandas, pandera schemas, loops over the rows, and
`to_sql`, with the checks that these can make; it finds less, and judges nothing. It is measured when its
table is empty, and when it has the rows of half of the returns: `to_sql` creates no index, so the last
quarter's figures are searched in all of it. Memory is that of all processes, shared pages counted once.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from socket import socket
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.databases import postgres, sqlite
from benchmarks.support.measuring import Measured, measure, measure_command
from benchmarks.support.other_tools import installed, load_with_dlt, validate_with_frictionless
from benchmarks.support.plain_ways import fill_up, read_calamine, take_plainly
from cypp_etl.plan.model import Plan
from cypp_etl.workbook.reader import read_workbook
from flows.bulk.sources import Source, sources_in
from flows.ingestion.context import open_to_write
from flows.prefect_server.server import PrefectServer
from flows.settings import Settings, prepare_prefect, read_settings
from tests.support.returns import PERIODS, make_national_plan, write_returns
from warehouse.engine import open_warehouse

RECEIVED_AT = datetime(2012, 6, 30, 10, tzinfo=UTC)
GOAL_SECONDS, GOAL_MIB, GOAL_PLAIN, GOAL_READING, GOAL_CALAMINE = 60, 512, 10, 2, 5
_MIB = 1 << 20
_ROOT = Path(__file__).resolve().parents[1]


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
        """The work of `ingest-return` for each, without Prefect."""
        workplace = open_to_write(settings)
        for source in sources:
            kept = workplace.keep(Path(source.path))
            checked = workplace.check(source.path, kept, source.folder_partner, RECEIVED_AT)
            workplace.load(checked, RECEIVED_AT, kept.delivery)
        workplace.engine.dispose()

    def backfill(self, returns: int, settings: Settings) -> Measured:
        """The work of the flow `backfill`, without Prefect, in a separate process."""
        command = [sys.executable, "benchmarks/crew_alone.py", str(self.folder / "returns"), str(returns)]
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


def report(name: str, one: Measured, plain: Sequence[Measured] = ()) -> None:
    """Print one way; its ratios are the plain way's time per return over its own."""
    ratios = "".join(f"{beside.milliseconds / one.milliseconds:8.1f}x" for beside in plain)
    print(
        f"  {name:<38}{one.returns:>7,}{one.seconds:>9.1f} s{one.milliseconds:>9.2f} ms{one.cpu_seconds:>9.1f} s"
        f"{one.peak_bytes / _MIB:>8.0f} MiB{ratios}",
        flush=True,
    )


def compare(bench: Bench, sample: int) -> None:
    """All ways on both database systems."""
    sources, few = bench.sources, bench.sources[:sample]
    title = f"\n  {'way':<38}{'returns':>7}{'wall':>11}{'per return':>12}{'CPU':>11}{'memory':>12}"
    print(f"{title}   speed-up over plain, empty and half full")
    calamine = measure(lambda: read_all_plainly(few), len(few))
    reading = measure(lambda: read_all(few), len(few))
    report("reading only, calamine", calamine)
    report("reading only, ours", reading)
    compare_others(few, bench.folder)
    for database, served in (("SQLite", sqlite), ("PostgreSQL", postgres)):
        with served(bench.folder) as url_of:
            plain = measure_plain_way(bench, few, url_of("plain"), database)
            home = bench.home(url_of("single"))
            single = measure(lambda: bench.one_by_one(few, home), len(few))  # noqa: B023 - called at once
            report(f"one by one, {database}", single, plain)
            backfilled = bench.backfill(len(sources), bench.home(url_of("backfill")))
            report(f"backfill, {database}", backfilled, plain)
            if served is sqlite:
                compare_commands(bench, url_of, plain)
            whole = backfilled.cpu_seconds / backfilled.returns / (reading.cpu_seconds / reading.returns)
            print(f"    backfill's CPU over our reader's: {whole:.1f} (goal {GOAL_READING})")
    print(f"  our reader over calamine: {reading.milliseconds / calamine.milliseconds:.1f} (goal {GOAL_CALAMINE})")
    print(
        f"  goals: {GOAL_PLAIN}x the plain way; 10,000 returns in {GOAL_SECONDS} s on two quiet cores, {GOAL_MIB} MiB"
    )


def measure_plain_way(bench: Bench, few: Sequence[Source], url: str, database: str) -> tuple[Measured, Measured]:
    """The plain way, with an empty table and halfway through all returns."""
    first = measure(lambda: take_all_plainly(few, bench, url), len(few))
    report(f"the plain way, empty table, {database}", first)
    half = len(bench.sources) // 2
    engine = open_warehouse(url)
    fill_up(engine, half - len(few))
    engine.dispose()
    others = bench.sources[half : half + len(few)]
    halfway = measure(lambda: take_all_plainly(others, bench, url), len(others))
    report(f"the plain way, half full, {database}", halfway)
    return first, halfway


def compare_commands(bench: Bench, url_of: Callable[[str], str], plain: Sequence[Measured]) -> None:
    """The command, through the Prefect flow: with its own server, and with one that is already running."""
    report("the command, Prefect's server included", bench.command(bench.home(url_of("command"))), plain)
    with prefect_server(bench.folder / "prefect"):
        report("the command, with a running server", bench.command(bench.home(url_of("served"))), plain)


def compare_others(sources: Sequence[Source], folder: Path) -> None:
    """Tools that do part of the work, if they are installed."""
    paths = [Path(source.path) for source in sources]
    if installed("frictionless"):
        report("frictionless, checking a sheet", measure(lambda: validate_with_frictionless(paths), len(paths)))
    else:
        print("  frictionless: not installed")
    if installed("dlt"):
        with sqlite(folder) as url_of:
            url = url_of("dlt")
            report("dlt, loading a sheet, SQLite", measure(lambda: load_with_dlt(paths, url), len(paths)))
    else:
        print("  dlt: not installed")


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
        compare(bench, sample)
        show_growth(bench, [count for count in (100, 1_000) if count < returns] or [returns])


if __name__ == "__main__":
    main()
