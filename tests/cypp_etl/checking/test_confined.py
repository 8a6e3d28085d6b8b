"""The process in which workbooks are checked: it gives the same results as checking, and no workbook blocks it."""

import io
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.checking.confined import Bounds, ConfinedChecker
from cypp_etl.checking.confined_process import MOST_KEPT
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.reply import reply_for
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.workbook.limits import MIB
from schemas.codes import SubmissionStatus
from tests.support.samples import sample_of

PERIOD = parse_period("2010-11Q1")
TODAY = date(2010, 7, 12)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="module")
def good() -> bytes:
    return sample_of("yos", PERIOD)


@pytest.fixture(scope="module")
def checker() -> Iterator[ConfinedChecker]:
    checker = ConfinedChecker(Bounds(check_seconds=20, reply_seconds=20))
    yield checker
    checker.close()


def nothing_known(*_: object) -> History:
    return History()


def process_of(checker: ConfinedChecker) -> int:
    assert checker._child is not None
    return checker._child._process.pid


def summary_of(status: SubmissionStatus) -> ReceiptSummary:
    return ReceiptSummary("YOS", "", 1, datetime(2010, 7, 12, tzinfo=UTC), "r.xlsx", "0" * 64, status)


def test_it_says_what_checking_says_in_one_process(checker: ConfinedChecker, plan: Plan, good: bytes) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(good))
    workbook["Indicators"]["I2"] = "<1"
    faulty = io.BytesIO()
    workbook.save(faulty)
    here = Checker(plan, History(), TODAY)
    processes = set()
    for data in (good, faulty.getvalue(), b"", b"%PDF-1.7", b"PK\x03\x04 and no more"):
        received = Received("yos/r.xlsx", data, "yos")
        assert checker.check(plan, received, TODAY, nothing_known) == here.check(received)
        processes.add(process_of(checker))
    assert len(processes) == 1


def test_the_past_is_asked_for_whom_it_concerns(checker: ConfinedChecker, plan: Plan, good: bytes) -> None:
    asked: list[object] = []

    def past(partner_codes: frozenset[str], periods: object) -> History:
        asked.append(partner_codes)
        return History(closed=frozenset([PERIOD]))

    received = Received("r.xlsx", good)
    checked = checker.check(plan, received, TODAY, past)
    assert asked == [frozenset(["yos"])]
    assert checked == Checker(plan, History(closed=frozenset([PERIOD])), TODAY).check(received)


def test_a_fault_of_the_past_is_the_callers_and_the_next_workbook_is_checked(
    checker: ConfinedChecker, plan: Plan, good: bytes
) -> None:
    def away(*_: object) -> History:
        raise ConnectionError("the warehouse is away")

    with pytest.raises(ConnectionError, match="is away"):
        checker.check(plan, Received("r.xlsx", good), TODAY, away)
    assert checker.check(plan, Received("r.xlsx", good), TODAY, nothing_known).is_accepted


def test_the_callers_own_time_is_not_the_workbooks(plan: Plan, good: bytes) -> None:
    def slow(*_: object) -> History:
        time.sleep(5)
        return History()

    checker = ConfinedChecker(Bounds(check_seconds=4))
    try:
        assert checker.check(plan, Received("r.xlsx", good), TODAY, slow).is_accepted
    finally:
        checker.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no such signal")
def test_what_hangs_is_refused_and_the_next_is_checked(plan: Plan, good: bytes) -> None:
    checker = ConfinedChecker(Bounds(check_seconds=2, reply_seconds=2))
    received = Received("yos/r.xlsx", good, "yos")

    def stop(*_: object) -> History:
        os.kill(process_of(checker), signal.SIGSTOP)
        return History()

    try:
        began = time.monotonic()
        checked = checker.check(plan, received, TODAY, stop)
        assert time.monotonic() - began < 30
        assert [finding.code for finding in checked.findings] == ["workbook-too-complex"]
        assert (checked.partner_code, checked.file_name) == ("yos", "r.xlsx")
        checked = checker.check(plan, received, TODAY, nothing_known)
        assert checked.is_accepted
        threading.Timer(0, os.kill, (process_of(checker), signal.SIGSTOP)).run()
        reply = checker.reply(checked, good, summary_of(SubmissionStatus.ACCEPTED))
        assert reply.file_name == "r.xlsx - accepted.html"
        reply = checker.reply(checked, good, summary_of(SubmissionStatus.ACCEPTED))
        assert reply.file_name == "r - accepted.xlsx"
    finally:
        checker.close()


def test_the_workbook_that_was_checked_last_is_not_sent_again_to_be_marked(
    checker: ConfinedChecker, plan: Plan, good: bytes
) -> None:
    others = sample_of("nhs", PERIOD)
    first = checker.check(plan, Received("yos/r.xlsx", good, "yos"), TODAY, nothing_known)
    last = checker.check(plan, Received("nhs/r.xlsx", others, "nhs"), TODAY, nothing_known)
    summary = summary_of(SubmissionStatus.ACCEPTED)
    for checked, data, sent in ((last, others, b""), (first, good, good), (last, others, b"")):
        assert checker.reply(checked, sent, summary) == reply_for(checked, data, summary)


def test_who_stops_waiting_for_a_workbook_leaves_it_in_nobodys_receipt(
    checker: ConfinedChecker, plan: Plan, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = checker.check(plan, Received("yos/r.xlsx", good, "yos"), TODAY, nothing_known)
    ask = checker._ask

    def ask_and_stop(job: tuple[object, ...], seconds: float, asked: dict[str, Callable[..., object]]) -> None:
        ask(job, seconds, asked)
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr(checker, "_ask", ask_and_stop)
        checker.check(plan, Received("nhs/r.xlsx", sample_of("nhs", PERIOD), "nhs"), TODAY, nothing_known)
    summary = summary_of(SubmissionStatus.ACCEPTED)
    assert checker.reply(first, good, summary) == reply_for(first, good, summary)


def test_a_large_workbook_is_sent_again_to_be_marked(checker: ConfinedChecker, plan: Plan, good: bytes) -> None:
    noise = io.BytesIO(good)
    with zipfile.ZipFile(noise, "a") as package:
        package.writestr("xl/media/image1.png", os.urandom(MOST_KEPT))
    data = noise.getvalue()
    checked = checker.check(plan, Received("yos/r.xlsx", data, "yos"), TODAY, nothing_known)
    summary = summary_of(SubmissionStatus.ACCEPTED)
    assert checker.reply(checked, data, summary) == reply_for(checked, data, summary)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is bounded on Linux alone")
def test_what_takes_too_much_memory_is_refused(plan: Plan, good: bytes) -> None:
    checker = ConfinedChecker(Bounds(check_seconds=60, memory=24 * MIB))
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in range(20_000):
        sheet.append([f"{row} {column}" for column in range(8)])
    large = io.BytesIO()
    workbook.save(large)
    try:
        checked = checker.check(plan, Received("r.xlsx", large.getvalue()), TODAY, nothing_known)
        assert [finding.code for finding in checked.findings] == ["workbook-too-complex"]
    finally:
        checker.close()


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_it_ends_with_whoever_started_it(checker: ConfinedChecker, plan: Plan, good: bytes) -> None:
    checker.check(plan, Received("r.xlsx", good), TODAY, nothing_known)
    child = checker._child
    assert child is not None and child._process.stdin is not None
    # Like the system for a killed process.
    child._process.stdin.close()
    assert child._process.wait(20) == 0
