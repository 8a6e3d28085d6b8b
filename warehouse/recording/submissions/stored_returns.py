"""Reads a submission back as the return that was checked, so that it can be recorded once more."""

from sqlalchemy import Connection, Row, select

from cypp_etl.checked_return import CheckedReturn, MilestoneReport, Observation, WithheldText
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from schemas.codes import Marker, Measure, MilestoneStatus, Review, Severity
from warehouse.schema.tables import finding, milestone_report, observation, submission, withheld_text
from warehouse.schema.values import decimal_of, qualifiers_of


def stored_return(connection: Connection, submission_id: int) -> CheckedReturn:
    """A submission as it was checked, with everything that was recorded of it.

    Raises:
        sqlalchemy.exc.NoResultFound: there is no such submission.
    """
    row = connection.execute(select(submission).where(submission.c.submission_id == submission_id)).one()
    return CheckedReturn(
        file=row.file,
        file_name=row.file_name,
        sha256=row.sha256,
        layout=row.layout,
        partner_code=row.partner_code or "",
        period=parse_period(row.period) if row.period else None,
        prepared_by=row.prepared_by,
        email=row.email,
        findings=_findings(connection, submission_id),
        observations=_observations(connection, row),
        milestone_reports=_milestone_reports(connection, row),
        content_sha256=row.content_sha256,
        withheld=_withheld(connection, submission_id),
    )


def _findings(connection: Connection, submission_id: int) -> tuple[Finding, ...]:
    columns = finding.c
    query = select(finding).where(columns.submission_id == submission_id).order_by(columns.finding_id)
    return tuple(
        Finding(row.code, Severity(row.severity), row.sheet, row.cell, row.value, row.message, row.fix)
        for row in connection.execute(query)
    )


def _observations(connection: Connection, of: Row[tuple[object, ...]]) -> tuple[Observation, ...]:
    """The figures as they came: what came into force again after a withdrawal was recorded a second time."""
    columns = observation.c
    query = select(observation).where(columns.submission_id == of.submission_id, columns.recorded_at == of.recorded_at)
    return tuple(
        Observation(
            file=of.file,
            sheet=row.sheet,
            cell=row.cell,
            partner_code=row.partner_code,
            indicator=row.indicator,
            measure=Measure(row.measure),
            period=parse_period(row.period),
            value=decimal_of(row.value),
            marker=Marker(row.marker) if row.marker else None,
            qualifiers=qualifiers_of(row.qualifiers),
            typed=row.typed,
            numerator=decimal_of(row.numerator),
            denominator=decimal_of(row.denominator),
            comment=row.comment,
        )
        for row in connection.execute(query.order_by(columns.observation_id))
    )


def _milestone_reports(connection: Connection, of: Row[tuple[object, ...]]) -> tuple[MilestoneReport, ...]:
    columns = milestone_report.c
    query = select(milestone_report).where(
        columns.submission_id == of.submission_id, columns.recorded_at == of.recorded_at
    )
    return tuple(
        MilestoneReport(
            of.file,
            row.sheet,
            row.cell,
            row.partner_code,
            row.milestone,
            parse_period(row.period),
            MilestoneStatus(row.status) if row.status else None,
            row.evidence,
            Review(row.review) if row.review else None,
            row.reason,
        )
        for row in connection.execute(query.order_by(columns.milestone_report_id))
    )


def _withheld(connection: Connection, submission_id: int) -> tuple[WithheldText, ...]:
    columns = withheld_text.c
    query = select(withheld_text).where(columns.submission_id == submission_id).order_by(columns.sheet, columns.cell)
    return tuple(WithheldText(row.sheet, row.cell, row.mark, row.text) for row in connection.execute(query))
