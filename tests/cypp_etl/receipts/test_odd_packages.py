"""Workbooks that other programs write: other prefixes, other namespaces, parts that are missing."""

import zipfile
from collections.abc import Callable
from io import BytesIO

import openpyxl
import pytest

from cypp_etl.findings import Finding
from cypp_etl.receipts.comments import Comments
from cypp_etl.receipts.marking import mark_workbook
from cypp_etl.receipts.ooxml.xml_edit import Markup, as_utf8
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.workbook.model import UnreadableWorkbook
from cypp_etl.workbook.reader import read_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
ROWS = '<x:row r="2"><x:c r="B2"><x:v>71</x:v></x:c></x:row><x:row r="5"/>'

Make = Callable[..., Finding]
Check = Callable[[bytes], None]
PartsOf = Callable[[bytes], dict[str, bytes]]


def rels(*links: tuple[str, str, str], office: str = OFFICE) -> str:
    listed = "".join(f'<Relationship Id="{key}" Type="{office}/{kind}" Target="{to}"/>' for key, kind, to in links)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def parts(
    rows: str = ROWS, *, main: str = MAIN, office: str = OFFICE, before: str = "", after: str = ""
) -> dict[str, str | bytes]:
    """A workbook with a prefix for the main namespace, and neither styles nor texts."""
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}.worksheet+xml"/></Types>'
        ),
        "_rels/.rels": rels(("rId1", "officeDocument", "xl/workbook.xml"), office=office),
        "xl/workbook.xml": (
            f'<x:workbook xmlns:x="{main}" xmlns:q="{office}"><x:sheets>'
            '<x:sheet name="Return" sheetId="1" q:id="rId1"/></x:sheets></x:workbook>'
        ),
        "xl/_rels/workbook.xml.rels": rels(("rId1", "worksheet", "worksheets/sheet1.xml"), office=office),
        "xl/worksheets/sheet1.xml": (
            f'<x:worksheet xmlns:x="{main}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            f'xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" mc:Ignorable="x14ac">{before}'
            f"<x:sheetData>{rows}</x:sheetData>{after}</x:worksheet>"
        ),
    }


