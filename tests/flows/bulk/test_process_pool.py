"""The processes of a pool: there while it works, and gone once it is stopped, with nobody else's."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from cypp_etl.plan.reader import read_plan
from flows.bulk.chunks import into_chunks
from flows.bulk.process_pool import TrackedContext, WorkerPool, WorkerSettings, preload_workers
from flows.bulk.sources import sources_in
from flows.ingestion.context import open_to_write
from flows.settings import read_settings
from tests.flows.backfilled import RECEIVED_AT


def is_there(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("is_at_work", [True, False])
def test_a_pool_that_is_stopped_is_gone_and_others_stay(tmp_path: Path, is_at_work: bool) -> None:
    """Also while its processes still start."""
    settings = read_settings({"CYPP_HOME": str(tmp_path)})
    open_to_write(settings).engine.dispose()
    for number in range(4):
        (tmp_path / f"{number}.xlsx").write_text("no workbook")
    preload_workers()
    other = multiprocessing.get_context("forkserver").Process(target=time.sleep, args=(60,))
    other.start()
    pool = WorkerPool(WorkerSettings(settings, read_plan(), RECEIVED_AT), 2)
    try:
        chunks = pool.take(list(into_chunks(sources_in([tmp_path], ()), 1, pool.under_way)))
        first = next(chunks)
        if is_at_work:
            assert len(first.result(60).done) == 1
        members = [process.pid for process in multiprocessing.active_children() if process.pid != other.pid]
        assert members
        assert all(map(is_there, members))
        pool.stop()
        assert not any(map(is_there, members))
        assert multiprocessing.active_children() == [other]
        assert is_there(other.pid)
    finally:
        pool.stop()
        other.terminate()
        other.join()


def test_a_process_that_never_started_need_not_be_ended() -> None:
    context = TrackedContext(multiprocessing.get_context())
    started, _ = (context.Process(target=time.sleep, args=(60,)) for _ in range(2))
    started.start()
    context.end()
    assert started.exitcode == -15
