"""OpenDocument spreadsheets: a return saved by LibreOffice, and files that only a person or an attacker would write."""

import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import NamedStyle

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.intake.values import as_typed
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.workbook.limits import DEFAULT_LIMITS
from cypp_etl.workbook.model import CellKind, Sheet, UnreadableWorkbook, Workbook
from cypp_etl.workbook.reader import read_workbook
from tests.support.samples import sample_of

_SPACES = {
    **{space: f"urn:oasis:names:tc:opendocument:xmlns:{space}:1.0" for space in ("office", "table", "text", "style")},
    "number": "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
_STYLES = """
<number:percentage-style style:name="N1"><number:number number:decimal-places="1"/></number:percentage-style>
<number:number-style style:name="N2"><number:number number:decimal-places="2"/></number:number-style>
<style:style style:name="percent" style:data-style-name="N1"/><style:style style:name="two" style:data-style-name="N2"/>
<style:style style:name="hidden"><style:table-properties table:display="false"/></style:style>
"""


def document(tables: str, *, before: str = "", **parts: str) -> bytes:
    """A spreadsheet with these tables."""
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _SPACES.items())
    content = (
        f"{before}<office:document-content {names}><office:automatic-styles>{_STYLES}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        for name, part in {"content.xml": content, **parts}.items():
            archive.writestr(name, part)
    return stream.getvalue()


def table(rows: str, name: str = "Return", more: str = "") -> str:
    return f'<table:table table:name="{name}" {more}>{rows}</table:table>'


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def read(rows: str) -> Sheet:
    """The sheet of these rows."""
    return read_workbook(document(table(rows))).sheets[0]


def cell(attributes: str = "", inside: str = "") -> str:
    return f"<table:table-cell {attributes}>{inside}</table:table-cell>"


_CELL = cell("", "<text:p>x</text:p>")


@pytest.mark.parametrize(
    ("attributes", "text", "kind", "value", "number_format"),
    [
        ('office:value-type="float" office:value="71"', "71", CellKind.NUMBER, 71.0, "General"),
        (
            'office:value-type="float" office:value="15.2" table:style-name="two"',
            "15.20",
            CellKind.NUMBER,
            15.2,
            "0.00",
        ),
        ('office:value-type="currency" office:value="3"', "£3", CellKind.NUMBER, 3.0, "General"),
        (
            'office:value-type="percentage" office:value="0.71" table:style-name="percent"',
            "71.0%",
            CellKind.NUMBER,
            0.71,
            "0.0%",
        ),
        ('office:value-type="percentage" office:value="0.71"', "71%", CellKind.NUMBER, 0.71, "0%"),
        (
            'office:value-type="percentage" office:value="0.71" table:style-name="two"',
            "71%",
            CellKind.NUMBER,
            0.71,
            "0%",
        ),
        ('office:value-type="float" office:value="1_000"', "", CellKind.ERROR, "1_000", "General"),
        ('office:value-type="date" office:date-value="2026-03-31"', "", CellKind.DATE, 46112.0, "General"),
        ('office:value-type="time" office:time-value="PT06H00M00S"', "", CellKind.DATE, 0.25, "General"),
        ('office:value-type="time" office:time-value="soon"', "", CellKind.ERROR, "soon", "General"),
        ('office:value-type="boolean" office:boolean-value="true"', "", CellKind.BOOLEAN, True, "General"),
        ('office:value-type="string"', "in", CellKind.TEXT, "in", "General"),
        ('office:value-type="string" office:string-value="said"', "shown", CellKind.TEXT, "said", "General"),
        ("", "no type", CellKind.TEXT, "no type", "General"),
        (
            'table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"',
            "#DIV/0!",
            CellKind.ERROR,
            "#DIV/0!",
            "General",
        ),
        ('table:formula="of:=[.B1]"', "", CellKind.BLANK, None, "General"),
        ('table:formula="of:=&quot;&quot;" office:value-type="string"', "", CellKind.TEXT, "", "General"),
    ],
)
def test_values(attributes, text, kind, value, number_format):
    found = read(row(cell(attributes, f"<text:p>{text}</text:p>"))).cell(1, 1)
    assert found is not None
    assert (found.kind, found.value, found.number_format) == (kind, value, number_format)
    assert found.is_formula is ("table:formula" in attributes)


def styles(named: str) -> str:
    """The part with the named styles."""
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _SPACES.items())
    return f"<office:document-styles {names}><office:styles>{named}</office:styles></office:document-styles>"


