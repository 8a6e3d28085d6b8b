"""A backfill ends with the same rows as its workbooks one by one, even if it is killed and started again."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from cypp_etl.plan.model import Plan
from flows.bulk.sources import Source, sources_in
from flows.settings import Settings
from tests.flows.backfilled import (
    backfill,
    backfill_and_die,
    contents,
    ingest_one_by_one,
    recorded_files,
    settings_of,
)
from tests.flows.returned import make_folder, make_plan
from tests.trials import homes
from tests.warehouse.conftest import empty_url  # noqa: F401 - a fixture

processes = get_context("forkserver")
SEEDS = (20100401, 20110401)


@pytest.fixture(scope="module")
def plan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plan")


@pytest.fixture(scope="module")
def plan(plan_folder: Path) -> Plan:
    return make_plan(plan_folder)


@pytest.fixture(scope="module")
def folders(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folders = {seed: tmp_path_factory.mktemp("returns") for seed in SEEDS}
    for seed, folder in folders.items():
        make_folder(folder, plan, seed)
    return folders


@pytest.fixture
def settings(empty_url: str, tmp_path: Path, plan_folder: Path) -> Settings:  # noqa: F811
    return settings_of(tmp_path / "home", empty_url, plan_folder)


@pytest.fixture
def others(tmp_path: Path, plan_folder: Path) -> Iterator[Settings]:
    """Homes with warehouses on SQLite, to compare with."""
    homes = (tmp_path / f"other {number}" for number in count())
    return (settings_of(home, f"sqlite:///{home / 'warehouse.db'}", plan_folder) for home in homes)


def run(target: Callable[..., object], *arguments: Any) -> Any:
    process = processes.Process(target=target, args=arguments)
    process.start()
    return process


def in_order(files: list[str], folder: Path, plan: Plan) -> list[Source]:
    sources = {source.path: source for source in sources_in([folder], plan.partners)}
    return [sources[file] for file in files]


def assert_equal(ours: dict[str, list[Any]], theirs: dict[str, list[Any]]) -> None:
    for table, rows in theirs.items():
        assert ours[table] == rows, table


@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[1:])])
def test_the_same_rows_as_one_by_one(
    settings: Settings, others: Iterator[Settings], folders: dict[int, Path], plan: Plan, seed: int
) -> None:
    files = backfill(settings, folders[seed])
    assert len(files) == len(set(files)) == len(sources_in([folders[seed]], plan.partners))
    assert recorded_files(settings.warehouse_url) == files
    one_by_one = next(others)
    ingest_one_by_one(one_by_one, in_order(files, folders[seed], plan))
    ours = contents(settings.warehouse_url)
    assert_equal(ours, contents(one_by_one.warehouse_url))
    statuses = {row["status"] for row in ours["submission"]}
    assert statuses >= {"accepted", "accepted with queries", "rejected", "duplicate"}
    assert any(row["ended"] for row in ours["observation"]), "something was replaced"
    assert {path.name for path in settings.archive.glob("??/*")} == {
        path.name for path in one_by_one.archive.glob("??/*")
    }


def test_partners_workbooks_count_in_the_order_of_their_paths(
    settings: Settings, others: Iterator[Settings], folders: dict[int, Path], plan: Plan
) -> None:
    """Without numbers, the rows are those of all workbooks in the order of their paths, one folder after another."""
    folder = folders[SEEDS[0]]
    own = [source for source in sources_in([folder], plan.partners) if source.folder_partner]
    only_own = settings.home / "own"
    for source in own:
        path = only_own / Path(source.path).relative_to(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source.path, path)
    backfill(settings, only_own)
    by_path = next(others)
    ingest_one_by_one(by_path, sorted(sources_in([only_own], plan.partners), key=lambda one: Path(one.path)))
    ours, theirs = (homes.contents(each.warehouse_url, judged_then=False) for each in (settings, by_path))
    for table in set(theirs) - {"finding", "view_version"}:
        assert ours[table] == theirs[table], table
    # A finding may name another submission by its number, which depends on how partners take turns.
    assert ours["finding"].total() == theirs["finding"].total()


@pytest.mark.trial
@pytest.mark.parametrize("at_call", [*(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5)), 22])
def test_killed_within_a_transaction_and_begun_again(
    settings: Settings, others: Iterator[Settings], folders: dict[int, Path], at_call: int
) -> None:
    """The first 18 calls record chunks, and judge what they replace; what follows judges the shares at the end."""
    folder = folders[SEEDS[1]]
    process = run(backfill_and_die, settings, folder, at_call)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    backfill(settings, folder)
    undisturbed = next(others)
    backfill(undisturbed, folder)
    assert_equal(contents(settings.warehouse_url), contents(undisturbed.warehouse_url))


@pytest.mark.slow
@trials(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), at_call=st.integers(1, 30))
def test_any_returns_killed_anywhere_are_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, plan_folder: Path, plan: Plan, seed: int, at_call: int
) -> None:
    """Different returns and errors in each trial, killed at a different place, or not at all; all are recorded."""
    home = tmp_path_factory.mktemp("trial")
    folder = home / "returns"
    make_folder(folder, plan, seed)
    backfilled, one_by_one = (
        settings_of(home / name, f"sqlite:///{home / name}.db", plan_folder) for name in ("backfilled", "one by one")
    )
    process = run(backfill_and_die, backfilled, folder, at_call)
    process.join()
    backfill(backfilled, folder)
    ingest_one_by_one(one_by_one, in_order(recorded_files(backfilled.warehouse_url), folder, plan))
    assert_equal(contents(backfilled.warehouse_url), contents(one_by_one.warehouse_url))


@pytest.mark.trial
@pytest.mark.parametrize("recorded", [pytest.param(1, marks=pytest.mark.slow), 30])
def test_the_whole_pool_killed_and_begun_again(
    settings: Settings, others: Iterator[Settings], folders: dict[int, Path], recorded: int
) -> None:
    """Kill -9 from outside, as soon as some workbooks are recorded: nothing lost, nothing twice, no process left."""
    folder = folders[SEEDS[0]]
    process = run(backfill, settings, folder)
    while process.is_alive() and how_many(settings) < recorded:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    there = how_many(settings)
    files = backfill(settings, folder)
    assert there < len(files), "it was killed on the way"
    undisturbed = next(others)
    backfill(undisturbed, folder)
    assert_equal(contents(settings.warehouse_url), contents(undisturbed.warehouse_url))


def how_many(settings: Settings) -> int:
    try:
        return len(recorded_files(settings.warehouse_url))
    except DBAPIError as fault:
        # The tables are not there yet.
        assert "no such table" in str(fault) or "does not exist" in str(fault)
        return 0


def test_begun_again_nothing_is_recorded_twice(settings: Settings, folders: dict[int, Path]) -> None:
    folder = folders[SEEDS[0]]
    first = backfill(settings, folder)
    before = contents(settings.warehouse_url)
    assert sorted(backfill(settings, folder, workers=1)) == sorted(first)
    assert contents(settings.warehouse_url) == before
