"""Reads the data of a board report, all as known at one moment, in one transaction of `reading`."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, Select, Table, select
from sqlalchemy import Row as SqlRow

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.plan.selection import EVERYTHING, Selection
from cypp_etl.report.folder import Batch, Layout, Report, layout_of, parts, report_of
from cypp_etl.report.model import BoardData, Row, Since, Texts
from warehouse.queries.as_of import Wanted, clinic_notes, clinics, group_performance, in_force_then, return_status_as_of
from warehouse.queries.board.figures import Figures, changes_of_what_is_counted, figures_of
from warehouse.queries.board.findings import comments_on, findings_of, held_then, refused_last
from warehouse.queries.board.plan_rows import (
    aspirations_of,
    body_of,
    due_on,
    indicators_of,
    is_owed,
    milestones_of,
    noted_on_partners,
    owing_in,
    partner_names,
    planned_texts,
)
from warehouse.queries.board.rows import in_force, until
from warehouse.queries.not_returned import owed_rows, plan_to_judge_by, planned_rows
from warehouse.queries.publications import last_published
from warehouse.queries.symbol_changes import symbol_change_rows
from warehouse.queries.views import performance_of
from warehouse.schema.plan_tables import plan, plan_edition
from warehouse.schema.tables import judgement
from warehouse.stored_plans import stored_plan

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
        plan_id = connection.scalar(select(plan.c.plan_id).where(in_force(plan, at)))
        after = _since(connection, plan_id, period, at, since)
        indicators = indicators_of(connection, plan_id, period)
        partners = partner_names(connection, plan_id)
        noted = noted_on_partners(connection, plan_id)
        stored = stored_plan(connection, plan_id)
        rhythms = {indicator: Rhythm.of(row) for indicator, row in indicators.items()}

        def named(row: Row) -> Row:
            code = row["partner_code"]
            return {**row, "partner": partners.get(code, code or "an unknown partner")}

        self._connection, self._plan_id, self._stored = connection, plan_id, stored
        self._judged_by = stored or plan_to_judge_by(connection, plan_id)
        self._planned = planned_texts(connection, plan_id)
        every_milestone = milestones_of(connection, plan_id, period, at)
        self.frame = BoardData(
            body=body_of(connection, plan_id),
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
            aspirations=aspirations_of(connection, plan_id),
            milestones=every_milestone,
            every_milestone=every_milestone,
            clinics=[],
            notes=clinic_notes(connection, at),
            returns=[
                {**named({**row}), **noted.get(row["partner_code"], {})}
                for row in return_status_as_of(connection, period, at)
            ],
            refused=[named(row) for row in refused_last(connection, period, at)],
            held=[named(row) for row in held_then(connection, period, at)],
            findings=[],
            comments=[],
            symbol_changes=[],
            rhythms=rhythms,
            owing=owing_in(connection, plan_id, period),
            is_owed=is_owed(connection, plan_id, period),
            plan=stored,
            groups=until(period, group_performance(connection, period, at), rhythms)
            if stored and stored.groups
            else (),
        )
        """The report without its series and findings."""

    def read(self, part: Selection = EVERYTHING) -> BoardData:
        """What the report says of a part of the plan."""
        connection, frame = self._connection, self.frame
        period, at, rhythms = frame.period, frame.at, frame.rhythms
        wanted = self._wanted(part)
        judged = until(period, performance_of(connection, wanted, at), rhythms)
        figures = self._figures(wanted)
        changed = changes_of_what_is_counted(judged, self._stored) if self._stored else set()
        after = frame.since.moment if frame.since else None
        whole = replace(
            frame,
            performance=judged,
            owed=owed_rows(connection, self._plan_id, self._judged_by, period, at, wanted=wanted),
            planned=planned_rows(connection, self._plan_id, self._judged_by, period, at, wanted=wanted),
            texts=figures.texts,
            ratios=figures.ratios,
            breaks=figures.breaks | changed,
            # A whole year's figure is not among the judgements of its last quarter's report.
            clinics=until(period, clinics(connection, period, at, wanted.partners), rhythms, "opened_period"),
            findings=findings_of(connection, frame, partner_codes=wanted.partners),
            comments=comments_on(connection, wanted, period, at, rhythms),
            symbol_changes=until(period, symbol_change_rows(connection, after, at, wanted.partners), rhythms),
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
            performance=until(period, performance_of(self._connection, wanted, at), frame.rhythms),
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
        findings = findings_of(self._connection, frame, but_of=partner_codes)
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

    def _figures(self, wanted: Wanted) -> Figures:
        return figures_of(self._connection, self._stored, self._planned, wanted, self.frame.at)

    def _halves(self, table: Table, query: Select[Any]) -> Iterator[SqlRow[Any]]:
        return in_force_then(self._connection, table, query, self.frame.at)

    def _wanted(self, part: Selection) -> Wanted:
        """The series that a part can have: the outcome of an indicator may have been another in an earlier plan."""
        if not part.outcome_code:
            return Wanted(part.partner_codes)
        query = select(plan_edition.c.indicator).where(plan_edition.c.outcome_code == part.outcome_code).distinct()
        return Wanted(part.partner_codes, frozenset(self._connection.scalars(query)))


def _since(connection: Connection, plan_id: int | None, period: Period, at: datetime, day: date | None) -> Since | None:
    """From when on symbols that turned are listed; None for all, where the day that would tell is not past."""
    if day:
        after = Since(_end_of(day))
        if after.moment >= at:
            raise ValueError(f"{day} had not ended at the moment of the report: choose an earlier day")
        return after
    if last := last_published(connection, at):
        return Since(last["known_at"], published=parse_period(last["period"]))
    day_due = due_on(connection, plan_id, period.previous)
    return Since(_end_of(day_due), due=period.previous) if day_due and _end_of(day_due) < at else None


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)
