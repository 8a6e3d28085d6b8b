"""Checks files that are broken, disguised, odd or malicious, each as a partner would do it.

`python benchmarks/hostile/checking.py` makes the collection, runs `cypp check FILE --json` on each in a separate
process, and prints the outcome, time and memory; `--smoke` takes the few small ones, `--only
WORD` those with the word in their names, `--keep DIR` keeps the files. The exit status is 1 if any takes too much time
or memory, crashes the program, or is refused although Excel opens it.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.hostile.cases import ACCEPTED, FINDING, LARGE, Case
from benchmarks.hostile.collection import all_cases
from benchmarks.hostile.costly_texts import costly_returns
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return

MOST_SECONDS = 5.0
MOST_MIB = 512
GIVEN_UP_SECONDS = 60.0
NO_FILE = "no file"
STOPPED = "workbook-too-complex"


class Outcome(NamedTuple):
    """The outcome of checking one file, with its time and memory."""

    said: str
    status: int
    seconds: float
    cpu_seconds: float
    mebibytes: int
    words: str


def check(path: Path, replies: Path | None = None) -> Outcome:
    """Check one file in a separate process, and write its receipt if there is a folder for it."""
    command = [str(Path(sys.executable).with_name("cypp")), "check", "--json"]
    command += [*(["--reply", str(replies)] if replies else []), "--", str(path)]
    with TemporaryFile() as out, TemporaryFile() as errors:
        started = time.perf_counter()
        pid = os.posix_spawn(
            command[0],
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)],
        )
        status, used = _wait(pid, started)
        seconds = time.perf_counter() - started
        out.seek(0)
        errors.seek(0)
        words = errors.read().decode(errors="replace")
        said = _said(out.read().decode(errors="replace"))
    return Outcome(said, status, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, words)


def _wait(pid: int, started: float) -> tuple[int, "os.resource.struct_rusage"]:  # type: ignore[name-defined]
    while time.perf_counter() - started < GIVEN_UP_SECONDS:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), used
        time.sleep(0.005)
    os.kill(pid, 9)
    _, _, used = os.wait4(pid, 0)
    return -9, used


def _said(line: str) -> str:
    try:
        result = json.loads(line)
    except ValueError:
        return ""
    codes = dict.fromkeys(finding["code"] for finding in result["findings"])
    return " ".join([result["status"] + ":", *codes]) if codes else result["status"]


def faults(expected: str, outcome: Outcome) -> list[str]:
    """What is wrong with an outcome."""
    found = []
    # On a busy machine the clock is unreliable; CPU time counts, unless the process hung.
    if (outcome.cpu_seconds > MOST_SECONDS and expected != LARGE) or outcome.seconds > 4 * MOST_SECONDS:
        found.append("SLOW")
    if outcome.mebibytes > MOST_MIB:
        found.append("LARGE")
    if outcome.status not in ((2,) if expected == NO_FILE else (0, 1)) or "Traceback" in outcome.words:
        found.append("BROKEN")
    elif outcome.status and expected in (ACCEPTED, LARGE) and not (expected == LARGE and STOPPED in outcome.said):
        found.append("REFUSED")
    elif expected not in (ACCEPTED, LARGE, FINDING, NO_FILE) and expected not in outcome.said:
        found.append(f"not {expected}")
    return found


def make(case: Case, path: Path) -> None:
    """Make a file in a separate process: its memory would be counted as that of the programs started from here."""
    maker = multiprocessing.get_context("fork").Process(target=lambda: path.write_bytes(case.make()))
    maker.start()
    maker.join()
    assert not maker.exitcode, case.name


def no_files(folder: Path) -> list[Case]:
    """Paths that are not files."""
    (folder / "folder.xlsx").mkdir()
    os.mkfifo(folder / "pipe.xlsx")
    (folder / "link-nowhere.xlsx").symlink_to("nowhere")
    (folder / "link-zero.xlsx").symlink_to("/dev/zero")
    names = {
        "folder": "a folder",
        "pipe": "a named pipe",
        "link-nowhere": "a link to nothing",
        "link-zero": "a link to /dev/zero",
    }
    return [Case(f"{name}.xlsx", what, NO_FILE, bytes) for name, what in names.items()]


def run_texts(good: bytes, folder: Path, word: str) -> int:
    """Check the returns with costly texts, without a receipt and with one; returns how many took too much."""
    wrong = 0
    print(f"| {'texts':<24} | KB | check: s | CPU s | MiB | with its receipt: s | CPU s | MiB | {'what it got':<60} |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, make_texts in costly_returns(good).items():
        if word not in name:
            continue
        path = folder / f"{name.replace(' ', '-').replace(',', '')}.xlsx"
        make(Case(path.name, name, FINDING, make_texts), path)
        outcomes = [check(path), check(path, folder / "receipts")]
        found = [fault for outcome in outcomes for fault in faults(FINDING, outcome)]
        wrong += bool(found)
        taken = " | ".join(f"{one.seconds:.2f} | {one.cpu_seconds:.2f} | {one.mebibytes}" for one in outcomes)
        said = f"{outcomes[1].said:<60.90}"
        print(f"| {name:<24} | {path.stat().st_size // 1000} | {taken} | {said} | {' '.join(found)}", flush=True)
    print()
    return wrong


def run(folder: Path, word: str, *, is_smoke: bool) -> int:
    good = sample_return(read_plan(), "yos", parse_period("2010-11Q1"))
    cases = all_cases(good, folder, is_smoke=is_smoke)
    cases += [] if is_smoke else no_files(folder)
    cases = [case for case in cases if word in case.name]
    wrong = 0 if is_smoke else run_texts(good, folder, word)
    print(f"| {'file':<32} | {'what it is':<44} | {'what it got':<60} | exit | seconds | CPU s | MiB |")
    print("|---|---|---|---|---|---|---|")
    for case in cases:
        path = folder / case.name
        if case.expected != NO_FILE:
            make(case, path)
        outcome = check(path)
        found = faults(case.expected, outcome)
        wrong += bool(found)
        name = case.name.encode("unicode_escape").decode() if len(case.name) < 40 else case.name[:10] + "..."
        said = outcome.said or outcome.words.strip().splitlines()[-1:]
        print(
            f"| {name:<32} | {case.what:<44} | {said!s:<60.90} | {outcome.status} | {outcome.seconds:.2f} | "
            f"{outcome.cpu_seconds:.2f} | {outcome.mebibytes} | {' '.join(found)}",
            flush=True,
        )
    print(f"\n{len(cases)} files, {wrong} not as expected")
    return int(wrong > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="only the few small ones, to see that it runs")
    parser.add_argument("--only", default="", metavar="WORD", help="only those with the word in their names")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the files here, and keep them")
    given = parser.parse_args()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        sys.exit(run(given.keep.absolute(), given.only, is_smoke=given.smoke))
    with TemporaryDirectory() as folder:
        sys.exit(run(Path(folder), given.only, is_smoke=given.smoke))


if __name__ == "__main__":
    main()
