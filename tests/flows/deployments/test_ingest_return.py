"""The flows on a real Prefect server: one run per workbook, with the state that the data team sees."""

import asyncio
import io
import json
import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from cypp_etl.periods import parse_period
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from flows.settings import Settings
from flows.storage.archive import archive_path
from tests.support.samples import sample_of

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("prefect_server")]

PERIOD = parse_period("2010-11Q1")


@pytest.fixture(scope="module")
def workbook() -> bytes:
    return sample_of("yos", PERIOD)


@pytest.fixture
def drop(begun: Settings) -> Path:
    folder = begun.inbox / "yos"
    folder.mkdir(parents=True)
    return folder / "our return.xlsx"


def with_cell(workbook: bytes, address: str, value: object, sheet: str = "Indicators") -> bytes:
    edited = openpyxl.load_workbook(io.BytesIO(workbook))
    edited[sheet][address] = value
    saved = io.BytesIO()
    edited.save(saved)
    return saved.getvalue()


def ingest(path: Path, partner: str = "yos") -> Any:
    from flows.deployments.ingest_return import ingest_return

    return asyncio.run(_state_of(ingest_return(f"{partner}/{path.name}", str(path), partner, return_state=True)))


async def _state_of(run: Any) -> Any:
    return await run


def artifacts_of(run_id: Any) -> list[Any]:
    from prefect import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    async def look() -> list[Any]:
        async with get_client() as client:
            of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
            return await client.read_artifacts(artifact_filter=of_run)

    return asyncio.run(look())


def names_of_last_runs() -> list[str]:
    from prefect import get_client
    from prefect.client.schemas.sorting import FlowRunSort

    async def look() -> list[str]:
        async with get_client() as client:
            return [run.name for run in await client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=3)]

    return asyncio.run(look())


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(settings.home / "warehouse.db") as warehouse:
        return warehouse.execute(query).fetchall()


def test_a_good_return_is_accepted_and_leaves_the_inbox(settings: Settings, drop: Path, workbook: bytes) -> None:
    drop.write_bytes(workbook)
    state = ingest(drop)
    assert (state.name, state.type.value) == ("Accepted", "COMPLETED")
    assert not drop.exists()
    ((sha256, file_name, observations),) = ask(settings, "SELECT sha256, file_name, observations FROM bi_submissions")
    assert (file_name, observations) == ("our return.xlsx", 4)
    assert archive_path(settings.archive, sha256).read_bytes() == workbook


def test_a_form_is_refused_unopened_whatever_is_in_it(settings: Settings, drop: Path, workbook: bytes) -> None:
    form = drop.parent / "forms" / "yos 2010-11Q1.xlsx"
    form.parent.mkdir()
    form.write_bytes(workbook)
    state = ingest(form)
    assert (state.name, state.message) == ("Refused", "It lies among the forms, and is no return: it was not opened.")
    assert form.read_bytes() == workbook
    assert not settings.archive.exists()


def test_a_run_is_named_tagged_and_shows_its_findings(settings: Settings, drop: Path, workbook: bytes) -> None:
    from prefect import get_client

    drop.write_bytes(with_cell(workbook, "I2", "<1"))
    state = ingest(drop)
    assert (state.name, state.type.value) == ("Rejected", "FAILED")

    async def look() -> Any:
        async with get_client() as client:
            return await client.read_flow_run(state.state_details.flow_run_id)

    run, artifacts = asyncio.run(look()), artifacts_of(state.state_details.flow_run_id)
    assert run.name == "yos/our return.xlsx"
    assert set(run.tags) == {"yos", "2010-11Q1"}
    assert {artifact.key for artifact in artifacts} == {"yos-summary", "yos-findings", "returns-2010-11q1"}
    description_of = {artifact.key: artifact.description for artifact in artifacts}
    assert description_of["yos-findings"] == "our return.xlsx: yos, 2010/11 Q1, errors: 1."
    assert state.message.startswith("yos, 2010/11 Q1, errors: 1. The first: Indicators!I2: ")
    table_of = {artifact.key: json.loads(artifact.data) for artifact in artifacts if artifact.type == "table"}
    assert [row["code"] for row in table_of["yos-findings"]] == ["number-with-bound"]
    (own,) = (row for row in table_of["returns-2010-11q1"] if row["partner"] == "yos")
    assert (own["return"], own["attempts"], own["last attempt"]) == ("missing", "1", "rejected, 1 error")
    assert not drop.exists()


