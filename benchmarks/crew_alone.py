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
from warehouse.engine import reading, writing
from warehouse.recording.outstanding import forget_judged, outstanding_shares

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
        with reading(workplace.engine) as connection:
            shares = outstanding_shares(connection, workplace.plan)
        for judged in crew.judge(shares):
            judged.result()
        with writing(workplace.engine) as connection:
            forget_judged(connection, shares)
    finally:
        crew.dismiss()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
