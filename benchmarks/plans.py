"""A plan with a partner who owes as many indicators and milestones as wanted: the shipped one, and more in its CSVs."""

import csv
import shutil
from collections.abc import Iterable, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from cypp_etl.plan_model import Plan
from cypp_etl.plan_reader import read_plan

PARTNER = "east"

# How the indicators look, in turn: unit, decimals, minimum, maximum, accumulation, multiplier.
_SHAPES = (
    ("percent", "1", "0", "100", "latest", "100"),
    ("number", "0", "0", "", "sum", "0"),
    ("rate", "2", "0", "", "latest", "1"),
)
_COUNT = ("number", "0", "0", "", "sum", "0")
_RATE_OF_COUNT = ("rate", "0", "0", "", "sum", "100000")
# A family of a number and its rate stands at every so many indicators.
_FAMILY_EVERY = 5
_MILESTONE_DUES = ("2010-09-30", "2011-03-31", "2010-12-31", "2011-09-30")


def make_plan(folder: Path, leaves: int, milestones: int) -> Plan:
    """Write the shipped plan with a further partner into a folder, and read it."""
    with as_file(files("cypp_etl").joinpath("plan")) as shipped:
        shutil.copytree(shipped, folder, dirs_exist_ok=True)
    _add(folder / "partners.csv", [(PARTNER, "Eastern Partnership")])
    _add(folder / "indicators.csv", _indicators(leaves))
    names = [row[0] for row in _indicators(leaves) if row[9]]
    _add(folder / "owed_by.csv", [(PARTNER, name) for name in names])
    _add(folder / "figures.csv", [("target", name, "2010-11", "40", "made up") for name in names])
    action = ("EA1-E1", "EA1", "existing plan or strategy", "Reading together", "", "A. Lead", "", PARTNER)
    _add(folder / "actions.csv", [action])
    _add(folder / "milestones.csv", _milestones(milestones))
    return read_plan(folder)


def _indicators(leaves: int) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    count = number = 0
    while count < leaves:
        number += 1
        ref, polarity = f"LI {number}", "LOW" if number % 2 else "HIGH"
        if number % _FAMILY_EVERY == 0 and count + 2 <= leaves:
            rows.append((ref, "", ref, "", "EA", f"Local matter {number}", polarity, *[""] * 9))
            rows.append((f"{ref}a", "", ref, "a", "EA", "Number", "", "", "", *_COUNT, ""))
            rows.append((f"{ref}b", "", ref, "b", "EA", "Per 100,000", "", "", "", *_RATE_OF_COUNT, f"{ref}a"))
            count += 2
        else:
            shape = _SHAPES[number % len(_SHAPES)]
            rows.append((ref, "", ref, "", "EA", f"Local measure {number}", polarity, "", "", *shape, ""))
            count += 1
    return rows


def _milestones(count: int) -> list[tuple[str, ...]]:
    dues = [_MILESTONE_DUES[number % len(_MILESTONE_DUES)] for number in range(count)]
    return [
        (
            f"EA1-E1-M{number}",
            "EA1-E1",
            "2010-11" if due < "2011-04" else "2011-12",
            f"Step {number} is done",
            due,
            "yes",
        )
        for number, due in enumerate(dues, start=1)
    ]


def _add(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
