"""The report as self-contained HTML, with style and charts: one page, or several where it is large."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cypp_etl.escapes import visible
from cypp_etl.judgement.columns import BOARD_TITLES
from cypp_etl.phrases import date_text
from cypp_etl.report.changes import changed_indicators, corrections, no_changes, revisions_heading
from cypp_etl.report.first_page.concerns import SHOWN_LINES
from cypp_etl.report.first_page.digest import Digest, FirstPage, added_up, cut, digest_of, first_page
from cypp_etl.report.first_page.shares import Share
from cypp_etl.report.folder import INDEX, Batch, Layout, Part, Report, without
from cypp_etl.report.groups.pages import GroupPage, group_pages
from cypp_etl.report.groups.standings import Group, figure_words, groups
from cypp_etl.report.milestones import is_past_due, milestone_key, milestone_parts
from cypp_etl.report.model import BoardData
from cypp_etl.report.moments import moment_words
from cypp_etl.report.pages import about, clinic_pages, indicator_pages
from cypp_etl.report.returns import no_returns, nothing_returned, returns_in_short, status_words, wanting
from cypp_etl.report.svg import Pencil
from cypp_etl.report.symbols import LEGEND, sign
from cypp_etl.report.table import Heading, bands, headings
from schemas.codes import QueryStatus, Severity
from schemas.markers import read_markers


def render_html(data: BoardData, written_on: date) -> bytes:
    """The report as one page of UTF-8; the date of writing is in one line, and changes nothing else."""
    return _render(data, written_on, first_page(data, digest_of(data)), subjects=_subjects(data), ranked=groups(data))


def render_pages(report: Report, written_on: date) -> Iterator[tuple[str, bytes]]:
    """The report as files with their contents, the last of which is to be opened: one page, or a folder of pages."""
    pages = ReportPages(report, written_on)
    for batch in report.batches:
        yield from pages.of(batch)
    for standings in report.standings:
        yield from pages.of_groups(standings)
    yield from pages.index()


class ReportPages:
    """The files of a report with their contents, made batch after batch; the index comes last, and has all pages."""

    def __init__(self, report: Report, written_on: date) -> None:
        """Begin with no page."""
        self._report, self._written_on = report, written_on
        self._digests: list[Digest] = []
        self._shares: list[PageShare] = []
        self._places: dict[str, str] = {}
        self._findings: set[int] = set()
        self._of_groups: list[GroupPage] = []

    def of(self, batch: Batch) -> Iterator[tuple[str, bytes]]:
        """The pages of a batch, each with its name."""
        name, layout = self._report.frame.file_name, self._report.layout
        only = Part("", "", batch.data)
        for page in (only,) if layout is Layout.ONE_PAGE else batch.pages:
            digest = digest_of(page.data)
            first, subjects = first_page(page.data, digest), _subjects(page.data)
            if layout is Layout.ONE_PAGE:
                ranked = groups(page.data)
                yield f"{name}.html", _render(page.data, self._written_on, first, subjects=subjects, ranked=ranked)
            else:
                yield f"{name}/{page.file}", _render(page.data, self._written_on, first, subjects=subjects, index=INDEX)
            self._digests.append(cut(digest, page.place, is_shared=layout is Layout.BY_PARTNER))
            self._shares.append(PageShare(page.place, replace(digest.share, name=page.title)))
            self._places |= {row["milestone"]: page.place for row in page.data.milestones}
            self._findings |= {row["finding_id"] for row in page.data.findings}

    def of_groups(self, standings: BoardData) -> Iterator[tuple[str, bytes]]:
        """The pages of groups, each with its name, where the report is a folder."""
        frame = self._report.frame
        if self._report.layout is Layout.ONE_PAGE:
            return
        first = len(self._shares) + len(self._of_groups) + 1
        for page in group_pages(groups(standings), first, beside=standings.part):
            self._of_groups.append(page)
            yield f"{frame.file_name}/{page.file}", _render_group(frame, standings, self._written_on, page)

    def digest(self) -> Digest:
        """What is said of the pages that were made, together."""
        return added_up(self._digests)

    def index(self) -> Iterator[tuple[str, bytes]]:
        """The index, where there are pages: what to look at first of all of them, and what is on none."""
        if self._report.layout is Layout.ONE_PAGE:
            return
        frame = self._report.frame
        places = {milestone_key({"milestone": code}): place for code, place in self._places.items()}
        yield (
            f"{frame.file_name}/{INDEX}",
            _render(
                frame,
                self._written_on,
                first_page(frame, self.digest(), places),
                rest=without(self._report.rest(), {*self._places}, self._findings),
                pages=self._shares,
                of_groups=self._of_groups,
            ),
        )


@dataclass(frozen=True, slots=True)
class PageShare:
    """A page of the folder in the index: its address, and how it stands."""

    place: str
    share: Share


_NO_SUBJECTS: Mapping[str, object] = {"bands": [], "changes": [], "indicators": [], "clinics": []}


def _subjects(data: BoardData) -> dict[str, object]:
    """What a page has on its indicators; a clinic has the chart and the figures of its indicator."""
    indicators = indicator_pages(data)
    return {
        "bands": bands(data),
        "changes": changed_indicators(data),
        "indicators": indicators,
        "clinics": clinic_pages(data, indicators),
    }


def _render(
    data: BoardData,
    written_on: date,
    first: FirstPage,
    *,
    subjects: Mapping[str, object] = _NO_SUBJECTS,
    rest: BoardData | None = None,
    pages: Sequence[PageShare] = (),
    index: str = "",
    ranked: Sequence[Group] = (),
    of_groups: Sequence[GroupPage] = (),
) -> bytes:
    """A page of the report.

    `rest` has the milestones and findings that it shows, where these are not all; `ranked` the groups on it, and
    `of_groups` the pages of groups that it leads to.
    """
    template = _environment().get_template("board.html.j2")
    shown = rest or data
    findings = {severity: [row for row in shown.findings if row["severity"] == severity] for severity in Severity}
    return template.render(
        data=data,
        written_on=written_on,
        first=first,
        draw=Pencil().draw,
        **subjects,
        pages=pages,
        worst=sorted(pages, key=lambda page: page.share.rank)[:SHOWN_LINES],
        index=index,
        groups=ranked,
        group_pages=of_groups,
        **_words_of_groups(data),
        headings=headings(data.period),
        shown_lines=SHOWN_LINES,
        milestone_key=milestone_key,
        judged=BOARD_TITLES,
        no_changes=no_changes(data),
        corrections=corrections(first.revisions),
        revisions_heading=revisions_heading(data, first.revision_count),
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


def _render_group(report: BoardData, data: BoardData, written_on: date, page: GroupPage) -> bytes:
    """A page on a group, or on the part of it that fits into one."""
    template = _environment().get_template("group_page.html.j2")
    names = {"report": report, "title": page.title, "groups": [page.group], "index": INDEX}
    return template.render(data=data, written_on=written_on, **names, **_words_of_groups(data)).encode()


def _words_of_groups(data: BoardData) -> dict[str, object]:
    """What the part of a template on groups asks for."""
    quartiles_from = data.plan.body.quartiles_from if data.plan else 0
    return {"figure_words": figure_words, "sign_of": sign, "quartiles_from": quartiles_from}


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
    environment.globals["style"] = _style(environment)
    return environment


def _style(environment: Environment) -> Markup:
    """The style sheet without its comments and line breaks: each page of a report has it whole."""
    sheet = environment.get_template("board.css").render()
    spaced = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL))
    return Markup(re.sub(r" ?([{};,]) ?", r"\1", spaced).strip())  # noqa: S704 - a file of the package


def _visible(value: object) -> object:
    """Escape what a template writes: invisible characters, which the browser would interpret, are written out."""
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    return visible(value, keep="\n\t")


def _day(day: date | None) -> str:
    """A day as people write it, where there is one."""
    return date_text(day) if day else "-"


def _neighbours(found: list[Heading]) -> list[list[Heading]]:
    """Headings grouped by the shared heading above them."""
    return [list(members) for _, members in groupby(found, key=lambda heading: heading.group)]
