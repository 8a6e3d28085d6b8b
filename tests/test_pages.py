"""The pages that people open, checked by axe in a real browser: the report, its index, and what partners get."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.page import reply_page
from cypp_etl.receipts.status_page import OpenQuery, PartnerStatus, ReturnState, status_page
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.report.folder import report_of
from cypp_etl.report.html import render_html, render_pages
from schemas.codes import ReturnStatus, SubmissionStatus
from tests.support.samples import sample_of
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WIDE, NARROW = 1280, 390
AT = datetime(2011, 2, 28, tzinfo=UTC)
STATUS = PartnerStatus(
    "Youth Offending Service",
    date(2010, 11, 3),
    [
        ReturnState("2010/11 Q3", date(2011, 1, 20), ReturnStatus.NOT_DUE, has_form=True),
        ReturnState("2010/11 Q2", date(2010, 10, 20), ReturnStatus.MISSING, rejected_on=date(2010, 10, 19)),
        ReturnState("2010/11 Q1", date(2010, 7, 20), ReturnStatus.LATE, date(2010, 7, 23)),
        ReturnState("2009/10 Q4", date(2010, 4, 20), ReturnStatus.RECEIVED, date(2010, 4, 12)),
    ],
    [
        OpenQuery(
            "2010/11 Q1", "NI 43 (Indicators!I3)", f"It changed from 5.0% to 8.2%: {'why' * 60}?", date(2010, 7, 23)
        )
    ],
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report on two quarters of three partners, as a page and as an index, and the receipt of what is no return."""
    folder, plan = tmp_path_factory.mktemp("pages"), read_plan()
    engine = open_warehouse(f"sqlite:///{folder / 'warehouse.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, datetime(2009, 7, 1, tzinfo=UTC))
    for period in (Period(2009, 3), Period(2010, 3)):
        for partner_code in ("yos", "nhs", "cyps"):
            received = Received(f"{partner_code}.xlsx", sample_of(partner_code, period), partner_code)
            record(engine, Checker(plan, History(), AT.date()).check(received), plan, AT)
    with reading(engine) as connection:
        data = read_board(connection, Period(2010, 3), AT)
    engine.dispose()
    checked = Checker(plan, History(), AT.date()).check(Received("return.pdf", b"%PDF-1.4", "yos"))
    summary = ReceiptSummary("YOS", "2010/11 Q3", None, AT, "return.pdf", "ab" * 32, SubmissionStatus.REJECTED)
    status = status_page(STATUS).encode()
    report = render_html(data, date(2011, 3, 1))
    # As many partners as make it a folder.
    performance = [{**row, "partner_code": f"{row['partner_code']}{n}"} for row in data.performance for n in range(6)]
    large = replace(data, performance=performance, clinics=[])
    *_, (_, index) = render_pages(report_of(large), date(2011, 3, 1))
    reply = reply_page(summary, checked.findings).encode()
    written = {"report": report, "index": index, "reply": reply, "status": status}
    for name, content in written.items():
        (folder / f"{name}.html").write_bytes(content)
    return {name: folder / f"{name}.html" for name in written}


def _open(browser: Browser, path: Path, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, bypass_csp=True)
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", ["report", "index", "reply", "status"])
def test_axe_finds_nothing_and_nothing_hangs_over(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    page = _open(browser, pages[name], width)
    found = Axe().run(page).response
    assert [(violation["id"], violation["impact"]) for violation in found["violations"]] == []
    assert len(found["passes"]) > 10, "axe looked at the page"
    # A wide table scrolls within itself; the page never does.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_axe_would_notice(browser: Browser, pages: dict[str, Path]) -> None:
    page = _open(browser, pages["report"], WIDE)
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == ["html-has-lang"]
    page.close()


def test_the_report_asks_for_nothing_from_anywhere(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages["report"].as_uri())
    page.wait_for_load_state("networkidle")
    assert asked == [pages["report"].as_uri()]
    page.close()
