"""A report that is too large for one page, as a folder: an index, and a page for each outcome or each partner."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from cypp_etl.report.milestones import milestone_key
from cypp_etl.report.model import BoardData, Row, in_plan_order, series_of
from cypp_etl.report.pages import clinic_key
from cypp_etl.report.table import key_of, missing_key

MOST_INDICATORS = 60
"""A report on more indicators is a folder."""

MOST_PARTNERS = 5
"""Where more partners than these return an indicator, each has a page; else each outcome has one."""

MOST_ON_A_PAGE = 240
"""How many indicators of partners a page has at most: a page of these is smaller than 2 MB."""

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Part:
    """A page of the folder: its file, what it is on, and the part of the report's data that it shows."""

    file: str
    title: str
    data: BoardData


def parts(data: BoardData) -> list[Part]:
    """The pages of a report, those of one outcome or partner one after the other; none where it is one page."""
    rows = data.table_rows()
    partners: dict[str, set[str]] = {}
    for row in rows:
        partners.setdefault(row["indicator"], set()).add(row["partner_code"])
    is_by_partner = max(map(len, partners.values()), default=0) > MOST_PARTNERS
    if not is_by_partner and len(partners) <= MOST_INDICATORS:
        return []
    if is_by_partner:
        return _pages(data, "partner_code", data.partners)
    return _pages(data, "outcome_code", {row["outcome_code"]: str(row["outcome"]) for row in rows})


def places(pages: Sequence[Part]) -> dict[str, str]:
    """The address of the page that has each of the parts that lines lead to."""
    found: dict[str, str] = {}
    for page in pages:
        keys = [key for row in page.data.table_rows() for key in (key_of(row), missing_key(row))]
        keys += [clinic_key(clinic) for several in page.data.shown_clinics.values() for clinic in several]
        keys += [milestone_key(row) for row in page.data.milestones]
        found |= dict.fromkeys(keys, page.file)
    return {key: quote(file) for key, file in found.items()}


def remainder(data: BoardData, pages: Sequence[Part]) -> BoardData:
    """The milestones and findings that no page has: of no partner, or of no indicator."""
    shown = {row["milestone"] for page in pages for row in page.data.milestones}
    found = {row["finding_id"] for page in pages for row in page.data.findings}
    return replace(
        data,
        milestones=[row for row in data.milestones if row["milestone"] not in shown],
        findings=[row for row in data.findings if row["finding_id"] not in found],
    )


def _pages(data: BoardData, column: str, titles: Mapping[str, str]) -> list[Part]:
    """The pages by outcome or by partner, whichever the column has, in the order of their titles."""
    rows: dict[tuple[str, str], Row] = {}
    for row in [*data.performance, *data.owed]:
        rows[series_of(row)] = row
    groups: dict[str, list[tuple[str, str]]] = {code: [] for code in titles}
    for key, row in sorted(rows.items(), key=lambda one: in_plan_order(one[1])):
        groups.setdefault(row[column], []).append(key)
    found: list[Part] = []
    for code, series in groups.items():
        for first in range(0, len(series), MOST_ON_A_PAGE):
            number = f" ({first // MOST_ON_A_PAGE + 1})" if len(series) > MOST_ON_A_PAGE else ""
            title = f"{titles.get(code, code)}{number}"
            part = _part(data, title, set(series[first : first + MOST_ON_A_PAGE]), (column, "" if first else code))
            found.append(Part(f"{len(found) + 1:03} {slug(title)}.html", title, part))
    return found


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
