"""Possible personal data is withheld from rows, findings and names, wherever it was typed, at any length."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from io import BytesIO

import openpyxl
import pytest

from cypp_etl.checked_return import CheckedReturn, History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.findings import find
from cypp_etl.intake.withheld import contact
from cypp_etl.periods import Period
from cypp_etl.personal import MARK, is_personal_name, shown_file_name, shown_path
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.marking import mark_workbook
from cypp_etl.receipts.summary import ReceiptSummary
from schemas.codes import SubmissionStatus
from tests.support.samples import sample_of

NHS = "943 476 5919"
LONG = "x" * 70 + " " + NHS


def column(sheet, heading):
    cells = [cell for row in sheet.iter_rows(max_row=3) for cell in row]
    return next(cell.column_letter for cell in cells if str(cell.value or "").startswith(heading))


@pytest.fixture
def summary_of():
    def make(checked: CheckedReturn) -> ReceiptSummary:
        return ReceiptSummary(
            partner="YOS",
            period_label="2010/11 Q1",
            version=1,
            received_at=datetime(2010, 7, 12, tzinfo=UTC),
            file_name=checked.file_name,
            sha256=checked.sha256,
            status=SubmissionStatus.REJECTED,
        )

    return make


@pytest.fixture(scope="module")
def plan():
    return read_plan()


def check(plan, place, text=NHS, name="return.xlsx") -> tuple[CheckedReturn, bytes]:
    """A return of the youth offending service with a text in one place."""
    book = openpyxl.load_workbook(BytesIO(sample_of("yos", Period(2010, 1))))
    indicators, milestones, cover = book["Indicators"], book["Milestones"], book["Return"]
    match place:
        case "Comment" | "Actual" | "Marker" | "Ref" | "Numerator":
            indicators[f"{column(indicators, place)}2"] = text
        case "Evidence" | "Reason":
            milestones[f"{column(milestones, place)}2"] = text
        case "heading":
            indicators.cell(1, indicators.max_column + 1, text)
        case "partner" | "period" | "prepared by":
            labels = {str(row[0].value).lower(): row[1] for row in cover.iter_rows()}
            next(cell for label, cell in labels.items() if label.startswith(place)).value = text
        case "sheet":
            book.create_sheet(text)["A1"] = "x"
        case "renamed sheet":
            indicators.title = text
    stream = BytesIO()
    book.save(stream)
    checked = Checker(plan, History(), date(2010, 7, 12)).check(Received(f"yos/{name}", stream.getvalue(), "yos"))
    return checked, stream.getvalue()


def shown(checked: CheckedReturn) -> str:
    """Everything of a return that is passed on, except the path of its file, and digests.

    A digest may contain any four digits by chance.
    """
    told = asdict(checked) | {"withheld": (), "sheet_names": {}, "file": "", "sha256": "", "content_sha256": ""}
    told["observations"] = [row._replace(file="") for row in checked.observations]
    told["milestone_reports"] = [row._replace(file="") for row in checked.milestone_reports]
    return repr(told)


@pytest.mark.parametrize("text", [NHS, LONG, "9434765919", "943-476-5919"])
@pytest.mark.parametrize(
    "place",
    [
        *("Comment", "Evidence", "Reason", "Actual", "Marker", "Ref", "Numerator", "heading"),
        *("partner", "period", "prepared by"),
    ],
)
def test_a_number_is_repeated_nowhere(plan, place, text):
    checked, _ = check(plan, place, text)
    for part in (text, NHS, "943 4", "9434", "943-4", "5919"):
        assert part not in shown(checked)


@pytest.mark.parametrize("place", ["sheet", "renamed sheet"])
def test_the_name_of_a_sheet_is_withheld(plan, place):
    checked, _ = check(plan, place)
    assert NHS not in shown(checked)
    assert dict(checked.sheet_names) == {"[sheet name withheld]": NHS}
    names = {finding.sheet for finding in checked.findings}
    assert "[sheet name withheld]" in names


def test_a_finding_in_a_sheet_whose_name_is_withheld_is_marked_in_its_cell(plan, summary_of):
    book = openpyxl.load_workbook(BytesIO(sample_of("yos", Period(2010, 1))))
    book["Indicators"]["I2"] = "many"
    book["Indicators"].title = NHS
    stream = BytesIO()
    book.save(stream)
    checked = Checker(plan, History(), date(2010, 7, 12)).check(Received("yos/r.xlsx", stream.getvalue(), "yos"))
    marked = mark_workbook(stream.getvalue(), checked.findings, summary_of(checked), checked.sheet_names)
    sheets = openpyxl.load_workbook(BytesIO(marked))
    assert "many" in sheets[NHS]["I2"].comment.text
    texts = [str(cell.value) for row in sheets["Receipt"].iter_rows() for cell in row]
    assert not any(NHS in text for text in texts)
    links = [cell.hyperlink.location for row in sheets["Receipt"].iter_rows() for cell in row if cell.hyperlink]
    assert f"'{NHS}'!I2" in links


@pytest.mark.parametrize(
    ("place", "sheet"), [("Comment", "Indicators"), ("Evidence", "Milestones"), ("Reason", "Milestones")]
)
def test_a_withheld_text_is_kept_beside_its_mark(plan, place, sheet):
    checked, data = check(plan, place, LONG)
    (withheld,) = checked.withheld
    address = f"{column(openpyxl.load_workbook(BytesIO(data))[sheet], place)}2"
    assert (withheld.sheet, withheld.cell, withheld.text) == (sheet, address, LONG)
    assert withheld.mark == f"[withheld: may hold personal data; see {sheet}!{address} of the workbook]"
    rows = [row.comment for row in checked.observations]
    rows += [text for row in checked.milestone_reports for text in (row.evidence, row.reason)]
    assert rows.count(withheld.mark) == 1
    assert ("personal-data", address) in [(finding.code, finding.cell) for finding in checked.findings]


def test_a_number_typed_as_a_number_into_a_comment_is_withheld_and_asked_about(plan):
    checked, _ = check(plan, "Comment", 9434765919)
    assert [one.text for one in checked.withheld] == ["9434765919"]
    assert "personal-data" in [finding.code for finding in checked.findings]


def test_an_ordinary_return_withholds_nothing(plan):
    checked, _ = check(plan, "Comment", "14 of 20 young people took part, from July 2010")
    assert (checked.withheld, dict(checked.sheet_names)) == ((), {})
    assert checked.file_name == "return.xlsx"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("return 943 476 5919.xlsx", "[file name withheld].xlsx"),
        ("return_9434765919.xlsx", "[file name withheld].xlsx"),
        ("return-9434765919.v2.ods", "[file name withheld].ods"),
        ("9434765919", "[file name withheld]"),
        ("jane@example.org.xlsx", "[file name withheld].xlsx"),
        ("yos-2010-11Q1.xlsx", "yos-2010-11Q1.xlsx"),
        ("return 9434765918.xlsx", "return 9434765918.xlsx"),
    ],
)
def test_the_name_of_a_file(plan, name, expected):
    assert shown_file_name(name) == expected
    assert shown_path(f"inbox/yos/{name}") == f"inbox/yos/{expected}"
    checked, _ = check(plan, "", name=name)
    assert (checked.file, checked.file_name) == (f"yos/{name}", expected)


def test_names_of_sheets_and_contacts():
    assert is_personal_name("943_476_5919")
    assert not is_personal_name("Indicators")
    assert contact("Jane, 01709 382121, jane@example.org") == "Jane, 01709 382121, jane@example.org"
    assert contact(f"Jane {NHS}") == MARK


def test_a_message_repeats_no_text_that_is_withheld():
    finding = find("not-a-figure", sheet="Indicators", cell="I2", value=LONG)
    assert finding.value == MARK
    assert finding.message == f'"{MARK}" is not a figure.'
