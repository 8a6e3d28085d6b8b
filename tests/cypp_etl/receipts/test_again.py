"""A receipt is itself a valid return: its marks are ignored, and the next receipt clears them."""

import shutil
import subprocess
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.marking import mark_workbook
from cypp_etl.receipts.ooxml.styles import MARKS
from cypp_etl.receipts.recognise import SIGNATURE
from cypp_etl.receipts.reply import reply_for
from cypp_etl.receipts.summary import ReceiptSummary
from schemas.codes import Severity, SubmissionStatus
from tests.support.samples import sample_of

COLOURS = {mark.fill for mark in MARKS.values()}
needs_libreoffice = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="module")
def sample() -> bytes:
    return sample_of("yos", parse_period("2010-11Q1"))


@pytest.fixture
def check(plan: Plan) -> Callable[[bytes], CheckedReturn]:
    checker = Checker(plan, History(), date(2010, 7, 10))
    return lambda data: checker.check(Received("return.xlsx", data, "yos"))


def edit(data: bytes, cells: dict[tuple[str, str], object], note: str = "") -> bytes:
    book = load_workbook(BytesIO(data))
    for (sheet, cell), value in cells.items():
        book[sheet][cell] = value
        if note:
            book[sheet][cell].comment = Comment(note, "Jane")
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def looks(data: bytes) -> dict[tuple[str, str], object]:
    book = load_workbook(BytesIO(data))
    return {
        (sheet.title, cell.coordinate): (
            (cell.fill.fgColor.rgb or "")[2:] if cell.fill.fill_type else None,
            cell.border.left.style,
            cell.number_format.replace("\\", ""),
            cell.protection.locked,
            cell.font.b,
            cell.comment.text if cell.comment else None,
        )
        for sheet in book.worksheets
        if sheet.title != "Receipt"
        for row in sheet.iter_rows()
        for cell in row
    }


def resave(data: bytes, folder: Path) -> bytes:
    """Open and save a workbook in LibreOffice."""
    (folder / "in").mkdir()
    source = folder / "in" / "file.xlsx"
    source.write_bytes(data)
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return (folder / "file.xlsx").read_bytes()


SPOILT: dict[tuple[str, str], object] = {
    ("Indicators", "I2"): "about 70",
    ("Indicators", "I3"): "<5",
    ("Milestones", "G2"): "Done",
}


def test_the_marks_add_no_finding(
    sample: bytes, check: Callable[[bytes], CheckedReturn], summary: ReceiptSummary
) -> None:
    spoilt = edit(sample, SPOILT)
    checked = check(spoilt)
    assert len(checked.findings) >= len(SPOILT)
    marked = mark_workbook(spoilt, checked.findings, summary)
    assert check(marked).findings == checked.findings


def test_a_receipt_that_was_mended_is_accepted(
    sample: bytes, check: Callable[[bytes], CheckedReturn], summary: ReceiptSummary, accepted: ReceiptSummary
) -> None:
    spoilt = edit(sample, SPOILT)
    rejected = reply_for(check(spoilt), spoilt, summary)
    book = load_workbook(BytesIO(sample))
    mended = edit(rejected.content, {(sheet, cell): book[sheet][cell].value for sheet, cell in SPOILT})
    checked = check(mended)
    assert checked.is_accepted
    assert checked.observations == tuple(
        observation._replace(file="return.xlsx") for observation in check(sample).observations
    )
    reply = reply_for(replace(checked, file_name=rejected.file_name), mended, accepted)
    assert reply.file_name == "return - accepted.xlsx"
    assert load_workbook(BytesIO(reply.content)).sheetnames.count("Receipt") == 1
    assert not {look[0] for look in looks(reply.content).values()} & {colour[2:] for colour in COLOURS}  # type: ignore[index]


@pytest.mark.parametrize("note", ["", "Ours, kept."])
def test_unmarking_gives_every_cell_its_look_back(
    *,
    sample: bytes,
    check: Callable[[bytes], CheckedReturn],
    summary: ReceiptSummary,
    assert_sound: Callable[[bytes], None],
    parts_of: Callable[[bytes], dict[str, bytes]],
    note: str,
) -> None:
    spoilt = edit(sample, SPOILT, note)
    data = spoilt
    for _ in range(3):
        data = mark_workbook(data, check(data).findings, summary)
        assert_sound(data)
    assert looks(mark_workbook(data, [], summary)) == looks(spoilt)
    assert not [name for name, part in parts_of(mark_workbook(data, [], summary)).items() if SIGNATURE.encode() in part]
    assert [name for name, part in parts_of(data).items() if SIGNATURE.encode() in part]


