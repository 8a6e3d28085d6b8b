"""What is counted, once for each drop, and under which labels."""

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cypp_etl.checking.confined import SET_ASIDE, refused
from cypp_etl.checking.opening import Received
from cypp_etl.findings import find
from flows.inbox.sweep import Waiting
from flows.service.health import Check, Health, Verdict
from flows.service.metrics import OUTCOMES, Metrics
from flows.service.progress import Progress
from schemas.codes import SubmissionStatus
from warehouse.recording.record import Recorded

DROP = Path("/inbox/yos/a.xlsx")


class Counted:
    """Metrics at 1012 of a drop that was seen at 1010, as Prometheus reads them."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.progress.looked(1010, {DROP: 1010.0}, [Waiting(DROP, "yos", "it is a link")])
        self.metrics = Metrics(self.progress, lambda: 1012.0)

    def answered(self, status: SubmissionStatus, *codes: str) -> None:
        from flows.deployments.ingest_return import Ingested

        checked = replace(
            refused(Received("a.xlsx", b"", "yos"), SET_ASIDE), findings=tuple(find(code) for code in codes)
        )
        self.metrics.answered(DROP, Ingested(checked, Recorded(1, status, 1, None, None, 0)))

    def read(self, name: str) -> dict[str, float]:
        """A metric's values by its labels' values."""
        families = text_string_to_metric_families(generate_latest(self.metrics.registry).decode())
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return {"/".join(sample.labels.values()): sample.value for sample in samples}


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_a_drop_is_counted_by_its_outcome_and_its_time(counted: Counted) -> None:
    assert counted.read("cypp_drops_total") == dict.fromkeys(OUTCOMES, 0), "before the first: its increase is seen"
    counted.answered(SubmissionStatus.REJECTED)
    assert counted.read("cypp_drops_total") == dict.fromkeys(OUTCOMES, 0) | {"rejected": 1}
    assert counted.read("cypp_receipt_seconds_sum") == {"": 2}
    within = counted.read("cypp_receipt_seconds_bucket")
    assert (within["1.0"], within["2.0"]) == (0, 1)


def test_told_again_of_a_drop_nothing_is_counted(counted: Counted) -> None:
    counted.answered(SubmissionStatus.ACCEPTED)
    counted.answered(SubmissionStatus.ACCEPTED)
    counted.metrics.failed(DROP)
    assert counted.read("cypp_drops_total") == dict.fromkeys(OUTCOMES, 0) | {"accepted": 1}
    assert counted.read("cypp_receipt_seconds_count") == {"": 1}


def test_each_attempt_without_a_receipt_has_failed(counted: Counted) -> None:
    counted.metrics.failed(DROP)
    counted.metrics.failed(DROP)
    counted.answered(SubmissionStatus.ACCEPTED_WITH_QUERIES)
    assert counted.read("cypp_drops_total") == dict.fromkeys(OUTCOMES, 0) | {"failed": 2, "accepted with queries": 1}


def test_findings_are_counted_by_their_codes(counted: Counted) -> None:
    counted.answered(SubmissionStatus.REJECTED, SET_ASIDE, SET_ASIDE)
    assert counted.read("cypp_findings_total") == {f"{SET_ASIDE}/ERROR": 2}


def test_the_queue_is_measured_when_it_is_asked_for(counted: Counted) -> None:
    assert counted.read("cypp_waiting_files") == {"": 1}
    assert counted.read("cypp_oldest_waiting_seconds") == {"": 2}
    assert counted.read("cypp_skipped_files") == {"": 1}
    assert counted.read("cypp_unfinished_runs") == {"": 0}
    counted.progress.run_began(1011, DROP)
    counted.answered(SubmissionStatus.ACCEPTED)
    assert counted.read("cypp_waiting_files") == {"": 0}
    assert counted.read("cypp_oldest_waiting_seconds") == {"": 0}
    assert counted.read("cypp_unfinished_runs") == {"": 1}


def test_the_checks_are_among_them(counted: Counted) -> None:
    checks = [Check("watcher", Verdict.HEALTHY, ""), Check("archive", Verdict.UNHEALTHY, "")]
    counted.metrics.show_health(lambda: Health(checks))
    assert counted.read("cypp_health") == {"watcher": 0, "archive": 2}
