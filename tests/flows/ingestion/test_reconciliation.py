"""After a restore: what the archive holds and the warehouse does not know is found, and taken once, in its order."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import RowMapping, make_url, select

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import fill_template, sample_answers
from cypp_etl.templates.workbook import write_template
from flows.bulk.chunk_worker import ChunkTaker
from flows.bulk.chunks import Chunk
from flows.bulk.sources import Source
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.ingestion.reconciliation import Reconciled, reconcile, without_note
from flows.settings import Settings
from flows.storage.archive import archive_path
from flows.storage.drop_notes import DROPS, Unanswered
from tests.support.samples import sample_of
from warehouse.engine import reading
from warehouse.schema.tables import submission

PLAN = read_plan()
AT = datetime(2010, 7, 12, 9, tzinfo=UTC)
FIRST, SECOND, THIRD = (parse_period(code) for code in ("2010-11Q1", "2010-11Q2", "2010-11Q3"))
_numbers = count()


def corrected(period: Period, comment: str = "Counted again.") -> bytes:
    """The sample return with another comment at its first figure."""
    answers = sample_answers(PLAN, "yos", period)
    first, answer = next(iter(answers.indicators.items()))
    indicators = {**answers.indicators, first: replace(answer, comment=comment)}
    return fill_template(write_template(PLAN, "yos", period), replace(answers, indicators=indicators))


class House:
    """A home, which can be left for one with the same archive and inbox and an older warehouse."""

    def __init__(self, settings: Settings, copied: Callable[[str], str]) -> None:
        self.settings = settings
        self.workplace = open_to_write(settings)
        self._copied = copied

    def older(self) -> "House":
        """The same home with its warehouse as it is now, which no later drop will reach."""
        self.workplace.engine.dispose()
        now = make_url(self.settings.warehouse_url)
        if now.get_backend_name() == "postgresql":
            url = self._copied(str(now.database))
        else:
            path = self.settings.home / f"older_{next(_numbers)}.db"
            shutil.copy(self.settings.home / "warehouse.db", path)
            url = f"sqlite:///{path}"
        return House(replace(self.settings, warehouse_url=url), self._copied)

    def drop(self, name: str, content: bytes, partner: str = "yos") -> Path:
        path = self.settings.inbox / partner / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def ingest(self, path: Path, minutes: int, partner: str = "yos") -> int:
        """Ingest a file so many minutes after nine."""
        steps = Steps(self.workplace, path, partner, AT + timedelta(minutes=minutes))
        number = steps.load().submission_id
        steps.reply()
        steps.take_away()
        return number

    def backfill(self, paths: Sequence[Path]) -> list[int]:
        taker = ChunkTaker(self.workplace, Checker(PLAN, History(), AT.date()), AT)
        sources = tuple(Source(str(path), path.parent.name) for path in paths)
        return [one.submission_id for one in taker.take(Chunk(0, sources, frozenset()), nullcontext()).done]

    def reconcile(self) -> Reconciled:
        return reconcile(self.workplace)

    def submissions(self) -> list[RowMapping]:
        with reading(self.workplace.engine) as connection:
            return list(connection.execute(select(submission).order_by(submission.c.submission_id)).mappings())

    def told(self) -> list[tuple[object, ...]]:
        """What people are told of each submission, less its number."""
        names = ("partner_code", "period", "version", "file", "sha256", "status", "received_at", "delivery")
        return [tuple(row[name] for name in names) for row in self.submissions()]


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, settings: Settings, copied: Callable[[str], str]) -> House:
    if request.param == "sqlite":
        return House(request.getfixturevalue("begun"), copied)
    return House(replace(settings, warehouse_url=copied(request.getfixturevalue("begun_database"))), copied)


def test_what_came_after_the_copy_is_taken_as_it_came(house: House) -> None:
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    older = house.older()
    # The names do not say the order: the correction's comes first in the alphabet.
    second = house.ingest(house.drop("z.xlsx", sample_of("yos", SECOND)), 1)
    third = house.ingest(house.drop("a.xlsx", corrected(SECOND)), 2)
    police = house.ingest(house.drop("p.xlsx", sample_of("police", FIRST), "police"), 3, "police")

    done = older.reconcile()
    assert [one.earlier_number for one in done.taken] == [second, third, police]
    assert older.told() == house.told()
    assert done.left == []
    assert older.reconcile().taken == []


def test_no_number_is_given_twice(house: House) -> None:
    """Nor by an ingestion that comes before anybody has reconciled."""
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    older = house.older()
    given = {row["submission_id"] for row in house.submissions()}
    for minute in range(1, 4):
        given.add(house.ingest(house.drop(f"{minute}.xlsx", b"no workbook %d" % minute), minute))
    new = older.ingest(older.drop("p.xlsx", sample_of("police", FIRST), "police"), 10, "police")
    older.reconcile()
    numbers = [row["submission_id"] for row in older.submissions()]
    assert new > max(given)
    assert len(numbers) == 5
    assert set(numbers) & given == {min(given)}


def test_the_receipt_is_written_again(house: House) -> None:
    """The partner's folder may be as old as the warehouse."""
    older = house.older()
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    (receipt,) = (house.settings.inbox / "yos" / "replies").iterdir()
    receipt.unlink()
    older.reconcile()
    assert receipt.exists()
    assert Unanswered(house.settings.archive).deliveries() == set()


