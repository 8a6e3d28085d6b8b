"""A quarter without a shell: each step is a flow, as the Prefect UI starts it, or a file that a partner saves."""

import asyncio
import shutil
from collections.abc import Awaitable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import fill_template, sample_answers
from flows.settings import Settings

pytestmark = [pytest.mark.server, pytest.mark.trial, pytest.mark.usefixtures("prefect_server")]

PLAN = read_plan()
Q1, Q2 = "2010-11Q1", "2010-11Q2"
# NI 19 is ten times what it was, and nobody says why.
UNEXPLAINED: dict[str, object] = {"I2": 3.5, "K2": None, "L2": None, "M2": None}
PERIODS = {Q1: Period(2010, 1), Q2: Period(2010, 2)}


def ended(run: Awaitable[Any]) -> Any:
    async def state() -> Any:
        return await run

    return asyncio.run(state())


def fill_in(inbox: Path, partner_code: str, period: str, cells: dict[str, object]) -> None:
    """What a returns officer does: opens the form, types, and saves it in the partner's folder."""
    form = inbox / partner_code / "forms" / f"{partner_code} {period}.xlsx"
    book = openpyxl.load_workbook(
        BytesIO(fill_template(form.read_bytes(), sample_answers(PLAN, partner_code, PERIODS[period])))
    )
    for cell, value in cells.items():
        book["Indicators"][cell] = value
    book.save(inbox / partner_code / "our return.xlsx")


def status_of(inbox: Path, partner_code: str) -> str:
    return (inbox / partner_code / "status.html").read_text("utf-8")


def test_a_quarter_from_its_forms_to_the_published_report(settings: Settings) -> None:
    from flows.deployments.decisions.flows import answer_query, close_period
    from flows.deployments.decisions.issue_forms import issue_forms
    from flows.deployments.publish_report import publish_report
    from flows.deployments.remind import remind
    from flows.deployments.sweep_inbox import sweep_inbox
    from flows.ingestion.context import open_to_read
    from schemas.codes import QueryStatus
    from warehouse.engine import reading
    from warehouse.queries.partner_queries import partner_queries

    inbox, partners = settings.inbox, list(PLAN.partners)
    assert ended(issue_forms(period=Q1, return_state=True)).name == "Issued"
    for code in partners:
        fill_in(inbox, code, Q1, {})
    ended(sweep_inbox())

    assert ended(issue_forms(period=Q2, return_state=True)).name == "Issued"
    assert ended(issue_forms(period=Q2, return_state=True)).name == "Nothing to issue"
    refused = ended(issue_forms(period=Q2, partners=["parks"], return_state=True))
    assert (refused.name, refused.message[:27]) == ("Refused", "there is no partner 'parks'")
    # A form that is dropped as it is gets an answer in so many words.
    shutil.copy(inbox / "nhs" / "forms" / f"nhs {Q2}.xlsx", inbox / "nhs" / "blank.xlsx")
    for code in partners:
        if code != "nhs":
            fill_in(inbox, code, Q2, UNEXPLAINED if code == "yos" else {})
    swept = ended(sweep_inbox())
    (blank,) = [one.checked for path, one in swept.ingested if path.name == "blank.xlsx"]
    assert blank.findings[0].code == "form-not-filled-in"
    assert "Correct the workbook for 2010/11 Q2" in status_of(inbox, "nhs")
    assert "Answer 1 open query" in status_of(inbox, "yos")
    assert {path.name for path in (inbox / "yos").iterdir()} == {"README.txt", "status.html", "forms", "replies"}

    assert ended(remind(since=date(2010, 7, 1), return_state=True)).name == "Returns missing"
    fill_in(inbox, "nhs", Q2, {})
    ended(sweep_inbox())
    workplace = open_to_read(settings)
    with reading(workplace.engine) as connection:
        waiting = [row["query_id"] for row in partner_queries(connection, PERIODS[Q2], status=QueryStatus.OPEN)]
    for number in waiting:
        answered = ended(answer_query(query=str(number), answer="Recounted.", by="A. Clerk", return_state=True))
        assert answered.name == "Decided"
    assert ended(close_period(period=Q2, why="Seen by the Board", by="A. Clerk", return_state=True)).name == "Decided"
    published = ended(publish_report(period=Q2, return_state=True))
    assert published.name == "Published"
    ended(sweep_inbox())
    assert "There are none." in status_of(inbox, "yos")
    (report,) = (settings.reports / Q2).rglob("*.html")
    assert "Youth Offending Service" in report.read_text("utf-8")
