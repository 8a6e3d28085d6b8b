"""A sheet's rules for input are skipped only if they contain nothing that the parser would use."""

from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cypp_etl.workbook.limits import Limits, Spent
from cypp_etl.workbook.model import UnreadableWorkbook, Workbook
from cypp_etl.workbook.ooxml.validations import without_asides
from cypp_etl.workbook.reader import read_workbook

PartsOf = Callable[..., dict[str, str | bytes]]
Pack = Callable[[dict[str, str | bytes]], bytes]

_RULE = '<dataValidation type="list" sqref="A1:A9" prompt="a &gt; b é"><formula1>"x,y"&lt;2</formula1></dataValidation>'
_ASIDE = f'<dataValidations count="1">{_RULE}</dataValidations>'
_ASIDES = st.sampled_from(
    [
        _ASIDE,
        f"<dataValidations>{_RULE}</dataValidations>",
        "<dataValidations></dataValidations>",
        "<dataValidations/>",
        '<dataValidations><mergeCell ref="A1:B2"/></dataValidations>',
        '<dataValidations a="1" a="2"></dataValidations>',
        "<dataValidations><x:y/></dataValidations>",
        "<dataValidations>&nothing;</dataValidations>",
        "<dataValidations><y></dataValidations></y>",
        "<dataValidations><!-- --></dataValidations>",
        "<dataValidationsToo>",
        "</dataValidationsToo>",
        "<dataValidations>",
        "</dataValidations>",
    ]
)
_STRAY = st.sampled_from(
    [
        '<mergeCells><mergeCell ref="A1:B2"/></mergeCells>',
        '<sheetProtection sheet="1" />',
        "<x a=\">\" b='>'/>",
        f"<x a='{_ASIDE}'/>",
        '<x a="',
        '">',
        "text &amp; more\n",
        '<y xmlns="urn:other">',
        "</y>",
        "<z>",
        "</z>",
        f"<!-- {_ASIDE} -->",
        "<!-- ",
        " -->",
        f"<![CDATA[{_ASIDE}]]>",
        f"<?p {_ASIDE}?>",
    ]
)
_BEHIND = st.lists(st.one_of(_ASIDES, _STRAY), max_size=5).map("".join)
_ROW = '<row r="1"><c r="A1"><v>1</v></c></row>'


def _said(parts: dict[str, str | bytes], pack: Pack, behind: str) -> Workbook | tuple[str, dict[str, object]]:
    name = "xl/worksheets/sheet1.xml"
    sheet = str(parts[name]).replace("</sheetData>", f"</sheetData>{behind}")
    try:
        return read_workbook(pack(parts | {name: sheet}))
    except UnreadableWorkbook as fault:
        return fault.code, fault.words


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(behind=_BEHIND)
@example(behind=_ASIDE)
@example(behind=f"<mergeCells><mergeCell ref='A1:B2'/></mergeCells>{_ASIDE}")
@example(behind=f"<z>{_ASIDE}</z>")
@example(behind=f"<x a='{_ASIDE}'/>")
@example(behind='<x a="' + _ASIDE + '"/>')
def test_a_parser_hears_the_same(parts_of: PartsOf, pack: Pack, behind: str) -> None:
    with patch("cypp_etl.workbook.ooxml.sheet.without_asides", lambda chunks, *_: chunks):
        by_parser = _said(parts_of(_ROW), pack, behind)
    assert _said(parts_of(_ROW), pack, behind) == by_parser


def _left(aside: str, spent: Spent, *, is_below_root: bool = True) -> bytes:
    sheet = f'</sheetData><sheetProtection sheet="1" />{aside}<pageMargins/></worksheet>'
    return b"".join(without_asides([sheet.encode()], lambda: is_below_root, spent))


def test_the_parser_does_without_rules_for_input() -> None:
    spent = Spent()
    assert _left(_ASIDE, spent) == b'</sheetData><sheetProtection sheet="1" /><pageMargins/></worksheet>'
    assert spent.elements == 3
    _left(_ASIDE, spent)
    assert spent.elements == 6, "what is known counts too"


@pytest.mark.parametrize("inside", ["<v>1</v>", "<x:y/>", "<!-- -->" + "<y/>" * 200_000])
def test_the_parser_sees_what_it_must(inside: str) -> None:
    spent = Spent()
    aside = f"<dataValidations>{inside}</dataValidations>"
    assert aside.encode() in _left(aside, spent)
    assert spent.elements == 0


@pytest.mark.parametrize("size", [1, 7, 40, 1_000])
def test_rules_in_several_chunks_are_left_out_too(size: int) -> None:
    sheet = f'</sheetData><sheetProtection sheet="1" />{_ASIDE}<pageMargins/></worksheet>'.encode()
    at = sheet.index(b"<dataValidations") + 20
    chunks = [sheet[:at], *(sheet[start : start + size] for start in range(at, len(sheet), size))]
    spent = Spent()
    assert b"".join(without_asides(chunks, lambda: True, spent)) == sheet.replace(_ASIDE.encode(), b"")
    assert spent.elements == 3


def test_what_stands_within_another_element_is_seen() -> None:
    assert _ASIDE.encode() in _left(_ASIDE, Spent(), is_below_root=False)


def test_what_is_left_out_is_limited() -> None:
    with pytest.raises(UnreadableWorkbook):
        _left(_ASIDE, Spent(Limits(elements=9), elements=7))
