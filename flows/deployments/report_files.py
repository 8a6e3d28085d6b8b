"""The board report as files, as of now or as of a date."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.periods import Period
from cypp_etl.report.html import render_html
from cypp_etl.report.model import BoardData
from cypp_etl.report.moments import end_of
from cypp_etl.report.workbook import render_workbook
from warehouse.queries.board import read_board

if TYPE_CHECKING:
    from sqlalchemy import Connection


def write_report(
    connection: "Connection", period: Period, folder: Path, as_of: date | None = None, since: date | None = None
) -> list[Path]:
    """Write both editions of the report on a period, and return their paths.

    As of a date means as of its last moment: what arrived on that day is included.

    Raises:
        ValueError: nothing can be known as of a day to come.
    """
    now = datetime.now(UTC)
    at = end_of(as_of, now) if as_of else now
    return write_editions(read_board(connection, period, at, since), folder, now.date())


def write_editions(data: BoardData, folder: Path, written_on: date) -> list[Path]:
    """Write a report as a page and as a workbook into a folder, and return their paths in this order."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for ending, content in (("html", render_html(data, written_on)), ("xlsx", render_workbook(data, written_on))):
        path = folder / f"board report {data.period.code}.{ending}"
        path.write_bytes(content)
        written.append(path)
    return written
