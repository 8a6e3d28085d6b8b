"""What a process forbids itself holds, and what its system does not have is gone on without."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cypp_etl import process_limits
from cypp_etl.process_limits import has_taken, limit, limit_in_force, peak_bytes, taken_bytes

ROOT = Path(__file__).parents[2]
# Holds the interpreter for hours, as a pattern that runs wild does: no thread of Python's gets a turn.
RUN_WILD = "import re; re.fullmatch('(a*)*b', 'a' * 40)"


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("without", ["", "import signal; del signal.setitimer; "], ids=["signals", "no signals"])
def test_a_process_that_runs_wild_is_ended(without: str) -> None:
    began = time.monotonic()
    ended = run(f"{without}from cypp_etl.process_limits import end_after; end_after(0.5); {RUN_WILD}")
    assert ended.returncode != 0
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("without", ["", "import signal; del signal.setitimer; "], ids=["signals", "no signals"])
def test_a_process_that_is_done_in_time_is_not_ended(without: str) -> None:
    code = "import time; end_after(0.5); end_after(0); time.sleep(1); print('done')"
    ended = run(f"{without}from cypp_etl.process_limits import end_after; {code}")
    assert (ended.returncode, ended.stdout) == (0, "done\n")


def test_computing_is_bounded_by_the_clock_where_the_system_does_not_count_it() -> None:
    """The reader of other formats, when whoever started it was killed."""
    hidden = "import sys, signal; sys.modules['resource'] = None; del signal.setitimer; "
    began = time.monotonic()
    ended = run(f"{hidden}from cypp_etl.workbook.sandbox.child import confine_time; confine_time(1); {RUN_WILD}")
    assert ended.returncode != 0
    assert 3 <= time.monotonic() - began < 30


def test_a_limit_holds_in_the_process_that_set_it() -> None:
    code = (
        "from cypp_etl.process_limits import limit, limit_in_force, taken_bytes\n"
        "assert limit('RLIMIT_AS', taken_bytes() + (64 << 20)) is True\n"
        "most = limit_in_force('RLIMIT_AS')\n"
        "assert limit('RLIMIT_AS', most + 1) is True and limit_in_force('RLIMIT_AS') == most, 'the lower one stays'\n"
        "bytes(32 << 20)\n"
        "try: bytes(128 << 20)\n"
        "except MemoryError: print('refused')\n"
    )
    ended = run(code)
    assert (ended.stdout, ended.stderr) == ("refused\n", "")


def test_without_limits_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_limits, "_resource", None)
    monkeypatch.setattr(process_limits, "_STATUS", Path("/nowhere"))
    assert limit("RLIMIT_AS", 1) is False
    assert limit_in_force("RLIMIT_AS") is None
    assert taken_bytes() is None
    assert peak_bytes() is None


def test_a_limit_that_the_system_does_not_know_or_refuses_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    refusing = SimpleNamespace(RLIMIT_AS=5, RLIM_INFINITY=-1, getrlimit=lambda _: (-1, -1), setrlimit=refuse)
    monkeypatch.setattr(process_limits, "_resource", refusing)
    assert limit("RLIMIT_AS", 1 << 30) is False
    assert limit("RLIMIT_CPU", 1) is False
    assert limit_in_force("RLIMIT_AS") is None


def test_the_peak_is_asked_of_the_system_where_its_status_does_not_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = peak_bytes()
    assert said is not None and said > 10 << 20
    (tmp_path / "status").write_text("Name:\tpython\nVmRSS:\t1 kB\n", "utf-8")
    monkeypatch.setattr(process_limits, "_STATUS", tmp_path / "status")
    asked = peak_bytes()
    # Another count of the system's, in other steps.
    assert asked is not None and asked > 0.9 * said


def test_a_process_has_not_taken_what_only_its_parent_had() -> None:
    """On Linux the system also counts what the parent had when it started the process."""
    ask = "from cypp_etl.process_limits import has_taken; print(has_taken(5 << 20), has_taken(60 << 20))"
    code = f"""import subprocess, sys
held = bytearray(b'x') * (64 << 20)
print(subprocess.run([sys.executable, '-c', {ask!r}], capture_output=True, text=True, check=True).stdout)"""
    assert run(code).stdout.split() == ["True", "False"]
    assert has_taken(5 << 20)
