# ruff: noqa: DTZ001 - a workbook's dates have no time zone
import gc
import math
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import to_excel

from cypp_etl.workbook import reader
from cypp_etl.workbook.model import Cell, CellKind, Sheet, UnreadableWorkbook, Workbook
from cypp_etl.workbook.reader import content_sha256, read_workbook
from cypp_etl.workbook.sandbox.parent import read_isolated

PartsOf = Callable[..., dict[str, str | bytes]]
Pack = Callable[[dict[str, str | bytes]], bytes]

FORMATS = ["General", "0", "0.0%", "0.00", '0.0"%"', "[Red]0%", "@", "#,##0;[Red]-#,##0"]
DATE_FORMATS = ["dd/mm/yyyy", "mmm-yy", "d mmm yyyy hh:mm", "[$-809]dddd d mmmm yyyy"]
# openpyxl does not mark a text of spaces as preserved, so Excel and our reader treat it as empty.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff_"), min_size=1, max_size=20
).filter(lambda text: text.strip() and not text.startswith(("=", "#")))
numbers = st.integers(-(10**12), 10**12) | st.floats(-1e300, 1e300)
moments = st.datetimes(datetime(1900, 3, 1), datetime(2199, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
values = st.tuples(texts | numbers | st.booleans() | st.just("=1+1"), st.sampled_from(FORMATS))
dates = st.tuples(moments | st.integers(61, 100_000), st.sampled_from(DATE_FORMATS))
positions = st.tuples(st.integers(1, 60), st.integers(1, 40))
sheets = st.dictionaries(positions, values | dates, max_size=12)


def _saved(book: openpyxl.Workbook) -> bytes:
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _expected(cell: object) -> tuple[CellKind, object]:
    """A cell as openpyxl reads it, in our terms; it returns formulas instead of missing values."""
    value = cell.value
    if cell.data_type == "f":
        return CellKind.BLANK, None
    if cell.data_type == "e":
        return CellKind.ERROR, value
    if isinstance(value, bool):
        return CellKind.BOOLEAN, value
    if isinstance(value, str):
        return CellKind.TEXT, value
    if isinstance(value, datetime | date | time | timedelta):
        return CellKind.DATE, to_excel(value)
    return CellKind.NUMBER, float(value)


def _assert_agrees(sheet: Sheet, oracle: object, *, formulas: bool = True) -> None:
    theirs = {cell.coordinate: cell for row in oracle.iter_rows() for cell in row if cell.value is not None}
    ours = {cell.address: cell for row in sheet.rows.values() for cell in row.values()}
    assert ours.keys() == theirs.keys()
    for address, cell in ours.items():
        kind, value = _expected(theirs[address])
        assert cell.kind is kind, address
        assert cell.number_format == theirs[address].number_format
        if kind is CellKind.DATE:
            assert cell.value == pytest.approx(value, abs=1e-8)
        else:
            assert cell.value == value
        if formulas:
            assert cell.is_formula is (theirs[address].data_type == "f")
    assert {tuple(map(int, merge)) for merge in sheet.merges} == {
        (area.min_row, area.min_col, area.max_row, area.max_col) for area in oracle.merged_cells.ranges
    }
    assert sheet.hidden_rows == {row for row, style in oracle.row_dimensions.items() if style.hidden}
    assert sheet.is_hidden is (oracle.sheet_state != "visible")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(sheets, min_size=1, max_size=3), st.sets(st.integers(1, 60), max_size=4), st.booleans())
@example([{(1, 1): ("x", "General"), (2, 2): (0.71, "0.0%"), (3, 3): ("=1+1", "0.0%")}], {2}, True)
def test_agrees_with_openpyxl_on_every_cell(
    contents: list[dict[tuple[int, int], tuple[object, str]]], hidden: set[int], merged: bool
) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, content in enumerate(contents):
        sheet = book.create_sheet(f"Sheet & {number}")
        for (row, column), (value, number_format) in content.items():
            sheet.cell(row, column, value).number_format = number_format
        for row in hidden:
            sheet.row_dimensions[row].hidden = True
        sheet.sheet_state = "veryHidden" if number == 1 else "visible"
        if merged:
            sheet.merge_cells(start_row=70, start_column=2, end_row=72, end_column=30)
    data = _saved(book)
    oracle = openpyxl.load_workbook(BytesIO(data))
    workbook = read_workbook(data)
    assert [sheet.name for sheet in workbook.sheets] == oracle.sheetnames
    for sheet in workbook.sheets:
        _assert_agrees(sheet, oracle[sheet.name])


def _with_stored_results() -> bytes:
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("Indicators")
    percent = book.add_format({"num_format": "0.0%"})
    bold = book.add_format({"bold": True})
    sheet.write_formula("A1", "=0.7+0.01", percent, 0.71)
    sheet.write_formula("B1", '="a"&"b"', None, "ab")
    sheet.write_formula("C1", "=1/0", None, "#DIV/0!")
    sheet.write_formula("D1", "=TRUE()", None, True)
    sheet.write_rich_string("A2", "Rich ", bold, "text", " stays")
    sheet.write_datetime("B2", datetime(2026, 3, 31), book.add_format({"num_format": "dd/mm/yyyy"}))
    sheet.write_boolean("C2", False)
    sheet.write_string("D2", "  two\nlines ")
    sheet.set_column("G:H", None, None, {"hidden": True})
    sheet.set_row(4, None, None, {"hidden": True})
    sheet.merge_range("A10:C12", "merged")
    book.close()
    return stream.getvalue()


@pytest.mark.parametrize("before", ["", "<!-- by the parser -->"])
@pytest.mark.parametrize(
    ("properties", "results"),
    [
        ('<calcPr fullCalcOnLoad="1"/>', [None, 0.71, 0.0, ""]),
        ('<calcPr calcId="124519" fullCalcOnLoad="1"/>', [None, 0.71, 0.0, ""]),
        ('<calcPr calcId="191029" fullCalcOnLoad="1"/>', [0.0, 0.71, 0.0, ""]),
        ('<calcPr calcId="191029" fullCalcOnLoad="0"/>', [0.0, 0.71, 0.0, ""]),
        ('<calcPr calcId="191029"/>', [0.0, 0.71, 0.0, ""]),
    ],
)
def test_a_result_that_stands_for_none_is_none(
    pack: Pack, parts_of: PartsOf, properties: str, results: list[object], before: str
) -> None:
    """XlsxWriter gives every formula the result 0, and has the workbook calculated when it is opened."""
    rows = (
        '<row r="1"><c r="A1"><f>B9/C9</f><v>0</v></c><c r="B1"><f>B8/C8</f><v>0.71</v></c>'
        '<c r="C1"><v>0</v></c><c r="D1" t="str"><f>E1</f><v></v></c></row>'
    )
    sheet = _one_sheet(pack, parts_of(before + rows, properties=properties))
    cells = [sheet.cell(1, column) for column in range(1, 5)]
    assert [cell.value for cell in cells if cell] == results
    assert [cell.is_formula for cell in cells if cell] == [True, True, False, True]


def test_reads_what_formulas_came_to() -> None:
    data = _with_stored_results()
    sheet = read_workbook(data).sheets[0]
    assert sheet.cell(1, 1) == Cell(1, 1, CellKind.NUMBER, 0.71, "0.0%", is_formula=True)
    assert sheet.cell(1, 2) == Cell(1, 2, CellKind.TEXT, "ab", is_formula=True)
    assert sheet.cell(1, 3) == Cell(1, 3, CellKind.ERROR, "#DIV/0!", is_formula=True)
    assert sheet.cell(1, 4) == Cell(1, 4, CellKind.BOOLEAN, True, is_formula=True)
    assert sheet.cell(2, 1) == Cell(2, 1, CellKind.TEXT, "Rich text stays")
    assert sheet.cell(2, 2) == Cell(2, 2, CellKind.DATE, 46112.0, "dd/mm/yyyy")
    assert sheet.cell(2, 4) == Cell(2, 4, CellKind.TEXT, "  two\nlines ")
    assert sheet.hidden_columns == {7, 8}
    assert sheet.hidden_rows == {5}
    assert sheet.merges == [(10, 1, 12, 3)]


def _one_sheet(pack: Pack, parts: dict[str, str | bytes]) -> Sheet:
    return read_workbook(pack(parts)).sheets[0]


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ('<c r="A1"><v>71</v></c>', CellKind.NUMBER, 71.0),
        ('<c r="A1"><v> 71\n</v></c>', CellKind.NUMBER, 71.0),
        ('<c r="A1" t="n"><v>1E-3</v></c>', CellKind.NUMBER, 0.001),
        ('<c r="A1"><v>1_000</v></c>', CellKind.ERROR, "1_000"),
        ('<c r="A1"><v>７１</v></c>', CellKind.ERROR, "７１"),
        ('<c r="A1"><v>NaN</v></c>', CellKind.ERROR, "NaN"),
        ('<c r="A1"><v>1e999</v></c>', CellKind.ERROR, "1e999"),
        ('<c r="A1" t="b"><v>1</v></c>', CellKind.BOOLEAN, True),
        ('<c r="A1" t="b"><v>maybe</v></c>', CellKind.ERROR, "maybe"),
        ('<c r="A1" t="e"><v>#N/A</v></c>', CellKind.ERROR, "#N/A"),
        ('<c r="A1" t="str"><v>a_x000D_b</v></c>', CellKind.TEXT, "a\rb"),
        ('<c r="A1" t="str"><v>_x005F_x000D_</v></c>', CellKind.TEXT, "_x000D_"),
        ('<c r="A1" t="str"><v>_xD83D__xDE00_ _xD83D_</v></c>', CellKind.TEXT, "😀 �"),
        ('<c r="A1" t="str"><v>_x0000_</v></c>', CellKind.TEXT, "�"),
        ('<c r="A1" t="inlineStr"><is><t>in</t></is></c>', CellKind.TEXT, "in"),
        ('<c r="A1" t="inlineStr"><is><t> in </t></is></c>', CellKind.TEXT, "in"),
        ('<c r="A1" t="inlineStr"><is><t xml:space="preserve"> in </t></is></c>', CellKind.TEXT, " in "),
        ('<c r="A1" t="d"><v>2026-03-31</v></c>', CellKind.DATE, 46112.0),
        ('<c r="A1" t="d"><v>2026-03-31T12:00:00Z</v></c>', CellKind.DATE, 46112.5),
        ('<c r="A1" t="d"><v>1900-01-01</v></c>', CellKind.DATE, 1.0),
        ('<c r="A1" t="d"><v>06:00:00</v></c>', CellKind.DATE, 0.25),
        ('<c r="A1" t="d"><v>soon</v></c>', CellKind.ERROR, "soon"),
        ('<c r="A1" t="new"><v>?</v></c>', CellKind.ERROR, "?"),
        ('<c r="A1"><f>B1</f></c>', CellKind.BLANK, None),
        ('<c r="A1"><f>B1</f><v></v></c>', CellKind.BLANK, None),
        ('<c r="A1" t="str"><f>""</f><v></v></c>', CellKind.TEXT, ""),
        ('<c r="A1"><f t="shared" si="0"/><v>5</v></c>', CellKind.NUMBER, 5.0),
        ('<c r="A1"><v>5</v><extLst><ext><c xmlns="urn:x"><v>6</v></c></ext></extLst></c>', CellKind.NUMBER, 5.0),
    ],
)
def test_values(parts_of: PartsOf, pack: Pack, cell: str, kind: CellKind, value: object) -> None:
    found = _one_sheet(pack, parts_of(f'<row r="1">{cell}</row>')).cell(1, 1)
    assert found is not None
    assert (found.kind, found.value) == (kind, value)
    assert found.is_formula is ("<f" in cell)


