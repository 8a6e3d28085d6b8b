"""What the pages for analysts print runs on the demo's warehouse, and each way to ask gives the same answers."""

import csv
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from cypp_etl.plan.reader import read_plan
from tests.postgres import administer, database_url
from tests.support.demo_warehouse import fill_as_the_demo_does
from tests.warehouse.builders import checked, observation
from tests.warehouse.full_warehouse import fill_every_view
from tests.warehouse.views.test_dimensions import faults, some_rows
from warehouse.engine import open_warehouse, reading
from warehouse.exports.files import export_views
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

DOCS = Path(__file__).parents[1] / "docs"
QUESTIONS = ("trend", "ranking", "on_target", "changed", "missing")
Answers = dict[str, list[tuple[object, ...]]]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def comparable(rows: Any) -> list[tuple[object, ...]]:
    """Rows of any client: figures rounded, days as days, and nothing that is not there but None."""
    return [tuple(_comparable(cell) for cell in row) for row in rows]


def _comparable(cell: Any) -> object:
    match cell:
        case pd.Timestamp() | datetime():
            return cell.date()
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
            return date.fromisoformat(cell)
        case _ if cell is None or pd.isna(cell):
            return None
        case str() | date():
            return cell
    return round(float(cell), 9) if isinstance(cell, int | float | Decimal) else cell


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The demo's warehouse, and a correction that turns symbols."""
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'warehouse.db'}")
    plan = read_plan()
    fill_as_the_demo_does(engine, plan)
    at = datetime(2012, 2, 1, tzinfo=UTC)
    record(engine, checked("corrected", observation("NI 111a", "900"), observation("NI 111b", "9000")), plan, at)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def answers(engine: Engine) -> Answers:
    """What the queries of `docs/bi.md` find in the warehouse."""
    queries = blocks("bi.md", "sql")
    with reading(engine) as connection:
        found = {
            question: comparable(connection.execute(text(query)))
            for question, query in zip(QUESTIONS, queries, strict=True)
        }
    assert all(found.values())
    return found


@pytest.fixture(scope="module")
def folder(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has the export in `out`."""
    folder = tmp_path_factory.mktemp("analysis")
    with reading(engine) as connection:
        list(export_views(connection, folder / "out"))
    return folder


def test_the_five_questions_have_the_answers_that_the_demo_has(answers: Answers) -> None:
    assert [row[0] for row in answers["trend"]][3:5] == ["2009/10 Q4", "2010/11 Q1"]
    assert [row[0] for row in answers["ranking"]] == [float(place) for place in range(1, len(answers["ranking"]) + 1)]
    assert [row[0] for row in answers["on_target"]] == ["Make a positive contribution"]
    assert {row[5] for row in answers["changed"]} == {"return.xlsx"}
    assert {row[0] for row in answers["missing"]} >= {"2011/12 Q4", "2012/13 Q1"}


def test_the_demo_has_no_key_twice_and_misses_none(engine: Engine) -> None:
    with reading(engine) as connection:
        facts = {"bi_performance", "bi_clinics", "bi_comparisons", "bi_milestones", "bi_symbol_changes"}
        assert facts <= some_rows(connection)
        assert faults(connection) == {}


def test_postgresql_takes_the_questions_too(postgres: str) -> None:
    administer(postgres, "CREATE DATABASE questions")
    engine = open_warehouse(database_url(postgres, "questions"))
    upgrade(engine)
    fill_every_view(engine)
    with reading(engine) as connection:
        found = {
            question: connection.execute(text(query)).all()
            for question, query in zip(QUESTIONS, blocks("bi.md", "sql"), strict=True)
        }
    engine.dispose()
    assert found["missing"]
    assert found["changed"]


def test_duckdb(folder: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    named: dict[str, Any] = {}
    for block in blocks("bi/duckdb.md", "python"):
        exec(block, named)  # noqa: S102 - what the page prints
    assert named["shares"].fetchall()
    for question, query in zip(QUESTIONS, blocks("bi.md", "sql"), strict=True):
        assert comparable(named["connection"].sql(query).fetchall()) == answers[question]


def test_pandas(folder: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    named: dict[str, Any] = {}
    for block in blocks("bi/pandas.md", "python"):
        exec(block, named)  # noqa: S102 - what the page prints
    found = {question: comparable(named[question].itertuples(index=False)) for question in QUESTIONS}
    assert found == answers


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_r(folder: Path, answers: Answers) -> None:
    kept = [f'write.csv({question}, "{question}.csv", row.names = FALSE, na = "")' for question in QUESTIONS]
    (folder / "page.R").write_text("\n".join([*blocks("bi/r.md", "r"), *kept]), "utf-8")
    ended = subprocess.run(["Rscript", "--vanilla", "page.R"], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    for question in QUESTIONS:
        with (folder / f"{question}.csv").open(encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        assert comparable([_read(cell) for cell in row] for row in rows) == answers[question], question


def _read(cell: str) -> object:
    """A cell that R has written: CSV says `'N/A` for `N/A`, and figures are figures."""
    cell = cell.removeprefix("'")
    return float(cell) if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell) else cell or None
