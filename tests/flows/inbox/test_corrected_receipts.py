"""A receipt that its partner changed where it lies is the next return, and nothing of theirs is overwritten."""

import io
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from cypp_etl.periods import parse_period
from cypp_etl.receipts.ooxml.styles import MARKS
from cypp_etl.receipts.recognise import SIGNATURE
from flows.inbox.corrected_receipts import CorrectedReceipts
from flows.inbox.sweep import sweep
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.settings import Settings
from flows.storage.archive import READ_BYTES
from tests.support.samples import sample_of
from tests.trials.sweeping import RECEIVED_AT
from warehouse.engine import reading
from warehouse.schema.tables import submission

PERIOD = parse_period("2010-11Q1")
needs_libreoffice = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


class Home:
    """A home whose inbox is swept by the steps of `ingest-return`, without Prefect."""

    def __init__(self, settings: Settings) -> None:
        self.workplace = open_to_write(settings)
        self.folder = settings.inbox / "yos"
        self.replies = self.folder / "replies"
        self.folder.mkdir(parents=True)
        self.good = sample_of("yos", PERIOD)

    def sweep(self, settle_seconds: float = 0.0, now: float | None = None) -> list[str]:
        """Take whatever waits, and give the names under which it was taken."""
        settings, taken = self.workplace.settings, []
        corrected = CorrectedReceipts(settings.receipts)
        now = time.time() + 1 if now is None else now
        for waiting in sweep(settings.inbox, ["yos"], now, settle_seconds, corrected):
            path = corrected.bring_in(waiting.path) if waiting.is_receipt else waiting.path
            if path and not waiting.reason:
                steps = Steps(self.workplace, path, "yos", RECEIVED_AT)
                steps.reply()
                steps.take_away()
                taken.append(path.name)
        return taken

    def reject(self, name: str = "ours.xlsx") -> Path:
        """Drop a return with a fault, and give its receipt."""
        (self.folder / name).write_bytes(with_cells(self.good, {"I2": "<1"}))
        assert self.sweep() == [name]
        return self.replies / f"{Path(name).stem} - rejected.xlsx"

    def statuses(self) -> list[str]:
        with reading(self.workplace.engine) as connection:
            return list(connection.scalars(select(submission.c.status).order_by(submission.c.submission_id)))

    def names(self) -> list[str]:
        """What lies in the partner's folder and among the receipts."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def home(begun: Settings) -> Home:
    return Home(begun)


def with_cells(workbook: bytes, cells: dict[str, object]) -> bytes:
    edited = openpyxl.load_workbook(io.BytesIO(workbook))
    for cell, value in cells.items():
        edited["Indicators"][cell] = value
    saved = io.BytesIO()
    edited.save(saved)
    return saved.getvalue()


def mend(receipt: Path) -> None:
    receipt.write_bytes(with_cells(receipt.read_bytes(), {"I2": 0.35}))


def resave_in_libreoffice(receipt: Path) -> None:
    """Open and save it: a receipt that was corrected, as somebody's LibreOffice writes it."""
    elsewhere = receipt.parents[3] / "saved"
    profile = f"-env:UserInstallation=file://{elsewhere / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(elsewhere), str(receipt)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    shutil.copyfile(elsewhere / receipt.name, receipt)


def is_free_of_marks(receipt: Path) -> bool:
    book = openpyxl.load_workbook(receipt)
    colours = {mark.fill for mark in MARKS.values()}
    cells = [cell for sheet in book.worksheets if sheet.title != "Receipt" for row in sheet.iter_rows() for cell in row]
    is_marked = any(cell.fill.fill_type and cell.fill.fgColor.rgb in colours for cell in cells)
    has_notes = any(cell.comment and SIGNATURE in cell.comment.text for cell in cells)
    return not is_marked and not has_notes and book.sheetnames.count("Receipt") == 1


@pytest.mark.parametrize(
    "save", [lambda _: None, pytest.param(resave_in_libreoffice, marks=needs_libreoffice)], ids=["openpyxl", "office"]
)
def test_a_mended_receipt_is_accepted_and_its_marks_are_gone(home: Home, save: Callable[[Path], None]) -> None:
    receipt = home.reject()
    assert not is_free_of_marks(receipt)
    mend(receipt)
    save(receipt)
    assert home.sweep() == ["ours.xlsx"]
    assert home.statuses() == ["rejected", "accepted"]
    assert home.names() == ["replies/ours - accepted.xlsx"]
    assert is_free_of_marks(home.replies / "ours - accepted.xlsx")
    assert home.sweep() == [], "the answer is as it was written"


