"""Reads the data of a board report, all as known at one moment, in one transaction of `reading`."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    TextClause,
    and_,
    bindparam,
    exists,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy import Row as SqlRow

from cypp_etl.figure_keys import FigureKey
from cypp_etl.judgement.outlook.variation import Ratio
from cypp_etl.layout import PUBLISHED
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Body, Plan
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.plan.selection import EVERYTHING, Selection
from cypp_etl.report.folder import Batch, Layout, Report, layout_of, parts, report_of
from cypp_etl.report.model import BoardData, KnownText, Row, Since, Texts
from schemas.codes import ClinicRule, Marker, Measure, Qualifier, Severity, SubmissionStatus
from schemas.markers import marker_text, qualifier_text
from warehouse.queries.as_of import (
    Wanted,
    clinic_notes,
    clinics,
    group_performance,
    in_force_then,
    milestones,
    queries_as_of,
    return_status_as_of,
)
from warehouse.queries.not_returned import owed_rows, plan_to_judge_by, planned_rows
from warehouse.queries.publications import last_published
from warehouse.queries.symbol_changes import symbol_change_rows
from warehouse.queries.views import performance_of
from warehouse.schema.plan_tables import (
    plan,
    plan_action,
    plan_aspiration,
    plan_body,
    plan_calendar,
    plan_due,
    plan_edition,
    plan_figure,
    plan_measured,
    plan_milestone,
    plan_outcome,
    plan_owed,
    plan_partner,
)
from warehouse.schema.tables import ACCEPTED, finding, held_decision, judgement, observation, submission
from warehouse.schema.types import Moment
from warehouse.schema.values import qualifiers_of
from warehouse.stored_plans import stored_plan
from warehouse.views.in_force import AS_OF
from warehouse.views.withheld import shown_comment

_YEARS_BACK = 2
"""How many years before the period's a figure may be of that stands beside a group's: what is older has no rank."""


def read_board(
    connection: Connection, period: Period, at: datetime, since: date | None = None, part: Selection = EVERYTHING
) -> BoardData:
    """Read the report on a period as known at a moment, or on a part of the plan in it: see `BoardReader`."""
    return BoardReader(connection, period, at, since).read_ranked(part)


def read_report(
    connection: Connection, period: Period, at: datetime, since: date | None = None, part: Selection = EVERYTHING
) -> Report:
    """The report on a period as known at a moment, read batch after batch: see `BoardReader`.

    Where each partner has a page, a batch is a partner; otherwise few partners return the same, and all are read.
    """
    reader = BoardReader(connection, period, at, since)
    layout = layout_of(reader.series(part))
    if layout is not Layout.BY_PARTNER:
        return report_of(reader.read_ranked(part))
    codes = reader.partner_codes(part)
    # A partner with nothing in the table of the period has no page.
    on_pages: list[str] = []

    def batches() -> Iterator[Batch]:
        number = 1
        for code in codes:
            data = reader.read(replace(part, partner_codes=frozenset({code})))
            pages = tuple(parts(data, layout, number))
            number += len(pages)
            if pages:
                on_pages.append(code)
            yield Batch(data, pages)

    frame = reader.frame.selected(part)
    return Report(
        frame,
        layout,
        batches(),
        len(codes),
        lambda: reader.read_rest(on_pages, part),
        reader.standings_by_outcome(part),
    )


class BoardReader:
    """Reads the report on a period as known at a moment, as a whole or part by part.

    What the parts have in common is read once; figures, judgements, clinics, comments and findings for the part that is
    asked for alone, so that a report on 150 partners needs no more memory than one on a few.
    """

    def __init__(self, connection: Connection, period: Period, at: datetime, since: date | None = None) -> None:
        """Read what the parts have in common.

        Args:
            connection: a transaction of `engine.reading`, in which the parts are read too.
            period: the period reported on; later ones are ignored.
            at: the moment.
            since: the day of the last report; if not given, that of the last published report or, if there is none,
                the day on which the previous period's returns were due, or, if that is to come, all that ever turned.

        Raises:
            ValueError: that day was not over at that moment.
        """
        plan_id = connection.scalar(select(plan.c.plan_id).where(_in_force(plan, at)))
        after = _since(connection, plan_id, period, at, since)
        indicators = _indicators(connection, plan_id, period)
        partners = _partners(connection, plan_id)
        noted = _noted_on_partners(connection, plan_id)
        stored = stored_plan(connection, plan_id)
        rhythms = {indicator: Rhythm.of(row) for indicator, row in indicators.items()}

        def named(row: Row) -> Row:
            code = row["partner_code"]
            return {**row, "partner": partners.get(code, code or "an unknown partner")}

        self._connection, self._plan_id, self._stored = connection, plan_id, stored
        self._judged_by = stored or plan_to_judge_by(connection, plan_id)
        self._planned = _planned_texts(connection, plan_id)
        every_milestone = _milestones(connection, plan_id, period, at)
        self.frame = BoardData(
            body=_body(connection, plan_id),
            period=period,
            at=at,
            since=after,
            performance=[],
            owed=[],
            planned=[],
            indicators=indicators,
            partners=partners,
            texts=Texts({}),
            ratios={},
            breaks=set(),
            aspirations=_aspirations(connection, plan_id),
            milestones=every_milestone,
            every_milestone=every_milestone,
            clinics=[],
            notes=clinic_notes(connection, at),
            returns=[
                {**named({**row}), **noted.get(row["partner_code"], {})}
                for row in return_status_as_of(connection, period, at)
            ],
            refused=[named(row) for row in _refused(connection, period, at)],
            held=[named(row) for row in _held(connection, period, at)],
            findings=[],
            comments=[],
            symbol_changes=[],
            rhythms=rhythms,
            owing=_owing(connection, plan_id, period),
            is_owed=_is_owed(connection, plan_id, period),
            plan=stored,
            groups=_until(period, group_performance(connection, period, at), rhythms)
            if stored and stored.groups
            else (),
        )
        """The report without its series and findings."""

    def read(self, part: Selection = EVERYTHING) -> BoardData:
        """What the report says of a part of the plan."""
        connection, frame = self._connection, self.frame
        period, at, rhythms = frame.period, frame.at, frame.rhythms
        wanted = self._wanted(part)
        judged = _until(period, performance_of(connection, wanted, at), rhythms)
        figures = self._figures(wanted)
        changed = _changes_of_what_is_counted(judged, self._stored) if self._stored else set()
        after = frame.since.moment if frame.since else None
        whole = replace(
            frame,
            performance=judged,
            owed=owed_rows(connection, self._plan_id, self._judged_by, period, at, wanted=wanted),
            planned=planned_rows(connection, self._plan_id, self._judged_by, period, at, wanted=wanted),
            texts=figures.texts,
            ratios=figures.ratios,
            breaks=figures.breaks | changed,
            clinics=_plain(clinics(connection, period, at, wanted.partners)),
            findings=_findings(connection, frame, partner_codes=wanted.partners),
            comments=_comments(connection, wanted, period, at, rhythms),
            symbol_changes=_until(period, symbol_change_rows(connection, after, at, wanted.partners), rhythms),
        )
        return whole.selected(part)

    def read_ranked(self, part: Selection = EVERYTHING) -> BoardData:
        """What the report says of a part of the plan, with what the members of its groups are ranked by."""
        data = self.read(part)
        if not self.frame.groups or part.partner_codes is None:
            return data
        return replace(data, whole=self.standings(replace(part, partner_codes=None)))

    def standings(self, part: Selection) -> BoardData:
        """The figures of groups and of all their members that stand in the period's table, and nothing else."""
        frame = self.frame
        period, at = frame.period, frame.at
        wanted = replace(self._wanted(replace(part, partner_codes=None)), since=period.year.years_later(-_YEARS_BACK))
        standings = replace(
            frame,
            performance=_until(period, performance_of(self._connection, wanted, at), frame.rhythms),
            owed=owed_rows(self._connection, self._plan_id, self._judged_by, period, at, wanted=wanted),
            texts=self._figures(wanted).texts,
        )
        return standings.selected(part)

    def standings_by_outcome(self, part: Selection) -> Iterator[BoardData]:
        """The standings of each outcome of a part, one after the other; none where there are no groups."""
        titles = {row["outcome_code"]: str(row["outcome"]) for row in self.frame.indicators.values()}
        for code, title in sorted(titles.items()) if self.frame.groups else ():
            if part.outcome_code in ("", code):
                yield self.standings(replace(part, outcome_code=code, title=title))

    def read_rest(self, partner_codes: Collection[str], part: Selection = EVERYTHING) -> BoardData:
        """The report without its series, with the findings that are of none of some partners."""
        frame = self.frame
        findings = _findings(self._connection, frame, but_of=partner_codes)
        return replace(frame, findings=findings).selected(part)

    def series(self, part: Selection = EVERYTHING) -> set[tuple[str, str]]:
        """The indicators and partners of a part that have a figure in the period, or owe one."""
        wanted, columns = self._wanted(part), judgement.c
        query = select(columns.indicator, columns.partner_code).where(
            columns.period == self.frame.period.code, *wanted.of(columns)
        )
        found = {(row.indicator, row.partner_code) for row in self._halves(judgement, query)}
        return found | {(indicator, code) for indicator, code in self.frame.owing if wanted.has(code, indicator)}

    def partner_codes(self, part: Selection = EVERYTHING) -> list[str]:
        """The partners of a part, those of the plan first, that have ever had a figure, or owe one."""
        wanted, columns = self._wanted(part), judgement.c
        query = select(columns.partner_code).where(*wanted.of(columns)).distinct()
        judged = {row.partner_code for row in self._halves(judgement, query)}
        judged |= {code for indicator, code in self.frame.owing if wanted.has(code, indicator)}
        known = [code for code in self.frame.partners if code in judged]
        return [*known, *sorted(judged.difference(known))]

    def _figures(self, wanted: Wanted) -> "_Figures":
        return _figures(self._connection, self._stored, self._planned, wanted, self.frame.at)

    def _halves(self, table: Table, query: Select[Any]) -> Iterator[SqlRow[Any]]:
        return in_force_then(self._connection, table, query, self.frame.at)

    def _wanted(self, part: Selection) -> Wanted:
        """The series that a part can have: the outcome of an indicator may have been another in an earlier plan."""
        if not part.outcome_code:
            return Wanted(part.partner_codes)
        query = select(plan_edition.c.indicator).where(plan_edition.c.outcome_code == part.outcome_code).distinct()
        return Wanted(part.partner_codes, frozenset(self._connection.scalars(query)))