def test_the_same_bytes_twice_are_a_duplicate(settings: Settings, drop: Path, workbook: bytes) -> None:
    for _ in range(2):
        drop.write_bytes(workbook)
        state = ingest(drop)
    assert state.name == "Duplicate"
    assert ask(settings, "SELECT count(*) FROM bi_performance_history") == [(4,)]


def test_a_rejected_correction_leaves_the_good_return_in_force(settings: Settings, drop: Path, workbook: bytes) -> None:
    drop.write_bytes(workbook)
    ingest(drop)
    before = ask(settings, "SELECT * FROM bi_performance")
    drop.write_bytes(with_cell(workbook, "I3", "about 7%"))
    assert ingest(drop).name == "Rejected"
    assert ask(settings, "SELECT * FROM bi_performance") == before
    statuses = ask(settings, "SELECT status FROM bi_submissions ORDER BY submission_id")
    assert statuses == [("accepted",), ("rejected",)]


def test_the_partner_finds_the_receipt_and_may_send_it_mended(settings: Settings, drop: Path, workbook: bytes) -> None:
    drop.write_bytes(with_cell(workbook, "I2", "<1"))
    ingest(drop)
    replies = drop.parent / "replies"
    (rejected,) = replies.iterdir()
    assert rejected.name == "our return - rejected.xlsx"
    sent_again = drop.parent / rejected.name
    sent_again.write_bytes(with_cell(rejected.read_bytes(), "I2", 0.35))
    assert ingest(sent_again).name == "Accepted"
    assert sorted(path.name for path in replies.iterdir()) == ["our return - accepted.xlsx", rejected.name]


def test_a_receipt_mended_where_it_lies_is_swept_up(settings: Settings, drop: Path, workbook: bytes) -> None:
    from flows.cli.commands.ingest import ingest_paths

    drop.write_bytes(with_cell(workbook, "I2", "<1"))
    ingest(drop)
    (rejected,) = (drop.parent / "replies").iterdir()
    named = ingest_paths(settings, [rejected])
    assert (named.ingested, [waiting.path for waiting in named.left]) == ([], [rejected])
    assert ingest(rejected).name == "Refused"
    rejected.write_bytes(with_cell(rejected.read_bytes(), "I2", 0.35))
    swept = ingest_paths(settings, [])
    assert any(name.startswith("sweep of 20") for name in names_of_last_runs())
    assert [(path, one.recorded.status.value) for path, one in swept.ingested] == [(drop, "accepted")]
    (accepted,) = (drop.parent / "replies").iterdir()
    accepted.write_bytes(with_cell(accepted.read_bytes(), "I2", "about 36%"))
    named = ingest_paths(settings, [drop.parent])
    assert {"our return.xlsx", "yos/our return.xlsx"} <= set(names_of_last_runs())
    (rejected,) = (drop.parent / "replies").iterdir()
    rejected.write_bytes(with_cell(rejected.read_bytes(), "I2", "about 37%"))
    assert ingest(rejected).name == "Rejected"
    assert [(path, one.recorded.status.value) for path, one in named.ingested] == [(drop, "rejected")]
    assert [path.name for path in drop.parent.rglob("*.xlsx")] == ["our return - rejected.xlsx"]


def test_a_resubmission_says_what_it_changed(settings: Settings, drop: Path, workbook: bytes) -> None:
    drop.write_bytes(workbook)
    ingest(drop)
    without_ratio = with_cell(with_cell(workbook, "K5", None), "L5", None)
    drop.write_bytes(with_cell(without_ratio, "I5", 0.985))
    ingest(drop)
    receipt = openpyxl.load_workbook(drop.parent / "replies" / "our return - accepted.xlsx").worksheets[0]
    texts = "\n".join(str(cell.value) for row in receipt.iter_rows() for cell in row if cell.value is not None)
    assert "Submission 1" in texts
    assert "Indicators, I5: was 97.9%, is 98.5%" in texts
    assert "NI 46, 2010-11Q1, On Target: was ✗, is ✓" in texts


def test_the_summary_says_where_the_receipt_is_and_which_judgements_changed(
    settings: Settings, drop: Path, workbook: bytes
) -> None:
    drop.write_bytes(workbook)
    ingest(drop)
    corrected = with_cell(with_cell(workbook, "K5", None), "L5", None)
    drop.write_bytes(with_cell(corrected, "I5", 0.985))
    state = ingest(drop)
    (summary,) = (one.data for one in artifacts_of(state.state_details.flow_run_id) if one.key == "yos-summary")
    assert f"| Receipt | `{drop.parent / 'replies' / 'our return - accepted.xlsx'}` |" in summary
    assert "| NI 46, 2010-11Q1 | On Target | ✗ | ✓ |" in summary


