"""Marking a workbook: what is marked, and that nothing else changes."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from cypp_etl.findings import Finding
from cypp_etl.receipts.comments import AUTHOR
from cypp_etl.receipts.marking import mark_workbook
from cypp_etl.receipts.ooxml.styles import MARKS
from cypp_etl.receipts.recognise import SEPARATOR
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.receipts.wording import TITLE
from cypp_etl.workbook.model import UnreadableWorkbook, column_letters
from cypp_etl.workbook.reader import read_workbook
from schemas.codes import Severity

Make = Callable[..., Finding]
PartsOf = Callable[[bytes], dict[str, bytes]]
Check = Callable[[bytes], None]


def save(book: Workbook) -> bytes:
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def small() -> bytes:
    book = Workbook()
    book.active.title = "Return"
    book.active["B2"] = 71
    book.active["D2"] = "text"
    book.active["B9"] = "last"
    return save(book)


def cells_of(data: bytes) -> list[tuple[str, dict[int, dict[int, object]]]]:
    return [(sheet.name, sheet.rows) for sheet in read_workbook(data).sheets if sheet.name != "Receipt"]  # type: ignore[misc]


def test_a_faulty_cell_has_fill_border_and_comment(find: Make, summary: ReceiptSummary, assert_sound: Check) -> None:
    marked = mark_workbook(small(), [find("Return", "B2", message="71 of what?")], summary)
    assert_sound(marked)
    cell = load_workbook(BytesIO(marked))["Return"]["B2"]
    assert cell.value == 71
    assert cell.fill.fgColor.rgb == MARKS[Severity.ERROR].fill
    assert cell.border.left.style == "medium"
    assert cell.comment.author == AUTHOR
    assert cell.comment.text.startswith("ERROR: 71 of what?\nWhat to do: Put it right.")


def test_findings_of_one_cell_share_a_comment_and_the_worst_gives_the_colour(
    find: Make, summary: ReceiptSummary
) -> None:
    findings = [
        find("Return", "B2", Severity.NOTE, "Third."),
        find("Return", "B2", Severity.QUERY, "Second."),
        find("Return", "B2", Severity.ERROR, "First."),
    ]
    cell = load_workbook(BytesIO(mark_workbook(small(), findings, summary)))["Return"]["B2"]
    assert [line.split(":")[0] for line in cell.comment.text.split("\n")][::3][:3] == ["ERROR", "QUERY", "NOTE"]
    assert cell.fill.fgColor.rgb == MARKS[Severity.ERROR].fill


@pytest.mark.parametrize("address", ["A1", "A2", "C2", "E2", "B5", "Z99", "XFD1048576"])
def test_a_cell_that_is_not_there_is_made_in_its_place(
    find: Make, summary: ReceiptSummary, assert_sound: Check, address: str
) -> None:
    marked = mark_workbook(small(), [find("Return", address)], summary)
    assert_sound(marked)
    assert cells_of(marked) == cells_of(small())
    if address != "XFD1048576":
        assert load_workbook(BytesIO(marked))["Return"][address].comment.text.startswith("ERROR")


def test_what_openpyxl_would_lose_is_kept(
    rich_workbook: bytes, find: Make, summary: ReceiptSummary, assert_sound: Check, parts_of: PartsOf
) -> None:
    findings = [find("Figures", "B2"), find("Figures", "C3"), find("Figures", "F7"), find("It's other", "B9")]
    marked = mark_workbook(rich_workbook, findings, summary)
    assert_sound(rich_workbook)
    assert_sound(marked)
    before, after = parts_of(rich_workbook), parts_of(marked)
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
        "xl/worksheets/_rels/sheet2.xml.rels",
        "xl/comments1.xml",
        "xl/drawings/vmlDrawing1.vml",
    }
    assert before.keys() <= after.keys()
    assert cells_of(marked) == cells_of(rich_workbook)
    assert b"sparkline" in after["xl/worksheets/sheet1.xml"]
    assert b"dataBar" in after["xl/worksheets/sheet1.xml"]
    assert read_workbook(marked).has_macros


def test_entries_that_are_not_touched_are_copied_as_they_are_packed(
    rich_workbook: bytes, find: Make, summary: ReceiptSummary
) -> None:
    marked = mark_workbook(rich_workbook, [find("Figures", "B2")], summary)
    with zipfile.ZipFile(BytesIO(rich_workbook)) as before, zipfile.ZipFile(BytesIO(marked)) as after:
        order = [name for name in after.namelist() if name in before.namelist()]
        assert order == before.namelist()
        for name in ("xl/vbaProject.bin", "xl/charts/chart1.xml", "xl/theme/theme1.xml"):
            one, other = before.getinfo(name), after.getinfo(name)
            assert (one.compress_size, one.CRC, one.date_time) == (other.compress_size, other.CRC, other.date_time)


def test_a_cell_takes_the_style_of_its_row_or_column(rich_workbook: bytes, find: Make, summary: ReceiptSummary) -> None:
    marked = mark_workbook(rich_workbook, [find("Figures", "D50"), find("Figures", "F7")], summary)
    sheet = load_workbook(BytesIO(marked))["Figures"]
    for address in ("D50", "F7"):
        assert sheet[address].number_format == "0.0%"
        assert sheet[address].font.bold


def test_existing_comments_are_kept(rich_workbook: bytes, find: Make, summary: ReceiptSummary) -> None:
    marked = mark_workbook(rich_workbook, [find("Figures", "B2", message="What now?")], summary)
    sheet = load_workbook(BytesIO(marked))["Figures"]
    assert sheet["B2"].comment.text.startswith(f"Our own note.\n\n{SEPARATOR}\nERROR: What now?")
    assert sheet["B2"].comment.author == "Jane"
    assert sheet["B3"].comment.text == "Another."


def test_it_opens_on_the_receipt_and_no_other_sheet_is_selected(
    rich_workbook: bytes, find: Make, summary: ReceiptSummary, parts_of: PartsOf
) -> None:
    marked = mark_workbook(rich_workbook, [find("Figures", "B2")], summary)
    book = load_workbook(BytesIO(marked))
    assert book.sheetnames == ["Receipt", "Figures", "It's other", "Plain", "Charts"]
    assert book.active.title == "Receipt"
    selected = [name for name, part in parts_of(marked).items() if b'tabSelected="1"' in part]
    assert selected == ["xl/worksheets/receipt1.xml"]


def test_names_of_a_sheet_follow_it(rich_workbook: bytes, summary: ReceiptSummary) -> None:
    book = load_workbook(BytesIO(mark_workbook(rich_workbook, [], summary)))
    assert book["Figures"].print_title_rows == "$1:$1"
    assert "A$1:$B$2" in book["It's other"].print_area
    assert "Local" in book["Plain"].defined_names
    assert "Global" in book.defined_names


def test_the_first_sheet_has_the_proof_and_every_finding_with_a_link(find: Make, summary: ReceiptSummary) -> None:
    findings = [find("Return", "B2", Severity.NOTE), find("Return", "D2"), find("", "", Severity.QUERY)]
    sheet = load_workbook(BytesIO(mark_workbook(small(), findings, summary)))["Receipt"]
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert texts[0] == TITLE
    for proof in ("Youth Offending Service", "2010/11 Q1", "version 2", "12 July 2010 at 14:05 UTC", "ab" * 32):
        assert proof in texts
    assert "The return for 2009/10 Q4, due on 1 May 2010" in texts
    assert "Indicators, G3: was 70.1%, is 71.0%" in texts
    assert [text for text in texts if text in {"ERROR", "QUERY", "NOTE"}] == ["ERROR", "QUERY", "NOTE"]
    links = {cell.value: cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink}
    assert links == {"Return, D2": "'Return'!D2", "Return, B2": "'Return'!B2"}


@pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '=cmd|" /C calc"!A0', "_x003D_1"])
def test_what_was_typed_never_becomes_a_formula(
    find: Make, summary: ReceiptSummary, parts_of: PartsOf, typed: str
) -> None:
    marked = mark_workbook(small(), [find("Return", "B2", value=typed, message=typed)], replace(summary, partner=typed))
    assert b"<f" not in parts_of(marked)["xl/worksheets/receipt1.xml"]
    receipt = read_workbook(marked).sheets[0]
    cells = [cell for row in receipt.rows.values() for cell in row.values()]
    assert not any(cell.is_formula for cell in cells)
    assert sum(cell.value == typed.replace("\r", "\n") for cell in cells) == 3


def test_texts_that_xml_cannot_hold_are_mended(find: Make, summary: ReceiptSummary, assert_sound: Check) -> None:
    wild = 'a\x00b\x0b<&>"\ud800\ufffe' + "x" * 100_000
    marked = mark_workbook(small(), [find("Return", "B2", value=wild, message=wild)], replace(summary, file_name=wild))
    assert_sound(marked)
    assert "<&>" in load_workbook(BytesIO(marked))["Return"]["B2"].comment.text


def test_a_name_that_is_taken_is_not_taken_again(find: Make, summary: ReceiptSummary, assert_sound: Check) -> None:
    book = Workbook()
    book.active.title = "RECEIPT"
    book.active["A1"] = "Mine"
    marked = mark_workbook(save(book), [find("RECEIPT", "A1")], summary)
    assert_sound(marked)
    assert load_workbook(BytesIO(marked)).sheetnames == ["Receipt (2)", "RECEIPT"]


def test_findings_at_no_cell_or_on_no_sheet_are_listed_only(
    find: Make, summary: ReceiptSummary, assert_sound: Check
) -> None:
    findings = [
        find("Milestones", "A1"),
        find("Return", ""),
        find("", ""),
        find("Return", "B0"),
        find("Return", "ZZZ1"),
    ]
    marked = mark_workbook(small(), findings, summary)
    assert_sound(marked)
    book = load_workbook(BytesIO(marked))
    assert not [cell for row in book["Return"].iter_rows() for cell in row if cell.comment]
    links = [cell.hyperlink.location for row in book["Receipt"].iter_rows() for cell in row if cell.hyperlink]
    assert links[0] == "'Return'!A1"


def test_a_thousand_findings(find: Make, summary: ReceiptSummary, assert_sound: Check) -> None:
    findings = [find("Return", f"{column_letters(1 + number % 20)}{1 + number // 20}") for number in range(1000)]
    marked = mark_workbook(small(), findings, summary)
    assert_sound(marked)
    sheet = load_workbook(BytesIO(marked))["Return"]
    assert all(sheet[finding.cell].comment for finding in findings)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(places=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40), st.sampled_from(Severity)), max_size=40))
def test_wherever_the_findings_are_the_package_is_sound_and_says_the_same(
    find: Make, summary: ReceiptSummary, assert_sound: Check, places: list[tuple[int, int, Severity]]
) -> None:
    findings = [find("Return", f"{column_letters(column)}{row}", severity) for row, column, severity in places]
    marked = mark_workbook(small(), findings, summary)
    assert_sound(marked)
    assert cells_of(marked) == cells_of(small())
    sheet = load_workbook(BytesIO(marked))["Return"]
    commented = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment}
    assert commented == {finding.cell for finding in findings}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"%PDF-1.4", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0" * 100])
def test_what_is_no_workbook_cannot_be_marked(summary: ReceiptSummary, data: bytes) -> None:
    with pytest.raises(UnreadableWorkbook):
        mark_workbook(data, [], summary)