def test_a_receipt_as_it_was_written_is_never_taken(home: Home) -> None:
    receipt = home.reject()
    shutil.copy(receipt, home.replies / "Copy of it.xlsx")
    os.utime(receipt)
    assert home.sweep() == []


def test_a_receipt_that_is_mended_in_part_is_rejected_again_where_it_lay(home: Home) -> None:
    receipt = home.reject()
    receipt.write_bytes(with_cells(receipt.read_bytes(), {"I2": "about 35%"}))
    assert home.sweep() == ["ours.xlsx"]
    assert home.names() == ["replies/ours - rejected.xlsx"]
    mend(receipt)
    home.sweep()
    assert home.statuses() == ["rejected", "rejected", "accepted"]


def test_a_mended_receipt_saved_under_another_name_is_taken_under_that(home: Home) -> None:
    receipt = home.reject()
    (home.replies / "corrected.xlsx").write_bytes(with_cells(receipt.read_bytes(), {"I2": 0.35}))
    assert home.sweep() == ["corrected.xlsx"]
    assert home.names() == ["replies/corrected - accepted.xlsx", "replies/ours - rejected.xlsx"]


def test_an_accepted_receipt_that_was_saved_without_a_change_is_a_duplicate(home: Home) -> None:
    (home.folder / "ours.xlsx").write_bytes(home.good)
    home.sweep()
    receipt = home.replies / "ours - accepted.xlsx"
    receipt.write_bytes(with_cells(receipt.read_bytes(), {}))
    assert home.sweep() == ["ours.xlsx"]
    assert home.statuses() == ["accepted", "duplicate"]
    assert home.names() == ["replies/ours - accepted.xlsx"]
    assert "check that it was saved" in said_on(receipt)
    assert home.sweep() == []


def test_a_rejected_receipt_that_was_saved_without_a_change_says_so(home: Home) -> None:
    receipt = home.reject()
    assert "It says exactly what you sent before." not in said_on(receipt)
    receipt.write_bytes(with_cells(receipt.read_bytes(), {}))
    assert home.sweep() == ["ours.xlsx"]
    assert home.statuses() == ["rejected", "rejected"]
    assert "It says exactly what you sent before." in said_on(receipt)
    assert home.sweep() == []


def said_on(receipt: Path) -> str:
    sheet = openpyxl.load_workbook(receipt).worksheets[0]
    return "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


def test_a_changed_receipt_is_not_overwritten(home: Home) -> None:
    """Another return of that name comes before the changed receipt is taken."""
    receipt = home.reject()
    mend(receipt)
    changed = receipt.read_bytes()
    (home.folder / "ours.xlsx").write_bytes(with_cells(home.good, {"I2": "about 35%"}))
    Steps(home.workplace, home.folder / "ours.xlsx", "yos", RECEIVED_AT).reply()
    assert receipt.read_bytes() == changed
    assert (home.replies / "ours (2) - rejected.xlsx").exists()


@pytest.mark.parametrize("lock", ["~$ours - rejected.xlsx", ".~lock.ours - rejected.xlsx#"])
def test_a_receipt_that_is_open_is_neither_overwritten_nor_taken(home: Home, lock: str) -> None:
    receipt = home.reject()
    before = receipt.read_bytes()
    (home.replies / lock).write_bytes(b"somebody")
    (home.folder / "ours.xlsx").write_bytes(with_cells(home.good, {"I2": "about 35%"}))
    assert home.sweep() == ["ours.xlsx"]
    assert receipt.read_bytes() == before
    assert (home.replies / "ours (2) - rejected.xlsx").exists()
    mend(receipt)
    assert home.sweep() == []
    (home.replies / lock).unlink()
    assert home.sweep() == ["ours.xlsx"]


