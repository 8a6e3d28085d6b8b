"""Files that are broken, disguised or malicious: each is a finding, quickly and in little memory."""

import errno
import json
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import msoffcrypto.format.ooxml
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cypp_etl.workbook.limits import DEFAULT_LIMITS, MIB, Limits
from cypp_etl.workbook.model import UnreadableWorkbook, Workbook
from cypp_etl.workbook.reader import read_workbook
from cypp_etl.workbook.sandbox.parent import _hand_over, read_isolated
from cypp_etl.workbook.sandbox.protocol import read_lines, receive

PartsOf = Callable[..., dict[str, str | bytes]]
Pack = Callable[[dict[str, str | bytes]], bytes]

SHEET = "xl/worksheets/sheet1.xml"
ONE_CELL = '<row r="1"><c r="A1"><v>1</v></c></row>'
SMALL = replace(DEFAULT_LIMITS, memory=512 * MIB, seconds=5)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _good() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(20):
        sheet.append([f"NI {row}", row / 7, row % 2 == 0, "=1+1"])
    sheet["B2"].number_format = "0.0%"
    sheet.merge_cells("A30:C31")
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


GOOD = _good()


def _fault(data: bytes, limits: Limits = DEFAULT_LIMITS) -> UnreadableWorkbook:
    started = time.process_time()
    with pytest.raises(UnreadableWorkbook) as caught:
        read_workbook(data, "hostile.xlsx", limits)
    assert time.process_time() - started < 5
    return caught.value


def _within_limits(data: bytes) -> Workbook:
    """Read in a child of 512 MiB and 5 seconds, and so within both."""
    return read_isolated(data, "hostile.xlsx", SMALL)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"<!DOCTYPE html><html><body>", "a web page"),
        (b"\xef\xbb\xbf\r\n <HTML>", "a web page"),
        (b"<table><tr><td>71%</td></tr></table>", "a web page"),
        (b"NI 114,0.71\r\n", "plain text or CSV"),
        ("NI 114,71\r\n".encode("utf-16"), "plain text or CSV"),
        (b"\x89PNG\r\n\x1a\n\0", "an image"),
        (b"{\\rtf1", "a Word document"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "an XML spreadsheet of 2003",
        ),
        (b'<?xml version="1.0"?><a/>', "an XML file"),
        (b"\0" * 1000, "a file of an unknown kind"),
        (OLE + b"\0" * 2000, "a file of another program"),
    ],
)
def test_other_files_are_named(data: bytes, kind: str) -> None:
    fault = _fault(data)
    assert (fault.code, fault.words["kind"]) == ("workbook-not-excel", kind)


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"word/document.xml": "<a/>"}, "a Word document"),
        ({"ppt/presentation.xml": "<a/>"}, "a PowerPoint presentation"),
        ({"Index/Document.iwa": "x"}, "an Apple Numbers or Pages file"),
        ({"return.csv": "1,2"}, "a zip archive without a workbook"),
        ({"mimetype": "application/vnd.oasis.opendocument.text"}, "an OpenDocument file that is not a spreadsheet"),
        ({}, "a zip archive without a workbook"),
    ],
)
def test_other_archives_are_named(pack: Pack, parts: dict[str, str | bytes], kind: str) -> None:
    fault = _fault(pack(parts))
    assert (fault.code, fault.words["kind"]) == ("workbook-not-excel", kind)


def _directory_entry(name: str) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return OLE + b"\0" * 1016 + encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded)) + b"\0" * 62


def test_passwords() -> None:
    stream = BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(BytesIO(GOOD)).encrypt("secret", stream)
    assert _fault(stream.getvalue()).code == "workbook-password"
    beginning = struct.pack("<HHHHHHII", 0x0809, 16, 0x0600, 5, 0, 1997, 0, 6)
    filepass = struct.pack("<HHHHH", 0x002F, 6, 1, 1, 1)
    assert _fault(beginning + filepass + struct.pack("<HH", 0x000A, 0)).code == "workbook-password"


def test_a_word_document_of_old_is_no_broken_workbook() -> None:
    assert _fault(_directory_entry("WordDocument")).words["kind"] == "a Word document"


