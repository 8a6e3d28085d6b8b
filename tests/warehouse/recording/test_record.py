"""Recording: each submission once, completely or not at all, and the last good one stays in force."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from cypp_etl.plan.model import Plan
from schemas.codes import Marker, Measure, MilestoneStatus, Severity, SubmissionStatus
from tests.warehouse.builders import Rows, checked, finding, later, observation, report
from warehouse.engine import writing
from warehouse.queries.views import original_status
from warehouse.recording import record as record_module
from warehouse.recording.record import Arrival, record, record_batch
from warehouse.schema.tables import metadata

IN_FORCE = "SELECT indicator, value FROM observation WHERE superseded_at IS NULL ORDER BY indicator"
# Every judgement in force is of the observation in force, and every actual in force is judged.
ASTRAY = """
    SELECT o.observation_id, j.judgement_id
    FROM (SELECT * FROM observation WHERE superseded_at IS NULL AND measure = 'actual') o
    FULL JOIN (SELECT * FROM judgement WHERE superseded_at IS NULL) j ON j.observation_id = o.observation_id
    WHERE o.observation_id IS NULL OR j.judgement_id IS NULL"""


def _everything(engine: Engine) -> dict[str, Sequence[Row[Any]]]:
    with engine.connect() as connection:
        return {table.name: connection.execute(select(table)).all() for table in metadata.sorted_tables}


def test_an_accepted_return_is_loaded_and_judged(engine: Engine, plan: Plan, rows: Rows) -> None:
    done = record(engine, checked("a", observation("NI 111a", "300"), observation("NI 111b", "1.5")), plan, later(0))
    assert (done.status, done.version, done.changed_judgements) == (SubmissionStatus.ACCEPTED, 1, 2)
    assert (done.duplicate_of, done.previous_submission_id) == (None, None)
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 300.0}, {"indicator": "NI 111b", "value": 1.5}]
    assert rows(ASTRAY) == []


def test_queries_are_kept_and_do_not_stop_a_return(engine: Engine, plan: Plan, rows: Rows) -> None:
    findings = (finding(Severity.QUERY), finding(Severity.NOTE))
    done = record(engine, checked("a", observation("NI 111a", "1"), findings=findings), plan, later(0))
    assert done.status is SubmissionStatus.ACCEPTED_WITH_QUERIES
    assert [row["code"] for row in rows("SELECT code FROM bi_findings")] == ["some-query", "some-note"]


def test_the_same_bytes_again_are_a_duplicate_and_load_nothing(engine: Engine, plan: Plan, rows: Rows) -> None:
    first = record(engine, checked("a", observation("NI 111a", "1")), plan, later(0))
    again = record(engine, checked("a", observation("NI 111a", "1")), plan, later(1))
    assert (again.status, again.duplicate_of, again.version) == (SubmissionStatus.DUPLICATE, first.submission_id, 2)
    assert again.changed_judgements == 0
    assert len(rows("SELECT 1 AS one FROM observation")) == 1
    assert len(rows("SELECT 1 AS one FROM judgement")) == 1


def test_a_delivery_is_recorded_once_whatever_has_come_since(engine: Engine, plan: Plan, rows: Rows) -> None:
    """A file that was recorded, but not removed, must not undo the correction that came after it."""
    first = record(engine, checked("a", observation("NI 111a", "1")), plan, later(0), delivery="one")
    record(engine, checked("b", observation("NI 111a", "2")), plan, later(1), delivery="two")
    again = record(engine, checked("a", observation("NI 111a", "1")), plan, later(2), delivery="one")
    assert (again.submission_id, again.status, again.was_known) == (first.submission_id, first.status, True)
    assert rows("SELECT value FROM observation WHERE superseded_at IS NULL") == [{"value": 2.0}]
    assert len(rows("SELECT 1 AS one FROM submission")) == 2


def test_older_bytes_after_newer_ones_are_a_new_version(engine: Engine, plan: Plan, rows: Rows) -> None:
    for day, content in enumerate("aba"):
        done = record(engine, checked(content, observation("NI 111a", str(ord(content)))), plan, later(day))
        assert (done.status, done.version) == (SubmissionStatus.ACCEPTED, day + 1)
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 97.0}]
    statuses = [row["status"] for row in rows("SELECT status FROM bi_submissions ORDER BY submission_id")]
    assert statuses == ["superseded", "superseded", "accepted"]


def test_a_rejected_return_leaves_the_last_good_one_in_force(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "1")), plan, later(0))
    bad = checked("b", observation("NI 111a", "2"), findings=(finding(Severity.ERROR),))
    done = record(engine, bad, plan, later(1))
    assert (done.status, done.version, done.previous_submission_id) == (SubmissionStatus.REJECTED, 2, None)
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 1.0}]
    assert len(rows("SELECT 1 AS one FROM finding")) == 1


def test_a_rejected_file_need_not_say_whose_it_is(engine: Engine, plan: Plan, rows: Rows) -> None:
    nameless = checked("a", partner_code="", period=None, findings=(finding(Severity.ERROR),))
    done = [record(engine, nameless, plan, later(day)) for day in range(2)]
    assert [one.version for one in done] == [None, None]
    assert rows("SELECT partner_code, period FROM submission LIMIT 1") == [{"partner_code": None, "period": None}]


def test_an_accepted_return_must_say_whose_it_is(engine: Engine, plan: Plan) -> None:
    with pytest.raises(ValueError, match="names no partner"):
        record(engine, checked("a", partner_code=""), plan, later(0))


def test_a_correction_replaces_all_of_what_it_corrects(engine: Engine, plan: Plan, rows: Rows) -> None:
    old = checked(
        "a",
        observation("NI 111a", "1"),
        observation("NI 111b", "2"),
        milestone_reports=(report("PC1-E1-M1", MilestoneStatus.AT_RISK),),
    )
    first = record(engine, old, plan, later(0))
    new = record(engine, checked("b", observation("NI 111a", "1")), plan, later(1))
    assert new.previous_submission_id == first.submission_id
    assert new.changed_judgements == 1, "NI 111b lost its judgement, NI 111a came out the same"
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 1.0}]
    assert rows("SELECT 1 AS one FROM milestone_report WHERE superseded_at IS NULL") == []
    assert rows(ASTRAY) == []
    with engine.connect() as connection:
        assert original_status(connection, first.submission_id) is SubmissionStatus.ACCEPTED


def test_the_last_word_on_a_figure_counts_whoever_brings_it(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "1"), observation("NI 111b", "2")), plan, later(0))
    table = checked("b", observation("NI 111a", "9"), partner_code="board", layout="published")
    done = record(engine, table, plan, later(1))
    assert (done.version, done.previous_submission_id, done.changed_judgements) == (1, None, 1)
    assert rows(IN_FORCE) == [{"indicator": "NI 111a", "value": 9.0}, {"indicator": "NI 111b", "value": 2.0}]
    assert rows(ASTRAY) == []


def test_only_judgements_that_differ_are_written(engine: Engine, plan: Plan, rows: Rows) -> None:
    years = [observation("NI 111a", "5", f"20{year:02}-{year + 1:02}Q1") for year in range(5, 11)]
    record(engine, checked("a", *years), plan, later(0))
    table = checked("b", observation("NI 111a", "4", "2007-08Q1"), partner_code="board")
    done = record(engine, table, plan, later(1))
    assert done.changed_judgements == 2, "the figure itself, and the year after that compares with it"
    assert len(rows("SELECT 1 AS one FROM judgement")) == 8


def test_a_comparator_that_comes_later_changes_the_judgement(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "100")), plan, later(0))
    national = observation("NI 111a", "50", "2010-11", measure=Measure.NATIONAL)
    done = record(engine, checked("b", national, partner_code="board"), plan, later(1))
    assert done.changed_judgements == 1
    (row,) = rows("SELECT national, national_band FROM bi_performance")
    # A quarter of the year's 50, which adds up, rounded.
    assert row["national"] == 13.0


@pytest.mark.parametrize("step", ["insert_contents", "rejudge"])
def test_a_failure_midway_leaves_nothing(
    engine: Engine, plan: Plan, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(engine, checked("a", observation("NI 111a", "1")), plan, later(0))
    before = _everything(engine)

    def fail(*_arguments: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(record_module, step, fail)
        record(engine, checked("b", observation("NI 111a", "2")), plan, later(1))
    assert _everything(engine) == before
    assert record(engine, checked("b", observation("NI 111a", "2")), plan, later(1)).version == 2


KILLED = """
import os, signal, sys
from cypp_etl.plan.reader import read_plan
from tests.warehouse.builders import checked, later, observation
from warehouse.recording import record
from warehouse.engine import open_warehouse