def number_formats(rows: str, named: str) -> list[str]:
    """The number formats of a sheet's cells, with these named styles."""
    sheet = read_workbook(document(table(rows), **{"styles.xml": styles(named)})).sheets[0]
    return [each.number_format for row in sheet.rows.values() for each in row.values()]


_SHARE = (
    '<number:percentage-style style:name="N9"><number:number number:decimal-places="1"/></number:percentage-style>'
    '<style:style style:name="Share" style:family="table-cell" style:data-style-name="N9"/>'
)
_FIGURE = 'office:value-type="percentage" office:value="0.72"'


@pytest.mark.parametrize(
    ("named", "style", "number_format"),
    [
        (_SHARE, "Share", "0.0%"),
        (_SHARE, "unknown", "0%"),
        # The parent may come after its child style, and have a parent itself.
        ('<style:style style:name="a" style:parent-style-name="Share"/>' + _SHARE, "a", "0.0%"),
        (
            '<style:style style:name="a" style:parent-style-name="b"/>'
            '<style:style style:name="b" style:parent-style-name="Share"/>' + _SHARE,
            "a",
            "0.0%",
        ),
        # A style's own format counts, and not its parent's.
        (
            _SHARE + '<number:percentage-style style:name="N3"><number:number number:decimal-places="3"/>'
            '</number:percentage-style><style:style style:name="a" style:parent-style-name="Share"'
            ' style:data-style-name="N3"/>',
            "a",
            "0.000%",
        ),
        ('<style:style style:name="a" style:parent-style-name="a"/>', "a", "0%"),
        (
            '<style:style style:name="a" style:parent-style-name="b"/>'
            '<style:style style:name="b" style:parent-style-name="a"/>',
            "a",
            "0%",
        ),
        # A drawing's style of the same name does not apply to cells.
        (_SHARE + '<style:style style:name="Share" style:family="graphic"/>', "Share", "0.0%"),
        # The decimals of an amount of money are not those of the percentage before it.
        (
            '<number:percentage-style style:name="N9"><number:number number:decimal-places="1"/>'
            '</number:percentage-style><number:currency-style style:name="N8"><number:number'
            ' number:decimal-places="2"/></number:currency-style><style:style style:name="a"'
            ' style:data-style-name="N9"/>',
            "a",
            "0.0%",
        ),
        # Digits that are shown only if they are not zero are not shown here.
        (
            '<number:percentage-style style:name="N9"><number:number number:decimal-places="2"'
            ' number:min-decimal-places="1"/></number:percentage-style>'
            '<style:style style:name="a" style:data-style-name="N9"/>',
            "a",
            "0.0%",
        ),
        # `0.0%;-0.00%`: the first section is for numbers from zero on.
        (
            '<number:percentage-style style:name="N9P0"><number:number number:decimal-places="1"/>'
            '</number:percentage-style><number:percentage-style style:name="N9"><number:number'
            ' number:decimal-places="2"/><style:map style:apply-style-name="N9P0"/><style:map'
            ' style:apply-style-name="N7"/></number:percentage-style>'
            '<style:style style:name="a" style:data-style-name="N9"><style:map style:apply-style-name="b"/>'
            "</style:style>",
            "a",
            "0.0%",
        ),
    ],
)
def test_formats_of_styles_with_names(named, style, number_format):
    assert number_formats(row(cell(f'{_FIGURE} table:style-name="{style}"')), named) == [number_format]