def test_blank_cells_are_not_kept(parts_of: PartsOf, pack: Pack) -> None:
    rows = '<row r="1"><c r="A1" s="1"/><c r="B1"><v></v></c><c r="C1" t="s"><v/></c></row>'
    assert _one_sheet(pack, parts_of(rows)).rows == {}


def test_shared_texts_in_runs_without_their_pronunciation(parts_of: PartsOf, pack: Pack) -> None:
    strings = (
        '<si><r><t xml:space="preserve">Rich </t></r><r><rPr><b/></rPr><t>text</t></r></si>'
        "<si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si>"
    )
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    sheet = _one_sheet(pack, parts_of(rows, strings=strings))
    assert [cell.value for cell in sheet.rows[1].values()] == ["Rich text", "東京"]


def test_cells_and_rows_without_addresses_follow_each_other(parts_of: PartsOf, pack: Pack) -> None:
    rows = "<row><c><v>1</v></c><c r='D1'><v>2</v></c><c><v>3</v></c></row><row r='4'/><row><c><v>4</v></c></row>"
    sheet = _one_sheet(pack, parts_of(rows))
    assert {cell.address: cell.value for row in sheet.rows.values() for cell in row.values()} == {
        "A1": 1.0, "D1": 2.0, "E1": 3.0, "A5": 4.0,
    }  # fmt: skip


