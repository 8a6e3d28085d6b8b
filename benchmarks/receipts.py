"""Measures marking a return: editing the package, against the plain way, loading and saving with openpyxl.

`python benchmarks/receipts.py` marks a return of fifty rows with thirty findings a hundred times; `--smoke` twice, to
see that it runs. It stops if the two ways do not mark the same cells; the plain way writes no first sheet.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.findings import Finding, find
from cypp_etl.receipts.marking import mark_workbook
from cypp_etl.receipts.summary import ReceiptSummary
from schemas.codes import SubmissionStatus

ROWS, COLUMNS, FINDINGS = 50, 11, 30
SUMMARY = ReceiptSummary(
    "A partner", "2010/11 Q1", 1, datetime(2010, 7, 12, tzinfo=UTC), "return.xlsx", "0" * 64,
    SubmissionStatus.REJECTED,
)  # fmt: skip


def make_return() -> bytes:
    """A return of fifty rows, with a formula in each."""
    book = openpyxl.Workbook()
    book.active.title = "Indicators"
    book.active.append([f"Heading {column}" for column in range(COLUMNS)])
    for row in range(2, ROWS + 2):
        book.active.append([f"NI {row}", *[row * column / 7 for column in range(COLUMNS - 2)], f"=B{row}*2"])
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def make_findings() -> list[Finding]:
    return [find("not-a-figure", sheet="Indicators", cell=f"I{row}", value="x") for row in range(2, FINDINGS + 2)]


def mark_plainly(data: bytes, findings: list[Finding]) -> bytes:
    book = openpyxl.load_workbook(BytesIO(data))
    for finding in findings:
        cell = book[finding.sheet][finding.cell]
        cell.fill = PatternFill("solid", fgColor="FFC9CE")
        cell.comment = Comment(f"{finding.severity.value}: {finding.message}\n{finding.fix}", "CYPP ETL")
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def measure(times: int, work: Callable[[], bytes]) -> float:
    """The median of some runs, in milliseconds."""
    spans = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spans.append((time.perf_counter() - start) * 1000)
    return statistics.median(spans)


def marked_cells(data: bytes) -> set[str]:
    sheet = openpyxl.load_workbook(BytesIO(data))["Indicators"]
    return {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment and cell.fill.fill_type}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true")
    times = 2 if parser.parse_args().smoke else 100
    data, findings = make_return(), make_findings()
    ours, plain = mark_workbook(data, findings, SUMMARY), mark_plainly(data, findings)
    if marked_cells(ours) != marked_cells(plain):
        sys.exit("The two ways mark different cells.")
    patched = measure(times, lambda: mark_workbook(data, findings, SUMMARY))
    saved = measure(times, lambda: mark_plainly(data, findings))
    again = measure(times, lambda: mark_workbook(ours, findings, SUMMARY))
    print(f"{ROWS} rows, {FINDINGS} findings, median of {times}")
    print(f"the package edited       {patched:6.1f} ms")
    print(f"openpyxl, load and save  {saved:6.1f} ms")
    print(f"a receipt marked again   {again:6.1f} ms")
    print(f"ratio                    {saved / patched:6.1f}")


if __name__ == "__main__":
    main()
