"""Measures reading a return: our reader against openpyxl, which it replaces, and calamine, which has no formats.

`python benchmarks/reading.py` reads a return of 50 rows and one of 20,000; `--smoke` small ones, to see that it runs.
The ways alternate, so that a busy moment of the machine affects all; compare the ratios.
"""

import argparse
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import openpyxl
from python_calamine import CalamineWorkbook

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.workbook.reader import read_workbook
from cypp_etl.workbook.sandbox.parent import read_isolated

INDICATOR_COLUMNS = 11
MILESTONE_COLUMNS = 9


def write_return(path: Path, rows: int) -> None:
    """A workbook with a cover, a sheet of indicators and one of milestones, each of so many rows."""
    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "Return"
    for label in ("Partner", "Period", "Completed by", "Date"):
        cover.append([label, f"the {label.lower()}"])
    indicators, milestones = book.create_sheet("Indicators"), book.create_sheet("Milestones")
    indicators.append([f"Heading {column}" for column in range(INDICATOR_COLUMNS)])
    milestones.append([f"Heading {column}" for column in range(MILESTONE_COLUMNS)])
    for row in range(rows):
        figures = [row + column / 7 for column in range(INDICATOR_COLUMNS - 4)]
        indicators.append([f"NI {row % 198}", "Number of young people who", *figures, "=C2+D2", f"Comment {row}"])
        indicators.cell(row + 2, 3).number_format = "0.0%"
        milestones.append([f"M{row}", *["On track"] * (MILESTONE_COLUMNS - 2), row / 3])
    book.save(path)


def read_openpyxl(data: bytes) -> int:
    """Values and number formats, with openpyxl."""
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    found = [
        (cell.row, cell.column, cell.value, cell.number_format)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    return len(found)


def read_openpyxl_twice(data: bytes) -> int:
    """Openpyxl must read again to find which cells are formulas; our reader does so in one pass."""
    book = openpyxl.load_workbook(BytesIO(data), read_only=True)
    formulas = {
        (sheet.title, cell.coordinate)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
    return read_openpyxl(data) + len(formulas)


def read_calamine(data: bytes) -> int:
    """Values only: the lower bound."""
    book = CalamineWorkbook.from_filelike(BytesIO(data))
    return sum(len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names)


WAYS: dict[str, Callable[[bytes], object]] = {
    "cypp_etl": read_workbook,
    "cypp_etl, in a child": read_isolated,
    "openpyxl, values and formats": read_openpyxl,
    "openpyxl, and formulas": read_openpyxl_twice,
    "calamine, values only": read_calamine,
}


def measure(data: bytes, rounds: int) -> dict[str, float]:
    """The median seconds of each way, after one round that is not counted."""
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds + 1):
        for way, read in WAYS.items():
            started = time.perf_counter()
            read(data)
            taken[way].append(time.perf_counter() - started)
    return {way: median(times[1:]) for way, times in taken.items()}


def report(rows: int, rounds: int, folder: Path) -> None:
    path = folder / f"{rows}.xlsx"
    write_return(path, rows)
    data = path.read_bytes()
    print(f"\n{rows:,} rows on each of two sheets, {len(data) / 1024:,.0f} KiB, median of {rounds}")
    taken = measure(data, rounds)
    plain = taken["openpyxl, values and formats"]
    for way, seconds in taken.items():
        print(f"  {way:<30}{seconds * 1000:>10.1f} ms{seconds / plain:>8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="small files and few rounds")
    smoke = parser.parse_args().smoke
    with TemporaryDirectory() as folder:
        for rows, rounds in ((5, 2), (50, 2)) if smoke else ((50, 21), (5_000, 3)):
            report(rows, rounds, Path(folder))


if __name__ == "__main__":
    main()
