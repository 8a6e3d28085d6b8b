"""Hidden parts of a workbook, and parts that are not read."""

import pytest

from cypp_etl.layout import read_layouts
from cypp_etl.receipts.recognise import SEPARATOR, SIGNATURE
from cypp_etl.rules.hidden import judge_hidden
from cypp_etl.workbook.model import Cell, CellKind, Sheet, Workbook

READ = {"cover": "Return", "indicators": "Indicators", "milestones": "Milestones"}


def sheet(name, **more):
    return Sheet(name, rows={row: {1: Cell(row, 1, CellKind.TEXT, "x")} for row in (1, 2)}, **more)


@pytest.fixture
def judge(make_parsed, make_figure):
    def judge(*sheets, **workbook):
        parsed = make_parsed(sheets=dict(READ), figures=[make_figure("NI 43", 7)])
        return [
            (finding.code, finding.sheet, finding.cell)
            for finding in judge_hidden(Workbook("xlsx", list(sheets), **workbook), read_layouts()["return"], parsed)
        ]

    return judge


def test_a_return_as_we_wrote_it_hides_nothing(judge):
    assert judge(*map(sheet, READ.values()), sheet("_meta", is_hidden=True)) == []


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (sheet("Workings"), [("sheet-not-read", "Workings", "")]),
        (sheet("Workings", is_hidden=True), [("hidden-sheet", "Workings", "")]),
        (sheet("Indicators", is_hidden=True), [("hidden-sheet", "Indicators", "")]),
        (sheet("Indicators", hidden_rows={2}), [("hidden-row", "Indicators", "A2")]),
        (sheet("Indicators", hidden_rows={3}), []),
        (sheet("Indicators", hidden_columns={1, 2}), [("hidden-column", "Indicators", "A1")]),
        (sheet("Performance indicators"), [("sheet-twice", "Performance indicators", "")]),
        (sheet("Indicators", comments={"F2": "Ask finance."}), [("cell-comment", "Indicators", "F2")]),
        (sheet("Indicators", comments={"F2": f"ERROR: What now?\n\n{SIGNATURE}"}), []),
        (
            sheet("Indicators", comments={"F2": f"Ask finance.\n\n{SEPARATOR}\nERROR: What now?\n\n{SIGNATURE}"}),
            [("cell-comment", "Indicators", "F2")],
        ),
        (sheet("Workings", comments={"F2": "Ask finance."}), [("sheet-not-read", "Workings", "")]),
        (sheet("Indicators", links={"A2": "file:///a"}), [("cell-link", "Indicators", "A2")]),
        (sheet("Indicators", links={"A2": "mailto:x"}), []),
        (sheet("Indicators", links={"A2": "mailto:y"}), [("cell-link", "Indicators", "A2")]),
        (sheet("Indicators", links={"B2": "x"}), [("cell-link", "Indicators", "B2")]),
        (Sheet("Sheet1"), []),
        (Sheet("Sheet1", is_hidden=True), []),
    ],
)
def test_what_is_hidden_or_not_read_is_noted(judge, one, expected):
    assert judge(one) == expected


def test_macros_links_pivot_caches_and_unknown_formats_are_noted(judge):
    assert judge(has_macros=True, has_external_links=True, has_pivot_caches=True, has_formats=False) == [
        ("macros", "", ""),
        ("external-links", "", ""),
        ("pivot-cache", "", ""),
        ("formats-unknown", "", ""),
    ]