def test_a_cell_is_where_its_own_address_says(parts_of: PartsOf, pack: Pack) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c><c r="b3"><v>2</v></c><c r="C1"><v>3</v></c><c r="A11"><v>4</v></c></row>'
    sheet = _one_sheet(pack, parts_of(rows))
    assert {row: [cell.address for cell in cells.values()] for row, cells in sheet.rows.items()} == {
        1: ["A1", "C1"], 3: ["B3"], 11: ["A11"],
    }  # fmt: skip


def test_dates_of_the_1904_system_come_out_in_the_1900_system(parts_of: PartsOf, pack: Pack) -> None:
    rows = '<row r="1"><c r="A1" s="2"><v>44650</v></c><c r="B1" s="3"><v>1.5</v></c><c r="C1" s="1"><v>1</v></c></row>'
    sheet = _one_sheet(pack, parts_of(rows, properties='<workbookPr date1904="1"/>'))
    assert [cell.value for cell in sheet.rows[1].values()] == [46112.0, 1.5, 1.0]
    assert [cell.number_format for cell in sheet.rows[1].values()] == ["mm-dd-yy", "[h]:mm:ss", "0.0%"]


def test_strict_namespaces_prefixes_and_utf_16(parts_of: PartsOf, pack: Pack) -> None:
    plain = parts_of('<row r="1"><c r="A1" s="1"><v>0.71</v></c></row>')
    strict = {
        name: str(content)
        .replace(
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"
        )
        .replace(
            "http://schemas.openxmlformats.org/officeDocument/2006/rel", "http://purl.oclc.org/ooxml/officeDocument/rel"
        )
        for name, content in plain.items()
    }
    prefixed = dict(plain)
    sheet = (
        str(plain["xl/worksheets/sheet1.xml"]).replace("xmlns=", "xmlns:x=").replace("<", "<x:").replace("<x:/", "</x:")
    )
    prefixed["xl/worksheets/sheet1.xml"] = f'<?xml version="1.0" encoding="UTF-16"?>{sheet}'.encode("utf-16")
    expected = {1: {1: Cell(1, 1, CellKind.NUMBER, 0.71, "0.0%")}}
    assert _one_sheet(pack, plain).rows == _one_sheet(pack, strict).rows == _one_sheet(pack, prefixed).rows == expected


