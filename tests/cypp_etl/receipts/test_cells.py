"""Cells of a sheet get another style, whatever lies around them; what is not looked at changes nothing."""

import pytest

from cypp_etl.receipts.ooxml.cells import SheetCells
from cypp_etl.workbook.model import UnreadableWorkbook

_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'
_ROWS = (
    '<row r="1" ht="30"><c r="A1" t="inlineStr"><is><t>A</t></is></c></row>'
    '<row r="2" spans="1:2" customHeight="1"><c r="A2"><v>1</v></c><c r="B2" s="1"/></row>'
    '<row r="3"><c r="A3"/></row><row r="6"/>'
)
_RULES = (
    '<dataValidations count="1"><dataValidation type="whole"><formula1>1</formula1></dataValidation></dataValidations>'
)


def marked(sheet: str) -> str:
    """The sheet with the style 7 in A2, B3, A5 and A9."""
    cells = SheetCells(sheet.encode(), {(2, 1), (3, 2), (5, 1), (9, 1)})
    cells.restyle(lambda _, __: 7)
    return cells.markup.result().decode()


def test_rows_and_rules_around_a_mark_stay_as_they_are():
    sheet = _SHEET.format(f"<sheetData>{_ROWS}</sheetData>{_RULES}")
    assert marked(sheet) == (
        sheet.replace('<c r="A2">', '<c r="A2" s="7">')
        .replace('<c r="A3"/>', '<c r="A3"/><c r="B3" s="7"/>')
        .replace('<row r="6"/>', '<row r="5"><c r="A5" s="7"/></row><row r="6"/>')
        .replace("</sheetData>", '<row r="9"><c r="A9" s="7"/></row></sheetData>')
    )


@pytest.mark.parametrize(
    "data",
    [
        _ROWS,
        # What is no row: in comments, in CDATA, in another element, in the rules for input.
        f'<!-- <row r="1"> -->{_ROWS}',
        f'{_ROWS}<!-- </row> <row r="8"> -->',
        '<row r="1"><c r="A1" t="inlineStr"><is><t><![CDATA[</row><row r="2">]]></t></is></c></row>',
        f'<?note <row r="1"> ?>{_ROWS}',
        '<row r="1"><c r="A1"><f>"&gt;"</f><v>></v></c></row><row r="2"><c r="A2"/></row>',
        # Rows within rows, without a number, and twice with the same one.
        '<row r="1"><row r="2"><c r="A2"/></row></row><row r="4"/>',
        '<row><c/></row><row><c/></row><row r="4"><c r="A4"/></row><row><c/></row>',
        '<row r="2"><c r="A2"/></row><row r="2"><c r="A2" s="3"/></row>',
        # Cells beside one that is marked: out of order, without an address, of another row, twice, within each other.
        '<row r="2"><c r="B2"><v>1</v></c> <c r="A2" s="4"><v>1</v></c> <c r="C2"/></row>',
        '<row r="2"><c r="B2"/><c/><c r="A2"/></row>',
        '<row r="2"><c/><c r="A2" s="4"/></row>',
        '<row r="2"><c s="4" r="A2"/><c r="A2" s="5"/></row>',
        '<row r="2"><c r="A3" s="4"/><c r="A2" s="5"/></row>',
        '<row r="2"><c r="a2" s="4"/><c r="A2" s="5"/></row>',
        '<row r="2"><c r="A2" s="4"/><c r="A2" s="5"/></row>',
        '<row r="2"><c r="B2"><c r="A2" s="4"/></c></row>',
        '<row r="2"><c r="B2"><c r="A2" s="4"><v>1</v></c></c></row>',
        '<row r="2"><c r="A2" s="4"><is/><c r="B2"/></c></row>',
        '<row r="2"><c r="A2" s=">"/><c r="B2"/></row><row r="3"><c r="B3" t="/>"><v>2</v></c ></row>',
        '<row r="3"><c r="A3" s="1"><f>1</f><v>1</v></c><c r="B3" s="2"><is><t>a</t></is></c><c r="D3"/></row>',
        "<row r='1'><c r='A1'/></row><row r=\"2\" ><c r='A2'/></row >",
        "",
    ],
)
@pytest.mark.parametrize(
    "after", ["", _RULES, f"{_RULES}<dataValidations/>", '<x><row r="1"><dataValidations/></row></x>']
)
def test_what_is_not_looked_at_changes_nothing(data, after, monkeypatch):
    sheet = _SHEET.format(f"<cols/><sheetData>{data}</sheetData>{after}")
    shortened = marked(sheet)
    monkeypatch.setattr(SheetCells, "_hollowed", lambda _, whole: whole)
    assert shortened == marked(sheet)


@pytest.mark.parametrize("rest", ['<row r="8"><c r="A8"></row></c>', "<row r='2'>", '<row r="8">'])
def test_a_sheet_that_is_broken_outside_of_what_is_left_out_is_refused(rest):
    with pytest.raises(UnreadableWorkbook):
        marked(_SHEET.format(f"<sheetData>{_ROWS}{rest}</sheetData>"))
