"""Rows inserted by the thousand are stored exactly, and are refused like any others."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from cypp_etl.plan.model import Plan
from tests.warehouse.builders import checked, later
from warehouse.engine import reading, writing
from warehouse.recording.bulk_insert import insert_columns, insert_rows
from warehouse.recording.record import record
from warehouse.schema.tables import finding

NAMES = ("submission_id", "code", "severity", "sheet", "cell", "value", "message", "fix", "subject")
# Databases do not store NUL or lone surrogates in a text.
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["\\N", "\\.", "a\tb\nc\\", "", "\r\n", "'\""]
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_texts_come_back_as_they_were(engine: Engine, plan: Plan, texts: list[tuple[str, str]]) -> None:
    number = record(engine, checked("a"), plan, later(0)).submission_id
    rows = [(number, "some-error", "ERROR", "Cover", "A1", value, message, "", "") for value, message in texts]
    with writing(engine) as connection:
        connection.execute(finding.delete())
        insert_rows(connection, finding, NAMES, rows)
    with reading(engine) as connection:
        query = select(*(finding.c[name] for name in NAMES)).order_by(finding.c.finding_id)
        assert [tuple(row) for row in connection.execute(query)] == rows


def test_columns_are_stored_as_their_rows_are_and_not_if_one_is_shorter(engine: Engine, plan: Plan) -> None:
    number = record(engine, checked("a"), plan, later(0)).submission_id
    rows = [(number, "some-error", "ERROR", "Cover", cell, "", "", "", "") for cell in ("A1", "B1", "C1")]
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
    with writing(engine) as connection:
        connection.execute(finding.delete())
        insert_columns(connection, finding, columns)
        with pytest.raises(ValueError, match="unpack"):
            insert_columns(connection, finding, columns | {"fix": ("", "")})
    with reading(engine) as connection:
        query = select(*(finding.c[name] for name in NAMES)).order_by(finding.c.finding_id)
        assert [tuple(row) for row in connection.execute(query)] == rows


def test_a_row_that_may_not_be_is_refused_with_all_others(engine: Engine, plan: Plan) -> None:
    number = record(engine, checked("a"), plan, later(0)).submission_id
    row = (number, "some-error", "ERROR", "Cover", "A1", "", "", "", "")
    with pytest.raises(IntegrityError), writing(engine) as connection:
        insert_rows(connection, finding, NAMES, [row, (None, *row[1:])])
    with writing(engine) as connection:
        assert connection.execute(finding.select()).all() == []
        insert_rows(connection, finding, NAMES, [])
