"""`cypp check --explain-layout`: which layout a workbook has, and which cell became what."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from tests.support.forms import QUARTERS_COLUMNS, QUARTERS_FORM, QUARTERS_SHEETS
from tests.support.layouts import COLUMNS, SHEETS, table_of, workbook_of
from tests.support.plans import copy_shipped_plan


@pytest.fixture
def explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The exit status and what is printed for workbooks, by a plan with a layout of its own."""
    folder = tmp_path / "plan"
    copy_shipped_plan(folder)
    (folder / "layouts").mkdir()
    (folder / SHEETS).write_bytes(table_of(SHEETS, QUARTERS_SHEETS))
    (folder / COLUMNS).write_bytes(table_of(COLUMNS, QUARTERS_COLUMNS))
    monkeypatch.setenv("CYPP_PLAN", str(folder))

    def explain(form: dict[str, object], *options: str) -> tuple[int, str]:
        file = tmp_path / "return.xlsx"
        file.write_bytes(workbook_of({"Sheet1": form}))
        result = CliRunner().invoke(app, ["check", "--explain-layout", *options, str(file)])
        return result.exit_code, result.output

    return explain


def test_each_cell_is_listed_with_what_it_became(explain) -> None:
    code, said = explain({**QUARTERS_FORM, "I4": "RAG"})
    assert code == 0
    lines = [line.split("  ") for line in said.splitlines()]
    assert lines[0][0].endswith("return.xlsx: layout quarters")
    rows = [[cell.strip() for cell in line if cell.strip()] for line in lines[1:]]
    assert rows[0] == ["Cell", "Typed", "Became", "Indicator", "Period", "Value"]
    assert ["Sheet1!A2", "2", "cover: quarter"] in rows
    assert ["Sheet1!D4", "Q1", "heading: actual of 2010/11 Q1, only compared"] in rows
    assert ["Sheet1!E4", "Q2", "heading: actual"] in rows
    assert ["Sheet1!I4", "RAG", "heading: left out"] in rows
    assert ["Sheet1!E5", "6.1%", "actual", "NI 43", "2010-11Q2", "6.1%"] in rows
    assert ["Sheet1!D5", "6.5%", "only compared", "NI 43", "2010-11Q1", "6.5%"] in rows
    assert [row[0] for row in rows[1:]][:4] == ["Sheet1!A1", "Sheet1!A1", "Sheet1!A2", "Sheet1!A4"]


def test_as_json_it_is_a_list(explain) -> None:
    code, said = explain(QUARTERS_FORM, "--json")
    explained = json.loads(said)
    assert (code, explained["layout"]) == (0, "quarters")
    (figure,) = [cell for cell in explained["cells"] if cell["cell"] == "E6"]
    assert figure == {
        **{"sheet": "Sheet1", "cell": "E6", "typed": "71.9%", "became": "actual"},
        **{"indicator": "NI 45", "period": "2010-11Q2", "value": "71.9%"},
    }


def test_a_layout_that_does_not_fit_says_what_is_missing(explain) -> None:
    code, said = explain(
        {**QUARTERS_FORM, "A2": "Quarter two", "A4": "What", "E4": None, "D4": None, "F4": None, "G4": None}
    )
    assert code == 1
    assert "no layout was recognised" in said
    assert "quarters asks for 4 headings or labels, and these are missing: " in said
    for missing in ("Return for quarter: {quarter}", "Indicator", "Q{quarter}"):
        assert missing in said


def test_personal_data_is_not_repeated(explain) -> None:
    code, said = explain({**QUARTERS_FORM, "E6": "ask j.smith@example.org"})
    assert code == 0
    assert "example.org" not in said


def test_a_file_that_is_no_workbook_has_its_finding(tmp_path: Path) -> None:
    file = tmp_path / "notes.xlsx"
    file.write_text("notes")
    result = CliRunner().invoke(app, ["check", "--explain-layout", str(file)])
    assert result.exit_code == 1
    assert "no layout was recognised" in result.output
    assert "not" in result.output.splitlines()[1]
