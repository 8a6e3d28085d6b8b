"""The kind of a partner's receipt, and its file name."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.findings import Finding
from cypp_etl.receipts.page import reply_page
from cypp_etl.receipts.reply import distinct_name, reply_for, reply_name
from cypp_etl.receipts.summary import LoadedCell, ReceiptSummary
from schemas.codes import Severity, SubmissionStatus


class Outline(HTMLParser):
    """Collects the tags and the texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def checked(file_name: str, *findings: Finding) -> CheckedReturn:
    return CheckedReturn(file_name, file_name, "ab" * 32, "", "yos", None, "", "", findings, (), ())


def finding(code: str, value: str = "") -> Finding:
    return Finding(code, Severity.ERROR, "", "", value, "It is a PDF.", "Send a workbook.")


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4", b"PK\x03\x04 cut short", b"\x09\x08\x10\x00"])
def test_what_cannot_be_marked_gets_a_page(summary: ReceiptSummary, data: bytes) -> None:
    for code in ("workbook-not-excel", "layout-unknown"):
        reply = reply_for(checked("my return.xls", finding(code)), data, summary)
        assert reply.file_name == "my return.xls - rejected.html"
        assert b"Send a workbook." in reply.content


def test_a_workbook_with_macros_keeps_its_suffix(summary: ReceiptSummary, rich_workbook: bytes) -> None:
    reply = reply_for(checked("named wrongly.xlsx"), rich_workbook, summary)
    assert reply.file_name == "named wrongly.xlsx - rejected.xlsm"


def test_a_page_is_self_contained_and_well_formed(summary: ReceiptSummary) -> None:
    page = reply_page(summary, [finding("workbook-not-excel"), finding("workbook-not-excel")])
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    tags = [tag for tag, _ in outline.tags]
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert "http:" not in page and "https:" not in page
    assert dict(outline.tags)["html"] == {"lang": "en-GB"}
    assert tags.count("h1") == 1
    assert all(attributes.get("scope") == "col" for tag, attributes in outline.tags if tag == "th")
    for proof in ("Youth Offending Service", "ab" * 32, "12 July 2010 at 14:05 UTC", "It is a PDF."):
        assert proof in outline.texts


@given(text=st.text())
def test_nothing_typed_becomes_markup(text: str) -> None:
    moment = datetime(2010, 7, 12, tzinfo=UTC)
    summary = ReceiptSummary(text, text, 1, moment, text, text, SubmissionStatus.REJECTED, still_due=(text,))
    plain = Outline()
    plain.feed(
        reply_page(
            replace(summary, partner="x", period_label="x", file_name="x", sha256="x", still_due=("x",)),
            [finding("a", "x")],
        )
    )
    wild = Outline()
    wild.feed(reply_page(summary, [finding("a", text)]))
    missing = 0 if text else 2 * 2
    assert len(wild.tags) == len(plain.tags) - missing


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("return.xlsx", "return - rejected.xlsx"),
        ("Return 2010/11.v2.xlsx", "11.v2 - rejected.xlsx"),
        ("return.XLSX", "return.XLSX - rejected.xlsx"),
        ("named wrongly.xlsm", "named wrongly.xlsm - rejected.xlsx"),
        ("named wrongly.xlsm - rejected.xlsx", "named wrongly.xlsm - rejected.xlsx"),
        ("return.", "return - rejected.xlsx"),
        ("return - rejected.xlsx", "return - rejected.xlsx"),
        ("return - rejected - accepted with queries.xlsx", "return - rejected.xlsx"),
        ("../../etc/passwd", "passwd - rejected.xlsx"),
        ("~$return.xlsx", "return - rejected.xlsx"),
        (".hidden.xlsx", "hidden - rejected.xlsx"),
        ('a<b>:"c|d?*.xlsx', "a_b___c_d__ - rejected.xlsx"),
        ("  .xlsx", "return - rejected.xlsx"),
        ("", "return - rejected.xlsx"),
        ("a\udcff.xlsx", "a\ufffd - rejected.xlsx"),
        ("abc\u202excod.xlsx", "abc_xcod - rejected.xlsx"),
        # Windows opens a device by a name that begins with the device's and a dot.
        ("aux.xls", "_aux.xls - rejected.xlsx"),
        ("Com1 .v2.xlsx", "_Com1 .v2 - rejected.xlsx"),
        ("_Com1 .v2 - rejected.xlsx", "_Com1 .v2 - rejected.xlsx"),
        ("lpt².ods", "_lpt².ods - rejected.xlsx"),
        ("aux.xlsx", "aux - rejected.xlsx"),
        ("auxiliary.xls", "auxiliary.xls - rejected.xlsx"),
        ("com10.xls", "com10.xls - rejected.xlsx"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert reply_name(name, SubmissionStatus.REJECTED, ".xlsx") == expected


def test_files_side_by_side_do_not_share_an_answer() -> None:
    files = ("return.xls", "return.ods", "return.xlsb", "return.xlsx", "return.XLSX")
    assert len({reply_name(name, SubmissionStatus.REJECTED, ".html") for name in files}) == len(files)
    assert reply_name("return.xls", SubmissionStatus.REJECTED, ".html") == "return.xls - rejected.html"


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ((), "return - rejected.xlsx"),
        (("return - accepted.xlsx",), "return - rejected.xlsx"),
        (("Return - rejected.xlsx",), "return (2) - rejected.xlsx"),
        (("return - rejected.xlsx", "return (2) - rejected.xlsx"), "return (3) - rejected.xlsx"),
    ],
)
def test_a_name_that_is_taken_gets_a_number(taken: tuple[str, ...], expected: str) -> None:
    assert distinct_name("return - rejected.xlsx", taken) == expected


