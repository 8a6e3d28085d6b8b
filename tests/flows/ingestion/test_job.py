"""The steps of a workbook: each runs once, and a second call returns the same result."""

from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from cypp_etl.periods import parse_period
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.job import Steps
from flows.settings import Settings
from flows.storage.archive import READ_BYTES
from flows.storage.drop_notes import DROPS
from tests.support.samples import sample_of

AT = datetime(2010, 7, 12, 9, tzinfo=UTC)


@pytest.fixture
def drop(settings: Settings) -> Path:
    folder = settings.inbox / "yos"
    folder.mkdir(parents=True)
    path = folder / "our return.xlsx"
    path.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    return path


@pytest.fixture
def workplace(begun: Settings, drop: Path) -> Workplace:
    return open_to_write(begun)


def _codes_on(receipt: Path) -> list[object]:
    sheet = openpyxl.load_workbook(receipt).worksheets[0]
    return [cell.value for row in sheet.iter_rows() for cell in row if cell.value in {"ERROR", "QUERY", "NOTE"}]


def test_steps_that_are_taken_again_say_the_same(workplace: Workplace, drop: Path) -> None:
    """The process that recorded it was killed before the end; the next one must not compare it with itself."""
    first = Steps(workplace, drop, "yos", AT)
    recorded = first.load()
    answered = first.reply()
    assert answered is not None
    told = (first.check().findings, _codes_on(answered.receipt), answered.summary.status)

    again = Steps(workplace, drop, "yos", AT)
    assert again.check().findings != first.check().findings, "beside itself it is the same content once more"
    assert again.load().submission_id == recorded.submission_id
    answered = again.reply()
    assert answered is not None
    assert (again.check().findings, _codes_on(answered.receipt), answered.summary.status) == told
    again.take_away()
    assert not drop.exists()


def test_the_same_bytes_dropped_again_are_a_duplicate(workplace: Workplace, drop: Path) -> None:
    data = drop.read_bytes()
    first = Steps(workplace, drop, "yos", AT)
    first.load()
    first.take_away()
    drop.write_bytes(data)
    again = Steps(workplace, drop, "yos", AT)
    assert again.load().duplicate_of == first.load().submission_id
    assert not again.load().was_known


def _archived(workplace: Workplace) -> list[Path]:
    """The workbooks in the archive, without its notes."""
    return [path for path in workplace.settings.archive.rglob("*") if len(path.name) == 64 and DROPS not in path.parts]


@pytest.mark.parametrize("size", [READ_BYTES + 1, 3 << 30])
def test_a_file_larger_than_any_workbook_is_not_copied(workplace: Workplace, drop: Path, size: int) -> None:
    """A sparse file of three gigabytes takes no space in the inbox, but its full size in the archive."""
    with drop.open("r+b") as file:
        file.truncate(size)
    steps = Steps(workplace, drop, "yos", AT)
    answer = steps.reply()
    steps.take_away()
    assert [finding.code for finding in steps.check().findings] == ["workbook-too-large"]
    assert sum(path.stat().st_size for path in _archived(workplace)) <= 1 << 20
    assert answer is not None
    assert answer.receipt.exists()
    # The archive has only its beginning, so the partner keeps the file.
    assert not drop.exists()
    assert (drop.parent / "replies" / drop.name).stat().st_size == size


def test_a_file_of_the_largest_size_is_kept_whole(workplace: Workplace, drop: Path) -> None:
    with drop.open("r+b") as file:
        file.truncate(READ_BYTES)
    steps = Steps(workplace, drop, "yos", AT)
    steps.reply()
    steps.take_away()
    assert [finding.code for finding in steps.check().findings] == ["workbook-too-large"]
    (archived,) = _archived(workplace)
    assert archived.stat().st_size == READ_BYTES
    assert not drop.exists()
    assert not (drop.parent / "replies" / drop.name).exists()