def test_a_broken_xls_is_damaged() -> None:
    assert _fault(OLE + b"\0" * 22 + b"\x09\0" + b"\0" * 16 + b"\x40\0\0\0" + b"\0" * 2000).code == "workbook-damaged"
    assert _fault(_directory_entry("Workbook")).code == "workbook-damaged"
    assert _fault(b"\x09\x08" + bytes(range(256)) * 20).code == "workbook-damaged"


def test_a_file_of_nothing() -> None:
    assert _fault(b"").code == "workbook-empty"


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short(share: float) -> None:
    assert _fault(GOOD[: max(4, int(len(GOOD) * share))]).code == "workbook-damaged"


def test_a_file_that_is_too_large() -> None:
    assert _fault(GOOD, replace(DEFAULT_LIMITS, file_bytes=1000)).code == "workbook-too-large"


def _repeated(pack: Pack, parts: dict[str, str | bytes], part: str, unit: bytes, megabytes: int) -> bytes:
    """A workbook with a part in which `unit` fills so many megabytes in place of FILL, packed piece by piece."""
    before, after = str(parts.pop(part)).encode().split(b"FILL")
    stream = BytesIO(pack(parts))
    piece = unit * (MIB // len(unit))
    with (
        zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(part, "w", force_zip64=True) as entry,
    ):
        entry.write(before)
        for _ in range(megabytes):
            entry.write(piece)
        entry.write(after)
    return stream.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked(parts_of: PartsOf, pack: Pack) -> None:
    assert _fault(_repeated(pack, parts_of("FILL"), SHEET, b"<row/>", 64)).code == "workbook-unsafe"


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("doctype", [LAUGHS, EXTERNAL, "<!DOCTYPE x SYSTEM 'http://example.org/x.dtd'>"])
@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "_rels/.rels"])
def test_entities_are_refused_in_every_part(parts_of: PartsOf, pack: Pack, part: str, doctype: str) -> None:
    parts = parts_of('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', strings="<si><t>x</t></si>")
    parts[part] = doctype + str(parts[part])
    assert _fault(pack(parts)).code == "workbook-unsafe"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "twin", [SHEET, SHEET.upper(), SHEET.replace("/", "\\"), "/" + SHEET, "xl/./worksheets/sheet1.xml"]
)
def test_two_entries_of_one_name(parts_of: PartsOf, pack: Pack, twin: str) -> None:
    stream = BytesIO(pack(parts_of(ONE_CELL)))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(twin, "<other/>")
    assert _fault(stream.getvalue()).code == "workbook-unsafe"


def test_too_many_entries(pack: Pack) -> None:
    assert _fault(pack({f"{number}.xml": "" for number in range(2_001)})).code == "workbook-unsafe"


def _patched(data: bytes, offset: int, value: bytes) -> bytes:
    """The archive with a field of the sheet's entry in its directory changed."""
    at = data.rfind(SHEET.encode()) - 46 + offset
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (8, b"\x01\x00", "workbook-unsafe"),
        (10, b"\x0c\x00", "workbook-unsafe"),
        (16, b"\0\0\0\0", "workbook-damaged"),
        (20, b"\xff\xff\xff\x7f", "workbook-unsafe"),
        (24, b"\x10\0\0\0", "workbook-damaged"),
        (24, b"\0\0\0\x08", "workbook-unsafe"),
        (24, b"\xff\xff\xff\x7f", "workbook-unsafe"),
        (42, b"\xff\xff\xff\x7f", "workbook-damaged"),
    ],
    ids=["encrypted", "bzip2", "checksum", "packed size", "too small", "too big", "far too big", "offset"],
)
def test_an_archive_that_lies(parts_of: PartsOf, pack: Pack, offset: int, value: bytes, code: str) -> None:
    assert _fault(_patched(pack(parts_of(ONE_CELL)), offset, value)).code == code


