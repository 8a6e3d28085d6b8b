"""A report that is too large for one page, as a folder: an index, and a page for each outcome or each partner."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote

from cypp_etl.report.model import BoardData, Row, in_plan_order, series_of

MOST_INDICATORS = 60
"""A report on more indicators is a folder."""

MOST_PARTNERS = 5
"""Where more partners than these return an indicator, each has a page; else each outcome has one."""

MOST_ON_A_PAGE = 240
"""How many indicators of partners a page has at most: a page of these is smaller than 2 MB."""

INDEX = "index.html"


class Layout(StrEnum):
    """How a report is laid out: as one page, or with a page for each outcome or for each partner."""

    ONE_PAGE = "one page"
    BY_OUTCOME = "by outcome"
    BY_PARTNER = "by partner"


@dataclass(frozen=True, slots=True)
class Part:
    """A page of the folder: its file, what it is on, and the part of the report's data that it shows."""

    file: str
    title: str
    data: BoardData

    @property
    def place(self) -> str:
        """Its address, as the other pages have it."""
        return quote(self.file)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is read of a report at once, and the pages on it."""

    data: BoardData
    pages: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report to be written batch after batch, so that no more than one of them is kept.

    `frame` has what belongs to no series, `count` is how many batches there are, and `rest` reads what may be on none
    of their pages. Of a report on one page, the only batch has no pages. `standings` has what groups and their members
    are ranked by, which no page of a single partner has: the report, or each outcome of it.
    """

    frame: BoardData
    layout: Layout
    batches: Iterable[Batch]
    count: int
    rest: Callable[[], BoardData]
    standings: Iterable[BoardData]


def layout_of(series: Iterable[tuple[str, str]]) -> Layout:
    """How a report on series is laid out, each an indicator and a partner."""
    partners: dict[str, set[str]] = {}
    for indicator, partner_code in series:
        partners.setdefault(indicator, set()).add(partner_code)
    if max(map(len, partners.values()), default=0) > MOST_PARTNERS:
        return Layout.BY_PARTNER
    return Layout.BY_OUTCOME if len(partners) > MOST_INDICATORS else Layout.ONE_PAGE


def report_of(data: BoardData) -> Report:
    """A report that has been read as a whole."""
    layout = layout_of(map(series_of, data.table_rows()))
    return Report(data, layout, [Batch(data, tuple(parts(data, layout)))], 1, lambda: data, [data])


def parts(data: BoardData, layout: Layout, first_number: int = 1) -> Iterator[Part]:
    """The pages of a report, or of a batch, those of one outcome or partner one after the other."""
    if layout is Layout.BY_PARTNER:
        yield from _pages(data, "partner_code", data.partners, first_number)
    elif layout is Layout.BY_OUTCOME:
        titles = {row["outcome_code"]: str(row["outcome"]) for row in data.table_rows()}
        yield from _pages(data, "outcome_code", titles, first_number)


def without(rest: BoardData, milestones: set[str], findings: set[int]) -> BoardData:
    """What pages have not shown of milestones and findings, by their codes and numbers."""
    return replace(
        rest,
        milestones=[row for row in rest.milestones if row["milestone"] not in milestones],
        findings=[row for row in rest.findings if row["finding_id"] not in findings],
    )


def _pages(data: BoardData, column: str, titles: Mapping[str, str], number: int) -> Iterator[Part]:
    """The pages by outcome or by partner, whichever the column has, in the order of their titles."""
    rows: dict[tuple[str, str], Row] = {}
    for row in [*data.performance, *data.owed, *data.planned]:
        rows[series_of(row)] = row
    groups: dict[str, list[tuple[str, str]]] = {code: [] for code in titles}
    for key, row in sorted(rows.items(), key=lambda one: in_plan_order(one[1])):
        groups.setdefault(row[column], []).append(key)
    for code, series in groups.items():
        for first in range(0, len(series), MOST_ON_A_PAGE):
            page = f" ({first // MOST_ON_A_PAGE + 1})" if len(series) > MOST_ON_A_PAGE else ""
            title = f"{titles.get(code, code)}{page}"
            part = _part(data, title, set(series[first : first + MOST_ON_A_PAGE]), (column, "" if first else code))
            yield Part(f"{number:03} {slug(title)}.html", title, part)
            number += 1


def _part(data: BoardData, title: str, series: set[tuple[str, str]], whole: tuple[str, str]) -> BoardData:
    """What a page shows: series, and on the first page of an outcome or a partner what belongs to it as a whole."""
    column, code = whole
    named = {one["finding_id"] for key in series for one in data.findings_about.get(key, ())}
    part = replace(
        data.of_series(series),
        part=f"{data.part}, {title}" if data.part else title,
        milestones=[row for row in data.milestones if row[column] == code],
        findings=[row for row in data.findings if row["finding_id"] in named or row.get(column) == code],
    )
    if column == "outcome_code":
        return part
    returns, refused, held = (
        [row for row in rows if row[column] == code] for rows in (data.returns, data.refused, data.held)
    )
    return replace(part, returns=returns, refused=refused, held=held)


def slug(title: str) -> str:
    """A title as a part of a file's name, on every system."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "page"
