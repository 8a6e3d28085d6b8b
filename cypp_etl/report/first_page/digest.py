"""What the first page says: read off a report, or added up from its pages, none of which need be kept for it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from types import MappingProxyType

from cypp_etl.report.changes import Revision, revisions
from cypp_etl.report.first_page.concerns import SHOWN_LINES, Concern, Found, Line, Question, concerns, found_in
from cypp_etl.report.first_page.shares import OutcomeShare, Share, headline, in_order, outcome_shares, share_of
from cypp_etl.report.model import BoardData
from cypp_etl.report.table import word_counts, words_in_order
from schemas.codes import ClinicStatus


@dataclass(frozen=True, slots=True)
class Digest:
    """What is said of the series of a report, or of a part of it.

    `words` has how often each word occurs in the period's judgements, by judgement; `clinics` is how many are open,
    `figures` how many series have a figure, `returned` how many of these the period's own return gives, and
    `revision_count` how many symbols were revised, of which `revisions` has the first.
    """

    found: Mapping[Question, Found]
    share: Share
    outcomes: Mapping[str, OutcomeShare]
    words: Mapping[str, Counter[str]]
    clinics: int
    figures: int
    returned: int
    revisions: Sequence[Revision]
    revision_count: int


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The first page in words and numbers."""

    headline: str
    concerns: Sequence[Concern]
    shares: Sequence[Share]
    counts: Mapping[str, Sequence[tuple[str, int]]]
    open_clinics: int
    revisions: Sequence[Revision]
    revision_count: int


def digest_of(data: BoardData) -> Digest:
    """What is said of the series of a report, with all lines."""
    return Digest(
        found_in(data),
        share_of(data, ""),
        outcome_shares(data),
        word_counts(data),
        sum(one["status"] == ClinicStatus.OPEN.value for one in data.clinics),
        len(data.of_period(data.period)),
        len(data.returned(data.period)),
        revisions(data),
        len(data.symbol_changes),
    )


def cut(digest: Digest, place: str, *, is_shared: bool) -> Digest:
    """What an index keeps of a page: the lines that it may show, each with the address of the page.

    `is_shared` says that other pages have the same indicators, of other partners.
    """
    found = {
        question: Found([replace(line, place=place) for line in one.lines[:SHOWN_LINES]], one.count)
        for question, one in digest.found.items()
    }
    kept = [replace(one, whose=one.partner) if is_shared else one for one in digest.revisions[:SHOWN_LINES]]
    return replace(digest, found=found, revisions=kept)


def added_up(digests: Iterable[Digest]) -> Digest:
    """Pages together: of each list the most urgent, and how many there are."""
    several = [*digests]
    outcomes: dict[str, OutcomeShare] = {}
    words: dict[str, Counter[str]] = {}
    share = Share("")
    for one in several:
        share = share.plus(one.share)
        for code, outcome in one.outcomes.items():
            outcomes[code] = outcomes[code].plus(outcome) if code in outcomes else outcome
        for column, counter in one.words.items():
            words.setdefault(column, Counter()).update(counter)

    def total(of: Callable[[Digest], int]) -> int:
        return sum(map(of, several))

    found = {
        question: Found(
            nsmallest(SHOWN_LINES, (line for one in several for line in one.found[question].lines), _urgency),
            sum(one.found[question].count for one in several),
        )
        for question in Question
    }
    return Digest(
        found,
        share,
        outcomes,
        words,
        total(lambda one: one.clinics),
        total(lambda one: one.figures),
        total(lambda one: one.returned),
        nsmallest(SHOWN_LINES, (each for one in several for each in one.revisions), lambda each: each.order),
        total(lambda one: one.revision_count),
    )


def _urgency(line: Line) -> tuple[object, ...]:
    return line.urgency


def first_page(data: BoardData, digest: Digest, places: Mapping[str, str] = MappingProxyType({})) -> FirstPage:
    """The first page of a report, of which `data` need not have the series.

    `places` has the addresses of the pages that milestones are on, if they are on others.
    """
    asked = concerns(data, digest.found, digest.revision_count, is_empty=not digest.figures, places=places)
    return FirstPage(
        headline(digest.share, data.period.previous.label),
        asked,
        in_order(digest.outcomes.values()),
        words_in_order(digest.words),
        digest.clinics,
        digest.revisions,
        digest.revision_count,
    )
