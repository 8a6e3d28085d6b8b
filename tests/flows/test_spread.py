"""How a backfill is divided among machines: no two parts share a partner, so none can affect another."""

import asyncio
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker
from cypp_etl.periods import parse_period
from flows.bulk.chunk_worker import ChunkTaker
from flows.bulk.chunks import into_chunks
from flows.bulk.sources import Source, into_parts, sources_in
from flows.ingestion.context import open_to_write
from flows.settings import Settings
from tests.flows.backfilled import RECEIVED_AT
from tests.support.samples import sample_of

sources = st.lists(st.sampled_from(["", "a", "b", "c", "d", "e", "f"])).map(
    lambda codes: [Source(str(number), code) for number, code in enumerate(codes)]
)


@given(sources, st.integers(1, 8))
def test_every_partner_is_in_one_part_and_parts_are_about_as_large(sources: list[Source], count: int) -> None:
    workbooks = Counter(source.folder_partner for source in sources if source.folder_partner)
    parts = into_parts(sources, count)
    assert len(parts) == min(count, len(workbooks))
    assert sorted(code for part in parts for code in part.partners) == sorted(workbooks)
    sizes = [part.workbooks for part in parts]
    assert sizes == [sum(workbooks[code] for code in part.partners) for part in parts]
    assert max(sizes, default=0) - min(sizes, default=0) <= max(workbooks.values(), default=0)


@given(sources, st.integers(1, 8), st.randoms())
def test_the_order_in_which_workbooks_are_found_changes_no_part(sources: list[Source], count: int, chance) -> None:
    shuffled = chance.sample(sources, len(sources))
    assert into_parts(shuffled, count) == into_parts(sources, count)


def test_a_part_leaves_what_concerns_another_partner(settings: Settings, tmp_path: Path) -> None:
    workplace = open_to_write(settings)
    folder = tmp_path / "returns" / "yos"
    folder.mkdir(parents=True)
    for number, code in enumerate(("yos", "police"), start=1):
        (folder / f"{number}.xlsx").write_bytes(sample_of(code, parse_period("2010-11Q1")))
    (folder / "3.xlsx").write_bytes(b"%PDF-1.7")
    (chunk,) = into_chunks(sources_in([folder.parent], workplace.plan.partners), 100, 1)
    checker = Checker(workplace.plan, History(), RECEIVED_AT.date())
    part = ChunkTaker(workplace, checker, RECEIVED_AT, own_only=True).take(chunk, nullcontext())
    assert [(Path(one.file).name, one.status) for one in part.done] == [("1.xlsx", "accepted"), ("3.xlsx", "rejected")]
    assert [Path(path).name for path in part.left] == ["2.xlsx"]
    end = ChunkTaker(workplace, checker, RECEIVED_AT).take(chunk, nullcontext())
    assert {Path(one.file).name: one.was_known for one in end.done} == {"1.xlsx": True, "2.xlsx": False, "3.xlsx": True}
    workplace.engine.dispose()


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server", "settings")
def test_without_workers_it_says_what_is_missing(tmp_path: Path) -> None:
    from flows.cli.app import app

    ended = CliRunner().invoke(app, ["backfill", str(tmp_path), "--spread"])
    assert ended.exit_code == 2
    assert "has no deployment backfill/backfill-part: set PREFECT_API_URL" in ended.stderr
    asyncio.run(_deploy())
    ended = CliRunner().invoke(app, ["backfill", str(tmp_path), "--spread"])
    assert ended.exit_code == 2
    assert "the work pool 'cypp' has no worker: run `prefect worker start --pool cypp`" in ended.stderr


async def _deploy() -> None:
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name="cypp", type="process"))
        flow_id = await client.create_flow_from_name("backfill")
        await client.create_deployment(flow_id, "backfill-part", work_pool_name="cypp")
