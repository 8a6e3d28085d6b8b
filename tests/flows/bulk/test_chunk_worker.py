"""The workbooks of a backfill, their partners and order, and how a chunk handles files that are not workbooks."""

import re
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Opened, Received
from cypp_etl.periods import parse_period
from flows.bulk.chunk_worker import ChunkTaker
from flows.bulk.chunks import ChunkResult, into_chunks
from flows.bulk.sources import Source, sources_in, workbooks_at
from flows.ingestion.context import open_to_write
from flows.ingestion.reconciliation import reconcile
from flows.settings import Settings
from tests.flows.backfilled import RECEIVED_AT
from tests.support.samples import sample_of
from warehouse.engine import reading
from warehouse.views.selectable import view

PARTNERS = ("yos", "police")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_locks_hidden_files_and_other_things_are_no_workbooks(tmp_path: Path) -> None:
    touch(tmp_path, "b.xlsx", "a.XLSM", "~$b.xlsx", ".c.xlsx", "notes.txt", "deep/d.ods")
    (tmp_path / "folder.xlsx").mkdir()
    assert [path.name for path in workbooks_at(tmp_path)] == ["a.XLSM", "b.xlsx", "d.ods"]
    assert list(workbooks_at(tmp_path / "notes.txt")) == [tmp_path / "notes.txt"], "what was named is taken"


def test_a_path_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sources_in([tmp_path / "gone"], PARTNERS)


def test_the_nearest_folder_says_whose_it_is(tmp_path: Path) -> None:
    touch(tmp_path / "yos", "1.xlsx", "police/2.xlsx", "2010/3.xlsx")
    touch(tmp_path, "4.xlsx")
    owners = {Path(one.path).name: one.folder_partner for one in sources_in([tmp_path], PARTNERS)}
    assert owners == {"1.xlsx": "yos", "2.xlsx": "police", "3.xlsx": "yos", "4.xlsx": ""}
    (inner,) = sources_in([tmp_path / "yos" / "2010"], PARTNERS)
    assert inner.folder_partner == "", "folders above what was given say nothing"