def pack(content: dict[str, str | bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return stream.getvalue()


FINDINGS = ("B2", "C2", "A3", "B5", "A9")


@pytest.fixture
def findings(find: Make) -> list[Finding]:
    return [find("Return", cell) for cell in FINDINGS]


ALTERNATE = (
    '<mc:AlternateContent><mc:Choice Requires="x14ac"><x:controls/></mc:Choice></mc:AlternateContent>'
    '<x:tableParts count="0"/>'
)
ODD = {
    "prefixes": parts(),
    "strict": parts(main=STRICT_MAIN, office=STRICT_OFFICE),
    "no rows": parts(""),
    "cells without addresses": parts("<x:row/><x:row><x:c/><x:c><x:v>71</x:v></x:c></x:row>"),
    "selected": parts(before='<x:sheetViews><x:sheetView tabSelected="true" workbookViewId="0"/></x:sheetViews>'),
    "protected": parts(after='<x:sheetProtection sheet="1" objects="1" scenarios="1"/>'),
    "alternate content": parts(
        after=f'<x:pageMargins left="1" right="1" top="1" bottom="1" header="1" footer="1"/>{ALTERNATE}'
    ),
    "single quotes": {name: part.replace('"', "'") for name, part in parts().items() if isinstance(part, str)},
    "utf-16": parts() | {"xl/worksheets/sheet1.xml": str(parts()["xl/worksheets/sheet1.xml"]).encode("utf-16")},
    "byte order mark": parts()
    | {"xl/worksheets/sheet1.xml": b"\xef\xbb\xbf" + str(parts()["xl/worksheets/sheet1.xml"]).encode()},
    "dangling drawing": parts(after=f'<x:legacyDrawing xmlns:q="{OFFICE}" q:id="rId9"/>'),
    "wild numbers": parts('<x:row r="2" ht="tall" s="-1"><x:c r="B2" s="many"><x:v>71</x:v></x:c></x:row>'),
}


@pytest.mark.parametrize("kind", ODD)
def test_it_is_marked_and_reads_as_before(
    kind: str, findings: list[Finding], summary: ReceiptSummary, assert_sound: Check
) -> None:
    data = pack(ODD[kind])
    marked = mark_workbook(data, findings, summary)
    if kind not in {"utf-16", "cells without addresses", "dangling drawing", "wild numbers"}:
        assert_sound(marked)
    assert read_workbook(marked).sheets[1].rows == read_workbook(data).sheets[0].rows
    again = mark_workbook(marked, [], summary)
    assert [sheet.name for sheet in read_workbook(again).sheets] == ["Receipt", "Return"]


@pytest.mark.parametrize("kind", ["prefixes", "alternate content", "single quotes"])
def test_the_partners_own_markup_stays_as_written(
    kind: str, findings: list[Finding], summary: ReceiptSummary, parts_of: PartsOf
) -> None:
    before = ODD[kind]["xl/worksheets/sheet1.xml"]
    after = parts_of(mark_workbook(pack(ODD[kind]), findings, summary))["xl/worksheets/sheet1.xml"].decode()
    head = str(before).partition("<x:sheetData>")[0]
    assert after.startswith(head)


def test_backslashes_and_capitals_in_names_of_parts(
    findings: list[Finding], summary: ReceiptSummary, parts_of: PartsOf
) -> None:
    content = parts()
    odd = {name.replace("/", "\\") if "worksheets" in name else name: part for name, part in content.items()}
    marked = mark_workbook(pack(odd), findings, summary)
    assert "xl\\worksheets\\sheet1.xml" in parts_of(marked)
    assert len(read_workbook(marked).sheets) == 2


COMMENTS = (
    '<comments xmlns="{MAIN}"><authors><author>Jane</author></authors><commentList><comment ref="B2" authorId="0">'
    "<text><t>Plain &amp; simple</t></text></comment></commentList></comments>"
).replace("{MAIN}", MAIN)


def test_a_comment_without_runs_and_without_a_box(
    findings: list[Finding], summary: ReceiptSummary, parts_of: PartsOf
) -> None:
    content = parts() | {
        "xl/worksheets/_rels/sheet1.xml.rels": rels(("rId1", "comments", "../comments1.xml")),
        "xl/comments1.xml": COMMENTS,
    }
    after = parts_of(mark_workbook(pack(content), findings, summary))
    assert b"Plain &amp; simple" in after["xl/comments1.xml"]
    assert after["xl/drawings/cyppDrawing1.vml"].count(b"<v:shape ") == len(FINDINGS)


def test_vml_that_is_not_well_formed_is_added_to(
    findings: list[Finding], summary: ReceiptSummary, parts_of: PartsOf
) -> None:
    drawing = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml"><v:shape id="_x0000_s1025"><div>a<br>b</div></v:shape></xml>'
    )
    content = parts(after=f'<x:legacyDrawing xmlns:q="{OFFICE}" q:id="rId2"/>') | {
        "xl/worksheets/_rels/sheet1.xml.rels": rels(("rId2", "vmlDrawing", "../drawings/vmlDrawing1.vml")),
        "xl/drawings/vmlDrawing1.vml": drawing,
    }
    after = parts_of(mark_workbook(pack(content), findings, summary))["xl/drawings/vmlDrawing1.vml"].decode()
    assert after.startswith(drawing.removesuffix("</xml>"))
    assert after.count('ObjectType="Note"') == len(FINDINGS)


def test_what_a_document_type_declares_is_refused(findings: list[Finding], summary: ReceiptSummary) -> None:
    content = parts() | {
        "xl/worksheets/_rels/sheet1.xml.rels": rels(("rId1", "comments", "../comments1.xml")),
        "xl/comments1.xml": f'<!DOCTYPE comments [<!ENTITY a "b">]>{COMMENTS}',
    }
    with pytest.raises(UnreadableWorkbook):
        mark_workbook(pack(content), findings, summary)


def test_what_somebody_wrote_below_our_note_is_theirs() -> None:
    first = Comments(Markup(COMMENTS.replace("B2", "Z9").encode()))
    first.rewrite({"B2": [("ERROR", ": wrong")]})
    answered = first.markup.result().replace(b"need not delete it.)", b"need not delete it.)\nIt is right.")
    second = Comments(Markup(answered))
    second.rewrite({})
    assert second.kept["B2"] == "It is right."
    third = Comments(Markup(second.markup.result()))
    third.rewrite({"B2": [("QUERY", ": sure?")]})
    assert third.kept["B2"] == "It is right."
    assert b"Returns officer" in third.markup.result()


def test_an_encoding_is_turned_into_utf_8() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'
    assert Markup(text.encode("latin-1")).data.endswith("<a>é</a>".encode())
    with pytest.raises(UnreadableWorkbook):
        as_utf8(b'<?xml version="1.0" encoding="klingon"?><a/>')


def test_an_element_written_as_one_tag_can_be_added_to_again_and_again() -> None:
    markup = Markup(b'<x:a xmlns:x="y"/>')
    for name in ("one", "two"):
        markup.append(markup.root, f"<{name}/>")
    assert markup.result() == b'<x:a xmlns:x="y"><x:one/><x:two/></x:a>'


def test_openpyxl_opens_the_receipt_of_a_workbook_without_styles(
    findings: list[Finding], summary: ReceiptSummary
) -> None:
    opened = openpyxl.load_workbook(BytesIO(mark_workbook(pack(parts()), findings, summary)))
    fill = opened["Return"]["B2"].fill
    assert fill.fill_type == "solid"


def test_a_part_in_the_way_of_the_styles_stays(findings: list[Finding], summary: ReceiptSummary) -> None:
    content = parts() | {"xl/styles.xml": "<other/>"}
    with zipfile.ZipFile(BytesIO(mark_workbook(pack(content), findings, summary))) as marked:
        assert marked.read("xl/styles.xml") == b"<other/>"
