"""The board report as files, as of now or as of a date."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cypp_etl.periods import Period
from cypp_etl.plan.selection import EVERYTHING, Selection
from cypp_etl.report.first_page.digest import Digest
from cypp_etl.report.folder import Batch, Report
from cypp_etl.report.html import ReportPages
from cypp_etl.report.moments import end_of
from cypp_etl.report.workbook import ReportWorkbook
from warehouse.queries.board.reader import read_report

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Editions(NamedTuple):
    """The files of a report: its pages, the one to open first, its workbook, and what they say."""

    pages: tuple[Path, ...]
    workbook: Path
    digest: Digest

    @property
    def to_open(self) -> tuple[Path, Path]:
        """What people open."""
        return self.pages[0], self.workbook


def batches_of(report: Report) -> Iterable[Batch]:
    """The batches of a report, unseen."""
    return report.batches


def write_report(
    connection: "Connection",
    period: Period,
    folder: Path,
    as_of: date | None = None,
    since: date | None = None,
    part: Selection = EVERYTHING,
    *,
    watch: Callable[[Report], Iterable[Batch]] = batches_of,
) -> Editions:
    """Write both editions of the report on a period, or on a part of the plan in it.

    As of a date means as of its last moment: what arrived on that day is included. `watch` gives the batches of the
    report, and sees each pass.

    Raises:
        ValueError: nothing can be known as of a day to come.
    """
    now = datetime.now(UTC)
    at = end_of(as_of, now) if as_of else now
    return write_editions(read_report(connection, period, at, since, part), folder, now.date(), watch=watch)


def write_editions(
    report: Report,
    folder: Path,
    written_on: date,
    *,
    watch: Callable[[Report], Iterable[Batch]] = batches_of,
) -> Editions:
    """Write a report as pages and as a workbook into a folder; pages of an earlier one on the period are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    name = report.frame.file_name
    _remove_pages(folder / name)
    pages, workbook = ReportPages(report, written_on), ReportWorkbook(report, written_on)
    written = []
    with _seldom_collected():
        for number, batch in enumerate(watch(report), start=1):
            written += [_write(folder / file, content) for file, content in pages.of(batch)]
            workbook.add(batch.data)
            if number % _COLLECTED_AFTER == 0:
                gc.collect()
        for standings in report.standings:
            written += [_write(folder / file, content) for file, content in pages.of_groups(standings)]
            workbook.add_groups(standings)
    index = [_write(folder / file, content) for file, content in pages.index()]
    path = folder / f"{name}.xlsx"
    with path.open("wb") as file:
        workbook.save(file)
    return Editions((*index, *written), path, pages.digest())


_COLLECTED_AFTER = 8
"""So many batches are kept at most."""


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A batch makes objects by the hundred thousand that live until it is written.

    Python's garbage collector would look through them, and all modules, again and again: a fifth of the whole time. A
    page that was rendered refers to itself, so that what it shows is collected now and then all the same.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(500_000, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


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