def test_the_forms_in_a_partners_folder_are_no_returns(tmp_path: Path) -> None:
    for name in ("yos/forms/yos 2010-11Q1.xlsx", "yos/return.xlsx", "forms/return.xlsx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [Path(one.path).relative_to(tmp_path).as_posix() for one in sources_in([tmp_path], PARTNERS)]
    assert sorted(found) == ["forms/return.xlsx", "yos/return.xlsx"]


def test_partners_take_turns_and_keep_their_order(tmp_path: Path) -> None:
    touch(tmp_path, "police/1.xlsx", "police/2.xlsx", "yos/3.xlsx", "yos/4.xlsx", "yos/5.xlsx", "zzz/6.xlsx")
    names = [Path(one.path).stem for one in sources_in([tmp_path, tmp_path / "yos"], PARTNERS)]
    assert names == ["1", "3", "6", "2", "4", "5"]


def test_chunks_say_for_whom_they_must_wait() -> None:
    sources = [Source(str(number), code) for number, code in enumerate(["a", "b", "c", "a", "d", "", "b", ""])]
    chunks = list(into_chunks(sources, 2, 2))
    assert [source.path for chunk in chunks for source in chunk.sources] == [str(number) for number in range(8)]
    assert [chunk.awaited for chunk in chunks] == [set(), {"a"}, set(), set()]
    assert [chunk.awaited for chunk in into_chunks(sources, 2, 3)] == [set(), {"a"}, set(), {"b"}]
    assert list(into_chunks([], 2, 1)) == []


@pytest.fixture
def taker(begun: Settings) -> ChunkTaker:
    workplace = open_to_write(begun)
    return ChunkTaker(workplace, Checker(workplace.plan, History(), RECEIVED_AT.date()), RECEIVED_AT)


def take(taker: ChunkTaker, folder: Path) -> ChunkResult:
    (chunk,) = into_chunks(sources_in([folder], taker.workplace.plan.partners), 100, 1)
    return taker.take(chunk, nullcontext())


def test_a_bad_file_is_a_finding_and_stays_where_it_is(taker: ChunkTaker, tmp_path: Path) -> None:
    folder = tmp_path / "returns" / "yos"
    folder.mkdir(parents=True)
    (folder / "1.xlsx").write_bytes(b"%PDF-1.7")
    (folder / "2.xlsx").write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    (folder / "3.xlsx").symlink_to(folder / "gone.xlsx")
    (folder / "4.xlsx").write_bytes((folder / "2.xlsx").read_bytes())
    taken = take(taker, folder.parent)
    assert [(Path(one.file).name, one.status) for one in taken.done] == [
        ("1.xlsx", "rejected"),
        ("2.xlsx", "accepted"),
        ("4.xlsx", "duplicate"),
    ]
    assert [finding.code for finding in taken.done[0].findings] == ["workbook-not-excel"]
    assert sorted(path.name for path in folder.iterdir()) == ["1.xlsx", "2.xlsx", "3.xlsx", "4.xlsx"]
    again = take(taker, folder.parent)
    assert all(one.was_known for one in again.done)
    assert [(one.file, one.period, one.status) for one in again.done] == [
        (one.file, one.period, one.status) for one in taken.done
    ]
    # A duplicate is recorded without findings: they are those of the submission that it repeats.
    assert [one.findings for one in again.done] == [*(one.findings for one in taken.done[:2]), ()]


def test_what_a_backfill_that_was_stopped_has_not_judged_is_judged_by_reconciling(
    taker: ChunkTaker, tmp_path: Path
) -> None:
    folder = tmp_path / "returns" / "yos"
    folder.mkdir(parents=True)
    (folder / "1.xlsx").write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    take(taker, folder.parent)

    def judged() -> int:
        with reading(taker.workplace.engine) as connection:
            return connection.scalar(select(func.count()).select_from(view("bi_performance"))) or 0

    assert judged() == 0
    reconcile(taker.workplace)
    assert judged() > 0


def test_a_file_that_no_disk_gives_is_said_and_stops_no_other(taker: ChunkTaker, tmp_path: Path) -> None:
    good = tmp_path / "good.xlsx"
    good.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    sources = [Source(str(tmp_path / "gone.xlsx"), ""), Source(str(good), "")]
    (chunk,) = into_chunks(sources, 100, 1)
    taken = taker.take(chunk, nullcontext())
    assert [one.status for one in taken.done] == ["accepted"]
    ((path, message),) = taken.failed
    assert Path(path).name == "gone.xlsx"
    assert "No such file" in message


def test_a_disk_that_is_full_is_no_findings(taker: ChunkTaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.xlsx").write_bytes(b"%PDF-1.7")

    def disk_full(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.bulk.chunk_worker.keep_together", disk_full)
    with pytest.raises(OSError, match="No space"):
        take(taker, tmp_path)


class Hanging(Checker):
    """Never finishes checking, like a regular expression that backtracks without end."""

    def check_opened(self, batch: Sequence[Opened]) -> list[CheckedReturn]:
        re.match(r"(a+)+$", "a" * 64 + "b")
        raise AssertionError("it was to be interrupted")


def test_a_chunk_that_hangs_is_checked_one_by_one_elsewhere(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.bulk.chunk_worker._CHECK_SECONDS", 0.2)
    workplace = open_to_write(settings)
    taker = ChunkTaker(workplace, Hanging(workplace.plan, History(), RECEIVED_AT.date()), RECEIVED_AT)
    folder = tmp_path / "returns" / "yos"
    folder.mkdir(parents=True)
    (folder / "1.xlsx").write_bytes(b"%PDF-1.7")
    (folder / "2.xlsx").write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    taken = take(taker, folder.parent)
    assert [(Path(one.file).name, one.status) for one in taken.done] == [
        ("1.xlsx", "rejected"),
        ("2.xlsx", "accepted"),
    ]


class NeverOpening(Checker):
    """Never finishes one workbook."""

    def open(self, received: Received) -> Opened:
        if received.file.endswith("1.xlsx"):
            time.sleep(600)
        return super().open(received)


def test_a_workbook_that_is_never_opened_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.bulk.chunk_worker._OPEN_SECONDS", 1.0)
    workplace = open_to_write(settings)
    taker = ChunkTaker(workplace, NeverOpening(workplace.plan, History(), RECEIVED_AT.date()), RECEIVED_AT)
    folder = tmp_path / "returns" / "yos"
    folder.mkdir(parents=True)
    for name, quarter in (("1.xlsx", "2010-11Q1"), ("2.xlsx", "2010-11Q2")):
        (folder / name).write_bytes(sample_of("yos", parse_period(quarter)))
    taken = take(taker, folder.parent)
    assert [finding.code for finding in taken.done[0].findings] == ["workbook-too-complex"]
    assert [one.status for one in taken.done] == ["rejected", "accepted"]
