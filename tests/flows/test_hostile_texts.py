"""One hostile text through every output for people: terminal, JSON, log, run names, artifacts, report."""

import ast
import io
import json
import logging
import re
import unicodedata
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

import flows.cli.app
from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.report.html import render_html
from flows.deployments.artifacts import findings_table, summary_markdown
from flows.service.serve import log_to_terminal
from flows.service_log import log
from schemas.codes import SubmissionStatus
from tests.support.samples import sample_of
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.recording.plan import record_plan
from warehouse.recording.record import Recorded, record
from warehouse.upgrade import upgrade

EVIL = "\x9b31m\u202e[a](https://evil.example) ![b](https://evil.example/b.png) <img src=x> \u200b|`"
NAME = "yos\x1b[2J\n[a](b) \u202e<b>.xlsx"
AT = datetime(2010, 7, 12, tzinfo=UTC)


def unseen(text: str) -> set[str]:
    return {one for one in text if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}


@pytest.fixture
def workbook() -> bytes:
    """A return with the text in a figure, a comment, the cover, a heading and a sheet's name."""
    book = openpyxl.load_workbook(BytesIO(sample_of("yos", Period(2010, 1))))
    sheet = book["Indicators"]
    sheet["I2"], sheet["M3"], sheet["P1"] = EVIL, EVIL, EVIL
    book["Return"]["B4"] = EVIL
    book.create_sheet("<b>\u202eS")["A1"] = EVIL
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.fixture
def checked(workbook: bytes) -> CheckedReturn:
    return Checker(read_plan(), History(), AT.date()).check(Received(f"yos/{NAME}", workbook, "yos"))


@pytest.mark.parametrize("as_json", [False, True])
def test_check_prints_visible_lines(workbook: bytes, tmp_path: Path, as_json: bool) -> None:
    (tmp_path / NAME).write_bytes(workbook)
    arguments = ["check", str(tmp_path / NAME), *(["--json"] if as_json else [])]
    ended = CliRunner().invoke(flows.cli.app.app, arguments)
    assert ended.exit_code == 1, ended.output
    assert unseen(ended.output) == set()
    if as_json:
        assert json.loads(ended.output)["file"].endswith(NAME)
    else:
        assert not any(line.startswith("[a]") for line in ended.output.splitlines())


def test_artifacts_are_texts(checked: CheckedReturn) -> None:
    render = MarkdownIt("commonmark", {"html": True}).enable("table").render
    cells = [cell for row in findings_table(checked) for cell in row.values()]
    assert any("evil" in cell for cell in cells)
    recorded = Recorded(1, SubmissionStatus.REJECTED, 1, None, None, 0)
    for text in (*cells, summary_markdown(checked, recorded, None)):
        assert unseen(text) == set()
        assert not re.search(r"<(a|img|b|script)\b", render(text))


def test_the_log_has_one_line_for_each_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    log_to_terminal()
    handler = log.handlers[-1]
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", stream)
    try:
        log.info("%s: accepted", NAME)
    finally:
        log.removeHandler(handler)
    assert len(stream.getvalue().splitlines()) == 1
    assert unseen(stream.getvalue()) == set()


def test_the_report_is_text(tmp_path: Path) -> None:
    plan = read_plan()
    book = openpyxl.load_workbook(BytesIO(sample_of("yos", Period(2010, 1))))
    book["Indicators"]["M2"] = EVIL
    stream = BytesIO()
    book.save(stream)
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, AT)
    record(engine, Checker(plan, History(), AT.date()).check(Received("yos.xlsx", stream.getvalue(), "yos")), plan, AT)
    with reading(engine) as connection:
        html = render_html(read_board(connection, Period(2010, 1), AT), date(2010, 7, 13)).decode()
    engine.dispose()
    assert unseen(html) - {"\t"} == set()
    assert "<img src=x" not in html
    assert "https://evil.example" in html, "the comment is shown, as text"


def test_commands_print_through_one_door() -> None:
    """`typer.echo` prints what it is given: only `flows.cli.terminal` may call it."""
    folder = Path(flows.__file__).parent
    for path in folder.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)]
        assert path.name == "terminal.py" or not any(ast.unparse(call) == "typer.echo" for call in calls), path
