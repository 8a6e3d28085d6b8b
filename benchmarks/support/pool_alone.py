"""The work of the flow `backfill` without Prefect, to be measured in a separate process.

`python benchmarks/support/pool_alone.py FOLDER RETURNS` ingests the first RETURNS workbooks of a folder into the
warehouse that the environment names, as for `cypp`.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from flows.bulk.chunks import CHUNK_WORKBOOKS, into_chunks
from flows.bulk.process_pool import WorkerPool, WorkerSettings, preload_workers
from flows.bulk.sources import sources_in
from flows.ingestion.context import open_to_write
from flows.settings import read_settings
from warehouse.recording.outstanding import shares_to_judge

CORES = 2


def main(folder: Path, returns: int) -> None:
    preload_workers()
    settings = read_settings()
    workplace = open_to_write(settings)
    workplace.engine.dispose()
    sources = sources_in([folder], workplace.plan.partners)[:returns]
    pool = WorkerPool(WorkerSettings(settings, workplace.plan, datetime.now(UTC)), CORES)
    try:
        for future in pool.take(list(into_chunks(sources, CHUNK_WORKBOOKS, pool.under_way))):
            if failed := future.result().failed:
                raise SystemExit(f"could not be read: {failed}")
        with shares_to_judge(workplace.engine, workplace.plan) as shares:
            for judged in pool.judge(shares):
                judged.result()
    finally:
        pool.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