def test_a_style_of_the_content_has_the_format_of_its_parent_with_a_name():
    automatic = '<style:style style:name="ce1" style:parent-style-name="Share"/>'
    data = document(table(row(cell(f'{_FIGURE} table:style-name="ce1"'))), **{"styles.xml": styles(_SHARE)})
    with zipfile.ZipFile(BytesIO(data)) as archive:
        content = archive.read("content.xml").decode()
    content = content.replace("</office:automatic-styles>", f"{automatic}</office:automatic-styles>")
    saved = document("", **{"content.xml": content, "styles.xml": styles(_SHARE)})
    assert read_workbook(saved).sheets[0].rows[1][1].number_format == "0.0%"


def test_cells_that_name_no_style_have_that_of_their_row_or_else_of_their_column():
    columns = (
        '<table:table-column table:number-columns-repeated="2" table:default-cell-style-name="Share"/>'
        '<table:table-column table:default-cell-style-name="two"/>'
        '<table:table-column table:default-cell-style-name="Share"/>'
    )
    repeated = cell(f'{_FIGURE} table:number-columns-repeated="5"')
    assert number_formats(columns + row(repeated), _SHARE) == ["0.0%", "0.0%", "0%", "0.0%", "0%"]
    rows = row(cell(_FIGURE), cell(f'{_FIGURE} table:style-name="two"'), more='table:default-cell-style-name="Share"')
    assert number_formats(rows, _SHARE) == ["0.0%", "0%"]
    two = table(columns + row(cell(_FIGURE))) + table(row(cell(_FIGURE)), "Second")
    found = read_workbook(document(two, **{"styles.xml": styles(_SHARE)}))
    assert [sheet.rows[1][1].number_format for sheet in found.sheets] == ["0.0%", "0%"]


@pytest.mark.parametrize(
    ("named", "limits", "code"),
    [
        ("<style:style", DEFAULT_LIMITS, "workbook-damaged"),
        (_SHARE * 3, replace(DEFAULT_LIMITS, listing_bytes=1000), "workbook-too-large"),
        (_SHARE, replace(DEFAULT_LIMITS, listed_elements=2), "workbook-too-large"),
        ("<style:style>" * 9000 + "</style:style>" * 9000, DEFAULT_LIMITS, "workbook-too-complex"),
    ],
)
def test_styles_with_names_are_held_to_the_limits(named, limits, code):
    data = document(table(row(_CELL)), **{"styles.xml": styles(named)})
    with pytest.raises(UnreadableWorkbook) as caught:
        read_workbook(data, "return.ods", limits)
    assert caught.value.code == code


def test_a_long_line_of_ancestors_costs_each_of_them_once():
    heirs = "".join(
        f'<style:style style:name="s{each}" style:parent-style-name="s{each + 1}"/>' for each in range(20_000)
    )
    cells = "".join(cell(f'{_FIGURE} table:style-name="s{each}"') for each in range(10_000))
    assert set(number_formats(row(cells), heirs + _SHARE.replace('"Share"', '"s20000"'))) == {"0.0%"}


def test_texts_keep_their_spaces_and_lines_and_leave_out_what_is_drawn():
    inside = (
        "<text:p>a<text:s text:c='2'/><text:span>b</text:span>\n c<text:tab/>d</text:p>"
        "<text:p>e<text:line-break/>f</text:p>"
        "<draw:frame><text:p>drawn</text:p></draw:frame>"
    )
    found = read(row(cell("", inside))).cell(1, 1)
    assert found is not None
    assert found.value == "a  b c\td\ne\nf"


def test_what_is_repeated_stands_in_each_place_and_blanks_only_take_room():
    one = cell('office:value-type="float" office:value="1" table:number-columns-repeated="2"')
    rows = [
        row("<table:table-cell/>", more='table:number-rows-repeated="3"'),
        row(cell('table:number-columns-repeated="2"'), one, more='table:number-rows-repeated="2"'),
        row(cell('table:number-columns-repeated="16384"'), more='table:number-rows-repeated="1048571"'),
    ]
    sheet = read("".join(rows))
    assert [each.address for row in sheet.rows.values() for each in row.values()] == ["C4", "D4", "C5", "D5"]


def test_a_sheet_begins_again_after_one_that_fills_up_with_blanks():
    filled = row(cell("", "<text:p>x</text:p>"))
    blanks = row(cell('table:number-columns-repeated="16384"'), more='table:number-rows-repeated="1048575"')
    workbook = read_workbook(document(table(filled + blanks) + table(filled, "Second")))
    assert [list(sheet.rows) for sheet in workbook.sheets] == [[1], [1]]


