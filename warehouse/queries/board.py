"""Reads the data of a board report, all as known at one moment, in one transaction of `reading`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
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

from cypp_etl.figure_keys import FigureKey
from cypp_etl.judgement.outlook.variation import Ratio
from cypp_etl.layout import PUBLISHED
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Body, Plan
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.report.model import BoardData, KnownText, Row, Since, Texts
from schemas.codes import ClinicRule, Marker, Measure, Qualifier, Severity, SubmissionStatus
from schemas.markers import marker_text, qualifier_text
from warehouse.queries.as_of import (
    clinic_notes,
    clinics,
    group_performance,
    milestones,
    queries_as_of,
    return_status_as_of,
)
from warehouse.queries.not_returned import owed_rows
from warehouse.queries.publications import last_published
from warehouse.queries.views import performance
from warehouse.recording.plan import stored_plan
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
from warehouse.schema.tables import ACCEPTED, finding, held_decision, observation, submission, withdrawal
from warehouse.schema.types import Moment
from warehouse.schema.values import qualifiers_of
from warehouse.views.in_force import AS_OF
from warehouse.views.selectable import view
from warehouse.views.withheld import shown_comment


def read_board(connection: Connection, period: Period, at: datetime, since: date | None = None) -> BoardData:
    """Read the report on a period as known at a moment.

    Args:
        connection: a transaction of `engine.reading`.
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
    rhythms = {indicator: Rhythm.of(row) for indicator, row in indicators.items()}
    judged = _until(period, performance(connection, as_of=at), rhythms)
    partners = _partners(connection, plan_id)
    noted = _noted_on_partners(connection, plan_id)
    returns = [
        {**row, "partner": partners.get(row["partner_code"], row["partner_code"]), **noted.get(row["partner_code"], {})}
        for row in return_status_as_of(connection, period, at)
    ]
    refused, held = (
        [
            {**row, "partner": partners.get(row["partner_code"], row["partner_code"] or "an unknown partner")}
            for row in of
        ]
        for of in (_refused(connection, period, at), _held(connection, period, at))
    )
    stored = stored_plan(connection, plan_id)
    texts = _texts(connection, plan_id, stored, at)
    return BoardData(
        body=_body(connection, plan_id),
        period=period,
        at=at,
        since=after,
        performance=judged,
        owed=owed_rows(connection, plan_id, stored, period, at),
        indicators=indicators,
        partners=partners,
        texts=texts,
        ratios=_ratios(connection, at),
        breaks=_breaks(connection, at) | (_changes_of_what_is_counted(judged, stored) if stored else set()),
        aspirations=_aspirations(connection, plan_id),
        milestones=_milestones(connection, plan_id, period, at),
        clinics=_plain(clinics(connection, period, at)),
        notes=clinic_notes(connection, at),
        returns=returns,
        refused=refused,
        held=held,
        findings=_findings(connection, period, at, refused),
        comments=_comments(connection, period, at, rhythms),
        turned=_turned(connection, period, after.moment if after else None, at, rhythms),
        rhythms=rhythms,
        owing=_owing(connection, plan_id, period),
        is_owed=_is_owed(connection, plan_id, period),
        plan=stored,
        groups=_until(period, group_performance(connection, period, at), rhythms) if stored and stored.groups else (),
    )


def _due_on(connection: Connection, plan_id: int | None, period: Period) -> date | None:
    columns = plan_calendar.c
    query = select(columns.due_on).where(columns.plan_id == plan_id, columns.period == period.code)
    return connection.scalar(query)


def _since(connection: Connection, plan_id: int | None, period: Period, at: datetime, day: date | None) -> Since | None:
    """From when on symbols that turned are listed; None for all, where the day that would tell is not past."""
    if day:
        after = Since(_end_of(day))
        if after.moment >= at:
            raise ValueError(f"{day} was not over when the report was as of: nothing can have turned since")
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


def _plain(rows: Iterable[RowMapping]) -> list[Row]:
    """Rows as plain mappings, which a report can keep after the connection is closed."""
    return [dict(row) for row in rows]


def _until(period: Period, rows: Iterable[RowMapping], rhythms: Mapping[str, Rhythm]) -> list[Row]:
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


def _texts(connection: Connection, plan_id: int | None, stored: Plan | None, at: datetime) -> Texts:
    """How figures were printed, or their markers: returned ones take precedence over the plan.

    A partner's own come before those for every partner. Without its files, a plan has none of single partners.
    """
    planned = select(plan_figure).where(plan_figure.c.plan_id == plan_id)
    partner_codes = [*_partners(connection, plan_id)]
    texts = {
        FigureKey(partner_code, row["indicator"], row["measure"], row["period"]): KnownText(
            row["value"], _marker_text(row)
        )
        for row in connection.execute(planned).mappings()
        for partner_code in partner_codes
    }
    for partner_code, figures in stored.partner_figures.items() if stored else ():
        for (measure, indicator, period), figure in figures.items():
            value = None if figure.value is None else float(figure.value)
            printed = marker_text(figure.marker) if figure.marker else None
            texts[FigureKey(partner_code, indicator, measure, period.code)] = KnownText(value, printed)
    columns = observation.c
    returned = (
        select(observation, submission.c.layout)
        .join(submission, submission.c.submission_id == columns.submission_id)
        .where(_in_force(observation, at))
    )
    for row in connection.execute(returned).mappings():
        key = FigureKey(row["partner_code"], row["indicator"], Measure(row["measure"]), row["period"])
        printed = row["typed"].strip() if row["layout"] == PUBLISHED else _marker_text(row)
        texts[key] = KnownText(row["value"], printed, qualifier_text(qualifiers_of(row["qualifiers"])))
    return Texts(texts)


