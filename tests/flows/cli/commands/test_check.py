"""`cypp check --reply`: the receipt of a workbook that was not sent, for a partner at home."""

import io
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from flows.cli.commands.check import rehearse
from tests.support.samples import sample_of

AT = datetime(2010, 7, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    workbook = openpyxl.load_workbook(io.BytesIO(sample_of("yos", parse_period("2010-11Q1"))))
    workbook["Indicators"]["I2"] = "<1"
    workbook.save(tmp_path / "return.xlsx")
    return tmp_path / "return.xlsx"


def texts(path: Path) -> str:
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


def test_the_receipt_says_that_nothing_was_sent(plan: Plan, faulty: Path, tmp_path: Path) -> None:
    (checked,) = rehearse(plan, [faulty], tmp_path / "replies", AT)
    assert not checked.is_accepted
    (reply,) = (tmp_path / "replies").iterdir()
    assert reply.name == "return - rejected.xlsx"
    assert "ONLY CHECKED: it would be rejected." in texts(reply)
    assert "Nothing was sent" in texts(reply)
    assert "was loaded" not in texts(reply)
    marked = openpyxl.load_workbook(reply)["Indicators"]["I2"]
    assert marked.comment is not None
    assert "ERROR" in marked.comment.text
    protection = marked.parent.protection
    assert protection.sheet and not protection.formatCells, "its cells can be formatted as their findings ask"


def test_a_mended_receipt_is_a_good_return(plan: Plan, faulty: Path, tmp_path: Path) -> None:
    rehearse(plan, [faulty], tmp_path / "replies", AT)
    reply = tmp_path / "replies" / "return - rejected.xlsx"
    workbook = openpyxl.load_workbook(reply)
    workbook["Indicators"]["I2"] = 0.35
    workbook.save(reply)
    checked = Checker(plan, History(), AT.date()).check(Received(str(reply), reply.read_bytes(), "yos"))
    assert checked.findings == (), "the sheet that we put in is no stranger"
    assert len(checked.observations) == 4
    (checked,) = rehearse(plan, [reply], tmp_path / "again", AT)
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["return - accepted.xlsx"]


def test_what_cannot_be_opened_is_answered_with_a_page(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "scan.xlsx").write_bytes(b"%PDF-1.7 ...")
    rehearse(plan, [tmp_path / "scan.xlsx"], tmp_path / "replies", AT)
    (reply,) = (tmp_path / "replies").iterdir()
    assert reply.name == "scan.xlsx - rejected.html"
    assert "a PDF" in reply.read_text("utf-8")


def test_files_of_one_name_get_a_receipt_each(plan: Plan, faulty: Path, tmp_path: Path) -> None:
    other = tmp_path / "q2" / "return.xlsx"
    other.parent.mkdir()
    other.write_bytes(faulty.read_bytes())
    for _ in range(2):
        rehearse(plan, [faulty, other], tmp_path / "replies", AT)
        names = sorted(path.name for path in (tmp_path / "replies").iterdir())
        assert names == ["return (2) - rejected.xlsx", "return - rejected.xlsx"], "and a second time writes the same"


def test_without_a_folder_nothing_is_written(plan: Plan, faulty: Path, tmp_path: Path) -> None:
    rehearse(plan, [faulty], None, AT)
    assert list(tmp_path.iterdir()) == [faulty]


def test_a_pipe_or_a_folder_is_refused_at_once(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is a folder or a device"):
        rehearse(plan, [tmp_path], None, AT)
