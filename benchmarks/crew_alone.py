"""The work of the flow `backfill` without Prefect, to be measured in a separate process.

`python benchmarks/crew_alone.py FOLDER RETURNS` ingests the first RETURNS workbooks of a folder into the warehouse that
the environment names, as for `cypp`.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.bulk.chunks import CHUNK_WORKBOOKS, into_chunks
from flows.bulk.process_pool import Crew, Orders, expect_crew
from flows.bulk.sources import sources_in
from flows.ingestion.context import open_to_write
from flows.settings import read_settings
from warehouse.recording.outstanding import shares_to_judge

CORES = 2


def main(folder: Path, returns: int) -> None:
    expect_crew()
    settings = read_settings()
    workplace = open_to_write(settings)
    workplace.engine.dispose()
    sources = sources_in([folder], workplace.plan.partners)[:returns]
    crew = Crew(Orders(settings, workplace.plan, datetime.now(UTC)), CORES)
    try:
        for future in crew.take(list(into_chunks(sources, CHUNK_WORKBOOKS, crew.under_way))):
            if failed := future.result().failed:
                raise SystemExit(f"could not be read: {failed}")
        with shares_to_judge(workplace.engine, workplace.plan) as shares:
            for judged in crew.judge(shares):
                judged.result()
    finally:
        crew.dismiss()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
