"""Realistic workbooks, findings in their cells, and checks that a package is valid."""

import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from struct import pack
from xml.etree import ElementTree as ET

import pytest

from cypp_etl.findings import Finding
from cypp_etl.receipts.summary import ChangedCell, ChangedJudgement, LoadedCell, ReceiptSummary
from schemas.codes import Severity, SubmissionStatus

# The order of elements in the schema, which Excel requires.
_SHEET = (
    *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection"),
    *("protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews", "mergeCells"),
    *("phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins"),
    *("pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors"),
    *("smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls"),
    *("webPublishItems", "tableParts", "extLst"),
)
_STYLES = (
    *("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles"),
    *("colors", "extLst"),
)
_BOOK = (
    *("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups"),
    *("externalReferences", "definedNames", "calcPr", "oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr"),
    *("smartTagTypes", "webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst"),
)
ORDERS = {"worksheet": _SHEET, "styleSheet": _STYLES, "workbook": _BOOK}


def read_parts(data: bytes) -> dict[str, bytes]:
    """The parts of a package by name, each name once."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def parts_of() -> Callable[[bytes], dict[str, bytes]]:
    return read_parts


@pytest.fixture
def assert_sound() -> Callable[[bytes], None]:
    return _assert_sound


def _assert_sound(data: bytes) -> None:
    """Everything that Excel would offer to repair, as far as it can be checked without Excel."""
    parts = read_parts(data)
    types = _parse(parts["[Content_Types].xml"])
    overrides = [node.get("PartName", "") for node in types if node.tag.endswith("Override")]
    extensions = [node.get("Extension", "").lower() for node in types if node.tag.endswith("Default")]
    assert len(set(overrides)) == len(overrides)
    assert len(set(extensions)) == len(extensions)
    assert {name.lstrip("/") for name in overrides} <= parts.keys()
    for name, content in parts.items():
        if name.endswith((".xml", ".rels", ".vml")):
            root = _parse(content)
            _assert_root(root)
        if name != "[Content_Types].xml" and not name.endswith("/"):
            assert "/" + name in overrides or name.rpartition(".")[2].lower() in extensions, name
        if name.endswith(".rels"):
            _assert_targets(name, content, parts)


def _parse(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314 - it was made here


def _assert_root(root: ET.Element) -> None:
    kind = root.tag.rpartition("}")[2]
    names = [child.tag.rpartition("}")[2] for child in root]
    order = ORDERS.get(kind, ())
    ranks = [order.index(name) for name in names if name in order]
    assert ranks == sorted(ranks), names
    if kind == "styleSheet":
        for collection in root:
            if collection.get("count") and "extLst" not in collection.tag:
                assert int(collection.get("count", "")) == len(collection), collection.tag
    if kind == "worksheet":
        _assert_cells_in_order(root)


def _assert_cells_in_order(root: ET.Element) -> None:
    rows = [node for node in root.iter() if node.tag.endswith("}row")]
    numbers = [int(row.get("r", "0")) for row in rows]
    assert numbers == sorted(set(numbers))
    for row in rows:
        columns = [re.sub(r"\d", "", cell.get("r", "")) for cell in row]
        assert columns == sorted(set(columns), key=lambda letters: (len(letters), letters))
        assert all(cell.get("r", "").endswith(row.get("r", "")) for cell in row)


def _assert_targets(name: str, content: bytes, parts: dict[str, bytes]) -> None:
    folder = name.rpartition("_rels/")[0]
    links = list(_parse(content))
    assert len({link.get("Id") for link in links}) == len(links)
    for link in links:
        if link.get("TargetMode") != "External":
            target = link.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else folder + target
            while "/../" in path:
                path = re.sub(r"[^/]+/\.\./", "", path, count=1)
            assert path in parts, (name, target)


@pytest.fixture
def find() -> Callable[..., Finding]:
    def made(
        sheet: str, cell: str, severity: Severity = Severity.ERROR, message: str = "It is wrong.", value: str = "x"
    ) -> Finding:
        return Finding("not-a-figure", severity, sheet, cell, value, message, "Put it right.")

    return made


LOADED = (
    LoadedCell("NI 43", "5.2%", "Indicators", "G3"),
    LoadedCell("Milestone PC1.2.1", "On track", "Milestones", "F2"),
)


@pytest.fixture
def summary() -> ReceiptSummary:
    return ReceiptSummary(
        partner="Youth Offending Service",
        period_label="2010/11 Q1",
        version=2,
        received_at=datetime(2010, 7, 12, 14, 5, tzinfo=UTC),
        file_name="return.xlsx",
        sha256="ab" * 32,
        status=SubmissionStatus.REJECTED,
        previous_submission="version 1 of 8 July 2010",
        changed_cells=(ChangedCell("Indicators", "G3", "70.1%", "71.0%"),),
        changed_judgements=(ChangedJudgement("NI 111a", "Direction of travel", "declining", "improving"),),
        still_due=("The return for 2009/10 Q4, due on 1 May 2010",),
    )


@pytest.fixture
def accepted(summary: ReceiptSummary) -> ReceiptSummary:
    return replace(summary, status=SubmissionStatus.ACCEPTED, loaded=LOADED)


def _png() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    head = pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def rich_workbook() -> bytes:
    """A workbook with all that openpyxl would lose, and macros."""
    xlsxwriter = pytest.importorskip("xlsxwriter")
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet, other, plain = (book.add_worksheet(name) for name in ("Figures", "It's other", "Plain"))
    percent = book.add_format({"num_format": "0.0%", "bg_color": "#CCFFCC", "border": 1, "bold": True})
    sheet.set_column("A:A", 30)
    sheet.set_column("D:D", 12, percent)
    sheet.set_row(6, 40, percent)
    sheet.write_row("A1", ["Name", "Value", "Sum"])
    for row in range(1, 6):
        sheet.write(row, 0, f"Row {row}")
        sheet.write(row, 1, row / 10, percent)
        sheet.write_formula(row, 2, f"=B{row + 1}*2", None, row / 5)
    sheet.write_comment("B2", "Our own note.", {"author": "Jane"})
    sheet.write_comment("B3", "Another.", {"author": "Jane"})
    sheet.conditional_format("B2:B6", {"type": "data_bar", "data_bar_2010": True})
    sheet.data_validation("B2:B6", {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1})
    sheet.add_sparkline("E2", {"range": "Figures!B2:B6"})
    sheet.insert_textbox("H2", "A text box")
    sheet.insert_image("H10", "dot.png", {"image_data": BytesIO(_png())})
    sheet.insert_button("H16", {"caption": "Press"})
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Figures!$B$2:$B$6"})
    sheet.insert_chart("H20", chart)
    sheet.repeat_rows(0)
    sheet.protect("secret")
    other.write("A1", "Only text")
    other.print_area("A1:B2")
    other.add_table("D1:E3")
    other.activate()
    plain.write_url("A1", "https://example.org")
    charts = book.add_chartsheet("Charts")
    sheet_chart = book.add_chart({"type": "column"})
    sheet_chart.add_series({"values": "=Figures!$B$2:$B$6"})
    charts.set_chart(sheet_chart)
    book.define_name("Plain!Local", "=Plain!$A$1")
    book.define_name("Global", "=Figures!$A$1")
    book.add_vba_project(BytesIO(b"not really macros, and never run"), True)
    book.close()
    return stream.getvalue()