def _due_on(connection: Connection, plan_id: int | None, period: Period) -> date | None:
    columns = plan_calendar.c
    query = select(columns.due_on).where(columns.plan_id == plan_id, columns.period == period.code)
    return connection.scalar(query)


def _since(connection: Connection, plan_id: int | None, period: Period, at: datetime, day: date | None) -> Since | None:
    """From when on symbols that turned are listed; None for all, where the day that would tell is not past."""
    if day:
        after = Since(_end_of(day))
        if after.moment >= at:
            raise ValueError(f"{day} had not ended at the moment of the report: choose an earlier day")
        return after
    if last := last_published(connection, at):
        return Since(last["known_at"], published=parse_period(last["period"]))
    due_on = _due_on(connection, plan_id, period.previous)
    return Since(_end_of(due_on), due=period.previous) if due_on and _end_of(due_on) < at else None


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


def _in_force(table: Table, at: datetime) -> ColumnElement[bool]:
    columns = table.c
    return and_(columns.recorded_at <= at, or_(columns.superseded_at.is_(None), columns.superseded_at > at))


def _as_of(condition: str, at: datetime) -> TextClause:
    """A condition of `AS_OF`, at a moment."""
    return text(condition).bindparams(bindparam("at", at, Moment()))


def _plain(rows: Iterable[Row | RowMapping]) -> list[Row]:
    """Rows as plain mappings, which a report can keep after the connection is closed."""
    return [row if isinstance(row, dict) else dict(row) for row in rows]


