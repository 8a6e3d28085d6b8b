"""Checks randomly changed returns: none may raise, take long, or load a number that is not in its cell.

`python benchmarks/hostile/fuzz.py [--number 2000] [--seed 1]` changes cells, markup and bytes of a good return,
checks each in this process, and marks its receipt. Accepted figures are compared with openpyxl's reading of their
cells. The exit status is 1 if anything went wrong; `--smoke` tries a few.
"""

import argparse
import io
import random
import sys
import time
import warnings
import zipfile
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import openpyxl

from cypp_etl.checked_return import CheckedReturn, History, status_of
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.receipts.reply import reply_for
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.samples.returns import sample_return

MOST_SECONDS = 5.0
AT = datetime(2010, 7, 12, tzinfo=UTC)
TYPED = [
    None, 0, -1, 0.71, 71, 1e15, 1e308, "71", "71.0%", " 71 ", "1.406", "1,406", "n/a", "-", "[p]", "71 [p]", "<5",
    "=1+1", "#DIV/0!", "x" * 40_000, "\u202e71", "\uff17\uff11", "TBC", True,
    date(2010, 6, 30), "2010-11Q1", "yos", "a@b.org",
]  # fmt: skip


def change_cells(good: bytes, chance: random.Random) -> bytes:
    """Overwrite some cells, move rows and columns, and drop or copy sheets."""
    workbook = openpyxl.load_workbook(io.BytesIO(good))
    for _ in range(chance.randint(1, 6)):
        sheet = chance.choice(workbook.worksheets)
        row, column = chance.randint(1, sheet.max_row + 2), chance.randint(1, sheet.max_column + 2)
        match chance.randrange(8):
            case 0:
                sheet.insert_rows(row)
            case 1:
                sheet.delete_rows(row)
            case 2:
                sheet.insert_cols(column)
            case 3 if len(workbook.worksheets) > 1:
                workbook.remove(sheet)
                workbook.worksheets[0].sheet_state = "visible"
            case 4:
                workbook.copy_worksheet(sheet)
            case _:
                cell = sheet.cell(row, column)
                value = chance.choice(TYPED)
                cell.value = value[:32_767] if isinstance(value, str) else value
                if chance.random() < 0.3:
                    cell.number_format = chance.choice(["0.0%", "General", "0.00", '0"%"', "dd/mm/yyyy"])
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def change_markup(good: bytes, chance: random.Random) -> bytes:
    """Cut, double or replace pieces of the XML in one part."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        names = source.namelist()
        changed = chance.choice(names)
        for name in names:
            data = source.read(name)
            if name == changed and data:
                for _ in range(chance.randint(1, 4)):
                    start = chance.randrange(len(data))
                    end = min(len(data), start + chance.randint(1, 60))
                    piece = chance.choice([b"", data[start:end] * 2, bytes(chance.randrange(256) for _ in range(5))])
                    data = data[:start] + piece + data[end:]
                    if not data:
                        break
            target.writestr(name, data)
    return stream.getvalue()


def change_bytes(good: bytes, chance: random.Random) -> bytes:
    """Change, cut or add bytes of the file itself."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)


def wrong_numbers(data: bytes, checked: CheckedReturn, before: dict[str, Decimal | None]) -> list[str]:
    """The figures that would be loaded but differ from openpyxl's reading of their cells, or from the original."""
    if not checked.observations:
        return []
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except Exception:  # noqa: BLE001 - whatever it is that openpyxl cannot open, the figures are those that they were
        changed = [figure for figure in checked.observations if figure.value != before.get(figure.indicator)]
        return [f"{figure.indicator}: {figure.value}, and openpyxl cannot open it" for figure in changed]
    wrong = []
    for figure in checked.observations:
        cell = workbook[figure.sheet][figure.cell]
        if figure.value is None or not isinstance(cell.value, int | float) or isinstance(cell.value, bool):
            continue
        points = Decimal(f"{cell.value:.15g}") * (100 if "%" in cell.number_format.split('"')[0] else 1)
        if figure.value != points:
            wrong.append(f"{figure.indicator} {figure.cell}: {figure.value}, not {points}")
    return wrong


def run(number: int, seed: int) -> int:
    """Try so many; returns how many went wrong."""
    plan, chance = read_plan(), random.Random(seed)
    good = sample_return(plan, "yos", parse_period("2010-11Q1"))
    checker = Checker(plan, History(), AT.date())
    before = {one.indicator: one.value for one in checker.check(Received("yos/r.xlsx", good, "yos")).observations}
    outcomes: Counter[str] = Counter()
    wrong = 0
    slowest = 0.0
    for turn in range(number):
        data = chance.choice([change_cells, change_markup, change_bytes])(good, chance)
        began = time.process_time()
        checked = checker.check(Received("yos/return.xlsx", data, "yos"))
        status = status_of(checked)
        summary = ReceiptSummary("YOS", "", 1, AT, "return.xlsx", checked.sha256, status)
        reply_for(checked, data, summary)
        seconds = time.process_time() - began
        slowest = max(slowest, seconds)
        outcomes[status.value] += 1
        found = wrong_numbers(data, checked, before) + ([f"{seconds:.1f} s"] if seconds > MOST_SECONDS else [])
        if found:
            wrong += 1
            print(f"{turn}: {'; '.join(found[:3])}")
    print(", ".join(f"{count} {status}" for status, count in outcomes.most_common()))
    print(f"{number} returns, {wrong} wrong; the slowest took {slowest:.2f} s of CPU")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="a few, to see that it runs")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    sys.exit(int(run(50 if given.smoke else given.number, given.seed) > 0))


if __name__ == "__main__":
    main()
