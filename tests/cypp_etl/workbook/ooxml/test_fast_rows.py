"""The fast path gives the same result as the parser, whatever the surrounding markup.

A comment before the first row or text sends the whole part through the parser, and changes nothing else.
"""

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cypp_etl.workbook.model import Sheet, UnreadableWorkbook
from cypp_etl.workbook.ooxml.fast_path import PlainElements, set_apart
from cypp_etl.workbook.ooxml.fast_rows import plain_rows
from cypp_etl.workbook.reader import read_workbook

PartsOf = Callable[..., dict[str, str | bytes]]
Pack = Callable[[dict[str, str | bytes]], bytes]

_STRINGS = "<si><t>Partner</t></si><si><t>  71 % </t></si>"
_COMMENT = "<!-- -->"

_VALUES = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "70.5",
        "-0",
        "1e400",
        "1_0",
        "",
        " ",
        "12:30",
        "#N/A",
        "&lt;",
        "&#49;",
        "<![CDATA[1]]>",
        "]]>",
        "\r",
        "é",
    ]
)
_ADDRESSES = st.sampled_from(["A1", "B1", "C1", "XFD1", "XFE1", "A2", "B2", "a1", "A01", "A1048577"])
_STYLES = st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="9"', ' s=""'])
_TYPES = st.sampled_from(["", ' t="n"', ' t="s"', ' t="str"', ' t="b"', ' t="e"', ' t="d"', ' t="x"', ' t="inlineStr"'])
_FORMULAS = st.sampled_from(
    [
        "<f>B2/C2</f>",
        "<f></f>",
        "<f/>",
        "<f />",
        "<f>A1&gt;B1</f>",
        '<f t="shared" ref="C2:C9" si="0">B2/C2</f>',
        '<f t="shared" si="0"/>',
        '<f si="0" t="shared"/>',
        '<f t="shared" t="shared" si="0"/>',
        '<f ca="1">TODAY()</f>',
        '<f xmlns="urn:other">B2</f>',
        "<f>B2</f><f>C2</f>",
    ]
)
_RESULTS = st.one_of(st.builds("<v>{}</v>".format, _VALUES), st.sampled_from(["<v/>", "<v />", ""]))
_OWN_TEXTS = st.sampled_from(
    [
        "<t>{}</t>",
        '<t xml:space="preserve">{}</t>',
        '<t xml:space="default">{}</t>',
        "<t>{}</t><t>2</t>",
        "<r><t>{}</t></r>",
        "",
    ]
)
_CELLS = st.one_of(
    st.builds('<c r="{}"{}{}><v>{}</v></c>'.format, _ADDRESSES, _STYLES, _TYPES, _VALUES),
    st.builds('<c r="{}"{}{}/>'.format, _ADDRESSES, _STYLES, _TYPES),
    st.sampled_from(
        [
            "<c><v>4</v></c>",
            '<c r="B1"><f>A1</f><v>5</v></c>',
            '<c r="C1" t="inlineStr"><is><t>text</t></is></c>',
            "<!-- </row> -->",
            "<!-- <c r='A1'><v>6</v></c> -->",
            "<?a b?>",
            "\n",
            '<c r="A1" r="A1"/>',
            "<other/>",
            '<row r="3"><c r="A3"><v>7</v></c></row>',
            "</row>",
        ]
    ),
)
_ROW_TAGS = st.sampled_from(
    [
        '<row r="1">',
        '<row r="1" spans="1:3" ht="15" customHeight="1">',
        '<row r="1" hidden="1">',
        '<row r="1" hidden="0">',
        '<row r="1" x14ac:dyDescent="0.25">',
        '<row r="1" ht="1" ht="1">',
        '<row r="2">',
        '<row r="0">',
        '<row r="1048577">',
        "<row>",
        '<row xmlns="urn:other" r="1">',
    ]
)
_ROWS = st.builds("{}{}</row>".format, _ROW_TAGS, st.lists(_CELLS, max_size=4).map("".join))
_STRAY = st.sampled_from(
    [
        "\n",
        "<!-- <row r='1'> -->",
        '<!-- <row r="1"><c r="C1"><v>8</v></c></row> -->',
        '<!-- </row><row r="1"><c r="C1"><v>8</v></c></row> -->',
        '<![CDATA[<row r="1"><c r="C1"><v>8</v></c></row>]]>',
        '<c r="C1"><v>9</v></c>',
        "<c><v>9</v></c>",
        '<is><row r="2"><c r="A2"><v>8</v></c></row></is>',
        "</sheetData><sheetData>",
        '<a xmlns="urn:other">',
        "</a>",
        '<m:sheetData xmlns:m="MAIN">',
        "</m:sheetData>",
        '</sheetData><row r="2"><c r="A2"><v>8</v></c></row><sheetData>',
        "&amp;",
        "<row/>",
    ]
)
_SHEETS = st.lists(st.one_of(_ROWS, _ROWS, _STRAY), max_size=5).map("".join)


