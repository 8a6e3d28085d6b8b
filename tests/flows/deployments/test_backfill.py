"""The flow `backfill` on a real Prefect server, and the command that runs it."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from flows.cli.warehouse_access import with_warehouse
from flows.ingestion.context import open_to_write
from flows.settings import Settings
from tests.support.samples import sample_of
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import writing
from warehouse.queries.views import performance
from warehouse.recording import outstanding
from warehouse.recording.record import Arrival, record_batch

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("prefect_server")]

PERIODS = ("2010-11Q1", "2010-11Q2")


@pytest.fixture
def returns(tmp_path: Path) -> Path:
    for code in ("yos", "police"):
        for period in PERIODS:
            path = tmp_path / "returns" / code / f"{period}.xlsx"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sample_of(code, parse_period(period)))
    return tmp_path / "returns"


async def _run(returns: Path, **options: Any) -> tuple[Any, Any, list[Any]]:
    from prefect import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    from flows.deployments.backfill import backfill

    state: Any = await backfill([str(returns)], workers=2, return_state=True, **options)
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        artifacts = await client.read_artifacts(artifact_filter=of_run)
    return state, run, artifacts


@pytest.mark.usefixtures("settings")
def test_one_run_shows_its_progress_and_what_became_of_all(returns: Path) -> None:
    state, run, artifacts = asyncio.run(_run(returns, chunk_workbooks=3))
    assert (state.name, run.name) == ("Completed", "backfill of returns")
    assert state.message.startswith("4 accepted")
    progress, summary = sorted(artifacts, key=lambda artifact: artifact.type, reverse=True)
    assert (progress.type, progress.data) == ("progress", 100.0)
    assert "4 accepted" in summary.data


@pytest.mark.usefixtures("settings")
def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    state, *_ = asyncio.run(_run(tmp_path))
    assert state.message.startswith("No workbooks")


def test_a_broken_program_fails_the_run_and_says_so(
    returns: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.home.mkdir()
    settings.archive.write_text("in the way of the archive's folder")
    state, *_ = asyncio.run(_run(returns))
    assert (state.name, state.type.value) == ("Failed", "FAILED")
    assert "FileExistsError" in state.message


def test_the_command_gives_a_line_a_workbook_and_begun_again_the_same(returns: Path, settings: Settings) -> None:
    from flows.cli.app import app

    (returns / "yos" / "2010-11Q3.xlsx").write_bytes(b"%PDF-1.7")
    outcomes = []
    for _ in range(2):
        ended = CliRunner().invoke(app, ["backfill", str(returns), "--json"])
        assert ended.exit_code == 1, "something was rejected"
        outcomes.append(sorted((json.loads(line) for line in ended.stdout.splitlines()), key=lambda one: one["file"]))
    assert outcomes[0] == outcomes[1]
    assert [one["status"] for one in outcomes[0]] == ["accepted"] * 4 + ["rejected"]
    assert [one["code"] for one in outcomes[0][-1]["findings"]] == ["workbook-not-excel"]
    assert "5 of them recorded before" not in ended.stdout
    assert "5 of them recorded before" in ended.stderr


@pytest.mark.usefixtures("settings")
def test_a_path_that_leads_nowhere_could_not_run(tmp_path: Path) -> None:
    from flows.cli.app import app

    ended = CliRunner().invoke(app, ["backfill", str(tmp_path / "gone")])
    assert ended.exit_code == 2
    assert "gone" in ended.stderr


def test_the_next_sweep_judges_what_a_stopped_backfill_has_left(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.deployments.sweep_inbox import sweep_inbox

    workplace = open_to_write(settings)
    arrival = Arrival(checked("a", observation("NI 43", "5"), observation("NI 43", "6", "2009-10Q1")), later(0))
    with writing(workplace.engine) as connection:
        record_batch(connection, [arrival], workplace.plan, later(0), judge_later=True)

    def judged(connection: Connection, plan: Plan) -> int:
        return len(performance(connection, "NI 43", parse_period("2010-11Q1")))

    assert with_warehouse(judged) == 0
    assert capsys.readouterr().err.startswith("cypp: 1 return is not judged yet")
    asyncio.run(sweep_inbox())
    assert with_warehouse(judged) == 0, "the backfill may still be at work"
    monkeypatch.setattr(outstanding, "_STILL_AT_WORK", timedelta(0))
    asyncio.run(sweep_inbox())
    capsys.readouterr()
    assert with_warehouse(judged) == 1
    assert "not judged" not in capsys.readouterr().err
    workplace.engine.dispose()
