"""The report as self-contained HTML, with style and charts: one page, or several where it is large."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import groupby
from operator import itemgetter
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cypp_etl.escapes import visible
from cypp_etl.findings import in_words
from cypp_etl.judgement.columns import BOARD_TITLES
from cypp_etl.report.changes import changes, no_changes, turned, turned_heading
from cypp_etl.report.concerns import SHOWN_LINES, Share, concerns, headline, share_of, shares
from cypp_etl.report.folder import INDEX, Part, parts, places, remainder
from cypp_etl.report.groups.pages import GroupPage, group_pages
from cypp_etl.report.groups.standings import figure_words, groups
from cypp_etl.report.milestones import is_past_due, milestone_key, milestone_parts
from cypp_etl.report.model import BoardData
from cypp_etl.report.moments import moment_words
from cypp_etl.report.pages import about, clinic_pages, indicator_pages
from cypp_etl.report.returns import no_returns, nothing_returned, returns_in_short, status_words, wanting
from cypp_etl.report.symbols import LEGEND, sign
from cypp_etl.report.table import Heading, bands, counts, headings
from schemas.codes import ClinicStatus, QueryStatus, Severity
from schemas.markers import read_markers


def render_html(data: BoardData, written_on: date) -> bytes:
    """The report as one page of UTF-8; the date of writing is in one line, and changes nothing else."""
    return _render(data, written_on, {**_subjects(data), "groups": groups(data)})


def render_pages(data: BoardData, written_on: date) -> Iterator[tuple[str, bytes]]:
    """The report as files with their contents, the first of which is to be opened: one page, or a folder of pages."""
    pages = parts(data)
    if not pages:
        yield f"{data.file_name}.html", render_html(data, written_on)
        return
    of_groups = group_pages(groups(data), first=len(pages) + 1)
    yield f"{data.file_name}/{INDEX}", _render_index(data, written_on, pages, of_groups)
    for page in pages:
        yield f"{data.file_name}/{page.file}", _render(page.data, written_on, _subjects(page.data), index=INDEX)
    for of_group in of_groups:
        yield f"{data.file_name}/{of_group.file}", _render_group(data, written_on, of_group)


def _render_group(data: BoardData, written_on: date, page: GroupPage) -> bytes:
    """A page on a group, or on the part of it that fits into one."""
    template = _environment().get_template("group_page.html.j2")
    said = {"title": page.title, "groups": [page.group], "index": INDEX}
    return template.render(data=data, written_on=written_on, **said, **_of_groups(data)).encode()


def _of_groups(data: BoardData) -> dict[str, object]:
    """What the part of a template on groups asks for."""
    quartiles_from = data.plan.body.quartiles_from if data.plan else 0
    return {"figure_words": figure_words, "sign_of": sign, "quartiles_from": quartiles_from}


def _render_index(data: BoardData, written_on: date, pages: Sequence[Part], of_groups: Sequence[GroupPage]) -> bytes:
    """What to look at first, and what belongs to no page; the tables, the dossiers and the indicators are on pages."""
    found = places(pages)
    return _render(
        data,
        written_on,
        {
            **{"bands": [], "changes": [], "indicators": [], "clinics": []},
            "group_pages": [(quote(page.file), page.title) for page in of_groups],
        },
        rest=remainder(data, pages),
        pages=[(quote(page.file), share_of(page.data, page.title)) for page in pages],
        href=lambda key: f"{found.get(key, '')}#{key}",
    )


def _subjects(data: BoardData) -> dict[str, object]:
    """What a page has on its indicators."""
    return {
        "bands": bands(data),
        "changes": [(row, [*each]) for row, each in groupby(changes(data), key=itemgetter(0))],
        "indicators": indicator_pages(data),
        "clinics": clinic_pages(data),
    }


def _render(
    data: BoardData,
    written_on: date,
    subjects: Mapping[str, object],
    *,
    rest: BoardData | None = None,
    pages: Sequence[tuple[str, Share]] = (),
    href: Callable[[str], str] = "#{}".format,
    index: str = "",
) -> bytes:
    """A page of the report; `rest` has the milestones and findings that it shows, where these are not all."""
    template = _environment().get_template("board.html.j2")
    shown = rest or data
    findings = {severity: [row for row in shown.findings if row["severity"] == severity] for severity in Severity}
    return template.render(
        data=data,
        written_on=written_on,
        **{"groups": [], "group_pages": [], **subjects, **_of_groups(data)},
        pages=pages,
        href=href,
        index=index,
        headings=headings(data.period),
        concerns=concerns(data),
        headline=headline(data),
        shown_lines=SHOWN_LINES,
        shares=shares(data),
        open_clinics=sum(clinic["status"] == ClinicStatus.OPEN.value for clinic in data.clinics),
        milestone_key=milestone_key,
        counts=counts(data),
        judged=BOARD_TITLES,
        no_changes=no_changes(data),
        turned=turned(data),
        turned_heading=turned_heading(data),
        legend=LEGEND,
        about=about,
        aspirations=milestone_parts(shown),
        is_past_due=lambda row: is_past_due(row, data.period, data.at.date()),
        wanting=wanting(data),
        returns_in_short=returns_in_short(data),
        status_words=status_words,
        is_returned=bool(data.returned(data.period)),
        nothing_returned=nothing_returned(data),
        no_returns=no_returns(data),
        no_milestones=_no_milestones(data),
        open_queries=[row for row in findings[Severity.QUERY] if row["status"] == QueryStatus.OPEN],
        settled_queries=[row for row in findings[Severity.QUERY] if row["status"] != QueryStatus.OPEN],
        errors=findings[Severity.ERROR],
        notes=findings[Severity.NOTE],
        shorthand=[marker for marker in read_markers() if marker.meaning],
    ).encode()


def _no_milestones(data: BoardData) -> str:
    """Why no milestones are listed."""
    if not data.indicators:
        return nothing_returned(data)
    return "No milestone belongs to this part of the report." if data.part else "The plan has no milestones."


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cypp_etl.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {"day": _day, "moment": moment_words, "groupby_run": _neighbours}
    return environment


def _visible(value: object) -> object:
    """Escape what a template writes: invisible characters, which the browser would interpret, are written out."""
    return visible(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


def _day(day: date | None) -> str:
    """A day as people write it, where there is one."""
    return in_words(day) if day else "-"


def _neighbours(found: list[Heading]) -> list[list[Heading]]:
    """Headings grouped by the shared heading above them."""
    return [list(members) for _, members in groupby(found, key=lambda heading: heading.group)]
