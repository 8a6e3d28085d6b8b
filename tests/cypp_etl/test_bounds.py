"""Work grows linearly with the text that a partner sends, and an error in many cells is few findings."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from io import BytesIO

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.findings import bounded, find
from cypp_etl.intake.values import read_figure
from cypp_etl.periods import Period, period_or_none
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.recognise import SEPARATOR, SIGNATURE, without_receipt_notes
from cypp_etl.rules.personal import kinds_in
from cypp_etl.templates.workbook import write_template
from cypp_etl.workbook.model import Cell, CellKind

LONG = 200_000  # characters; quadratic work takes minutes

SHAPES = {
    "one word": "a" * LONG,
    "spaces": "x" + " " * LONG + "x",
    "digits": "1" * LONG,
    "at signs": "1@" * (LONG // 2),
    "words before no at sign": "12" + "a.b" * (LONG // 3),
    "domains": "1@a" + ".b" * (LONG // 2) + "@",
    "dates of birth": "born 1 " * (LONG // 7),
    "a date of birth after spaces": "1 born" + " " * LONG + "1",
    "addresses": "1 a a a a " * (LONG // 10),
    "an address of spaces": "1 a" + " " * LONG + "street 2",
    "suffixes": "x" + "[p]" * (LONG // 3),
    "brackets": "[" * LONG,
    "a year and spaces": "2010-11" + " " * LONG + "x",
    "separators": f"{SEPARATOR} " * (LONG // 16),
    "spaces before no separator": " " * LONG + "x" + SIGNATURE,
    "dots": "." * LONG,
}

READERS: dict[str, Callable[[str], object]] = {
    "personal data": kinds_in,
    "figures": lambda text: read_figure(Cell(1, 1, CellKind.TEXT, text)),
    "periods": period_or_none,
    "comments": without_receipt_notes,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reader", READERS)
def test_a_long_text_is_read_in_no_time(reader, shape):
    began = time.process_time()
    READERS[reader](SHAPES[shape])
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ask j.smith+x@example.org.uk", "an e-mail address"),
        ("see a@b@example.org", "an e-mail address"),
        ("born on 3 May 1999", "a date of birth"),
        ("12 High Street, Leeds LS1 4AB", "a home address"),
    ],
)
def test_bounded_patterns_still_find_personal_data(text, kind):
    assert kind in kinds_in(text)


@pytest.mark.parametrize(("length", "trouble"), [(200, ""), (201, "text-with-digits")])
def test_suffixes_are_looked_for_behind_texts_that_can_be_figures(length, trouble):
    text = "0" * (length - 5) + "12[p]"
    assert read_figure(Cell(1, 1, CellKind.TEXT, text)).trouble == trouble


def test_notes_of_receipts_are_removed_and_what_people_wrote_stays():
    note = f"ERROR at G2\n{SIGNATURE}\n"
    assert without_receipt_notes(note + "ours") == "ours"
    assert without_receipt_notes(f"ours\n{SEPARATOR}\nERROR\n{SIGNATURE}  \ntheirs {SEPARATOR}") == (
        f"ourstheirs {SEPARATOR}"
    )


@pytest.mark.parametrize(("made", "stand"), [(499, 499), (500, 500), (501, 501), (502, 501), (9_000, 501)])
def test_findings_of_one_cause_are_counted_past_five_hundred(made, stand):
    findings = list(bounded(find("hidden-row", sheet="S", cell=f"A{row}", row=row) for row in range(1, made + 1)))
    assert len(findings) == stand
    assert list(bounded(findings)) == findings, "what was bounded before stays as it is"
    if made > 501:
        assert f"{made - 500:,} more cells" in findings[-1].message
        assert f"from A501 to A{made}" in findings[-1].message


def test_findings_without_a_cell_all_stand():
    findings = [find("indicator-missing", sheet="S", indicator=f"X{n}", definition="d") for n in range(600)]
    assert list(bounded(findings)) == findings


def _checked(spoil: Callable[[Worksheet], None], sheet: str = "Indicators") -> CheckedReturn:
    plan = read_plan(None)
    book = openpyxl.load_workbook(BytesIO(write_template(plan, "yos", Period(2010, 1))))
    spoil(book[sheet])
    data = BytesIO()
    book.save(data)
    return Checker(plan, History(), date(2010, 7, 10)).check(Received("yos.xlsx", data.getvalue(), "yos"))


def test_a_column_filled_down_is_a_few_findings_with_its_range():
    def fill_down(sheet: Worksheet) -> None:
        for row in range(sheet.max_row + 1, 12_001):
            sheet.cell(row, 1, "zz")
            if row % 2:
                sheet.cell(row, 9, 71)

    checked = _checked(fill_down)
    codes = Counter(finding.code for finding in checked.findings)
    assert codes["indicator-unknown"] == 501
    assert codes["text-around-table"] == 501
    assert codes["rows-not-read"] == 1
    (unread,) = [finding for finding in checked.findings if finding.code == "rows-not-read"]
    assert "to 12000 of Indicators" in unread.message


def test_sixteen_thousand_headings_are_a_few_findings():
    def add_headings(sheet: Worksheet) -> None:
        for column in range(sheet.max_column + 1, 16_001):
            sheet.cell(1, column, f"Actual {column}")

    checked = _checked(add_headings)
    assert Counter(finding.code for finding in checked.findings)["heading-unknown"] <= 501


def test_many_labels_on_the_cover_are_no_fault():
    def add_labels(sheet: Worksheet) -> None:
        for row in range(sheet.max_row + 1, 20_000):
            sheet.cell(row, 1, f"Label {row}")

    checked = _checked(add_labels, "Return")
    assert (checked.partner_code, checked.period) == ("yos", Period(2010, 1))


def test_a_long_value_is_cut_in_a_finding():
    assert len(find("not-a-figure", value="x" * 30_000, indicator="NI 1").value) == 2_000