def _said(data: bytes) -> list[Sheet] | tuple[str, dict[str, object]]:
    try:
        return read_workbook(data).sheets
    except UnreadableWorkbook as fault:
        return fault.code, fault.words


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_SHEETS)
@example(rows='<row r="1"><c r="A1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="s"><v>2</v></c></row>')
@example(rows='<row r="1"><c r="A1"><v>1</v></c></row><c><v>2</v></c>')
@example(rows='<row xmlns="urn:other" r="1"><row r="3"></row><row r="3"><c r="A3"><v>7</v></c></row></row>')
@example(
    rows='</sheetData><a xmlns="urn:other"><m:sheetData xmlns:m="MAIN">'
    '<row r="3"><c r="A3"><v>7</v></c></row></m:sheetData></a><sheetData>'
)
@example(rows='<row r="1"><c r="XFE1"><v>1</v></c></row>')
def test_a_parser_reads_rows_alike(parts_of: PartsOf, pack: Pack, rows: str) -> None:
    rows = rows.replace("MAIN", "http://schemas.openxmlformats.org/spreadsheetml/2006/main")
    by_parser = parts_of(_COMMENT + rows, strings=_STRINGS)
    assert _said(pack(parts_of(rows, strings=_STRINGS))) == _said(pack(by_parser))


_TEXTS = st.lists(
    st.one_of(
        st.builds("<si><t>{}</t></si>".format, _VALUES),
        st.builds('<si><t xml:space="preserve"> {} </t></si>'.format, _VALUES),
        st.sampled_from(
            [
                "<si><r><t>rich</t></r><r><t> text</t></r></si>",
                "<si><t>said</t><rPh><t>so</t></rPh></si>",
                "<si><t>a</t><si><t>b</t></si>",
                "<si/>",
                "<si><t/></si>",
                "<t>stray</t>",
                '<a xmlns="urn:other">',
                "</a>",
                "<!-- <si><t>no</t></si> -->",
                "<!-- </si><si><t>no</t></si> -->",
                "<si><t>_x000D_ _x0000_</t></si>",
                "\n",
            ]
        ),
    ),
    max_size=6,
).map("".join)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=_TEXTS)
def test_a_parser_reads_texts_alike(parts_of: PartsOf, pack: Pack, texts: str) -> None:
    rows = (
        '<row r="1">' + "".join(f'<c r="{column}1" t="s"><v>{at}</v></c>' for at, column in enumerate("ABC")) + "</row>"
    )
    assert _said(pack(parts_of(rows, strings=texts))) == _said(pack(parts_of(rows, strings=_COMMENT + texts)))


def test_prefixed_sheet_data_is_not_plain(parts_of: PartsOf, pack: Pack) -> None:
    """Rows without their sheet's prefix are in another namespace, and are not rows."""
    parts = parts_of()
    sheet = str(parts["xl/worksheets/sheet1.xml"]).replace("xmlns=", 'xmlns="urn:other" xmlns:x=')
    for name in ("worksheet", "sheetData"):
        sheet = sheet.replace(f"<{name}", f"<x:{name}").replace(f"</{name}", f"</x:{name}")
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>'
    parts["xl/worksheets/sheet1.xml"] = sheet.replace("</x:sheetData>", f"{rows}</x:sheetData>")
    assert read_workbook(pack(parts)).sheets[0].rows == {}


