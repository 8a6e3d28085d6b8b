"""A backfill without Prefect, and the same workbooks one by one, in processes that can be killed."""

import os
import re
import signal
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, RowMapping, Table, select

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker
from flows.bulk.chunk_worker import ChunkTaker
from flows.bulk.chunks import into_chunks
from flows.bulk.process_pool import WorkerPool, WorkerSettings
from flows.bulk.sources import Source, sources_in
from flows.ingestion.context import open_to_write
from flows.settings import Settings, read_settings
from tests.trials.homes import JUDGED_TABLES
from warehouse.engine import open_warehouse, reading
from warehouse.recording import outstanding, record
from warehouse.recording.outstanding import shares_to_judge
from warehouse.schema.tables import metadata, submission

RECEIVED_AT = datetime(2012, 6, 30, 10, tzinfo=UTC)
CHUNK = 16
# Moments, which differ between runs; and numbers that depend on the order in which a batch was judged.
_OWN = {
    *("recorded_at", "superseded_at", "received_at", "decided_at"),
    *("judgement_id", "comparison_id", "group_judgement_id", "clinic_number"),
}


def settings_of(home: Path, url: str, plan: Path) -> Settings:
    home.mkdir(exist_ok=True)
    return read_settings({"CYPP_HOME": str(home), "CYPP_WAREHOUSE_URL": url, "CYPP_PLAN": str(plan)})


def backfill(settings: Settings, folder: Path, workers: int = 2) -> list[str]:
    """The work of the flow; returns the workbooks in the order in which they were recorded."""
    workplace = open_to_write(settings)
    sources = sources_in([folder], workplace.plan.partners)
    pool = WorkerPool(WorkerSettings(settings, workplace.plan, RECEIVED_AT), workers)
    try:
        taken = [future.result() for future in pool.take(list(into_chunks(sources, CHUNK, pool.under_way)))]
        with shares_to_judge(workplace.engine, workplace.plan) as shares:
            for future in pool.judge(shares):
                future.result()
    finally:
        pool.stop()
    assert all(not one.failed for one in taken)
    return [done.file for one in taken for done in one.done]


def backfill_and_die(settings: Settings, folder: Path, at_call: int) -> None:
    """The same in this process, which dies at the n-th step of judging, within a transaction."""
    calls = iter(range(1, 1_000_000))

    def or_die(work: Callable[..., Any]) -> Callable[..., Any]:
        def work_or_die(*arguments: Any) -> Any:
            if next(calls) == at_call:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*arguments)

        return work_or_die

    record.rejudge_turned = or_die(record.rejudge_turned)
    outstanding.keep_judged, outstanding.rejudge_every_group, outstanding.forget_judged = map(
        or_die, (outstanding.keep_judged, outstanding.rejudge_every_group, outstanding.forget_judged)
    )
    outstanding.FIGURES_AT_ONCE = 100
    workplace = open_to_write(settings)
    taker = ChunkTaker(workplace, Checker(workplace.plan, History(), RECEIVED_AT.date()), RECEIVED_AT)
    for chunk in into_chunks(sources_in([folder], workplace.plan.partners), CHUNK, 0):
        taker.take(chunk, nullcontext())
    outstanding.judge_outstanding(workplace.engine, workplace.plan, lambda: datetime.now(UTC))


def ingest_one_by_one(settings: Settings, sources: Sequence[Source]) -> None:
    """The work of `ingest-return` for each, in the given order."""
    workplace = open_to_write(settings)
    for source in sources:
        kept = workplace.keep(Path(source.path))
        checked = workplace.check(source.path, kept, source.folder_partner, RECEIVED_AT)
        workplace.load(checked, RECEIVED_AT, kept.delivery)
    workplace.engine.dispose()


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table with its number, without moments; and whether it is superseded.

    Of what is judged, it is what is in force: a backfill judges at its end, and never makes the judgements that later
    workbooks would replace. A killed process leaves gaps in PostgreSQL's numbers, so here they count from 0 without
    gaps.
    """
    engine = open_warehouse(url)
    with reading(engine) as connection:
        # The views' text differs between database systems.
        rows_of = {
            table: [
                row
                for row in connection.execute(select(table)).mappings()
                if table not in JUDGED_TABLES or row["superseded_at"] is None
            ]
            for table in metadata.sorted_tables
            if table.name != "view_version"
        }
    engine.dispose()
    numbers = {key: sorted(row[key.name] for row in rows) for table, rows in rows_of.items() for key in _own_key(table)}
    places = {key: {number: place for place, number in enumerate(found)} for key, found in numbers.items()}
    return {
        table.name: sorted((_told(table, row, places) for row in rows), key=repr) for table, rows in rows_of.items()
    }


def _own_key(table: Table) -> list[Column[Any]]:
    return [column for column in table.primary_key if column.name.endswith("_id") and not column.foreign_keys]


def _told(table: Table, row: RowMapping, places: dict[Column[Any], dict[int, int]]) -> dict[str, Any]:
    told = {"ended": row.get("superseded_at") is not None}
    for column in table.columns:
        if column.name not in _OWN:
            target = next((key.column for key in column.foreign_keys), column)
            told[column.name] = places.get(target, {}).get(row[column.name], row[column.name])
    if told.get("code") == "same-content":
        told["message"] = re.sub(r"\d+", "some number", told["message"])
    return told


def recorded_files(url: str) -> list[str]:
    engine = open_warehouse(url)
    with reading(engine) as connection:
        files = list(connection.scalars(select(submission.c.file).order_by(submission.c.submission_id)))
    engine.dispose()
    return files
