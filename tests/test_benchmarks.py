"""The ratios that performance rests on: the page has those that are expected, and one that is too high is a failure."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RATIOS = ROOT / "benchmarks" / "ratios.csv"


def rows() -> list[dict[str, str]]:
    with RATIOS.open(newline="") as file:
        return list(csv.DictReader(file))


def held(*expected: tuple[str, float], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the benchmark with other ratios of judging, the quickest to measure."""
    file = folder / "ratios.csv"
    lines = [["group", "name", "ratio"], *(["judging", name, str(ratio)] for name, ratio in expected)]
    with file.open("w", newline="") as written:
        csv.writer(written).writerows(lines)
    command = [sys.executable, "benchmarks/ratios.py", "--only", "judging", "--expected", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_page_has_the_ratios_that_are_expected() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    _, _, table = page.partition("| of | ours / the other | ratio |\n| --- | --- | --- |\n")
    expected = [f"| {row['group']} | {row['name']} | {row['ratio']} |" for row in rows()]
    assert table.partition("\n\n")[0].splitlines() == expected


@pytest.mark.trial
def test_a_ratio_that_is_too_high_fails_after_a_second_try_and_so_does_one_that_is_no_longer_measured(
    tmp_path: Path,
) -> None:
    name, ratio = next((row["name"], float(row["ratio"])) for row in rows() if row["group"] == "judging")
    doctored = held((name, ratio / 10), ("judging in no time", 1), folder=tmp_path)
    assert doctored.returncode == 1
    assert f"{name}: too high, measured once more" in doctored.stdout
    assert f"{name}: FAILED" in doctored.stdout
    assert "judging in no time: EXPECTED, and not measured" in doctored.stdout


@pytest.mark.trial
def test_a_ratio_as_expected_is_held_and_one_that_nobody_expects_is_not(tmp_path: Path) -> None:
    name, ratio = next((row["name"], float(row["ratio"])) for row in rows() if row["group"] == "judging")
    assert held((name, ratio * 3), folder=tmp_path).returncode == 0
    unexpected = held(folder=tmp_path)
    assert unexpected.returncode == 1
    assert f"{name}: NOT EXPECTED" in unexpected.stdout