def _until(period: Period, rows: Iterable[Row | RowMapping], rhythms: Mapping[str, Rhythm]) -> list[Row]:
    """The rows of periods that come no later than a period, or that its return asks for, as plain mappings.

    A quarter's return may ask for the figure of a year that ends later.
    """
    last = {indicator: max(period.order, rhythm.latest(period).order) for indicator, rhythm in rhythms.items()}
    return [
        row for row in _plain(rows) if parse_period(row["period"]).order <= last.get(row["indicator"], period.order)
    ]


def _owing(connection: Connection, plan_id: int | None, period: Period) -> set[tuple[str, str]]:
    columns = plan_owed.c
    query = select(columns.indicator, columns.partner_code).where(
        columns.plan_id == plan_id, literal(period.last_day).between(columns.first_day, columns.last_day)
    )
    return {(row.indicator, row.partner_code) for row in connection.execute(query)}


def _is_owed(connection: Connection, plan_id: int | None, period: Period) -> bool:
    columns = plan_due.c
    query = select(columns.period).where(columns.plan_id == plan_id, columns.period == period.code)
    return connection.scalar(query.limit(1)) is not None


def _body(connection: Connection, plan_id: int | None) -> Body:
    # What else belongs to the body is read from the whole plan where it is asked.
    row = connection.execute(select(plan_body).where(plan_body.c.plan_id == plan_id)).mappings().one_or_none()
    return Body(row["body"], row["report_title"], ClinicRule(row["clinics_from"])) if row else Body()


