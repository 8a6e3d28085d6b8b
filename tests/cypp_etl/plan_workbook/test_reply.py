"""A plan's workbook comes back marked, like a return's receipt, and can be corrected where it is marked."""

import io
from datetime import UTC, datetime

import openpyxl

from cypp_etl.plan.model import Plan
from cypp_etl.plan_workbook.reply import reply_to
from cypp_etl.plan_workbook.sheets import read_plan_workbook

AT = datetime(2010, 7, 20, 9, 30, tzinfo=UTC)


def _saved(book: openpyxl.Workbook) -> bytes:
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_every_fault_is_marked_in_its_cell_and_can_be_corrected_there(plan: Plan, written: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written))
    right = {("figures", "C2"): "2008-09", ("indicators", "G2"): "LOW", ("milestones", "F3"): "no"}
    book["figures"]["C2"].value = 2008
    book["indicators"]["G2"].value = "HIHG"
    book["milestones"]["F3"].value = False
    data = _saved(book)
    reply = reply_to(read_plan_workbook(data, "plan.xlsx"), data, "plan.xlsx", AT)
    assert reply.file_name == "plan - rejected.xlsx"
    marked = openpyxl.load_workbook(io.BytesIO(reply.content))
    first = marked.worksheets[0]
    texts = [str(cell.value) for row in first.iter_rows() for cell in row if cell.value]
    assert texts[0] == "Check of your plan"
    assert "TO CORRECT: this plan cannot be adopted yet." in texts
    assert "There are 2 errors to correct. Correct what is listed below, all in one go." in texts
    assert not {"Partner", "Period"} & set(texts)
    notes = {(sheet, cell): marked[sheet][cell].comment.text for sheet, cell in right}
    assert notes["figures", "C2"].startswith('ERROR: "2008" is a number: type a period such as 2010-11')
    assert notes["indicators", "G2"].startswith('ERROR: "HIHG" is not one of HIGH, LOW, RANGE, NONE.')
    assert notes["milestones", "F3"].startswith('NOTE: "FALSE" is read as no.')
    for (sheet, cell), text in right.items():
        marked[sheet][cell].value = text
    again = read_plan_workbook(_saved(marked), reply.file_name)
    assert (again.faults, again.notes) == ((), ())
    assert again.plan is not None
    assert again.plan.fingerprint == plan.fingerprint


def test_a_plan_without_faults_comes_back_accepted(written: bytes) -> None:
    reply = reply_to(read_plan_workbook(written, "plan.xlsx"), written, "plan.xlsx", AT)
    assert reply.file_name == "plan - accepted.xlsx"
    first = openpyxl.load_workbook(io.BytesIO(reply.content)).worksheets[0]
    assert [first[f"A{row}"].value for row in (1, 2, 3)] == [
        "Check of your plan",
        "NO FAULTS: this plan can be adopted.",
        "cypp plan compare shows what it would change.",
    ]


def test_what_cannot_be_marked_comes_back_as_a_page() -> None:
    data = b"no workbook"
    reply = reply_to(read_plan_workbook(data, "plan.xlsx"), data, "plan.xlsx", AT)
    assert reply.file_name == "plan.xlsx - rejected.html"
    assert b"<h1>Check of your plan</h1>" in reply.content
