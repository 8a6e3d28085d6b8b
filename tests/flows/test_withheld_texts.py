"""An NHS number in a return is not printed, written or shown anywhere until it is released."""

import io
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest
from typer.testing import CliRunner

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.reply import reply_for
from flows.cli.app import app
from flows.deployments.artifacts import findings_table, summary_markdown
from flows.ingestion.context import open_to_write
from flows.ingestion.receipt import Answer, summarise
from flows.settings import read_settings
from tests.support.samples import sample_of
from tests.warehouse.views.test_withheld import check, column
from warehouse.engine import reading
from warehouse.recording.record import Recorded, record

NHS = "943 476 5919"
AT = datetime(2010, 7, 12, tzinfo=UTC)
PLACES = ("Comment", "Evidence", "Reason")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun_file: Path) -> Path:
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CYPP_HOME", str(tmp_path))
    shutil.copy(begun_file, tmp_path / "warehouse.db")
    return tmp_path


def _record(checked: CheckedReturn) -> Recorded:
    workplace = open_to_write(read_settings())
    return record(workplace.engine, checked, workplace.plan, AT)


def _type(*arguments: object) -> tuple[int, str]:
    ended = CliRunner().invoke(app, [str(one) for one in arguments])
    return ended.exit_code, ended.output


def _texts(path: Path) -> str:
    """The content of a file: the cells of a workbook, the rows of a Parquet file, or the text itself."""
    if path.suffix == ".parquet":
        return repr(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())  # noqa: S608
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        return repr([[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()])
    return path.read_text("utf-8")


def _told(home: Path, indicators: list[str]) -> str:
    out = home / "out"
    ended = [_type("report", "2010-11Q1", "-o", out), _type("export", "-o", out)]
    ended += [_type("explain", indicator, "2010-11Q1") for indicator in indicators]
    ended += [_type("status", "2010-11Q1"), _type("clinics")]
    assert all(code in (0, 1) for code, _ in ended)
    return "\n".join([said for _, said in ended] + [_texts(path) for path in sorted(out.iterdir())])


def test_what_is_shown_has_marks_until_texts_are_released(home: Path) -> None:
    plan = read_plan()
    returned = check(plan, **{place: f"{place} of {NHS}" for place in PLACES})
    number = _record(returned).submission_id
    indicators = [row.indicator for row in returned.observations]
    told = _told(home, indicators)
    assert NHS not in told
    for one in returned.withheld:
        assert one.mark in told
        place = f"{one.sheet}!{one.cell} of submission {number}"
        typed = ("release", number, one.cell, "--sheet", one.sheet, "--why", "A reference", "--by", "A. Person")
        assert _type(*typed) == (0, f"{place} is released.\n")
        assert _type(*typed) == (0, f"{place} was already released.\n")
    told = _told(home, indicators)
    assert all(f"{place} of {NHS}" in told for place in PLACES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((7, "K2", "--why", "x"), "cypp: there is no submission 7\n"),
        ((1, "A1", "--why", "x"), "cypp: nothing of submission 1 is withheld\n"),
        ((1, "A1", "--why", " "), "cypp: say why it is decided, with --why TEXT\n"),
    ],
)
def test_a_release_that_cannot_be_is_refused_in_a_line(home: Path, arguments: tuple[object, ...], said: str) -> None:
    _record(check(read_plan()))
    assert _type("release", *arguments, "--by", "A. Person") == (2, said)


@pytest.mark.parametrize("place", [*PLACES, "Actual", "Marker", "cover", "sheet", "name"])
def test_terminal_artifacts_and_receipt_do_not_repeat_it(home: Path, place: str) -> None:
    plan = read_plan()
    book = openpyxl.load_workbook(io.BytesIO(sample_of("yos", Period(2010, 1))))
    match place:
        case "cover":
            book["Return"]["B4"] = NHS
        case "sheet":
            book.create_sheet(NHS)["A1"] = "x"
        case "Evidence" | "Reason":
            book["Milestones"][f"{column(book['Milestones'], place)}2"] = NHS
        case "Comment" | "Actual" | "Marker":
            book["Indicators"][f"{column(book['Indicators'], place)}2"] = NHS
    name = f"{NHS}.xlsx" if place == "name" else "return.xlsx"
    book.save(home / name)
    code, said = _type("check", home / name)
    assert code in (0, 1)
    assert NHS not in said
    data = (home / name).read_bytes()
    checked = Checker(plan, History(), AT.date()).check(Received(f"inbox/yos/{name}", data, "yos"))
    recorded = _record(checked)
    workplace = open_to_write(read_settings())
    with reading(workplace.engine) as connection:
        summary = summarise(connection, workplace, checked, recorded, AT)
    reply = reply_for(checked, data, summary)
    answer = Answer(Path("inbox/yos/replies") / reply.file_name, summary, "")
    assert NHS not in repr(findings_table(checked)) + summary_markdown(checked, recorded, answer)
    marked = openpyxl.load_workbook(io.BytesIO(reply.content))
    cells = [cell for sheet in marked for row in sheet.iter_rows() for cell in row]
    notes = [cell.comment.text for cell in cells if cell.comment]
    assert NHS not in repr([cell.value for cell in marked["Receipt"]["A"]] + notes)
    assert NHS not in repr([[cell.value for cell in row] for row in marked["Receipt"].iter_rows()])
    assert reply.file_name.startswith(Path(name).stem), "a partner finds the answer by the name of the file"
