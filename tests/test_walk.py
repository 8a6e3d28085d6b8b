"""The whole journey on the command line: template, fill in, check, drop, ingest, view, explain.

In this process, except where that is said: `tests/test_wheel.py` runs what is installed.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

import cypp_etl
from flows.cli.app import app

CYPP = Path(sys.executable).with_name("cypp")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def cypp(home: Path, *arguments: object, **settings: str) -> Result:
    """Run the command line like a user, with only its home and the given variables set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("CYPP_", "PREFECT_"))]:
            patch.delenv(name)
        for name, value in ({"CYPP_HOME": str(home)} | settings).items():
            patch.setenv(name, value)
        return CliRunner().invoke(app, [*map(str, arguments)])


def fill(path: Path, figures: dict[str, float]) -> None:
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["Indicators"]
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, 9).value = figures[f"{sheet.cell(row, 1).value}{sheet.cell(row, 2).value or ''}"]
    workbook.save(path)


@pytest.mark.server
def test_a_return_from_template_to_explanation(home: Path, tmp_path: Path, prefect_server: str) -> None:
    written = cypp(home, "template", "police", "2010-11Q1", "-o", tmp_path)
    path = Path(written.stdout.strip())
    assert written.exit_code == 0
    assert path.is_file()

    blank = cypp(home, "check", path)
    assert blank.exit_code == 1
    assert f"{path}: rejected (police, 2010-11Q1)" in blank.stdout
    assert "There is no figure for NI 111a" in blank.stdout

    again = cypp(home, "template", "police", "2010-11Q1", "-o", tmp_path)
    assert again.exit_code == 2
    assert "already exists" in again.stderr
    assert cypp(home, "template", "police", "2010-11Q1", "-o", tmp_path, "--force").exit_code == 0

    fill(path, {"NI 111a": 53, "NI 111b": 196})
    checked = cypp(home, "check", path, "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["status"] == "accepted"
    assert not (home / "warehouse.db").exists(), "checking must leave nothing behind"

    drop = home / "inbox" / "police" / "our return.xlsx"
    drop.parent.mkdir(parents=True)
    path.rename(drop)
    (home / "inbox" / "police" / "~$our return.xlsx").write_bytes(b"lock")
    ingested = cypp(home, "ingest", "--json", PREFECT_API_URL=prefect_server)
    assert ingested.exit_code == 0, ingested.stderr
    (result,) = map(json.loads, ingested.stdout.splitlines())
    assert (result["partner"], result["period"], result["status"]) == ("police", "2010-11Q1", "accepted")
    assert set(result) == {"file", "partner", "period", "status", "findings"}
    assert not drop.exists()

    with sqlite3.connect(home / "warehouse.db") as warehouse:
        rows = dict(warehouse.execute("SELECT indicator, actual FROM bi_performance"))
    assert rows == {"NI 111a": 53, "NI 111b": 196}

    explained = cypp(home, "explain", "ni 111B", "2010-11Q1")
    assert explained.exit_code == 0
    assert "Typed as '196'" in explained.stdout

    status = cypp(home, "status", "2010-11Q1")
    assert status.exit_code == 1, "five partners have returned nothing"
    assert "missing" in status.stdout


def test_a_wrong_plan_is_named_by_file_row_and_column(home: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(Path(cypp_etl.__file__).parent / "plan" / "data", plan)
    indicators = plan / "indicators.csv"
    indicators.write_text(indicators.read_text("utf-8").replace(",HIGH,", ",HIHG,", 1), "utf-8")
    stopped = cypp(home, "upgrade", CYPP_PLAN=str(plan))
    assert stopped.exit_code == 2
    assert "indicators.csv, row 4, column polarity" in stopped.stderr
    assert not (home / "warehouse.db").exists()


@pytest.mark.server
def test_what_is_no_return_gets_a_finding_and_loads_nothing(home: Path, tmp_path: Path, prefect_server: str) -> None:
    foreign = tmp_path / "list.xlsx"
    workbook = openpyxl.Workbook()
    workbook.active.append(["Name", "Age"])
    workbook.save(foreign)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 and then nothing")
    result = cypp(home, "ingest", foreign, broken, "--json", PREFECT_API_URL=prefect_server)
    assert result.exit_code == 1
    codes = [[finding["code"] for finding in json.loads(line)["findings"]] for line in result.stdout.splitlines()]
    assert codes == [["layout-unknown"], ["workbook-damaged"]]
    with sqlite3.connect(home / "warehouse.db") as warehouse:
        assert warehouse.execute("SELECT count(*) FROM bi_performance").fetchone() == (0,)
        assert warehouse.execute("SELECT status FROM bi_submissions").fetchall() == [("rejected",)] * 2


def test_a_path_that_leads_nowhere_could_not_run(home: Path, tmp_path: Path) -> None:
    assert cypp(home, "ingest", tmp_path / "nothing.xlsx").exit_code == 2
    # As a process, once: its name, and what it ends with.
    told = subprocess.run([CYPP, "check", tmp_path / "nothing.xlsx"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    assert "nothing.xlsx" in told.stderr
