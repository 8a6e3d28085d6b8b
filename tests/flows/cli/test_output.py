"""The command line's output for a check: grouped by cause, with every place."""

import pytest

from cypp_etl.findings import Finding
from flows.cli.output import Result, show_results
from schemas.codes import Severity


def _blank(row: int) -> Finding:
    return Finding("value-missing", Severity.ERROR, "Indicators", f"G{row}", "", "There is no figure.", "Type it.")


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (3, "        Type it."),
        (4, "        The same at Indicators!G5"),
        (54, "        The same at " + ", ".join(f"Indicators!G{row}" for row in range(5, 55)) + ", and more"),
    ],
)
def test_findings_of_one_cause_stand_together(capsys: pytest.CaptureFixture[str], count: int, last: str) -> None:
    note = Finding("macros", Severity.NOTE, "", "", "", "It holds macros.", "Nothing.")
    findings = (*map(_blank, range(2, count + 2)), note)
    show_results([Result("a.xlsx", "yos", "2010-11Q1", "rejected", findings)], as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "a.xlsx: rejected (yos, 2010-11Q1)"
    assert lines[1:3] == ["  ERROR Indicators!G2: There is no figure.", "        Type it."]
    assert lines[-3] == last
    assert lines[-2:] == ["  NOTE  It holds macros.", "        Nothing."]
    assert sum(line.startswith("  ERROR") for line in lines) == 3