@pytest.mark.parametrize("target", ["/xl/workbook.xml", "./xl/workbook.xml", "XL\\Workbook.XML", "nowhere.xml"])
def test_finds_the_workbook_however_it_is_referred_to(parts_of: PartsOf, pack: Pack, target: str) -> None:
    parts = parts_of('<row r="1"><c r="A1"><v>1</v></c></row>')
    parts["_rels/.rels"] = str(parts["_rels/.rels"]).replace("xl/workbook.xml", target)
    backslashed = {name.replace("/", "\\"): content for name, content in parts.items()}
    for sheet in (_one_sheet(pack, parts), _one_sheet(pack, backslashed)):
        assert sheet.cell(1, 1) is not None


def test_macros_external_links_pivot_caches_and_sheets_without_cells(parts_of: PartsOf, pack: Pack) -> None:
    parts = parts_of('<row r="1"><c r="A1"><v>42</v></c></row>')
    links = str(parts["xl/_rels/workbook.xml.rels"])
    more = '<Relationship Id="m" Type="x/vbaProject" Target="v.bin"/>'
    more += '<Relationship Id="e" Type="x/externalLink" Target="e.xml"/>'
    more += '<Relationship Id="p" Type="x/pivotCacheDefinition" Target="p.xml"/>'
    more += '<Relationship Id="c" Type="x/chartsheet" Target="chart.xml"/></Relationships>'
    parts["xl/_rels/workbook.xml.rels"] = links.replace("</Relationships>", more)
    parts["xl/workbook.xml"] = str(parts["xl/workbook.xml"]).replace("</sheets>", '<sheet name="C" r:id="c"/></sheets>')
    workbook = read_workbook(pack(parts))
    assert (workbook.has_macros, workbook.has_external_links, workbook.has_pivot_caches) == (True, True, True)
    assert [sheet.name for sheet in workbook.sheets] == ["Return"]


