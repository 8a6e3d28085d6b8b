"""The command line's output for a check: grouped by cause, with every place."""

from collections import Counter
from pathlib import Path

import pytest

from cypp_etl.findings import Finding
from flows.cli.commands.backfill import _end as end_backfill
from flows.cli.output import Result, show_results, show_swept
from flows.deployments.backfill import Backfilled
from flows.deployments.ingest_return import Ingested
from flows.deployments.sweep_inbox import Swept
from flows.inbox.sweep import Waiting
from schemas.codes import Severity, SubmissionStatus
from tests.warehouse.builders import checked
from warehouse.recording.record import Recorded


def _blank(row: int) -> Finding:
    return Finding("value-missing", Severity.ERROR, "Indicators", f"G{row}", "", "There is no figure.", "Type it.")


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (3, "        Type it."),
        (4, "        The same at Indicators!G5"),
        (54, "        The same at " + ", ".join(f"Indicators!G{row}" for row in range(5, 55)) + ", and more"),
    ],
)
def test_findings_of_one_cause_stand_together(capsys: pytest.CaptureFixture[str], count: int, last: str) -> None:
    note = Finding("macros", Severity.NOTE, "", "", "", "It holds macros.", "Nothing.")
    findings = (*map(_blank, range(2, count + 2)), note)
    show_results([Result("a.xlsx", "yos", "2010-11Q1", "rejected", findings)], as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "a.xlsx: rejected (yos, 2010-11Q1)"
    assert lines[1:3] == ["  ERROR Indicators!G2: There is no figure.", "        Type it."]
    assert lines[-3] == last
    assert lines[-2:] == ["  NOTE  It holds macros.", "        Nothing."]
    assert sum(line.startswith("  ERROR") for line in lines) == 3


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        (SubmissionStatus.ACCEPTED, 0),
        (SubmissionStatus.ACCEPTED_WITH_QUERIES, 0),
        (SubmissionStatus.DUPLICATE, 0),
        (SubmissionStatus.HELD, 1),
        (SubmissionStatus.REJECTED, 1),
    ],
)
def test_what_is_rejected_or_held_is_not_accepted(status: SubmissionStatus, ended: int) -> None:
    recorded = Recorded(1, status, 1, None, None, 0)
    assert show_swept(Swept([(Path("a.xlsx"), Ingested(checked("a"), recorded))]), as_json=False) == ended
    done = Backfilled(statuses=Counter({status.value: 1}))
    assert end_backfill(done, as_json=False) == ended


def test_the_counts_include_what_failed_and_what_was_left(capsys: pytest.CaptureFixture[str]) -> None:
    recorded = Recorded(1, SubmissionStatus.ACCEPTED, 1, None, None, 0)
    done = [(Path("a.xlsx"), Ingested(checked("a"), recorded))]
    failed, left = [(Path("b.xlsx"), "no room")], [Waiting(Path("c.xlsx"), "yos", "it is a link")]
    for swept, ended, said in (
        (Swept(done, failed, left), 2, "1 accepted, 1 failed, 1 left in place"),
        (Swept([], failed * 2), 2, "2 failed"),
        (Swept(done, [], left), 0, "1 accepted, 1 left in place"),
        (Swept(), 0, "Nothing was waiting."),
    ):
        assert show_swept(swept, as_json=False) == ended
        assert capsys.readouterr().out.splitlines()[-1] == said