def test_missing_shared_texts_matter_only_to_cells_that_need_them(parts_of: PartsOf, pack: Pack) -> None:
    assert read_workbook(pack(parts_of(ONE_CELL))).sheets[0].cell(1, 1) is not None
    needy = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    assert _fault(pack(parts_of(needy))).code == "workbook-damaged"
    assert _fault(pack(parts_of(needy, strings=""))).code == "workbook-damaged"


def test_a_drawing_that_is_not_there_does_not_matter(parts_of: PartsOf, pack: Pack) -> None:
    parts = parts_of(ONE_CELL, after='<drawing xmlns:r="x" r:id="rId9"/>')
    parts["xl/worksheets/_rels/sheet1.xml.rels"] = "<not-even-relationships>"
    assert read_workbook(pack(parts)).sheets[0].cell(1, 1) is not None


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET])
def test_parts_that_are_missing_or_not_xml(parts_of: PartsOf, pack: Pack, part: str) -> None:
    for content in ("", "<a>", "no markup", b"\xff\xfe\x00\xd8", '<?xml version="1.0" encoding="utf-7"?><a/>'):
        assert _fault(pack(parts_of(ONE_CELL) | {part: content})).code in {"workbook-damaged", "workbook-no-sheets"}
    parts = parts_of(ONE_CELL)
    del parts[part]
    assert _fault(pack(parts)).code in {"workbook-damaged", "workbook-not-excel"}


def test_no_sheets(parts_of: PartsOf, pack: Pack) -> None:
    parts = parts_of(ONE_CELL)
    parts["xl/workbook.xml"] = "<workbook/>"
    assert _fault(pack(parts)).code == "workbook-no-sheets"


def test_seventeen_billion_cells(parts_of: PartsOf, pack: Pack) -> None:
    claimed = parts_of(ONE_CELL, before='<dimension ref="A1:XFD1048576"/>')
    assert _within_limits(pack(claimed)).sheets[0].cell(1, 1) is not None
    last = parts_of(ONE_CELL + '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>')
    cell = _within_limits(pack(last)).sheets[0].cell(1_048_576, 16_384)
    assert cell is not None
    assert cell.value == 7.0


def test_fifty_thousand_merges(parts_of: PartsOf, pack: Pack) -> None:
    merges = "".join(f'<mergeCell ref="A{row}:XFD{row}"/>' for row in range(1, 50_001))
    data = pack(parts_of(ONE_CELL, after=f"<mergeCells>{merges}</mergeCells>"))
    assert len(_within_limits(data).sheets[0].merges) == 50_000
    assert _fault(data, replace(DEFAULT_LIMITS, merges=10)).code == "workbook-too-large"


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="0"/>',
        '<row r="1048577"/>',
        '<row r="1e3"/>',
        '<row r="٣"/>',
        f'<row r="{"9" * 5000}"/>',
        '<row r="1048576"/><row/>',
        '<row r="1"><c r="XFE1"><v>1</v></c></row>',
        '<row r="1"><c r="A1048577"><v>1</v></c></row>',
        '<row r="1"><c r="1"><v>1</v></c></row>',
        '<row r="1"><c r=""><v>1</v></c></row>',
        '<row r="1"><c r="XFD1"/><c/></row>',
        "<c><v>1</v></c><row/>",
        "<c><v>1</v></c>",
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        f'<row r="1"><c r="A1" t="s"><v>{"9" * 5000}</v></c></row>',
    ],
)
def test_places_that_are_not_on_the_sheet(parts_of: PartsOf, pack: Pack, rows: str) -> None:
    assert _fault(pack(parts_of(rows, strings="<si><t>x</t></si>"))).code == "workbook-damaged"


@pytest.mark.parametrize(
    "columns",
    ['<col min="1" max="99999" hidden="1"/>', '<col min="1" max="9999" hidden="1"/>' * 2, '<col hidden="1"/>'],
)
def test_columns_that_are_not_on_the_sheet(parts_of: PartsOf, pack: Pack, columns: str) -> None:
    assert _fault(pack(parts_of(ONE_CELL, before=f"<cols>{columns}</cols>"))).code == "workbook-damaged"