def test_comments_and_links_on_cells(parts_of: PartsOf, pack: Pack) -> None:
    links = (
        '<hyperlinks xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<hyperlink ref="B2" r:id="h"/><hyperlink ref="B3" location="Return!A1"/></hyperlinks>'
    )
    parts = parts_of('<row r="1"><c r="A1"><v>1</v></c></row>', after=links)
    parts["xl/worksheets/_rels/sheet1.xml.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="h" Type="x/hyperlink" Target="file:///drafts/q3.xlsx" TargetMode="External"/>'
        '<Relationship Id="c" Type="x/comments" Target="../comments1.xml"/>'
        '<Relationship Id="d" Type="x/comments" Target="../nowhere.xml"/></Relationships>'
    )
    parts["xl/comments1.xml"] = (
        '<comments xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><authors><author>A</author>'
        '</authors><commentList><comment ref="C4" authorId="0"><text><r><t xml:space="preserve">Ask </t></r>'
        "<r><t>finance</t></r></text></comment></commentList></comments>"
    )
    data = pack(parts)
    for workbook in (read_workbook(data), read_isolated(data)):
        assert workbook.sheets[0].comments == {"C4": "Ask finance"}
        assert workbook.sheets[0].links == {"B2": "file:///drafts/q3.xlsx"}


def test_missing_styles_mean_general(parts_of: PartsOf, pack: Pack) -> None:
    parts = parts_of('<row r="1"><c r="A1" s="1"><v>1</v></c></row>')
    del parts["xl/styles.xml"]
    assert _one_sheet(pack, parts).cell(1, 1) == Cell(1, 1, CellKind.NUMBER, 1.0)


def _sample() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Indicator", "Result", "When", "Met"])
    sheet.append(["NI 114", 0.0071, datetime(2026, 3, 31), True])
    sheet["B2"].number_format = "0.00%"
    sheet["A4"] = "=1/0"
    sheet.row_dimensions[2].hidden = True
    sheet.merge_cells("A6:B7")
    sheet["A6"] = "merged"
    return _saved(book)


