"""The view of queries: what was asked of a partner, and what has become of it."""

from cypp_etl.findings import catalogue
from schemas.codes import Measure, QueryStatus, Severity
from warehouse.schema.tables import IS_ACCEPTED
from warehouse.views.in_force import Standing
from warehouse.views.withheld import shown_sql


def queries_query(standing: Standing, period: str = "") -> str:
    """A row per query of an accepted submission.

    A query is about the indicator or milestone of its row. Where a later submission of the same return asks it again,
    it is one query: it was asked when it was asked first. It is explained by what a later submission says in that row
    that the first did not; an answer of the data team's holds for as long as the same is typed. A submission that was
    withdrawn asks and explains nothing: the query of one that it had replaced is open again.

    `period` is SQL of the code of the only one asked for: those of ten years take longer.
    """
    codes = ", ".join(f"'{code}'" for code, advice in catalogue().items() if advice.severity is Severity.QUERY)
    comment, evidence, reason = (
        shown_sql(row, column, standing) for row, column in (("x", "comment"), ("y", "evidence"), ("y", "reason"))
    )
    wanted = f"s.period = {period} AND {standing.of_partners('s')}" if period else standing.of_partners("s")
    decided = "e.decided_at <= :at" if standing.is_as_of else "1 = 1"
    # Most returns were accepted once, and what they ask was asked first there: nothing is sorted to find it. What is
    # only shown is left to the last join, which a database can skip. By NOT IN, SQLite would look for a NULL each time.
    return f"""
        WITH several AS MATERIALIZED (
            SELECT s.partner_code, s.period FROM submission s WHERE s.{IS_ACCEPTED} AND {wanted}
            GROUP BY s.partner_code, s.period HAVING count(*) > 1
        ), placed AS NOT MATERIALIZED (
            SELECT f.finding_id, f.submission_id, s.partner_code, s.period, f.code, f.severity, f.value, f.subject,
                CASE WHEN f.subject = '' THEN f.sheet || '!' || f.cell ELSE f.subject END AS place, s.received_at,
                CASE WHEN {standing.submission_in_force("s")} THEN 1 ELSE 0 END AS is_in_force,
                CASE WHEN {standing.is_withdrawn("s")} THEN 1 ELSE 0 END AS is_withdrawn
            FROM finding f
            JOIN submission s ON s.submission_id = f.submission_id
            WHERE s.{IS_ACCEPTED} AND {standing.known("s")} AND {wanted} AND (f.severity = '{Severity.QUERY}'
                OR f.severity = '{Severity.NOTE}' AND f.code IN ({codes}))
        ), asked AS MATERIALIZED (
            SELECT p.*, 1 AS is_of_several, min(p.submission_id) OVER one AS first_id,
                min(p.received_at) OVER one AS asked_at
            FROM several v JOIN placed p ON p.partner_code = v.partner_code AND p.period = v.period
            WINDOW one AS (PARTITION BY p.partner_code, p.period, p.code, p.place, p.is_withdrawn)
            UNION ALL
            SELECT p.*, 0 AS is_of_several, p.submission_id AS first_id, p.received_at AS asked_at
            FROM placed p
            WHERE ((p.partner_code, p.period) IN (SELECT v.partner_code, v.period FROM several v)) IS NOT TRUE
        ), answers AS (
            SELECT b.partner_code, b.period, b.code, b.place, b.value, max(q.decision_id) AS decision_id
            FROM query_answer q
            JOIN decision e ON e.decision_id = q.decision_id AND {decided}
            JOIN finding f ON f.submission_id = q.submission_id AND f.code = q.code AND f.sheet = q.sheet
                AND f.cell = q.cell
            JOIN asked b ON b.finding_id = f.finding_id
            GROUP BY b.partner_code, b.period, b.code, b.place, b.value
        ), explanations AS (
            SELECT a.finding_id, min(s.submission_id) AS submission_id
            FROM asked a
            JOIN submission s ON s.partner_code = a.partner_code AND s.period = a.period AND s.{IS_ACCEPTED}
                AND s.submission_id > a.first_id AND s.submission_id >= a.submission_id AND {standing.known("s")}
                AND NOT {standing.is_withdrawn("s")}
            WHERE a.is_of_several = 1 AND a.is_withdrawn = 0 AND a.subject <> ''
                AND {_said("s.submission_id", "x.comment", "y.evidence", "y.reason")} <> ''
                AND {_said("s.submission_id", "x.comment", "y.evidence", "y.reason")}
                <> {_said("a.first_id", "x.comment", "y.evidence", "y.reason")}
            GROUP BY a.finding_id
        ), waived AS (
            SELECT a.finding_id, max(w.decision_id) AS decision_id
            FROM asked a
            JOIN waiver w ON w.partner_code = a.partner_code AND w.code = a.code AND w.subject IN ('', a.subject)
                AND w.period IN ('', a.period)
            JOIN decision e ON e.decision_id = w.decision_id AND {decided}
            WHERE a.severity = '{Severity.NOTE}' OR w.until >= {standing.today} AND NOT EXISTS (
                SELECT 1 FROM waiver l JOIN decision e ON e.decision_id = l.decision_id AND {decided}
                WHERE l.waiver_id > w.waiver_id AND l.partner_code = w.partner_code AND l.code = w.code
                    AND l.subject = w.subject AND l.period = w.period)
            GROUP BY a.finding_id
        )
        SELECT
            a.submission_id, a.partner_code, a.period, a.code, nullif(a.subject, '') AS subject,
            nullif(f.sheet, '') AS sheet, nullif(f.cell, '') AS cell, a.asked_at, a.status,
            CASE a.status WHEN '{QueryStatus.EXPLAINED}'
                    THEN {_said("a.explained_by", comment, evidence, reason)}
                WHEN '{QueryStatus.ANSWERED}' THEN d.why WHEN '{QueryStatus.WAIVED}' THEN d.why END AS answer,
            CASE a.status WHEN '{QueryStatus.EXPLAINED}' THEN a.partner_code ELSE d.decided_by END AS answered_by,
            CASE a.status WHEN '{QueryStatus.EXPLAINED}' THEN s.received_at ELSE d.decided_at END AS answered_at,
            a.finding_id AS query_id, f.message
        FROM (
            SELECT k.*, x.submission_id AS explained_by,
                CASE WHEN k.severity = '{Severity.NOTE}' THEN '{QueryStatus.WAIVED}'
                    WHEN n.decision_id IS NOT NULL THEN '{QueryStatus.ANSWERED}'
                    WHEN x.submission_id IS NOT NULL THEN '{QueryStatus.EXPLAINED}'
                    WHEN k.is_in_force = 0 THEN '{QueryStatus.SUPERSEDED}'
                    WHEN w.decision_id IS NOT NULL THEN '{QueryStatus.WAIVED}'
                    ELSE '{QueryStatus.OPEN}' END AS status,
                CASE WHEN k.severity = '{Severity.NOTE}' THEN w.decision_id
                    WHEN n.decision_id IS NOT NULL THEN n.decision_id
                    WHEN x.submission_id IS NULL AND k.is_in_force = 1 THEN w.decision_id END AS decision_id
            FROM asked k
            LEFT JOIN answers n ON n.partner_code = k.partner_code AND n.period = k.period AND n.code = k.code
                AND n.place = k.place AND n.value = k.value
            LEFT JOIN explanations x ON x.finding_id = k.finding_id
            LEFT JOIN waived w ON w.finding_id = k.finding_id
        ) a
        LEFT JOIN finding f ON f.finding_id = a.finding_id
        LEFT JOIN decision d ON d.decision_id = a.decision_id
        LEFT JOIN submission s ON s.submission_id = a.explained_by"""


def _said(submission_id: str, comment: str, evidence: str, reason: str) -> str:
    """SQL of what a submission says of the subject of `a`, besides the figure; empty if it says nothing."""
    return f"""coalesce((
                SELECT max({comment}) FROM observation x
                WHERE x.submission_id = {submission_id} AND x.partner_code = a.partner_code
                    AND x.indicator = a.subject AND x.measure = '{Measure.ACTUAL}'), (
                SELECT max(coalesce(nullif({evidence}, ''), {reason})) FROM milestone_report y
                WHERE y.submission_id = {submission_id} AND y.milestone = a.subject), '')"""
