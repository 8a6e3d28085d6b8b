"""The board report as files, as of now or as of a date."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cypp_etl.periods import Period
from cypp_etl.plan.selection import EVERYTHING, Selection
from cypp_etl.report.html import render_pages
from cypp_etl.report.model import BoardData
from cypp_etl.report.moments import end_of
from cypp_etl.report.workbook import render_workbook
from warehouse.queries.board import read_board

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Editions(NamedTuple):
    """The files of a report: its page, or the pages of its folder, the one to open first, and its workbook."""

    pages: tuple[Path, ...]
    workbook: Path

    @property
    def to_open(self) -> tuple[Path, Path]:
        """What people open."""
        return self.pages[0], self.workbook


def write_report(
    connection: "Connection",
    period: Period,
    folder: Path,
    as_of: date | None = None,
    since: date | None = None,
    part: Selection = EVERYTHING,
) -> Editions:
    """Write both editions of the report on a period, or on a part of the plan in it.

    As of a date means as of its last moment: what arrived on that day is included.

    Raises:
        ValueError: nothing can be known as of a day to come.
    """
    now = datetime.now(UTC)
    at = end_of(as_of, now) if as_of else now
    return write_editions(read_board(connection, period, at, since).selected(part), folder, now.date())


def write_editions(data: BoardData, folder: Path, written_on: date) -> Editions:
    """Write a report as pages and as a workbook into a folder; pages of an earlier one on the period are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    _remove_pages(folder / data.file_name)
    pages = tuple(_write(folder / name, content) for name, content in render_pages(data, written_on))
    return Editions(pages, _write(folder / f"{data.file_name}.xlsx", render_workbook(data, written_on)))


def _remove_pages(place: Path) -> None:
    """Remove the page, or the folder of pages, of an earlier report: one that was smaller or larger has other files."""
    place.with_name(f"{place.name}.html").unlink(missing_ok=True)
    if place.is_dir():
        for page in place.glob("*.html"):
            page.unlink()


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path