def test_deep_xml(parts_of: PartsOf, pack: Pack) -> None:
    for rows in ("<row>" * 200_000, "<x>" * 200_000, '<row r="1"><c r="A1"><is>' + "<r>" * 200_000):
        assert _fault(pack(parts_of(rows))).code == "workbook-too-complex"


def test_a_tag_that_never_ends(parts_of: PartsOf, pack: Pack) -> None:
    for rows in (f'<row r="{"1" * 3 * MIB}"/>', f"<!--{'x' * 3 * MIB}-->"):
        assert _fault(pack(parts_of(rows))).code == "workbook-too-complex"


def test_more_names_than_anyone_needs(parts_of: PartsOf, pack: Pack) -> None:
    rows = "".join(f"<n{number}/>" for number in range(50_000))
    assert _fault(pack(parts_of(rows))).code == "workbook-too-complex"


@pytest.mark.parametrize("text", ["x" * 70_000, "x" * 3 * MIB, "é&amp;" * 40_000])
def test_a_text_longer_than_a_cell(parts_of: PartsOf, pack: Pack, text: str) -> None:
    shared = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    assert _fault(pack(parts_of(shared, strings=f"<si><t>{text}</t></si>"))).code == "workbook-too-large"
    for cell in (
        f'<c t="str"><v>{text}</v></c>',
        f'<c t="inlineStr"><is><t>{text}</t></is></c>',
        f"<c><v>{text}</v></c>",
    ):
        assert _fault(pack(parts_of(f"<row>{cell}</row>"))).code == "workbook-too-large"


@pytest.mark.parametrize(
    "limits",
    [Limits(cells=39), Limits(text_bytes=10), Limits(row_elements=10), Limits(elements=50), Limits(sheets=0)],
)
def test_more_than_is_read(limits: Limits) -> None:
    assert _fault(GOOD, limits).code == "workbook-too-large"


def test_the_same_part_named_by_many_sheets_counts_each_time(parts_of: PartsOf, pack: Pack) -> None:
    parts = parts_of(ONE_CELL)
    parts["xl/workbook.xml"] = str(parts["xl/workbook.xml"]).replace(
        "</sheets>", "".join(f'<sheet name="Again {number}" r:id="rId1"/>' for number in range(200)) + "</sheets>"
    )
    assert _fault(pack(parts), replace(DEFAULT_LIMITS, cells=100)).code == "workbook-too-large"


def test_millions_of_empty_cells_end_soon(parts_of: PartsOf, pack: Pack) -> None:
    row = b'<row><c s="1"/><c s="2"/><c s="3"/><c s="1"/><c s="2"/></row>'
    data = _repeated(pack, parts_of("FILL"), SHEET, row, 60)
    assert _fault(data, replace(DEFAULT_LIMITS, ratio=10**6)).code == "workbook-too-large"


def test_a_child_that_takes_too_long_or_too_much_is_ended(parts_of: PartsOf, pack: Pack) -> None:
    large = pack(parts_of("<row><c><v>1</v></c></row>" * 50_000))
    with pytest.raises(UnreadableWorkbook, match="workbook-too-complex"):
        read_isolated(large, "hostile.xlsx", replace(DEFAULT_LIMITS, memory=8 * MIB))
    with pytest.raises(UnreadableWorkbook, match="workbook-too-complex"):
        read_isolated(large, "hostile.xlsx", replace(DEFAULT_LIMITS, seconds=0))


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EINVAL])
def test_a_child_that_has_ended_hears_nothing(number: int) -> None:
    """Windows says of a pipe that nobody reads from that it is an invalid argument."""

    class Gone(BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(number, os.strerror(number))

    pipe = Gone()
    _hand_over(pipe, b"PK")
    assert pipe.closed


def test_a_range_that_makes_the_other_library_abort_is_a_finding(pack: Pack) -> None:
    office = "urn:oasis:names:tc:opendocument:xmlns"
    repeated = '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'
    data = pack(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": (
                f'<office:document-content xmlns:office="{office}:office:1.0" xmlns:table="{office}:table:1.0">'
                '<office:body><office:spreadsheet><table:table table:name="Return">'
                f'<table:table-row table:number-rows-repeated="6000">{repeated}</table:table-row>'
                "</table:table></office:spreadsheet></office:body></office:document-content>"
            ),
        }
    )
    assert _fault(data, replace(SMALL, cells=200_000)).code in {
        "workbook-too-complex",
        "workbook-too-large",
        "workbook-damaged",
    }


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_bytes_changed_at_random_let_nothing_else_out(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for at, byte in changes:
        data[at] = byte
    _read_or_refuse(bytes(data))


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_markup_changed_at_random_lets_nothing_else_out(data: st.DataObject) -> None:
    with zipfile.ZipFile(BytesIO(GOOD)) as archive:
        parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    part = parts[data.draw(st.sampled_from(sorted(parts)))]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(part) - 1))
        part[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"9", b"-", b"A1", b"<", b"\xed\xa0\x80"])
        )
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, bytes(content))
    _read_or_refuse(stream.getvalue())


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"<?xml", b"%P", zlib.compress(b"x")])
)
def test_noise_lets_nothing_else_out(noise: bytes, start: bytes) -> None:
    _read_or_refuse(start + noise)