_CONTENTS = st.one_of(
    st.builds("{}{}".format, _FORMULAS, _RESULTS),
    st.builds(lambda own, value: f"<is>{own.format(f' {value} ')}</is>", _OWN_TEXTS, _VALUES),
    st.just(""),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(_STYLES, _TYPES, _CONTENTS), min_size=1, max_size=2))
@example(cells=[("", ' t="inlineStr"', "<is><t> text </t></is>")])
@example(cells=[("", ' t="inlineStr"', '<is><t xml:space="preserve"> text </t></is>')])
@example(cells=[("", ' t="inlineStr"', '<is><t xml:space="default"> text </t></is>')])
@example(cells=[("", ' t="s"', "")])
@example(cells=[("", "", "<f>A2/B2</f><v/>")])
def test_a_parser_reads_formulas_and_texts_of_cells_alike(
    parts_of: PartsOf, pack: Pack, cells: list[tuple[str, str, str]]
) -> None:
    filled = (
        f'<c r="{column}1"{style}{kind}>{content}</c>'
        for column, (style, kind, content) in zip("AB", cells, strict=False)
    )
    row = f'<row r="1">{"".join(filled)}<c r="C1"><v>1</v></c></row>'
    assert _said(pack(parts_of(row, strings=_STRINGS))) == _said(pack(parts_of(_COMMENT + row, strings=_STRINGS)))


@pytest.mark.parametrize(
    ("declared", "encoding", "read"),
    [
        ("utf-8", "utf-8", "é"),
        ("utf-16", "utf-16", "é"),
        ("iso-8859-1", "iso-8859-1", "é"),
        ("iso-8859-1", "utf-8", "Ã©"),
    ],
)
def test_a_part_is_in_the_encoding_that_it_declares(
    parts_of: PartsOf, pack: Pack, declared: str, encoding: str, read: str
) -> None:
    parts = parts_of('<row r="1"><c r="A1" t="str"><v>é</v></c></row>')
    sheet = f'<?xml version="1.0" encoding="{declared}"?>' + str(parts["xl/worksheets/sheet1.xml"])
    parts["xl/worksheets/sheet1.xml"] = sheet.encode(encoding)
    assert read_workbook(pack(parts)).sheets[0].rows[1][1].value == read


@pytest.mark.parametrize(
    ("length", "columns"), [(499, "A"), (500, "A"), (507, "AB"), (2_000, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
)
def test_rows_that_chunks_cut_are_whole(parts_of: PartsOf, pack: Pack, length: int, columns: str) -> None:
    """A part is read in chunks of 64 KiB, which split rows and characters; a row may be longer."""
    chance = random.Random(length)
    rows = ""
    for row in range(1, 101):
        texts = ("".join(chance.choices("é1x", k=length)) for _ in columns)
        cells = [f'<c r="{letter}{row}" t="str"><v>{text}</v></c>' for letter, text in zip(columns, texts, strict=True)]
        rows += f'<row r="{row}">{"".join(cells)}</row>'
    sheet = read_workbook(pack(parts_of(rows))).sheets[0]
    assert [sheet] == _said(pack(parts_of(_COMMENT + rows)))
    assert len(sheet.rows) == 100


@pytest.mark.parametrize("cut", [1, 7, 100, 1_000])
def test_the_parser_sees_no_plain_row(cut: int) -> None:
    before, after = b'<worksheet xmlns="urn:x"><sheetData>', b"</sheetData></worksheet>"
    plain = (
        b'<row r="1" spans="1:2"><c r="A1" s="3" t="s"><v>0</v></c><c r="B1" s="1" />'
        b'<c r="C1"><f>A1/B1</f><v>0.5</v></c><c r="D1" t="str"><f t="shared" si="0"/><v /></c>'
        b'<c r="E1" t="inlineStr"><is><t xml:space="preserve"> text</t></is></c></row>'
    )
    hidden = b'<row r="2" hidden="1"><c r="A2"><v>1</v></c></row>'
    rows = before + plain + hidden + plain + after
    cuts = range(len(before) + 20, len(rows), cut)
    chunks = [rows[begin:end] for begin, end in zip((0, *cuts), (*cuts, None), strict=True)]
    taken: list[str] = []
    left = set_apart(chunks, PlainElements("<row ", "</row>", plain_rows, lambda: True, taken.append))
    assert b"".join(left) == before + hidden + after
    assert taken == [plain.decode()] * 2
