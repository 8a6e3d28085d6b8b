"""What `cypp serve` counts and measures for Prometheus; every label has few values, which are known beforehand."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from flows.service.health import Health
from flows.service.progress import Progress
from schemas.codes import SubmissionStatus

if TYPE_CHECKING:
    # Prefect reads its settings when it is imported, and where its server is is not known yet.
    from flows.deployments.ingest_return import Ingested

# An attempt that ended without a receipt, and is made again.
_FAILED = SubmissionStatus.FAILED.value
OUTCOMES = (
    SubmissionStatus.ACCEPTED.value,
    SubmissionStatus.ACCEPTED_WITH_QUERIES.value,
    SubmissionStatus.REJECTED.value,
    SubmissionStatus.DUPLICATE.value,
    SubmissionStatus.HELD.value,
    _FAILED,
)
# Half a second is usual, and what takes a minute is late.
_SECONDS = (0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """The counts of one process, from its start on. A drop is counted when its partner has the receipt."""

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._progress = progress
        self._clock = clock
        self._drops = Counter(
            "cypp_drops",
            "Drops by outcome; failed are attempts without a receipt.",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in OUTCOMES:
            # From the start, so that the first of its kind is an increase.
            self._drops.labels(outcome)
        self._seconds = Histogram(
            "cypp_receipt_seconds",
            "Seconds from when a file was first seen as it is to its receipt.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._findings = Counter(
            "cypp_findings", "Findings in receipts, by code.", ["code", "severity"], registry=self.registry
        )
        self.registry.register(_Queue(progress, clock))
        ProcessCollector(registry=self.registry)

    def answered(self, path: Path, ingested: "Ingested") -> None:
        """A drop has its receipt; told again of the same drop, it counts nothing."""
        seconds = self._progress.answered(self._clock(), path)
        if seconds is None:
            return
        self._drops.labels(ingested.recorded.status.value).inc()
        self._seconds.observe(seconds)
        for finding in ingested.checked.findings:
            self._findings.labels(finding.code, finding.severity.value).inc()

    def failed(self, path: Path) -> None:
        """An attempt has ended; what has its receipt is not a failure of its drop."""
        if path in self._progress.state.waiting:
            self._drops.labels(_FAILED).inc()

    def show_health(self, health: Callable[[], Health]) -> None:
        """Have the checks of the health page among the metrics."""
        self.registry.register(_Checks(health))


class _Queue(Collector):
    def __init__(self, progress: Progress, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        state, now = self._progress.state, self._clock()
        oldest = max((now - since for since in state.waiting.values()), default=0.0)
        for name, about, value in (
            ("cypp_waiting_files", "Files in the inbox without a receipt.", len(state.waiting)),
            ("cypp_oldest_waiting_seconds", "Age of the oldest file without a receipt, 0 if none waits.", oldest),
            ("cypp_unfinished_runs", "Workbooks whose run has not ended.", len(state.runs)),
            ("cypp_skipped_files", "Files and folders that are left where they are.", len(state.skipped)),
        ):
            yield GaugeMetricFamily(name, about, value=value)


class _Checks(Collector):
    def __init__(self, health: Callable[[], Health]) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "cypp_health", "The checks of the health page: 0 healthy, 1 degraded, 2 unhealthy.", labels=["check"]
        )
        for check in self._health().checks:
            family.add_metric([check.name], check.verdict)
        yield family