def test_a_long_name_that_is_taken_still_fits() -> None:
    name = reply_name("r" * 300, SubmissionStatus.REJECTED, ".xlsx")
    made = distinct_name(name, [name])
    assert made.endswith("r (2) - rejected.xlsx") and len(made) == 255


@given(name=st.text(max_size=400), status=st.sampled_from(SubmissionStatus), suffix=st.sampled_from([".xlsx", ".html"]))
def test_any_name_fits_and_hides_nothing(name: str, status: SubmissionStatus, suffix: str) -> None:
    made = reply_name(name, status, suffix)
    assert len(made.encode()) <= 255
    assert made.endswith(f" - {status.value}{suffix}")
    assert not made.startswith((".", "~"))
    assert not set(made) & set('/\\\0<>:"|?*')


def test_a_long_name_is_cut_between_characters() -> None:
    made = reply_name("é" * 300 + ".xlsx", SubmissionStatus.ACCEPTED, ".xlsx")
    assert made.startswith("éé") and len(made.encode()) in {254, 255}


def test_a_receipt_lists_what_was_loaded(accepted: ReceiptSummary) -> None:
    page = reply_page(accepted, [])
    assert "2 cells, listed below" in page
    assert "<li>NI 43: 5.2% (Indicators, G3)</li><li>Milestone PC1.2.1: On track (Milestones, F2)</li>" in page


@pytest.mark.parametrize(
    ("typed", "words", "said"),
    [
        ("£1.2m", "£1,200,000", "£1.2m, loaded as £1,200,000"),
        ("£1,234", "£1,234", "£1,234"),
        ("14", "14 days", "14, loaded as 14 days"),
        ("5.2%", "", "5.2%"),
    ],
)
def test_a_receipt_says_what_an_amount_was_loaded_as(
    accepted: ReceiptSummary, typed: str, words: str, said: str
) -> None:
    one = LoadedCell("NI 43", typed, "Indicators", "G3", words)
    assert f"<li>NI 43: {said} (Indicators, G3)</li>" in reply_page(replace(accepted, loaded=(one,)), [])


def test_a_receipt_lists_no_more_than_a_person_reads(accepted: ReceiptSummary) -> None:
    assert "and 1 more" not in reply_page(replace(accepted, loaded=accepted.loaded[:1] * 1_000), [])
    page = reply_page(replace(accepted, loaded=accepted.loaded[:1] * 1_001), [])
    assert "1,001 cells" in page and "<li>and 1 more</li>" in page


def test_what_cannot_be_read_is_recorded_all_the_same(summary: ReceiptSummary) -> None:
    assert "<dt>Submission</dt><dd>version 2</dd>" in reply_page(summary, [])
    page = reply_page(replace(summary, version=None, period_label=""), [])
    assert "<dt>Submission</dt><dd>recorded, without a version: " in page


def test_a_rejected_return_loaded_nothing(summary: ReceiptSummary) -> None:
    page = reply_page(summary, [])
    assert "<dt>Loaded</dt><dd>none</dd>" in page and "What was loaded" not in page
