"""The page in a partner's folder: what there is to do, what came, what is asked."""

import re
from dataclasses import replace
from datetime import date

import pytest

from cypp_etl.receipts.status_page import MARK, OpenQuery, PartnerStatus, ReturnState, status_page
from schemas.codes import ReturnStatus

DUE, CAME, LATER = date(2010, 10, 20), date(2010, 10, 12), date(2010, 10, 19)
AWAITED = ReturnState("2010/11 Q2", DUE, ReturnStatus.NOT_DUE)
RECEIVED = ReturnState("2010/11 Q2", DUE, ReturnStatus.RECEIVED, CAME)
EMPTY = PartnerStatus("Police", date(2010, 10, 21), [], [])
CORRECT = (
    'Correct the workbook for 2010/11 Q2 that was rejected on 19 October 2010: its receipt in the folder "replies"'
)


def words(page: str) -> str:
    """What people read of a page."""
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(text.replace("&quot;", '"').split())


def todo(status: PartnerStatus) -> str:
    return words(status_page(status)).partition("What you have to do ")[2].partition(" Your returns")[0]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (RECEIVED, "Nothing. Every return that was due has come, and no query is open."),
        (
            replace(RECEIVED, status=ReturnStatus.LATE),
            "Nothing. Every return that was due has come, and no query is open.",
        ),
        (AWAITED, "Send the return for 2010/11 Q2. It is due by 20 October 2010."),
        (
            replace(AWAITED, status=ReturnStatus.MISSING, has_form=True),
            'Send the return for 2010/11 Q2. It was due by 20 October 2010. Its form is in the folder "forms".',
        ),
        (replace(AWAITED, rejected_on=LATER), f"{CORRECT} says what is wrong."),
        (
            replace(AWAITED, rejected_on=LATER, has_receipt=False),
            "Correct the workbook for 2010/11 Q2 that was rejected on 19 October 2010: the data team can tell you what "
            "is wrong.",
        ),
        (replace(RECEIVED, rejected_on=LATER), f"{CORRECT} says what is wrong. What you sent before is in force."),
    ],
)
def test_what_there_is_to_do(returned: ReturnState, expected: str) -> None:
    assert todo(replace(EMPTY, returns=[returned])) == expected


def test_queries_are_listed_with_where_they_are_and_since_when() -> None:
    asked = OpenQuery("2010/11 Q2", "NI 43 (Indicators!I3)", "It changed. Why?", LATER)
    page = status_page(replace(EMPTY, queries=[asked]))
    assert todo(replace(EMPTY, queries=[asked])) == "Answer 1 open query: see below."
    assert todo(replace(EMPTY, queries=[asked, asked])) == "Answer 2 open queries: see below."
    assert "2010/11 Q2 NI 43 (Indicators!I3) It changed. Why? 19 October 2010" in words(page)


def test_nothing_at_all_is_said_in_words() -> None:
    told = words(status_page(EMPTY))
    assert "No return has come yet, and none is due." in told
    assert "Open queries There are none." in told
    assert told.endswith("Whom to ask Ask the data team that gave you this folder.")
    assert words(status_page(replace(EMPTY, contact="returns@example.org"))).endswith("Whom to ask returns@example.org")


def test_it_holds_no_markup_of_others_and_asks_for_nothing() -> None:
    evil = "<script>alert(1)</script>\x00"
    asked = OpenQuery(evil, evil, evil, LATER)
    page = status_page(PartnerStatus(evil, LATER, [replace(RECEIVED, period=evil)], [asked], evil))
    assert "<script" not in page
    assert "\x00" not in page
    assert "src=" not in page.replace("default-src", "")
    assert "href" not in page
    assert page.startswith(f"<!DOCTYPE html>\n{MARK}")