record.rejudge = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
record.record(open_warehouse(sys.argv[1]), checked("b", observation("NI 111a", "2")), read_plan(), later(1))
"""


def test_a_process_that_is_killed_midway_leaves_nothing_and_blocks_nobody(engine: Engine, url: str, plan: Plan) -> None:
    record(engine, checked("a", observation("NI 111a", "1")), plan, later(0))
    before = _everything(engine)
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", KILLED, url], cwd=root, check=False).returncode == -signal.SIGKILL
    assert _everything(engine) == before
    assert record(engine, checked("b", observation("NI 111a", "2")), plan, later(1)).version == 2


def test_a_batch_ends_as_its_returns_would_one_by_one(engine: Engine, plan: Plan, rows: Rows) -> None:
    batch = [
        checked("a", observation("NI 111a", "1")),
        checked("b", observation("NI 112", "3"), partner_code="nhs"),
        checked("a", observation("NI 111a", "1")),
        checked("c", observation("NI 111a", "2")),
        checked("d", observation("NI 111a", "7"), partner_code="board"),
        checked("e", partner_code="", period=None, findings=(finding(Severity.ERROR),)),
    ]
    with writing(engine) as connection:
        done = record_batch(connection, [Arrival(one, later(0)) for one in batch], plan, later(0))
    words = ["accepted", "accepted", "duplicate", "accepted", "accepted", "rejected"]
    assert [one.status for one in done] == words
    assert [one.version for one in done] == [1, 1, 2, 3, 1, None]
    assert done[3].previous_submission_id == done[2].duplicate_of == done[0].submission_id
    assert [row["value"] for row in rows(IN_FORCE)] == [7.0, 3.0]
    assert rows(ASTRAY) == []


def test_an_empty_batch_is_nothing(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        assert record_batch(connection, [], plan, later(0)) == []


def test_a_clock_that_was_set_back_does_not_turn_history_round(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "1")), plan, later(5))
    record(engine, checked("b", observation("NI 111a", "2")), plan, later(0))
    assert rows("SELECT 1 AS one FROM observation WHERE superseded_at < recorded_at") == []
    received = [row["received_at"] for row in rows("SELECT received_at FROM submission ORDER BY submission_id")]
    assert received[1] < received[0], "when the file came is kept as it was told"


def test_text_that_no_database_stores_does_not_stop_a_return(engine: Engine, plan: Plan, rows: Rows) -> None:
    odd = observation("NI 111a", Marker.NOT_AVAILABLE, typed="a\0b\ud83d", comment="naïve ✓ \U0001f600")
    record(engine, checked("a", odd, file_name="caf\udce9.xlsx"), plan, later(0))
    assert rows("SELECT typed, comment FROM observation") == [{"typed": "a\ufffdb?", "comment": "naïve ✓ \U0001f600"}]
    assert rows("SELECT file_name FROM submission") == [{"file_name": "caf?.xlsx"}]


def test_a_moment_must_have_a_time_zone(engine: Engine, plan: Plan) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        record(engine, checked("a"), plan, later(0).replace(tzinfo=None))
