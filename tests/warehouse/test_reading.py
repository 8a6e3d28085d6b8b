"""Data is read back as it was written, readers block no one, and no one sees half a load."""

import random
import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Marker, Measure, MilestoneStatus, Qualifier
from tests.warehouse.builders import Rows, checked, later, observation, report
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.explain import explain
from warehouse.queries.history import read_history
from warehouse.queries.views import performance
from warehouse.recording.administration import close_period
from warehouse.recording.record import record
from warehouse.schema.tables import JUDGED
from warehouse.schema.values import decimal_of

Q1 = parse_period("2010-11Q1")


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(-20, 20))
def test_a_value_of_fifteen_digits_survives_a_double(digits: int, exponent: int) -> None:
    value = Decimal(digits).scaleb(exponent)
    assert decimal_of(float(value)) == value


def test_values_come_back_exactly(engine: Engine, plan: Plan) -> None:
    numbers = random.Random(2010)
    figures = [
        # Of a measure that is not judged itself.
        observation(indicator, f"{numbers.randint(-(10**9), 10**9)}E-{places}", f"{year}-{year % 100 + 1:02}", **others)
        for indicator in plan.indicators
        for year, places in zip(range(2000, 2012), (0, 1, 2, 3, 4, 5) * 2, strict=True)
        for others in [{"measure": Measure.NATIONAL, "denominator": Decimal(numbers.randint(1, 10**15 - 1)).scaleb(-9)}]
    ]
    record(engine, checked("a", *figures), plan, later(0))
    with reading(engine) as connection:
        known = read_history(connection, ["police"]).figures
        denominators = connection.exec_driver_sql("SELECT denominator FROM observation ORDER BY observation_id")
        assert [decimal_of(value) for value in denominators.scalars()] == [one.denominator for one in figures]
    assert {key: one.value for key, one in known.items()} == {
        (one.partner_code, one.indicator, one.measure, one.period.code): one.value for one in figures
    }


def test_history_is_what_is_in_force(engine: Engine, plan: Plan) -> None:
    record(engine, checked("a", observation("NI 111a", "1"), observation("NI 111b", "2")), plan, later(0))
    broken = observation("NI 111a", "3.10", qualifiers=frozenset({Qualifier.BREAK, Qualifier.REVISED}))
    reports = (report("PC1-E1-M1", MilestoneStatus.ON_TRACK), report("PC1-A1-M1", None))
    now = checked("b", broken, observation("NI 111b", Marker.SUPPRESSED), milestone_reports=reports)
    record(engine, now, plan, later(1))
    with writing(engine) as connection:
        assert close_period(connection, Q1, "K. Keeper", later(2))
        assert not close_period(connection, Q1, "S. Else", later(3))
        history = read_history(connection, ["police"])
        nobody = read_history(connection, [])
    assert history.figures == {
        ("police", "NI 111a", Measure.ACTUAL, Q1.code): KnownFigure(
            Decimal("3.1"), None, frozenset({Qualifier.BREAK, Qualifier.REVISED}), submission_id=2
        ),
        ("police", "NI 111b", Measure.ACTUAL, Q1.code): KnownFigure(None, Marker.SUPPRESSED, submission_id=2),
    }
    assert history.milestone_states == {("PC1-E1-M1", Q1): MilestoneStatus.ON_TRACK}
    assert history.closed == nobody.closed == {Q1}
    assert not nobody.figures


def test_history_holds_the_figures_of_the_periods_asked_for_and_finds_the_values_of_all(
    engine: Engine, plan: Plan
) -> None:
    then, before = parse_period("2009-10Q1"), parse_period("2009-10Q4")
    rows = [observation("NI 111a", value, period.code) for period, value in ((then, "3.1"), (before, "2"), (Q1, "2"))]
    record(engine, checked("a", *rows, observation("NI 111b", Marker.SUPPRESSED)), plan, later(0))
    record(engine, checked("b", *rows[1:], observation("NI 111a", "3.3", then.code)), plan, later(1))
    with reading(engine) as connection:
        history = read_history(connection, ["police"], {before, Q1})
        assert {key.period for key in history.figures} == {before.code, Q1.code}
        assert history.values_of("police") == {"NI 111a": {Decimal(2), Decimal("3.3")}}
        assert history.values_of("yos") == {}
        assert not read_history(connection, ["police"], set()).figures
        # A complete history finds them itself, like a history made by hand.
        assert History(read_history(connection, ["police"]).figures).values_of("police") == history.values_of("police")


