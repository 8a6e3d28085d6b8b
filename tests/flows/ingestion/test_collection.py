"""A collection of many returns: each is recorded, refused and recognised by itself."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from flows.cli.app import app
from flows.ingestion.collection import take_apart
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.job import Steps
from flows.settings import read_settings
from tests.support.forms import FLAT_COLUMNS, FLAT_ROWS, FLAT_SHEETS, flat_form
from tests.support.layouts import COLUMNS, SHEETS, table_of, workbook_of
from tests.support.plans import copy_shipped_plan
from warehouse.engine import reading
from warehouse.schema.tables import submission
from warehouse.views.selectable import view

AT = datetime(2010, 7, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    copy_shipped_plan(folder)
    (folder / "layouts").mkdir()
    (folder / SHEETS).write_bytes(table_of(SHEETS, FLAT_SHEETS))
    (folder / COLUMNS).write_bytes(table_of(COLUMNS, FLAT_COLUMNS))
    return folder


@pytest.fixture
def workplace(tmp_path: Path, plan_folder: Path):
    workplace = open_to_write(read_settings({"CYPP_HOME": str(tmp_path / "home"), "CYPP_PLAN": str(plan_folder)}))
    yield workplace
    workplace.engine.dispose()


def ingest(workplace: Workplace, file: Path, rows: list[tuple[object, ...]]) -> list[str]:
    file.write_bytes(workbook_of({"Data": flat_form(rows)}))
    pieces = take_apart(workplace, file, file.parent / "apart")
    return [Steps(workplace, Path(piece), "", AT, known_as).load().status.value for piece, known_as in pieces.items()]


def in_force(workplace: Workplace) -> dict[tuple[str, str], tuple[float, str, str]]:
    with reading(workplace.engine) as connection:
        rows = connection.execute(select(view("bi_performance"))).mappings().all()
    return {
        (row["indicator"], row["period"]): (row["actual"], row["source_sheet"], row["source_cell"])
        for row in rows
        if row["submission_id"] is not None
    }


def test_one_bad_partner_refuses_its_own_rows_alone_and_comes_again(workplace: Workplace, tmp_path: Path) -> None:
    bad = [(*row[:4], "sixty", *row[5:]) if row[2] == "NI 111a" else row for row in FLAT_ROWS]
    file = tmp_path / "all.xlsx"
    assert ingest(workplace, file, bad) == ["accepted", "rejected", "accepted", "accepted"]
    figures = in_force(workplace)
    assert figures["NI 43", "2010-11Q1"] == (6.1, "Data", "E4")
    assert ("NI 111b", "2010-11Q1") not in figures
    # Corrected as a whole, only what has changed is new.
    assert ingest(workplace, file, FLAT_ROWS) == ["duplicate", "accepted", "duplicate", "duplicate"]
    assert in_force(workplace)["NI 111a", "2010-11Q1"] == (60, "Data", "E3")


def test_its_own_bytes_are_archived_first(workplace: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "all.xlsx"
    ingest(workplace, file, FLAT_ROWS)
    kept = [path.read_bytes() for path in workplace.settings.archive.rglob("*") if path.is_file()]
    assert file.read_bytes() in kept


def test_what_was_recorded_names_the_collection_and_its_sha256(workplace: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "all.xlsx"
    ingest(workplace, file, FLAT_ROWS)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    with reading(workplace.engine) as connection:
        names = connection.execute(select(view("bi_submissions").c.file_name)).scalars().all()
        paths = connection.execute(select(submission.c.file).order_by(submission.c.submission_id)).scalars().all()
    assert all(name.startswith("all.xlsx ") for name in names)
    assert paths[0] == f"{tmp_path}/all.xlsx (SHA-256 {sha256[:12]})/all.xlsx yos 2010-11Q1 1.xlsx"
    assert len(paths) == len(names) == 4
    # The note in the archive says the same, for the day on which the warehouse is lost.
    noted = [path.read_text("utf-8") for path in (workplace.settings.archive / "drops").rglob("*") if path.is_file()]
    assert sum(f"(SHA-256 {sha256[:12]})" in note for note in noted) == 4


def test_an_ordinary_file_stays_one(workplace: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "own.xlsx"
    file.write_bytes(workbook_of({"Data": flat_form([row for row in FLAT_ROWS if row[0] == "yos"])}))
    assert take_apart(workplace, file, tmp_path / "apart") == {}
    assert not (tmp_path / "apart").exists()


def test_checking_says_it_of_each_return(tmp_path: Path, plan_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYPP_PLAN", str(plan_folder))
    file = tmp_path / "all.xlsx"
    file.write_bytes(
        workbook_of({"Data": flat_form([("leeds", *row[1:]) if row[0] == "vcs" else row for row in FLAT_ROWS])})
    )
    result = CliRunner().invoke(app, ["check", str(file), "--reply", str(tmp_path / "replies")])
    assert result.exit_code == 1
    heads = [line for line in result.output.splitlines() if line.startswith(str(tmp_path))]
    assert [line.split("/")[-1] for line in heads] == [
        "all.xlsx yos 2010-11Q1 1.xlsx: accepted (yos, 2010-11Q1)",
        "all.xlsx police 2010-11Q1 2.xlsx: accepted (police, 2010-11Q1)",
        "all.xlsx unknown 2009-10Q4 3.xlsx: rejected (2009-10Q4)",
        "all.xlsx unknown 2010-11Q1 4.xlsx: rejected (2010-11Q1)",
    ]
    assert len(list((tmp_path / "replies").iterdir())) == 4