def _read_or_refuse(data: bytes) -> None:
    try:
        read_workbook(data)
    except UnreadableWorkbook as fault:
        assert fault.code.startswith("workbook-")


APART = replace(DEFAULT_LIMITS, apart_from_bytes=0)


def test_what_is_read_apart_is_the_same(parts_of: PartsOf, pack: Pack) -> None:
    rows = (
        '<row r="2" hidden="1"><c r="B2" s="1"><v>0.71</v></c></row><row r="1"><c r="A1" t="s"><v>0</v></c></row>'
        '<row r="2"><c r="C2"><f>1+1</f></c><c r="D2" t="b"><v>1</v></c><c r="E2" t="e"><v>#N/A</v></c></row>'
    )
    after = '<mergeCells><mergeCell ref="A5:B6"/></mergeCells>'
    before = '<cols><col min="2" max="3" hidden="1"/></cols>'
    data = pack(parts_of(rows, before=before, after=after, strings="<si><t>NI é 🙂</t></si>"))
    assert read_workbook(data, limits=APART) == read_workbook(data)


@pytest.mark.parametrize("limits", [DEFAULT_LIMITS, APART], ids=["here", "apart"])
@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"/><row r="1"><c r="A1"><v>2</v></c></row>',
    ],
)
def test_two_cells_in_one_place_are_never_a_guess(parts_of: PartsOf, pack: Pack, rows: str, limits: Limits) -> None:
    assert _fault(pack(parts_of(rows)), limits).code == "workbook-damaged"


def test_two_sheets_of_one_name(parts_of: PartsOf, pack: Pack) -> None:
    parts = parts_of(ONE_CELL)
    parts["xl/workbook.xml"] = str(parts["xl/workbook.xml"]).replace(
        "</sheets>", '<sheet name="RETURN" r:id="rId1"/></sheets>'
    )
    assert _fault(pack(parts)).code == "workbook-damaged"


def test_sheets_that_refer_to_nothing_are_passed_over(parts_of: PartsOf, pack: Pack) -> None:
    parts = parts_of(ONE_CELL)
    listed = '<sheet name="Module1"/><sheet name="Module2" r:id=""/></sheets>'
    parts["xl/workbook.xml"] = str(parts["xl/workbook.xml"]).replace("</sheets>", listed)
    assert [sheet.name for sheet in read_workbook(pack(parts)).sheets] == ["Return"]


@pytest.mark.parametrize(
    "limits",
    [
        replace(APART, cells=9_999),
        replace(APART, filled_rows=9_999),
        replace(APART, elements=20_000),
        replace(APART, attributes=20_000),
        replace(APART, idle_elements=9_999),
    ],
)
def test_volume_is_refused_before_it_is_read(parts_of: PartsOf, pack: Pack, limits: Limits) -> None:
    rows = "".join(f'<row r="{row}"><c r="A{row}"><v>1</v></c><c r="B{row}" s="1"/></row>' for row in range(1, 10_001))
    assert _fault(pack(parts_of(rows)), limits).code == "workbook-too-large"