def _partners(connection: Connection, plan_id: int | None) -> dict[str, str]:
    columns = plan_partner.c
    query = select(columns.partner_code, columns.partner).where(columns.plan_id == plan_id)
    return {row.partner_code: row.partner for row in connection.execute(query)}


def _noted_on_partners(connection: Connection, plan_id: int | None) -> dict[str, Row]:
    columns = plan_partner.c
    query = select(columns.partner_code, columns.note, columns.source, columns.url, columns.owner)
    rows = connection.execute(query.where(columns.plan_id == plan_id)).mappings()
    return {row["partner_code"]: {name: row[name] for name in row if name != "partner_code"} for row in rows}


def _indicators(connection: Connection, plan_id: int | None, period: Period) -> dict[str, Row]:
    """What the plan says of each indicator in a period, even if it has ended."""
    leaf, outcome = plan_edition.c, plan_outcome.c
    query = (
        select(plan_edition, outcome.outcome, outcome.table_heading)
        .join(plan_outcome, and_(outcome.plan_id == leaf.plan_id, outcome.outcome_code == leaf.outcome_code))
        .where(leaf.plan_id == plan_id, literal(period.last_day).between(leaf.described_from, leaf.described_until))
    )
    measured: dict[str, set[str]] = {}
    pairs = select(plan_measured.c.indicator, plan_measured.c.aspiration).where(plan_measured.c.plan_id == plan_id)
    for indicator, aspiration in connection.execute(pairs):
        measured.setdefault(indicator, set()).add(aspiration)
    return {
        row["indicator"]: {**row, "measured": measured.get(row["indicator"], set())}
        for row in connection.execute(query).mappings()
    }


def _aspirations(connection: Connection, plan_id: int | None) -> list[Row]:
    asked, outcome = plan_aspiration.c, plan_outcome.c
    query = (
        select(plan_aspiration, outcome.outcome)
        .join(plan_outcome, and_(outcome.plan_id == asked.plan_id, outcome.outcome_code == asked.outcome_code))
        .where(asked.plan_id == plan_id)
        .order_by(asked.aspiration)
    )
    return _plain(connection.execute(query).mappings())


