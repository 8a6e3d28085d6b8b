"""A plan with a partner who owes any number of indicators and milestones: the built-in one with additional rows."""

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import plan_of, read_plan
from cypp_etl.plan.tables import read_files

PARTNER = "east"

# The kinds of indicators, in rotation: unit, decimals, minimum, maximum, accumulation, multiplier.
_SHAPES = (
    ("percent", "1", "0", "100", "latest", "100"),
    ("number", "0", "0", "", "sum", "0"),
    ("rate", "2", "0", "", "latest", "1"),
)
_COUNT = ("number", "0", "0", "", "sum", "0")
_RATE_OF_COUNT = ("rate", "0", "0", "", "sum", "100000")
# After this many indicators there is a family of a number and its rate.
_FAMILY_EVERY = 5
_RHYTHM_COLUMNS = ("frequency", "asked_in", "year_type", "reports_on")
MILESTONE_DUES = ("2010-09-30", "2011-03-31", "2010-12-31", "2011-09-30")


def make_plan(folder: Path, leaves: int, milestones: int) -> Plan:
    """Write the built-in plan with an additional partner into a folder, and read it."""
    copy_shipped_plan(folder)
    add_rows(folder / "partners.csv", [(PARTNER, "Eastern Partnership")])
    add_rows(folder / "indicators.csv", indicator_rows(leaves))
    names = [row[0] for row in indicator_rows(leaves) if row[9]]
    add_rows(folder / "owed_by.csv", [(PARTNER, name) for name in names])
    add_rows(folder / "figures.csv", [("target", name, "2010-11", "40", "made up") for name in names])
    action = ("EA1-E1", "EA1", "existing plan or strategy", "Reading together", "", "A. Lead", "", PARTNER)
    add_rows(folder / "actions.csv", [action])
    add_rows(folder / "milestones.csv", _milestones(milestones))
    return read_plan(folder)


def copy_shipped_plan(folder: Path) -> None:
    """Copy the built-in plan's files into a folder, to be extended."""
    with as_file(files("cypp_etl").joinpath("plan", "data")) as shipped:
        shutil.copytree(shipped, folder, dirs_exist_ok=True)


def indicator_rows(leaves: int) -> list[tuple[str, ...]]:
    """Rows of `indicators.csv` for so many leaves, including their parents."""
    rows: list[tuple[str, ...]] = []
    count = number = 0
    while count < leaves:
        number += 1
        ref, polarity = f"LI {number}", "LOW" if number % 2 else "HIGH"
        if number % _FAMILY_EVERY == 0 and count + 2 <= leaves:
            rows.append((ref, "", ref, "", "EA", f"Local matter {number}", polarity, *[""] * 10))
            rows.append((f"{ref}a", "", ref, "a", "EA", "Number", "", "", "", *_COUNT, "", ""))
            rows.append((f"{ref}b", "", ref, "b", "EA", "Per 100,000", "", "", "", *_RATE_OF_COUNT, f"{ref}a", ""))
            count += 2
        else:
            shape = _SHAPES[number % len(_SHAPES)]
            rows.append((ref, "", ref, "", "EA", f"Local measure {number}", polarity, "", "", *shape, "", ""))
            count += 1
    return rows


def _milestones(count: int) -> list[tuple[str, ...]]:
    dues = [MILESTONE_DUES[number % len(MILESTONE_DUES)] for number in range(count)]
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


def add_rows(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Add rows to one of the plan's files; the columns that they do not reach are blank."""
    with path.open(encoding="utf-8", newline="") as file:
        width = len(next(csv.reader(file)))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*row, *[""] * (width - len(row))] for row in rows)


def plan_with(cells: Mapping[str, str], columns: str = "frequency,asked_in", **edits: Callable[[str], str]) -> Plan:
    """The built-in plan with what it says of when each indicator is asked replaced.

    Args:
        cells: the cells of `columns` by indicator, parted by commas; those of the indicator "" are of every other one,
            which is otherwise asked in every quarter.
        columns: columns of `indicators.csv`.
        edits: how the text of other files is changed, by their names without suffix.
    """
    contents = read_files(None)
    for name, edit in edits.items():
        contents[f"{name}.csv"] = edit(contents[f"{name}.csv"].decode()).encode()
    return plan_of(contents | _asked(contents["indicators.csv"], cells, columns))


def quarterly_files() -> dict[str, bytes]:
    """The files of the built-in plan, with every indicator asked in every quarter."""
    contents = read_files(None)
    return contents | _asked(contents["indicators.csv"], {}, "")


def _asked(content: bytes, cells: Mapping[str, str], columns: str) -> dict[str, bytes]:
    blank = dict.fromkeys(_RHYTHM_COLUMNS, "")
    rows = []
    for row in csv.DictReader(content.decode().splitlines()):
        given = cells.get(row["indicator"], cells.get("", "")) if row["unit"] else ""
        stated = dict(zip(columns.split(","), given.split(","), strict=False)) if columns else {}
        rows.append(row | blank | stated)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return {"indicators.csv": text.getvalue().encode()}