def test_what_is_hidden_merged_or_hangs_on_cells():
    linked = "<text:p><text:a xlink:href='file:///draft.ods'>71</text:a></text:p>"
    comment = "<office:annotation><text:p>Ask</text:p><text:p>finance</text:p></office:annotation><text:p>72</text:p>"
    within = "<text:p><text:a xlink:href='#Return.A1'>top</text:a></text:p>"
    merged = 'table:number-columns-spanned="2" table:number-rows-spanned="3"'
    columns = '<table:table-column/><table:table-column table:visibility="collapse" table:number-columns-repeated="2"/>'
    first = row(cell(merged, linked), "<table:covered-table-cell/>", more='table:visibility="filter"')
    sheet = read(columns + first + row(cell("", comment), cell("", within)))
    assert (sheet.hidden_columns, sheet.hidden_rows, sheet.merges) == ({2, 3}, {1}, [(1, 1, 3, 2)])
    assert (sheet.links, sheet.comments) == ({"A1": "file:///draft.ods"}, {"A2": "Ask\nfinance"})


def test_sheets_macros_and_what_is_kept_of_other_workbooks():
    filled = row(cell("", "<text:p>x</text:p>"))
    tables = table(filled) + table(filled, "Old", 'table:style-name="hidden"') + table(filled, "'file:///a.ods'#$S")
    workbook = read_workbook(document(tables, **{"Basic/script-lc.xml": "<x/>"}))
    assert [(sheet.name, sheet.is_hidden) for sheet in workbook.sheets] == [("Return", False), ("Old", True)]
    assert (workbook.kind, workbook.has_macros, workbook.has_external_links) == ("ods", True, True)
    plain = read_workbook(document(table(filled)))
    assert (plain.has_macros, plain.has_external_links) == (False, False)