def _milestones(connection: Connection, plan_id: int | None, period: Period, at: datetime) -> list[Row]:
    """The milestones with the partner that reports on each, empty where none does."""
    step, action = plan_milestone.c, plan_action.c
    query = (
        select(step.milestone, action.partner_code)
        .join(plan_action, and_(action.plan_id == step.plan_id, action.action_id == step.action_id))
        .where(step.plan_id == plan_id)
    )
    partners = {row.milestone: row.partner_code for row in connection.execute(query)}
    return [{**row, "partner_code": partners[row["milestone"]]} for row in milestones(connection, period, at)]


def _planned_texts(connection: Connection, plan_id: int | None) -> dict[FigureKey, KnownText]:
    """The plan's figures for every partner, or their markers, by keys without a partner."""
    planned = connection.execute(select(plan_figure).where(plan_figure.c.plan_id == plan_id)).mappings()
    return {
        FigureKey("", row["indicator"], row["measure"], row["period"]): KnownText(
            row["value"], _marker_text(row["marker"])
        )
        for row in planned
    }


def _texts_of_partners(stored: Plan | None, wanted: Wanted) -> dict[FigureKey, KnownText]:
    """The plan's figures for single partners; without its files, a plan has none."""
    found = {}
    for partner_code, figures in stored.partner_figures.items() if stored else ():
        if wanted.partners is not None and partner_code not in wanted.partners:
            continue
        for (measure, indicator, period), figure in figures.items():
            if wanted.has(partner_code, indicator):
                value = None if figure.value is None else float(figure.value)
                printed = marker_text(figure.marker) if figure.marker else None
                found[FigureKey(partner_code, indicator, measure, period.code)] = KnownText(value, printed)
    return found


@dataclass(frozen=True, slots=True)
class _Figures:
    """How figures were printed, the counts that they were made of, and which of them break their series."""

    texts: Texts
    ratios: dict[FigureKey, Ratio]
    breaks: set[tuple[str, str, str]]


def _figures(
    connection: Connection, stored: Plan | None, planned: dict[FigureKey, KnownText], wanted: Wanted, at: datetime
) -> _Figures:
    """The figures in force at a moment of what is wanted: returned ones take precedence over the plan's."""
    texts = _texts_of_partners(stored, wanted)
    ratios: dict[FigureKey, Ratio] = {}
    breaks: set[tuple[str, str, str]] = set()
    columns = observation.c
    key = (columns.partner_code, columns.indicator, columns.measure, columns.period)
    said = (columns.value, columns.marker, columns.qualifiers, columns.typed, columns.numerator, columns.denominator)
    query = (
        select(*key, *said, submission.c.layout)
        .join(submission, submission.c.submission_id == columns.submission_id)
        .where(*wanted.of(columns))
    )
    for row in in_force_then(connection, observation, query, at):
        *key_of_figure, value, marker, qualifiers, typed, numerator, denominator, layout = tuple(row)
        figure = FigureKey._make(key_of_figure)
        beside = qualifiers_of(qualifiers) if qualifiers else frozenset()
        printed = typed.strip() if layout == PUBLISHED else _marker_text(marker)
        texts[figure] = KnownText(value, printed, qualifier_text(beside) if beside else "")
        if numerator is not None and denominator is not None:
            ratios[figure] = Ratio(numerator, denominator)
        if Qualifier.BREAK in beside and figure.measure == Measure.ACTUAL:
            breaks.add((figure.partner_code, figure.indicator, figure.period))
    return _Figures(Texts(texts, planned), ratios, breaks)


def _changes_of_what_is_counted(judged: Iterable[Row], stored: Plan) -> set[tuple[str, str, str]]:
    """Where series break because the plan counts something else, or for another body, than in the period before."""
    changes = set()
    for row in judged:
        partner_code, indicator, period = row["partner_code"], row["indicator"], parse_period(row["period"])
        if indicator in stored.indicators and not stored.compares(partner_code, indicator, period, period.previous):
            changes.add((partner_code, indicator, period.code))
    return changes


def _marker_text(marker: str | None) -> str | None:
    return marker_text(Marker(marker)) if marker else None


