"""Erasing in the tables: what was typed goes on both database systems, figures and hashes stay."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from cypp_etl.checked_return import WithheldText
from cypp_etl.plan.model import Plan
from schemas.codes import Severity
from tests.warehouse.builders import Rows, checked, finding, later, observation
from warehouse.engine import reading, writing
from warehouse.recording.record import record
from warehouse.recording.submissions.erasures import Cell, Erasure, erase_content, is_erased, rewrite_files

MARK = "[withheld: may hold personal data; see Indicators!M3 of the workbook]"


@pytest.fixture
def number(engine: Engine, plan: Plan) -> int:
    """A submission with a comment in row 2, which a finding quotes, and a withheld one in row 3."""
    quoting = replace(finding(Severity.QUERY), cell="M2", value="Ask Alice", message="'Ask Alice' is no reason.")
    rows = (
        observation("NI 111a", "300", comment="Ask Alice"),
        observation("NI 111b", "1.5", comment=MARK, cell="G3"),
    )
    withheld = (WithheldText("Indicators", "M3", MARK, "943 476 5919"),)
    return record(engine, checked("a", *rows, findings=(quoting,), withheld=withheld), plan, later(0)).submission_id


def erase(engine: Engine, number: int, *cells: Cell) -> Erasure:
    with writing(engine) as connection:
        return erase_content(connection, number, cells, by="A. Person", why="Asked for", at=later(1))


def test_all_free_text_goes_and_figures_stay(engine: Engine, number: int, rows: Rows) -> None:
    assert erase(engine, number).texts == 7
    assert rows("SELECT value, comment, typed FROM observation ORDER BY indicator") == [
        {"value": 300.0, "comment": "[erased]", "typed": "300"},
        {"value": 1.5, "comment": "[erased]", "typed": "1.5"},
    ]
    assert rows("SELECT value, message, fix FROM finding") == [
        {"value": "[erased]", "message": "[erased]", "fix": "Do that."}
    ]
    assert rows("SELECT text FROM withheld_text") == [{"text": "[erased]"}]
    assert rows("SELECT sha256, prepared_by, email FROM submission") == [
        {"sha256": "a" * 8, "prepared_by": "[erased]", "email": "[erased]"}
    ]
    assert rewrite_files(engine)


def test_a_cell_goes_with_the_findings_that_quote_it(engine: Engine, number: int, rows: Rows) -> None:
    erase(engine, number, ("indicators", "M2"))
    assert rows("SELECT comment FROM observation ORDER BY indicator") == [{"comment": "[erased]"}, {"comment": MARK}]
    assert rows("SELECT message FROM finding") == [{"message": "[erased]"}]
    assert rows("SELECT text FROM withheld_text") == [{"text": "943 476 5919"}]
    assert rows("SELECT prepared_by FROM submission") == [{"prepared_by": "A. Person"}]


def test_a_withheld_text_goes_by_its_own_cell(engine: Engine, number: int, rows: Rows) -> None:
    erase(engine, number, ("Indicators", "M3"))
    assert rows("SELECT comment FROM observation ORDER BY indicator") == [
        {"comment": "Ask Alice"},
        {"comment": "[erased]"},
    ]
    assert rows("SELECT text FROM withheld_text") == [{"text": "[erased]"}]


def test_the_same_bytes_are_erased_together_and_once(engine: Engine, plan: Plan, number: int, rows: Rows) -> None:
    again = record(engine, checked("a", findings=(finding(Severity.ERROR),)), plan, later(0)).submission_id
    after = record(engine, checked("a"), plan, later(2)).submission_id
    done = erase(engine, number)
    assert (done.submission_ids, done.other_ids, done.is_new) == ((number, again), (after,), True)
    repeated = erase(engine, again)
    assert (repeated.is_new, repeated.texts, repeated.decision_id) == (False, 0, done.decision_id)
    assert len(rows("SELECT 1 AS one FROM bi_decisions WHERE kind = 'erase-content'")) == 1
    with reading(engine) as connection:
        assert is_erased(connection, "a" * 8, (), later(1))
        assert not is_erased(connection, "a" * 8, (), later(2))
        assert not is_erased(connection, "a" * 8, [("Indicators", "M2")], later(1))