@needs_libreoffice
@pytest.mark.parametrize("note", ["", "Ours, kept."])
def test_marks_can_be_taken_off_after_a_save_in_libreoffice(
    sample: bytes, check: Callable[[bytes], CheckedReturn], summary: ReceiptSummary, tmp_path: Path, note: str
) -> None:
    spoilt = edit(sample, SPOILT, note)
    checked = check(spoilt)
    marked = mark_workbook(spoilt, checked.findings, summary)
    saved = resave(marked, tmp_path)
    marked_cells = {place for place, look in looks(saved).items() if look[5] and "ERROR" in look[5]}  # type: ignore[index]
    assert marked_cells == {(finding.sheet, finding.cell) for finding in checked.findings if finding.cell}
    assert [(one.code, one.sheet, one.cell) for one in check(saved).findings] == [
        (one.code, one.sheet, one.cell) for one in checked.findings
    ]
    unmarked = looks(mark_workbook(saved, [], summary))
    before = looks(spoilt)
    assert {place: unmarked[place] for place in before} == before


@needs_libreoffice
def test_libreoffice_opens_a_rich_workbook_without_loss(
    rich_workbook: bytes, find: Callable[..., object], summary: ReceiptSummary, tmp_path: Path
) -> None:
    marked = mark_workbook(rich_workbook, [find("Figures", "B2"), find("Figures", "F7")], summary)  # type: ignore[list-item]
    book = load_workbook(BytesIO(resave(marked, tmp_path)))
    assert book.sheetnames == ["Receipt", "Figures", "It's other", "Plain", "Charts"]
    sheet = book["Figures"]
    assert sheet["B2"].fill.fgColor.rgb == MARKS[Severity.ERROR].fill
    assert "Our own note." in sheet["B2"].comment.text
    assert "ERROR: It is wrong." in sheet["B2"].comment.text
    assert sheet["F7"].comment.text.startswith("ERROR")
    assert len(sheet._charts) == 1
    assert [row[0].value for row in book["Figures"]["B2:B6"]] == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_mark_whose_name_was_lost_is_told_by_its_colours(
    find: Callable[..., object], sample: bytes, summary: ReceiptSummary
) -> None:
    marked = mark_workbook(sample, [find("Indicators", "I2")], summary)  # type: ignore[list-item]
    book = load_workbook(BytesIO(marked))
    book["Indicators"]["I2"].style = "Normal"
    look = load_workbook(BytesIO(marked))["Indicators"]["I2"]
    book["Indicators"]["I2"].fill, book["Indicators"]["I2"].border = copy(look.fill), copy(look.border)
    stream = BytesIO()
    book.save(stream)
    assert looks(mark_workbook(stream.getvalue(), [], summary))["Indicators", "I2"][:2] == (None, None)  # type: ignore[index]


def test_a_format_that_was_mended_stays_mended(
    find: Callable[..., object], sample: bytes, summary: ReceiptSummary
) -> None:
    marked = mark_workbook(sample, [find("Indicators", "I2")], summary)  # type: ignore[list-item]
    book = load_workbook(BytesIO(marked))
    book["Indicators"]["I2"].number_format = "0.000%"
    stream = BytesIO()
    book.save(stream)
    after = looks(mark_workbook(stream.getvalue(), [], summary))["Indicators", "I2"]
    before = looks(sample)["Indicators", "I2"]
    assert after == (*before[:2], "0.000%", *before[3:])  # type: ignore[index]


def test_a_duplicate_is_answered_too(
    sample: bytes, check: Callable[[bytes], CheckedReturn], summary: ReceiptSummary
) -> None:
    reply = reply_for(check(sample), sample, replace(summary, status=SubmissionStatus.DUPLICATE))
    assert reply.file_name == "return - duplicate.xlsx"