def test_an_explanation_leads_back_to_the_cells(engine: Engine, plan: Plan) -> None:
    before = observation("NI 111a", "400", "2009-10Q1", cell="G9", typed="400 ")
    first = record(engine, checked("a", before, partner_code="board", file="board/table.xlsx"), plan, later(0))
    done = record(engine, checked("b", observation("NI 111a", "300")), plan, later(1))
    record(engine, checked("c", observation("NI 111a", "300", cell="G3")), plan, later(2))
    with reading(engine) as connection:
        (explained,) = explain(connection, plan, "NI 111a", Q1)
        assert explain(connection, plan, "NI 111b", Q1) == []
    steps = explained.judgement
    cell = explained.find(steps.actual).origin
    assert cell is not None
    assert (cell.cell, cell.received_at) == ("G3", later(2))
    assert steps.travel.previous is not None
    origin = explained.find(steps.travel.previous).origin
    assert origin is not None
    assert (origin.submission_id, origin.file, origin.cell, origin.typed) == (
        first.submission_id,
        "board/table.xlsx",
        "G9",
        "400 ",
    )
    assert steps.target.source is not None
    target = explained.find(steps.target.source)
    assert (target.measure, target.origin, bool(target.plan_source)) == (Measure.TARGET, None, True)
    assert {name: steps.judged[name] for name in JUDGED} == {name: explained.row[name] for name in JUDGED}
    assert explained.versions[0]["submission_id"] == done.submission_id
    assert [row["source_cell"] for row in explained.versions] == ["G2", "G3"]


def test_two_writers_take_turns_and_lose_nothing(url: str, engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("start", observation("NI 111a", "0")), plan, later(0))
    failures: list[Exception] = []

    def write(writer: int) -> None:
        own = open_warehouse(url)
        try:
            for number in range(5):
                one = checked(f"{writer}-{number}", observation("NI 111a", f"{writer}{number}"))
                record(own, one, plan, later(number))
        except Exception as failure:  # noqa: BLE001 - a thread's failure must reach the test, whatever it is
            failures.append(failure)
        own.dispose()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [row["version"] for row in rows("SELECT version FROM submission ORDER BY version")] == list(range(1, 17))
    assert len(rows("SELECT 1 AS one FROM observation WHERE superseded_at IS NULL")) == 1
    assert len(rows("SELECT 1 AS one FROM submission WHERE superseded_at IS NULL")) == 1


def test_a_reader_sees_the_last_commit_while_somebody_writes(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "1")), plan, later(0))
    with reading(engine) as reader:
        assert [row["actual"] for row in performance(reader)] == [1.0]
        with writing(engine) as connection:
            connection.exec_driver_sql("UPDATE judgement SET actual = 2")
            assert rows("SELECT actual FROM bi_performance") == [{"actual": 1.0}]
        assert [row["actual"] for row in performance(reader)] == [1.0], "a reading transaction is one snapshot"
    assert rows("SELECT actual FROM bi_performance") == [{"actual": 2.0}]


def test_two_figures_in_force_for_one_matter_are_impossible(engine: Engine, plan: Plan, rows: Rows) -> None:
    twice = checked("a", observation("NI 111a", "1"), observation("NI 111a", "2"))
    with pytest.raises(IntegrityError):
        record(engine, twice, plan, later(0))
    assert rows("SELECT 1 AS one FROM submission") == []


def test_sqlite_keeps_what_it_was_told(tmp_path: object) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path}/new folder/warehouse.sqlite")
    with engine.connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in _PRAGMAS]
    assert settings == ["wal", 2, 1, 30_000]
    engine.dispose()


_PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")


def test_other_database_systems_are_refused() -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL, not mysql"):
        open_warehouse("mysql://localhost/cypp")
    assert open_warehouse("postgres://localhost/cypp").dialect.driver == "psycopg"
