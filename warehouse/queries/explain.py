"""From a symbol back to the cell: everything that a judgement was made from, and where each part was typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import pandas as pd
from sqlalchemy import Connection, RowMapping, select

from cypp_etl.judgement.explanation import Explanation, Source, explain_judgements
from cypp_etl.judgement.ranks import Place, standing
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import plan_about
from cypp_etl.plan.selection import EVERYTHING, Selection, groups_about
from schemas.codes import Marker, Measure, Qualifier
from warehouse.figures.judged_rows import FIGURE, figures_frame
from warehouse.queries.views import group_performance, judgement_history, performance
from warehouse.schema.tables import observation, submission
from warehouse.schema.values import decimal_of, qualifiers_of
from warehouse.views.withheld import shown_comment


@dataclass(frozen=True, slots=True)
class Origin:
    """The cell of a figure, and the submission it came with."""

    submission_id: int
    file: str
    sha256: str
    received_at: datetime
    sheet: str
    cell: str
    typed: str
    comment: str


@dataclass(frozen=True, slots=True)
class SourcedFigure:
    """A figure in force and where it comes from: a cell (`origin`), or the plan (`plan_source`, in its words)."""

    measure: str
    period: Period
    value: Decimal | None
    marker: Marker | None
    origin: Origin | None
    plan_source: str
    qualifiers: frozenset[Qualifier] = frozenset()


@dataclass(frozen=True, slots=True)
class SourcedExplanation:
    """One partner's judgement of an indicator and period: how it was made, and where its figures were typed.

    `row` is its row of `bi_performance`. `versions` are the judgement's rows of `bi_performance_history`, oldest
    first.
    """

    row: RowMapping
    judgement: Explanation
    versions: tuple[RowMapping, ...]
    returned: Mapping[int, SourcedFigure]
    planned: Mapping[tuple[str, str, Period], SourcedFigure]

    def find(self, source: Source) -> SourcedFigure:
        """The figure that a step used."""
        if source.row is None:
            return self.planned[source.partner_code, source.measure, source.period]
        return self.returned[cast(int, source.row)]


def explain(
    connection: Connection, plan: Plan, indicator: str, period: Period, part: Selection = EVERYTHING
) -> list[SourcedExplanation]:
    """Explain a judgement by the plan in force, for each partner with a figure; empty if there is none.

    Args:
        connection: a transaction of `engine.reading`.
        plan: the plan in force.
        indicator: one of its leaves.
        period: the period.
        part: whose judgements.
    """
    versions: dict[str, list[RowMapping]] = {}
    for version in judgement_history(connection, indicator, period):
        versions.setdefault(version["partner_code"], []).append(version)
    returned, about = _returned(connection, indicator), plan_about(plan, indicator)
    # All partners at once, since comparators are computed from each other's figures: of 152 partners one by one, it
    # took twenty seconds.
    frame = figures_frame([one for one, _ in returned]) if returned else pd.DataFrame()
    explained = explain_judgements(frame, about, period)
    sourced = dict(enumerate(figure for _, figure in returned))
    return [
        SourcedExplanation(
            row,
            explained[row["partner_code"]],
            tuple(versions.get(row["partner_code"], ())),
            sourced,
            _planned(about, row["partner_code"]),
        )
        for row in performance(connection, indicator, period)
        if row["partner_code"] in explained and part.has_partner(row["partner_code"])
    ]


@dataclass(frozen=True, slots=True)
class ExplainedMember:
    """A member of a group: its row of `bi_performance`, None if it has returned nothing, and its place among all.

    `parts` are the numerator and the denominator that were returned with its figure.
    """

    partner_code: str
    row: RowMapping | None
    parts: tuple[float, float] | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class ExplainedGroup:
    """A group's row of `bi_group_performance`, the members that owe it or have returned it, and all their quartiles.

    `breaks` are the members' figures, by partner and period, with a break in series after the figure that the direction
    of travel compares with, up to its own: because of them it does not compare. Of whole years, only its own counts.
    """

    row: RowMapping
    members: tuple[ExplainedMember, ...]
    quartiles: tuple[float, float, float] | None
    breaks: tuple[tuple[str, Period], ...]


def explain_groups(
    connection: Connection, plan: Plan, indicator: str, period: Period, part: Selection = EVERYTHING
) -> list[ExplainedGroup]:
    """The figures of groups of the plan in force for an indicator and period, each with its members, the best first.

    Args:
        connection: a transaction of `engine.reading`.
        plan: the plan in force.
        indicator: one of its leaves.
        period: the period.
        part: whose groups: those that lie in it, or else those that it lies in. Members are ranked among all.
    """
    if not plan.groups:
        return []
    of_groups = {row["group_code"]: row for row in group_performance(connection, indicator, period)}
    rows = {row["partner_code"]: row for row in performance(connection, indicator, period)}
    columns = observation.c
    with_parts = select(columns.partner_code, columns.numerator, columns.denominator).where(
        columns.indicator == indicator,
        columns.period == period.code,
        columns.measure == Measure.ACTUAL.value,
        columns.superseded_at.is_(None),
        columns.numerator.is_not(None),
        columns.denominator.is_not(None),
    )
    parts = {code: (above, below) for code, above, below in connection.execute(with_parts)}
    owners, broken = {*plan.at(period).owners.get(indicator, ()), *rows}, _breaks(connection, indicator)
    shown = part.partner_codes if part.partner_codes is not None else frozenset(plan.partners)
    found = []
    for code in groups_about(plan, shown, plan.partners.keys() - shown):
        if code in of_groups:
            members = [member for member in plan.members[code] if member in owners]
            figures = {member: rows[member]["year_to_date"] for member in members if member in rows}
            stand = standing(plan, indicator, period, figures)
            explained = [
                ExplainedMember(member, rows.get(member), parts.get(member), stand.places.get(member))
                for member in members
                if member in shown
            ]
            explained.sort(key=lambda one: one.place.rank if one.place else len(members) + 1)
            before = parse_period(of_groups[code]["previous_period"]).last_day
            breaks = [
                (member, then)
                for member, then in broken
                if member in members and before < then.last_day <= period.last_day and (then.quarter or then == period)
            ]
            found.append(ExplainedGroup(of_groups[code], tuple(explained), stand.quartiles, tuple(breaks)))
    return found


def _breaks(connection: Connection, indicator: str) -> list[tuple[str, Period]]:
    """The figures in force of an indicator that were returned as a break in series, by partner and period.

    A break without a figure adds nothing to a group's, and breaks none.
    """
    columns = observation.c
    qualified = select(columns.partner_code, columns.period, columns.qualifiers).where(
        columns.indicator == indicator,
        columns.measure == Measure.ACTUAL.value,
        columns.superseded_at.is_(None),
        columns.value.is_not(None),
        columns.qualifiers != "",
    )
    return [
        (partner_code, parse_period(code))
        for partner_code, code, words in connection.execute(qualified.order_by(columns.partner_code, columns.period))
        if Qualifier.BREAK in qualifiers_of(words)
    ]


def _returned(connection: Connection, indicator: str) -> list[tuple[tuple[Any, ...], SourcedFigure]]:
    """The figures in force of an indicator, as judged and as typed."""
    columns, came = observation.c, submission.c
    query = (
        select(
            *(one for one in columns if one.name != "comment"),
            shown_comment(),
            came.file,
            came.sha256,
            came.received_at,
        )
        .join(submission, came.submission_id == columns.submission_id)
        .where(columns.indicator == indicator, columns.superseded_at.is_(None))
    )
    return [(tuple(row[name] for name in FIGURE), _figure(row)) for row in connection.execute(query).mappings()]


def _planned(about: Plan, partner_code: str) -> dict[tuple[str, str, Period], SourcedFigure]:
    """The plan's figures: those for every partner, under an empty code, and the partner's own."""
    figures = {"": about.figures, partner_code: about.partner_figures.get(partner_code, {})}
    return {
        (whose, measure, period): SourcedFigure(measure, period, figure.value, figure.marker, None, figure.source)
        for whose, of_whom in figures.items()
        for (measure, _, period), figure in of_whom.items()
    }


def _origin(row: RowMapping) -> Origin:
    names = ("submission_id", "file", "sha256", "received_at", "sheet", "cell", "typed", "comment")
    values: dict[str, Any] = {name: row[name] for name in names}
    return Origin(**values)


def _figure(row: RowMapping) -> SourcedFigure:
    marker = Marker(row["marker"]) if row["marker"] else None
    return SourcedFigure(
        row["measure"],
        parse_period(row["period"]),
        decimal_of(row["value"]),
        marker,
        _origin(row),
        "",
        qualifiers_of(row["qualifiers"]),
    )