def test_a_correction_to_a_closed_period_is_held_whatever_is_waived(
    settings: Settings, drop: Path, workbook: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, date, datetime

    from cypp_etl.checked_return import Waiver
    from flows.deployments import ingest_return
    from warehouse.engine import open_warehouse, writing
    from warehouse.recording.administration import add_waiver, close_period

    drop.write_bytes(workbook)
    ingest(drop)
    now = datetime.now(UTC)
    with writing(open_warehouse(settings.warehouse_url)) as connection:
        close_period(connection, PERIOD, "A. Person", now)
    corrected = with_cell(with_cell(workbook, "I5", 0.985), "K5", None)
    drop.write_bytes(with_cell(corrected, "L5", None))
    sent = []
    monkeypatch.setattr(ingest_return, "emit", lambda event, concern: sent.append((event, concern)))
    state = ingest(drop)
    reason = "2010/11 Q1 is closed, and this changes what was returned before: 1 figure. The data team has to decide."
    assert (state.name, state.type.value) == ("Held", "COMPLETED")
    assert state.message == f"Submission 2 waits for a decision: {reason}"
    concern = {"partner": "yos", "period": "2010-11Q1", "file": str(drop), "reason": f"Submission 2: {reason}"}
    assert sent == [("cypp.return.held", concern)]
    made = {one.key: one for one in artifacts_of(state.state_details.flow_run_id)}
    assert made["returns-2010-11q1"].description.endswith("Held: yos (submission 2).")
    assert "| Figures held | 4 |" in made["yos-summary"].data
    receipts = drop.parent / "replies"
    assert sorted(path.name for path in receipts.iterdir()) == ["our return - accepted.xlsx", "our return - held.xlsx"]
    codes = "SELECT code, severity FROM bi_findings WHERE code = 'closed-period-changed' ORDER BY submission_id"
    assert ask(settings, codes) == [("closed-period-changed", "QUERY")]
    waiver = Waiver("closed-period-changed", "yos", "NI 46", PERIOD, "Agreed.", "A. Person", date(2099, 3, 31))
    with writing(open_warehouse(settings.warehouse_url)) as connection:
        add_waiver(connection, waiver, now)
    drop.write_bytes(with_cell(with_cell(corrected, "L5", None), "I5", 0.984))
    assert ingest(drop).name == "Held"
    assert ask(settings, codes)[1:] == [("closed-period-changed", "NOTE")]
    assert [status for (status,) in ask(settings, "SELECT status FROM bi_submissions ORDER BY submission_id")] == [
        "accepted",
        "superseded",
        "held",
    ]
    drop.write_bytes(with_cell(with_cell(corrected, "L5", None), "I5", 0.984))
    again = ingest(drop)
    assert (again.name, again.message) == ("Duplicate", "It says what submission 3 says.")


def test_nobody_returns_for_another(settings: Settings, workbook: bytes) -> None:
    drop = settings.inbox / "police" / "yos.xlsx"
    drop.parent.mkdir(parents=True)
    drop.write_bytes(workbook)
    assert ingest(drop, "police").name == "Rejected"
    codes = ask(settings, "SELECT DISTINCT code FROM bi_findings WHERE code = 'partner-not-folder'")
    assert codes == [("partner-not-folder",)]


def test_a_failure_of_ours_leaves_the_file_for_the_next_sweep(
    settings: Settings, drop: Path, workbook: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.deployments.sweep_inbox import sweep_inbox
    from flows.ingestion.context import Workplace

    drop.write_bytes(workbook)
    tries = []

    def without_room(*_arguments: object, **_named: object) -> None:
        tries.append("archive")
        raise OSError(28, "No space left on device", "/disk/archive")

    def small_database(*_arguments: object, **_named: object) -> None:
        tries.append("warehouse")
        with create_engine("sqlite://").connect() as connection:
            connection.execute(text("PRAGMA max_page_count = 1"))
            connection.execute(text("CREATE TABLE t (x)"))

    for step, place in (("keep", "/disk/archive"), ("load", settings.home / "warehouse.db")):
        with monkeypatch.context() as broken:
            broken.setattr(Workplace, step, {"keep": without_room, "load": small_database}[step])
            swept = asyncio.run(_state_of(sweep_inbox()))
        assert swept.failed == [(drop, f"{place}: no room is left on its disk: make some, and try again")]
        assert drop.read_bytes() == workbook
    # Neither is tried again within the minute.
    assert tries == ["archive", "warehouse"]
    assert ingest(drop).name == "Accepted"


def test_a_sweep_takes_what_can_be_taken(
    settings: Settings, drop: Path, workbook: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.deployments.sweep_inbox import sweep_inbox
    from flows.inbox import stray_files

    monkeypatch.setattr(stray_files, "_QUIET_SECONDS", 0)
    (drop.parent / "Q1").mkdir()
    (drop.parent / "Q1" / drop.name).write_bytes(workbook)
    (drop.parent / "not a workbook.xlsx").write_bytes(b"%PDF-1.7")
    (settings.inbox / "stray.xlsx").write_bytes(workbook)
    swept = asyncio.run(_state_of(sweep_inbox()))
    outcomes = {path.name: one.recorded.status.value for path, one in swept.ingested}
    assert outcomes == {"our return.xlsx": "accepted", "not a workbook.xlsx": "rejected"}
    assert [waiting.path.name for waiting in swept.left] == ["stray.xlsx"]
    assert (settings.inbox / "stray.xlsx - not taken.txt").exists()
    # What lay in a folder of the partner's own is answered where every other return is.
    assert (drop.parent / "replies" / "our return - accepted.xlsx").exists()


@pytest.mark.parametrize("typing", ["text", "number"])
def test_the_published_table_gives_its_own_symbols(settings: Settings, typing: Any, tmp_path: Path) -> None:
    from flows.cli.board_table import count_agreeing_symbols
    from warehouse.engine import open_warehouse, reading

    path = tmp_path / "published.xlsx"
    path.write_bytes(write_published_table(read_sample_table(), typing))
    assert ingest(path, "").name == "Accepted"
    assert path.exists(), "a file outside the inbox is left in place"
    with reading(open_warehouse(settings.warehouse_url)) as connection:
        assert count_agreeing_symbols(connection, parse_period("2009-10"), read_sample_table()) == (60, 60)
    rows = ask(settings, "SELECT count(*), count(DISTINCT period), min(previous_period) FROM bi_performance")
    assert rows == [(13, 1, "2008-09")]


def test_a_file_that_has_gone_is_no_failure(settings: Settings, drop: Path) -> None:
    state = ingest(drop)
    assert (state.name, state.type.value) == ("Gone", "CANCELLED")


def test_what_was_recorded_and_not_taken_away_is_not_recorded_again(
    settings: Settings, drop: Path, workbook: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.ingestion import job

    drop.write_bytes(with_cell(workbook, "I2", "<1"))
    with monkeypatch.context() as killed:
        killed.setattr(job, "take_away", lambda *_: False)
        ingest(drop)
    assert drop.exists()
    state = ingest(drop)
    assert (state.name, drop.exists()) == ("Rejected", False)
    assert ask(settings, "SELECT count(*) FROM bi_submissions") == [(1,)]


def test_the_reminder_lists_what_is_missing(settings: Settings, drop: Path, workbook: bytes) -> None:
    from datetime import date

    from flows.cli.app import app
    from flows.deployments.remind import remind

    drop.write_bytes(workbook)
    ingest(drop)

    def reminded(since: date) -> Any:
        return asyncio.run(_state_of(remind(since=since, return_state=True)))

    state = reminded(date(2010, 7, 1))
    assert (state.name, state.type.value) == ("Returns missing", "COMPLETED")
    assert state.message.splitlines()[0] == "2010-11Q1, was due on 20 July 2010: cyps, lscb, nhs, police, vcs"
    state = reminded(date(2100, 1, 1))
    assert state.name == "Returns missing"
    assert re.fullmatch(r"\d+ older returns, due before 1 January 2100", state.message)
    command = CliRunner().invoke(app, ["remind", "--since", "2100-01-01"])
    assert (command.exit_code, command.output) == (1, f"{state.message}\n")


def test_a_run_takes_the_workbook_that_its_arguments_name(settings: Settings, drop: Path, workbook: bytes) -> None:
    """While the steps of a workbook are running, a run for it shares them, and a run for another has its own."""
    from datetime import UTC, datetime

    from flows.deployments.ingest_return import ingest_return, showing
    from flows.ingestion.context import open_to_write
    from flows.ingestion.job import Steps

    other = drop.with_name("another.xlsx")
    drop.write_bytes(workbook)
    other.write_bytes(with_cell(workbook, "I2", "<1"))
    at = datetime(2010, 7, 12, 9, tzinfo=UTC)
    steps = Steps(open_to_write(settings), drop, "yos", at)
    checked = steps.check()
    with showing(steps):
        state = asyncio.run(_state_of(ingest_return("yos/b", str(other), "yos", at, return_state=True)))
        assert (state.name, other.exists(), drop.exists()) == ("Rejected", False, True)
        state = asyncio.run(_state_of(ingest_return("yos/a", str(drop), "yos", at, return_state=True)))
    assert (state.name, drop.exists()) == ("Accepted", False)
    assert asyncio.run(state.aresult()).checked is steps.check()
    assert steps.check() == checked


def test_what_is_erased_leaves_prefect_too(settings: Settings, drop: Path, workbook: bytes) -> None:
    from flows.cli.app import app
    from flows.deployments.decisions.flows import erase_content

    drop.write_bytes(with_cell(workbook, "K2", "Frumious 12"))
    asked, other = settings.inbox / "yos" / "asked.xlsx", settings.inbox / "yos" / "other.xlsx"
    asked.write_bytes(with_cell(workbook, "B6", "Brillig", "Return"))
    other.write_bytes(with_cell(workbook, "K2", "Slithy 7"))
    run_id, asked_id, kept_id = (ingest(path).state_details.flow_run_id for path in (drop, asked, other))
    assert "Frumious" in str([one.data for one in artifacts_of(run_id)])
    assert "Frumious" in logs_once_ended(run_id)
    assert "Slithy" in logs_once_ended(kept_id)
    # The table of the quarter's queries quotes the returns of all, in everybody's runs.
    assert "Brillig" in str([one.data for one in artifacts_of(kept_id)])
    ended = CliRunner().invoke(app, ["erase", "1", "--by", "A. Officer", "--why", "Asked for"])
    assert (ended.exit_code, ended.output.splitlines()[-1]) == (0, "Prefect's runs removed: 1.")
    assert "Frumious" not in str([one.data for one in artifacts_of(run_id)])
    assert logs_of(run_id) == ""
    assert "Slithy" in str([one.data for one in artifacts_of(kept_id)])
    assert "Slithy" in logs_of(kept_id)
    assert "Brillig" not in str([one.data for one in artifacts_of(kept_id)])
    erased = asyncio.run(_state_of(erase_content(2, "Asked for", None, "A. Officer", return_state=True)))
    assert erased.name == "Decided"
    own = {one.key: str(one.data) for one in artifacts_of(erased.state_details.flow_run_id)}
    assert "Prefect's runs removed: 1." in own["erase-content"].replace("\\", "")
    assert "erased" in own["queries-2010-11q1"]
    for number in (run_id, asked_id, kept_id, erased.state_details.flow_run_id):
        assert "Brillig" not in str([one.data for one in artifacts_of(number)]) + logs_of(number)
    assert "Slithy" in logs_of(kept_id)


@pytest.mark.trial
def test_old_runs_are_pruned_with_what_they_quote(settings: Settings, drop: Path, workbook: bytes) -> None:
    from flows.cli.removed_runs import remove_runs_before

    drop.write_bytes(workbook)
    begun = datetime.now(UTC)
    run_id = ingest(drop).state_details.flow_run_id
    logged = logs_once_ended(run_id)
    remove_runs_before(settings, begun, remove=True)
    assert logs_of(run_id) == logged, "it ended later"
    ended = datetime.now(UTC) + timedelta(seconds=1)
    assert remove_runs_before(settings, ended, remove=False) == 1
    assert logs_of(run_id) == logged, "it was only counted"
    assert remove_runs_before(settings, ended, remove=True) == 1
    assert logs_of(run_id) == ""
    # The quarter's overview is not the run's alone.
    assert [one.key for one in artifacts_of(run_id)] == ["returns-2010-11q1"]


def logs_once_ended(run_id: Any) -> str:
    """The logs of a run, which are sent a while after it has ended."""
    give_up = time.monotonic() + 30
    while not re.search(r"Finished in state (Accepted|Rejected)", logs_of(run_id)):
        assert time.monotonic() < give_up
        time.sleep(0.2)
    return logs_of(run_id)


def logs_of(run_id: Any) -> str:
    from prefect import get_client
    from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId

    async def look() -> str:
        async with get_client() as client:
            logs = await client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id])))
            return "\n".join(log.message for log in logs)

    return asyncio.run(look())
