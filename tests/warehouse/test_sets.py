"""Sets as one parameter: what is in them is found, on both database systems, and by an index."""

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Select, Table, insert, select

from warehouse.figures.affected import of_series, within
from warehouse.schema.sets import is_one_of
from warehouse.schema.tables import clinic, judgement, observation
from warehouse.schema.types import CleanText

WORDS = ["ours", "théirs", '"quoted", and \\ more', "nul\0", "half \ud800"]
word = Table("word", MetaData(), Column("number", Integer), Column("word", CleanText), prefixes=["TEMPORARY"])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (set(), set()),
        ({"ours"}, {1}),
        ({"ours", "théirs", "nobody's"}, {1, 2}),
        (["ours", "ours"], {1}),
        ({WORDS[2]}, {3}),
        # What no database stores is asked for as it is stored.
        ({"nul\0"}, {4}),
        ({"half \ud800"}, {5}),
    ],
)
def test_values_of_a_set_are_found(engine: Engine, words, found):
    named = select(word.c.number).where(is_one_of(word.c.word, "words"))
    numbered = select(word.c.number).where(is_one_of(word.c.number, "numbers"))
    with engine.connect() as connection:
        word.create(connection)
        connection.execute(insert(word), [{"number": n, "word": each} for n, each in enumerate(WORDS, start=1)])
        assert set(connection.scalars(named, {"words": words})) == found
        assert set(connection.scalars(numbered, {"numbers": found})) == found


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (select(judgement).where(of_series(judgement), within(judgement)), "ux_judgement_in_force (partner_code=?"),
        (select(observation).where(of_series(observation)), "ux_observation_in_force (partner_code=? AND indicator=?"),
        (select(clinic).where(of_series(clinic)), "ux_clinic_in_force (partner_code=? AND indicator=?"),
    ],
)
def test_rows_of_a_set_are_found_by_an_index(engine: Engine, query: Select[tuple[object, ...]], index):
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are")
    statement = str(query.compile(engine))
    with engine.connect() as connection:
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("[]",) * statement.count("?")).all()
    assert any(index in step.detail for step in steps)