def test_empty_rows_to_the_end_of_the_sheet_are_read(parts_of: PartsOf, pack: Pack) -> None:
    rows = "".join(f'<row r="{row}" s="1" ht="{row % 97}"/>' for row in range(2, 1_048_577))
    assert read_workbook(pack(parts_of(ONE_CELL + rows))).sheets[0].rows.keys() == {1}


def test_names_with_blanks_and_folders(parts_of: PartsOf, pack: Pack) -> None:
    for entry in ("xl/worksheets/sheet%201.xml", "xl/worksheets/sheet 1.xml"):
        parts = {"xl/": b"", "xl\\": b"", **parts_of(ONE_CELL)}
        parts[entry] = parts.pop(SHEET)
        links = "xl/_rels/workbook.xml.rels"
        parts[links] = str(parts[links]).replace("sheet1.xml", "sheet%201.xml")
        assert read_workbook(pack(parts)).sheets[0].cell(1, 1) is not None


def test_streams_of_an_xls_are_found_in_any_case() -> None:
    assert _fault(_directory_entry("WORKBOOK")).code == "workbook-damaged"


def test_a_password_on_an_ods(pack: Pack) -> None:
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    parts: dict[str, str | bytes] = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}
    assert _fault(pack({**parts, "META-INF/manifest.xml": manifest})).code == "workbook-password"


def test_an_answer_that_is_cut_off_is_no_workbook() -> None:
    sheet = b'{"name":"A","is_hidden":false}'
    for lines in ([], [sheet], [sheet, b'[[1,1,"blank",null,"",0]]']):
        with pytest.raises(UnreadableWorkbook, match="workbook-too-complex"):
            receive(lines, DEFAULT_LIMITS)


CELL = [1, 1, "number", 1.0, "General", False]
BEGUN = {"name": "S", "is_hidden": False}


@pytest.mark.parametrize(
    "said",
    [
        ["no JSON"],
        [None],
        [3],
        [{"code": "no-such-code", "words": {}}],
        [{"code": "workbook-damaged", "words": {}}],
        [{"code": ["workbook-damaged"], "words": {}}],
        [[CELL]],
        [BEGUN, [[*CELL, 7]]],
        [BEGUN, [["1", *CELL[1:]]]],
        [BEGUN, [[0, *CELL[1:]]]],
        [BEGUN, [[1_048_577, *CELL[1:]]]],
        [BEGUN, [[1, 1, "no kind", 1.0, "General", False]]],
        [BEGUN, [[1, 1, "number", {"a": 1}, "General", False]]],
        [BEGUN, []],
        [BEGUN, [[1, 1, "number", "abc", "General", False]]],
        [BEGUN, [[1, 1, "number", None, "General", False]]],
        [BEGUN, [[1, 1, "text", 7, "General", False]]],
        [BEGUN, [[1, 1, "number", 10**400, "General", False]]],
        ['{"name": "S", "is_hidden": false}', '[[1, 1, "number", Infinity, "General", false]]'],
        [*[{"name": f"S{number}", "is_hidden": False} for number in range(257)], {"kind": "xlsx"}],
        [BEGUN, {"merges": [["a"] * 4], "hidden_rows": [], "hidden_columns": [], "comments": {}, "links": {}}],
        [{"kind": ["xlsx"]}],
        [{"kind": "xlsx", "colour": "red"}],
        [],
    ],
)
def test_what_no_reader_says_is_a_workbook_that_cannot_be_read(said):
    lines = [line.encode() if isinstance(line, str) else json.dumps(line).encode() for line in said]
    with pytest.raises(UnreadableWorkbook) as fault:
        receive(lines, DEFAULT_LIMITS)
    assert fault.value.code == "workbook-too-complex"


@pytest.mark.parametrize(("length", "is_read"), [(9, True), (10, True), (11, False)])
def test_a_line_may_be_only_so_long(length, is_read):
    lines = read_lines(BytesIO(b"x" * length), 10)
    if is_read:
        assert list(lines) == [b"x" * length]
    else:
        with pytest.raises(UnreadableWorkbook):
            list(lines)