def _refused(connection: Connection, period: Period, at: datetime) -> list[Row]:
    """The last submission of each partner for a period, where that was refused: an accepted one mends what came before.

    One that was withdrawn mends nothing. One that was held is refused once the data team has refused it. Of those that
    do not say whose they are, each stands for itself.
    """
    came = submission.c
    by_decision = exists().where(
        held_decision.c.submission_id == came.submission_id,
        held_decision.c.accepted_id.is_(None),
        # It was decided on when it ended.
        came.superseded_at <= at,
    )
    is_refused = or_(came.status == SubmissionStatus.REJECTED, by_decision).label("is_refused")
    query = (
        select(came.submission_id, came.partner_code, came.file_name, came.status, came.received_at, is_refused)
        .where(came.period == period.code, came.recorded_at <= at)
        .where(came.status.in_((*ACCEPTED, SubmissionStatus.REJECTED, SubmissionStatus.HELD)))
        .where(_as_of(f"NOT {AS_OF.is_withdrawn('submission')}", at))
        .order_by(came.submission_id)
    )
    last = {row["partner_code"] or row["submission_id"]: dict(row) for row in connection.execute(query).mappings()}
    refused = [row for row in last.values() if row["is_refused"]]
    return sorted(refused, key=lambda row: row["partner_code"] or "")


_LIFE = ("status", "answer", "answered_by")
"""What a query has besides a finding: see `bi_queries`."""


def _held(connection: Connection, period: Period, at: datetime) -> list[Row]:
    """The submissions for a period that waited for the data team to decide, by partner."""
    came = submission.c
    query = select(came.submission_id, came.partner_code, came.file_name, came.received_at).where(
        came.period == period.code, came.status == SubmissionStatus.HELD, _in_force(submission, at)
    )
    return _plain(connection.execute(query.order_by(came.partner_code)).mappings())


def _findings(
    connection: Connection,
    frame: BoardData,
    *,
    partner_codes: Collection[str] | None = None,
    but_of: Collection[str] = (),
) -> list[Row]:
    """Queries and notes of what is in force, and errors of what was refused; of queries, what has become of them.

    Those of partners, all if None, but for some.
    """
    came, period, at = submission.c, frame.period, frame.at
    is_refused = and_(
        came.submission_id.in_([row["submission_id"] for row in frame.refused]),
        finding.c.severity == Severity.ERROR.value,
    )
    whose: list[ColumnElement[bool]] = []
    if partner_codes is not None:
        whose.append(came.partner_code.in_(partner_codes))
    if but_of:
        whose.append(or_(came.partner_code.is_(None), came.partner_code.not_in(but_of)))
    query = (
        select(finding, came.partner_code, came.file_name)
        .join(submission, came.submission_id == finding.c.submission_id)
        .where(
            came.period == period.code,
            *whose,
            or_(and_(came.status.in_(ACCEPTED), _as_of(AS_OF.submission_in_force("submission"), at)), is_refused),
        )
        .order_by(came.partner_code, finding.c.finding_id)
    )
    found = _plain(connection.execute(query).mappings())
    asked = {row["partner_code"] for row in found if _is_query(row)}
    lives = {one["query_id"]: one for one in queries_as_of(connection, period, at, asked)} if asked else {}
    # A note that a waiver made of a query says so itself.
    none: Row = dict.fromkeys(_LIFE)
    return [
        {**row, **({name: lives[row["finding_id"]][name] for name in _LIFE} if _is_query(row) else none)}
        for row in found
    ]


def _is_query(row: Row) -> bool:
    return bool(row["severity"] == Severity.QUERY)


def _comments(
    connection: Connection, wanted: Wanted, period: Period, at: datetime, rhythms: Mapping[str, Rhythm]
) -> list[Row]:
    columns = observation.c
    query = select(columns.partner_code, columns.indicator, columns.period, shown_comment(at)).where(
        columns.comment != "", columns.measure == Measure.ACTUAL.value, *wanted.of(columns)
    )
    rows = [row._mapping for row in in_force_then(connection, observation, query, at)]
    return _until(period, sorted(rows, key=lambda row: (row["indicator"], row["period"])), rhythms)