@pytest.mark.parametrize(("age_seconds", "taken"), [(86_300, []), (86_500, ["ours.xlsx"])])
def test_the_lock_of_a_program_that_crashed_does_not_last(home: Home, age_seconds: float, taken: list[str]) -> None:
    receipt = home.reject()
    mend(receipt)
    lock = home.replies / f"~${receipt.name}"
    lock.write_bytes(b"somebody")
    os.utime(lock, (time.time() - age_seconds,) * 2)
    assert home.sweep() == taken


def test_a_changed_receipt_waits_until_it_has_settled(home: Home) -> None:
    receipt = home.reject()
    mend(receipt)
    modified = receipt.stat().st_mtime
    assert home.sweep(settle_seconds=2, now=modified + 1.9) == []
    assert home.sweep(settle_seconds=2, now=modified + 2.1) == ["ours.xlsx"]


def test_what_is_no_changed_workbook_stays_among_the_receipts(home: Home) -> None:
    home.reject()
    (home.replies / "note.txt").write_bytes(b"theirs")
    (home.replies / ".hidden.xlsx").write_bytes(b"theirs")
    (home.replies / "link.xlsx").symlink_to("/etc/hostname")
    (home.replies / "folder.xlsx").mkdir()
    with (home.replies / "returned, for it is too large.xlsx").open("wb") as large:
        large.truncate(READ_BYTES + 1)
    before = home.names()
    assert home.sweep() == []
    assert home.names() == before


def test_receipts_of_an_earlier_version_are_left_alone_until_they_are_changed(home: Home) -> None:
    receipt = home.reject()
    shutil.rmtree(home.workplace.settings.receipts)
    assert home.sweep() == []
    found = receipt.read_bytes()
    # Nobody knows whether it was changed before: it is not overwritten.
    (home.folder / "ours.xlsx").write_bytes(with_cells(home.good, {"I2": "about 35%"}))
    assert home.sweep() == ["ours.xlsx"]
    assert receipt.read_bytes() == found
    mend(receipt)
    assert home.sweep() == ["ours.xlsx"]
    assert home.statuses()[-1] == "accepted"


def test_a_return_that_lies_in_the_folder_keeps_its_name(home: Home) -> None:
    receipt = home.reject()
    mend(receipt)
    (home.folder / "ours.xlsx").write_bytes(home.good)
    os.utime(receipt, (time.time() - 5,) * 2)
    assert home.sweep() == ["2 ours.xlsx", "ours.xlsx"]
    assert home.names() == ["replies/2 ours - accepted.xlsx", "replies/ours - accepted.xlsx"]


def test_one_that_is_written_to_as_it_is_brought_in_stays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = home.reject()
    mend(receipt)
    rename = os.rename

    def save_again(*arguments: object, **named: object) -> None:
        receipt.write_bytes(b"PK\x03\x04 newer")
        rename(*arguments, **named)  # type: ignore[arg-type]

    corrected = CorrectedReceipts(home.workplace.settings.receipts)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(os, "rename", save_again)
        assert corrected.bring_in(receipt) is None
    assert receipt.read_bytes() == b"PK\x03\x04 newer"
    assert home.names() == ["replies/ours - rejected.xlsx"]


def test_a_receipt_that_is_changed_as_it_is_replaced_stays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = home.reject()
    rename = os.rename

    def save(*arguments: object, **named: object) -> None:
        if arguments[0] == receipt.name:
            receipt.write_bytes(b"PK\x03\x04 theirs")
        rename(*arguments, **named)  # type: ignore[arg-type]

    (home.folder / "ours.xlsx").write_bytes(with_cells(home.good, {"I2": "about 35%"}))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(os, "rename", save)
        Steps(home.workplace, home.folder / "ours.xlsx", "yos", RECEIVED_AT).reply()
    assert receipt.read_bytes() == b"PK\x03\x04 theirs"
    assert (home.replies / "ours (2) - rejected.xlsx").exists()


def test_a_link_in_the_place_of_the_replies_leads_nowhere(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "theirs.xlsx").write_bytes(home.good)
    home.replies.symlink_to(elsewhere)
    assert home.sweep() == []
    with pytest.raises(OSError, match="replies"):
        CorrectedReceipts(home.workplace.settings.receipts).bring_in(home.replies / "theirs.xlsx")
    assert (elsewhere / "theirs.xlsx").exists()