def _ratios(connection: Connection, at: datetime) -> dict[FigureKey, Ratio]:
    columns = observation.c
    query = select(observation).where(
        _in_force(observation, at), columns.numerator.is_not(None), columns.denominator.is_not(None)
    )
    return {
        FigureKey(row["partner_code"], row["indicator"], Measure(row["measure"]), row["period"]): Ratio(
            row["numerator"], row["denominator"]
        )
        for row in connection.execute(query).mappings()
    }


def _breaks(connection: Connection, at: datetime) -> set[tuple[str, str, str]]:
    columns = observation.c
    query = select(columns.partner_code, columns.indicator, columns.period, columns.qualifiers).where(
        _in_force(observation, at), columns.measure == Measure.ACTUAL.value, columns.qualifiers != ""
    )
    return {tuple(row[:3]) for row in connection.execute(query) if Qualifier.BREAK in qualifiers_of(row.qualifiers)}


def _changes_of_what_is_counted(judged: Iterable[Row], stored: Plan) -> set[tuple[str, str, str]]:
    """Where series break because the plan counts something else, or for another body, than in the period before."""
    changes = set()
    for row in judged:
        partner_code, indicator, period = row["partner_code"], row["indicator"], parse_period(row["period"])
        if indicator in stored.indicators and not stored.compares(partner_code, indicator, period, period.previous):
            changes.add((partner_code, indicator, period.code))
    return changes


def _marker_text(row: RowMapping) -> str | None:
    return marker_text(Marker(row["marker"])) if row["marker"] else None


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


def _findings(connection: Connection, period: Period, at: datetime, refused: Iterable[Row]) -> list[Row]:
    """Queries and notes of what is in force, and errors of what was refused; of queries, what has become of them."""
    came = submission.c
    is_refused = and_(
        came.submission_id.in_([row["submission_id"] for row in refused]), finding.c.severity == Severity.ERROR.value
    )
    query = (
        select(finding, came.partner_code, came.file_name)
        .join(submission, came.submission_id == finding.c.submission_id)
        .where(
            came.period == period.code,
            or_(and_(came.status.in_(ACCEPTED), _as_of(AS_OF.submission_in_force("submission"), at)), is_refused),
        )
        .order_by(came.partner_code, finding.c.finding_id)
    )
    found = _plain(connection.execute(query).mappings())
    lives = {one["query_id"]: one for one in queries_as_of(connection, period, at)}
    # A note that a waiver made of a query says so itself.
    none: Row = dict.fromkeys(_LIFE)
    return [
        {**row, **({name: lives[row["finding_id"]][name] for name in _LIFE} if _is_query(row) else none)}
        for row in found
    ]


def _is_query(row: Row) -> bool:
    return bool(row["severity"] == Severity.QUERY)


def _comments(connection: Connection, period: Period, at: datetime, rhythms: Mapping[str, Rhythm]) -> list[Row]:
    columns = observation.c
    query = (
        select(columns.partner_code, columns.indicator, columns.period, shown_comment(at))
        .where(_in_force(observation, at), columns.comment != "", columns.measure == Measure.ACTUAL.value)
        .order_by(columns.indicator, columns.period)
    )
    return _until(period, connection.execute(query).mappings(), rhythms)


def _turned(
    connection: Connection, period: Period, after: datetime | None, at: datetime, rhythms: Mapping[str, Rhythm]
) -> list[Row]:
    rows = view("bi_symbol_changes")
    conditions: list[ColumnElement[Any]] = [rows.c.changed_at <= at]
    if after:
        conditions.append(rows.c.changed_at > after)
    query = (
        select(rows).where(*conditions).order_by(rows.c.indicator, rows.c.period, rows.c.changed_at, rows.c.judgement)
    )
    return [_with_source(connection, row) for row in _until(period, connection.execute(query).mappings(), rhythms)]


def _with_source(connection: Connection, row: Row) -> Row:
    """A symbol that turned, with the cell that turned it, or with the file alone where a figure was left out of it.

    Where there is no file, a decision turned the symbol: `withdrawal` names the file that it took out of force, if any.
    """
    row = {**row, "withdrawal": ""}
    if row["submission_id"] is not None:
        return {**row, "source_cell": None} if _is_repeated(connection, row) else row
    came = submission.c
    query = select(came.file_name).where(
        came.partner_code == row["partner_code"],
        came.recorded_at == row["changed_at"],
        came.status.in_(ACCEPTED),
    )
    return {**row, "source_file": connection.scalar(query), "withdrawal": _withdrawal(connection, row["decision_id"])}


def _withdrawal(connection: Connection, decision_id: int | None) -> str:
    came = submission.c
    query = (
        select(came.file_name)
        .join(withdrawal, withdrawal.c.submission_id == came.submission_id)
        .where(withdrawal.c.decision_id == decision_id)
    )
    return connection.scalar(query) or ""


def _is_repeated(connection: Connection, row: Row) -> bool:
    """Whether the cell that a symbol is traced to says what the submission before said: then it turned nothing."""
    now, before = observation.alias("now"), observation.alias("before")
    same = [now.c[name].is_not_distinct_from(before.c[name]) for name in ("value", "marker", "qualifiers")]
    key = [now.c[name] == before.c[name] for name in ("partner_code", "indicator", "measure", "period")]
    then = [before.c.superseded_at == now.c.recorded_at, before.c.observation_id < now.c.observation_id]
    query = (
        select(before.c.observation_id)
        .select_from(now.outerjoin(before, and_(*key, *same, *then)))
        .where(*(now.c[name] == row[name] for name in ("submission_id", "partner_code", "indicator")))
        .where(now.c.sheet == row["source_sheet"], now.c.cell == row["source_cell"])
    )
    return None not in set(connection.scalars(query))