def test_what_was_recorded_and_not_answered_is_answered(house: House) -> None:
    """As when the process was killed between the two."""
    older = house.older()
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    (receipt,) = (house.settings.inbox / "yos" / "replies").iterdir()
    older.reconcile()
    receipt.unlink()
    Unanswered(house.settings.archive).add(older.submissions()[0]["delivery"])
    older.reconcile()
    assert receipt.exists()
    assert len(older.submissions()) == 1


def test_a_file_from_elsewhere_is_taken_and_answered_nowhere(house: House, tmp_path: Path) -> None:
    older = house.older()
    path = tmp_path / "sent" / "police.xlsx"
    path.parent.mkdir()
    path.write_bytes(sample_of("police", FIRST))
    # As often as somebody likes.
    for minute in range(2):
        steps = Steps(house.workplace, path, "", AT + timedelta(minutes=minute))
        assert not steps.load().was_known
    older.reconcile()
    assert older.told() == house.told()
    assert len(older.told()) == 2
    assert list(path.parent.iterdir()) == [path]


def test_a_backfill_is_taken_in_the_order_of_its_paths(house: House, tmp_path: Path) -> None:
    older = house.older()
    folder = tmp_path / "old returns" / "yos"
    folder.mkdir(parents=True)
    paths = [folder / name for name in ("1.xlsx", "2.xlsx", "3.xlsx")]
    for path, comment in zip(paths, ("One.", "Two.", "Three."), strict=True):
        path.write_bytes(corrected(FIRST, comment))
    house.backfill(paths)
    assert [one.drop.file for one in older.reconcile().taken] == [str(path) for path in paths]
    assert older.told() == house.told()
    assert sorted(folder.iterdir()) == paths, "there is no receipt"


def test_what_lies_in_the_inbox_still_is_left_to_the_sweep(house: House) -> None:
    path = house.drop("first.xlsx", sample_of("yos", FIRST))
    older = house.older()
    Steps(house.workplace, path, "yos", AT).load()
    assert older.reconcile().taken == []
    older.ingest(path, 5)
    assert [row["file"] for row in older.submissions()] == [str(path)]


def test_what_was_kept_and_not_recorded_is_taken_when_it_is_gone(house: House) -> None:
    path = house.drop("first.xlsx", sample_of("yos", FIRST))
    Steps(house.workplace, path, "yos", AT).check()
    assert house.reconcile().taken == []
    path.unlink()
    assert len(house.reconcile().taken) == 1


def test_what_was_replaced_before_it_was_recorded_is_not_taken(house: House) -> None:
    path = house.drop("first.xlsx", b"half a workbook")
    Steps(house.workplace, path, "yos", AT).check()
    house.drop("first.xlsx", sample_of("yos", FIRST))
    house.ingest(path, 1)
    assert house.reconcile().taken == []
    assert len(house.submissions()) == 1


def test_what_is_in_force_and_came_later_stays_in_force(house: House) -> None:
    older = house.older()
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    correction = older.ingest(older.drop("second.xlsx", corrected(FIRST)), 60)
    done = older.reconcile()
    assert done.taken == []
    assert [f"submission {correction} came later" in sentence for sentence in done.left] == [True]
    assert [row["submission_id"] for row in older.submissions() if row["superseded_at"] is None] == [correction]


def test_one_that_came_at_the_same_moment_is_taken(house: House) -> None:
    """The boundary of what came later."""
    older = house.older()
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    older.ingest(older.drop("second.xlsx", corrected(FIRST)), 0)
    assert len(older.reconcile().taken) == 1


def test_a_home_that_was_moved_answers_in_its_own_inbox(house: House, tmp_path: Path) -> None:
    older = house.older()
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    moved = House(replace(older.settings, inbox=tmp_path / "moved"), None)
    moved.reconcile()
    assert [path.name for path in (tmp_path / "moved" / "yos" / "replies").iterdir()] != []
    assert moved.submissions()[0]["file"] == str(tmp_path / "moved" / "yos" / "first.xlsx")


def test_bytes_that_are_gone_are_said_and_stop_no_other(house: House) -> None:
    older = house.older()
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    house.ingest(house.drop("second.xlsx", sample_of("yos", SECOND)), 1)
    archive_path(house.settings.archive, house.submissions()[0]["sha256"]).unlink()
    done = older.reconcile()
    assert len(done.taken) == 1
    assert [sentence.startswith("yos/first.xlsx") for sentence in done.left] == [True]


def test_a_name_that_is_withheld_is_not_told(house: House) -> None:
    older = house.older()
    house.ingest(house.drop("return of jane.doe@example.org.xlsx", sample_of("yos", FIRST)), 0)
    (taken,) = older.reconcile().taken
    assert "jane" not in str(taken)
    assert older.told() == house.told()


def test_bytes_without_a_note_are_named(house: House) -> None:
    """As an archive has them that was kept before there were notes."""
    older = house.older()
    house.ingest(house.drop("first.xlsx", sample_of("yos", FIRST)), 0)
    assert without_note(older.workplace) == []
    shutil.rmtree(house.settings.archive / DROPS)
    assert without_note(older.workplace) == [archive_path(house.settings.archive, house.submissions()[0]["sha256"])]
    assert without_note(house.workplace) == []


def test_it_stops_between_two_drops(house: House) -> None:
    older = house.older()
    for minute, period in enumerate((FIRST, SECOND, THIRD)):
        house.ingest(house.drop(f"{minute}.xlsx", sample_of("yos", period)), minute)
    asked = iter((False, True))
    assert len(reconcile(older.workplace, is_stopped=lambda: next(asked)).taken) == 1
    assert len(older.reconcile().taken) == 2
    assert older.told() == house.told()