def _convert(data: bytes, folder: Path, suffix: str) -> bytes:
    (folder / "in.xlsx").write_bytes(data)
    home = f"-env:UserInstallation=file://{folder}/office"
    out = folder / "out"
    command = ["soffice", home, "--headless", "--convert-to", suffix, "--outdir", str(out), str(folder / "in.xlsx")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return (out / f"in.{suffix}").read_bytes()


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_reads_what_libreoffice_writes(tmp_path: Path) -> None:
    data = _convert(_sample(), tmp_path, "xlsx")
    _assert_agrees(
        read_workbook(data).sheets[0], openpyxl.load_workbook(BytesIO(data), data_only=True).active, formulas=False
    )
    assert read_workbook(data).sheets[0].cell(4, 1) == Cell(4, 1, CellKind.ERROR, "#DIV/0!", is_formula=True)

    old = read_workbook(_convert(data, tmp_path, "xls"))
    sheet = old.sheets[0]
    assert (old.kind, old.has_formats) == ("xls", True)
    assert sheet.cell(2, 2) == Cell(2, 2, CellKind.NUMBER, 0.0071, "0.00%")
    assert sheet.cell(2, 3)[2:4] == (CellKind.DATE, 46112.0)
    assert sheet.cell(2, 4)[2:4] == (CellKind.BOOLEAN, True)
    assert sheet.cell(4, 1)[2:4] == (CellKind.ERROR, "#DIV/0!")
    assert sheet.hidden_rows == {2}
    assert sheet.merges == [(6, 1, 7, 2)]

    open_document = read_workbook(_convert(data, tmp_path, "ods"))
    assert (open_document.kind, open_document.has_formats) == ("ods", True)
    assert open_document.sheets[0].cell(2, 1)[2:4] == (CellKind.TEXT, "NI 114")
    assert open_document.sheets[0].cell(2, 2)[2:4] == (CellKind.NUMBER, 0.0071)
    assert open_document.sheets[0].cell(2, 3)[2:4] == (CellKind.DATE, 46112.0)


def test_a_workbook_read_by_a_child_is_the_same() -> None:
    data = _with_stored_results()
    assert read_isolated(data) == read_workbook(data)


def test_the_same_content_in_other_bytes_has_the_same_digest() -> None:
    sample = _sample()
    book = openpyxl.load_workbook(BytesIO(sample))
    book.properties.title = "Saved again"
    again = _saved(book)
    assert again != sample
    assert content_sha256(read_workbook(again)) == content_sha256(read_workbook(sample))
    book.active["B2"] = 0.0072
    assert content_sha256(read_workbook(_saved(book))) != content_sha256(read_workbook(sample))


def test_the_digest_tells_kinds_formats_and_places_apart() -> None:
    def digest(*cells: Cell, name: str = "Return") -> str:
        rows: dict[int, dict[int, Cell]] = {}
        for cell in cells:
            rows.setdefault(cell.row, {})[cell.column] = cell
        return content_sha256(Workbook("xlsx", [Sheet(name, rows=rows)]))

    one = Cell(1, 1, CellKind.NUMBER, 1.0)
    other = Cell(2, 1, CellKind.TEXT, "x")
    assert digest(one, other) == digest(other, one)
    different = [
        digest(one),
        digest(one, name="Returns"),
        digest(one._replace(kind=CellKind.TEXT, value="1.0")),
        digest(one._replace(number_format="0%")),
        digest(one._replace(column=2)),
        digest(one._replace(is_formula=True)),
        digest(other),
    ]
    assert len(set(different)) == len(different)


@pytest.mark.parametrize("at_once", [1, 3, 4])
def test_the_digest_does_not_depend_on_how_many_cells_are_taken_at_once(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    cells = {row: {column: Cell(row, column, CellKind.TEXT, f"{row} {column}") for column in (1, 2)} for row in (1, 2)}
    workbook = Workbook("xlsx", [Sheet("Return", rows=cells), Sheet("Blank")])
    whole = content_sha256(workbook)
    monkeypatch.setattr(reader, "_CELLS_AT_ONCE", at_once)
    assert content_sha256(workbook) == whole


def test_no_number_is_lost_on_the_way(parts_of: PartsOf, pack: Pack) -> None:
    numbers = [0.1 + 0.2, math.pi, 1e-300, 1.7976931348623157e308, -0.0, 9007199254740993.0]
    cells = "".join(f"<c><v>{number!r}</v></c>" for number in numbers)
    sheet = _one_sheet(pack, parts_of(f"<row>{cells}</row>"))
    assert [cell.value for cell in sheet.rows[1].values()] == numbers


def test_the_finding_knows_what_the_file_is_called() -> None:
    with pytest.raises(UnreadableWorkbook) as caught:
        read_workbook(b"", "Q3.xlsx")
    assert (caught.value.code, caught.value.words["name"]) == ("workbook-empty", "Q3.xlsx")


def test_reading_leaves_the_collector_as_it_was(parts_of: PartsOf, pack: Pack) -> None:
    assert gc.isenabled()
    read_workbook(pack(parts_of("<row><c><v>1</v></c></row>")))
    with pytest.raises(UnreadableWorkbook):
        read_workbook(pack(parts_of("<row><c r='?'/></row>")))
    assert gc.isenabled()


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_container_that_one_reader_gives_up_is_read_by_the_other(tmp_path: Path) -> None:
    """Its byte-order mark is wrong, but only one value is possible."""
    good = _convert(_with_stored_results(), tmp_path, "xls")
    broken = bytearray(good)
    broken[28] = 255
    read = read_workbook(bytes(broken))
    assert [sheet.name for sheet in read.sheets] == [sheet.name for sheet in read_workbook(good).sheets]
    assert read.sheets[0].rows[1][1].value == pytest.approx(0.71)
    with pytest.raises(UnreadableWorkbook) as caught:
        read_workbook(bytes(broken[:1500]))
    assert caught.value.code == "workbook-damaged"


def test_a_zero_was_worked_out_where_the_workbook_lists_in_which_order() -> None:
    """XlsxWriter's result is a placeholder; with Excel's list of calculated cells, it is a figure."""
    stream, listed = BytesIO(), BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.add_worksheet("Return").write_formula("A1", "=1-1")
    book.close()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(listed, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "xl/_rels/workbook.xml.rels":
                kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
                link = b'<Relationship Id="rId99" Type="' + kind + b'" Target="calcChain.xml"/></Relationships>'
                data = data.replace(b"</Relationships>", link)
            target.writestr(name, data)
        target.writestr("xl/calcChain.xml", "<calcChain/>")
    values = [read_workbook(one.getvalue()).sheets[0].rows[1][1].value for one in (stream, listed)]
    assert values == [None, 0.0]