_FULL_ROW = cell('office:value-type="float" office:value="1" table:number-columns-repeated="16384"')


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (document(""), "workbook-no-sheets"),
        (document(table("") + table("", "RETURN")), "workbook-damaged"),
        (document(table(row(cell('table:number-columns-repeated="x"')))), "workbook-damaged"),
        (document(table(row(_CELL, more='table:number-rows-repeated="0"'))), "workbook-damaged"),
        (document(table(row(_CELL, more='table:number-rows-repeated="1048577"'))), "workbook-damaged"),
        (document(table('<table:table-column table:number-columns-repeated="16385"/>')), "workbook-damaged"),
        (document(table(row(_FULL_ROW, _CELL))), "workbook-damaged"),
        (document(table(row(_FULL_ROW, more='table:number-rows-repeated="1048576"'))), "workbook-too-large"),
        (document(table(row(_CELL, more='table:number-rows-repeated="1048576"'))), "workbook-too-large"),
        (document(table("") * 300), "workbook-damaged"),
        (document(table("<table:table-row>")), "workbook-damaged"),
        (document("", before='<!DOCTYPE x [<!ENTITY a "b">]>'), "workbook-unsafe"),
        (document("", **{"META-INF/manifest.xml": "<manifest:encryption-data/>"}), "workbook-password"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_so(data, code):
    # A lower limit is sooner reached.
    with pytest.raises(UnreadableWorkbook) as caught:
        read_workbook(data, "return.ods", replace(DEFAULT_LIMITS, cells=100_000, filled_rows=10_000))
    assert caught.value.code == code


def _as_libreoffice_saves_them(folder: Path, *workbooks: bytes) -> list[bytes]:
    """Each as an OpenDocument sheet: to start LibreOffice takes longer than to convert."""
    paths = [folder / f"{number}.xlsx" for number, _ in enumerate(workbooks)]
    for path, data in zip(paths, workbooks, strict=True):
        path.write_bytes(data)
    home = f"-env:UserInstallation=file://{folder}/office"
    command = [
        "soffice",
        home,
        "--headless",
        "--convert-to",
        "ods",
        "--outdir",
        str(folder),
        *map(str, paths),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return [path.with_suffix(".ods").read_bytes() for path in paths]


def _said(workbook: Workbook) -> dict[tuple[str, str], tuple[CellKind, object]]:
    cells = ((sheet.name, each) for sheet in workbook.sheets for row in sheet.rows.values() for each in row.values())
    return {(name, each.address): (each.kind, each.value) for name, each in cells}


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_return_saved_by_libreoffice_says_the_same(tmp_path):
    plan = read_plan()
    returned = [sample_of(partner_code, Period(2010, 1)) for partner_code in ("yos", "nhs")]
    for data, saved in zip(returned, _as_libreoffice_saves_them(tmp_path, *returned), strict=True):
        assert _said(read_workbook(saved)) == _said(read_workbook(data))
        checker = Checker(plan, History(), date(2012, 6, 30))
        excel, open_document = (checker.check(Received("return", each)) for each in (data, saved))
        assert open_document.findings == excel.findings
        assert [(each.value, each.typed) for each in open_document.observations] == [
            (each.value, each.typed) for each in excel.observations
        ]
        assert open_document.observations


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_percentages_saved_by_libreoffice_have_the_decimals_that_they_show(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    book.add_named_style(NamedStyle(name="Share", number_format="0.0%"))
    formats = ["0.0%", "0%", "0.00%", "0.0##%", "0.0%;[Red]-0.00%", "0.00"]
    for number, number_format in enumerate(formats, start=1):
        sheet.cell(number, 1, 0.72).number_format = number_format
    sheet["A7"], sheet["A8"] = 0.72, 0.72
    sheet["A7"].style, sheet["A8"].style = "Share", "Comma"
    # A cell with its column's style has no style of its own.
    sheet.column_dimensions["A"].number_format = "0.0%"
    sheet.cell(9, 1, 0.72).number_format = "0.0%"
    stream = BytesIO()
    book.save(stream)
    (saved,) = _as_libreoffice_saves_them(tmp_path, stream.getvalue())
    cells = read_workbook(saved).sheets[0].rows
    typed = ["72.0%", "72%", "72.00%", "72.0%", "72.0%", "0.72", "72.0%", "0.72", "72.0%"]
    assert [as_typed(cells[number][1]) for number in range(1, 10)] == typed


def _repacked(data: bytes, *, manifest: str | None, without: str) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != without:
                target.writestr(name, source.read(name))
        if manifest:
            target.writestr("META-INF/manifest.xml", manifest)
    return stream.getvalue()


_TYPE = '<m:file-entry m:media-type="application/vnd.oasis.opendocument.spreadsheet" m:full-path="/"/>'


@pytest.mark.parametrize(("manifest", "without"), [(None, "mimetype"), (_TYPE, "mimetype"), (None, "nothing")])
def test_a_spreadsheet_that_was_packed_again_is_read(manifest, without):
    data = _repacked(document(table(row(_CELL))), manifest=manifest, without=without)
    assert read_workbook(data).kind == "ods"


def test_a_text_that_was_packed_again_is_no_workbook():
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("content.xml", "<office:document-content><office:text/></office:document-content>")
    with pytest.raises(UnreadableWorkbook) as caught:
        read_workbook(stream.getvalue())
    assert caught.value.code == "workbook-not-excel"


def test_a_password_is_seen_without_the_type_too():
    manifest = f"{_TYPE}<m:encryption-data/>"
    with pytest.raises(UnreadableWorkbook) as caught:
        read_workbook(_repacked(document(""), manifest=manifest, without="mimetype"))
    assert caught.value.code == "workbook-password"


@pytest.mark.parametrize("place", [65_526, 131_062, 262_134])
def test_the_tag_is_seen_wherever_it_lies(place):
    data = document(table(row(_CELL)))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        content = archive.read("content.xml")
    padding = b"<!--" + b" " * (place - content.index(b"<office:spreadsheet") - 7) + b"-->"
    head, body = content.split(b"<office:body>")
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("content.xml", head + padding + b"<office:body>" + body)
    assert read_workbook(stream.getvalue()).kind == "ods"
