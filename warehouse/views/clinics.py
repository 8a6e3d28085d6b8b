"""The view of performance clinics: what is stored of each, and its diagnosis.

The diagnosis rests on the milestones of the aspirations that the indicator measures, and on no others: that a
parents' charter is late does not explain substance misuse.
"""

from schemas.codes import ClinicStatus, Diagnosis, Direction, MilestoneStatus
from warehouse.views.in_force import Standing

# The milestones are counted as at the last period without improvement: the diagnosis says why there was none. They are
# counted once per aspiration and period, and added up once per indicator and period, not once per clinic, because
# hundreds may have the same. MATERIALIZED keeps a database from looking a milestone's state up again wherever it is
# named. `last_code` is where an index begins to look.
_COUNTED = """
        stated AS MATERIALIZED (
            SELECT a.aspiration, k.period, m.due <= k.ends_on AS is_past, coalesce((
                SELECT r.status FROM milestone_report r JOIN period e ON e.period = r.period
                WHERE r.milestone = m.milestone AND r.period <= k.last_code AND e.ends_on <= k.ends_on
                    AND {report_in_force} AND r.status IS NOT NULL
                ORDER BY r.period DESC LIMIT 1), '') AS state
            FROM asked k
            CROSS JOIN plan_milestone m
            JOIN plan_action a ON a.plan_id = m.plan_id AND a.action_id = m.action_id
                AND k.ends_on BETWEEN a.first_day AND a.last_day
            WHERE m.plan_id = {plan}
        ), counted AS MATERIALIZED (
            SELECT aspiration, period, count(*) AS milestones,
                count(CASE WHEN is_past OR state = '{missed}' THEN 1 END) AS due,
                count(CASE WHEN is_past AND state = '{achieved}' THEN 1 END) AS achieved
            FROM stated WHERE state <> '{withdrawn}' GROUP BY aspiration, period
        ), added_up AS MATERIALIZED (
            SELECT u.indicator, n.period AS measured_period, CAST(sum(n.milestones) AS INTEGER) AS milestones,
                CAST(sum(n.due) AS INTEGER) AS due, CAST(sum(n.achieved) AS INTEGER) AS achieved
            FROM plan_measured u JOIN counted n ON n.aspiration = u.aspiration
            WHERE u.plan_id = {plan}
            GROUP BY u.indicator, n.period
        )"""


def clinics_query(standing: Standing, more_columns: str = "") -> str:
    """A row per clinic, closed too where its partner does not owe its figure any more.

    `more_columns` is SQL of columns that follow the promised ones, of the clinic `c`.
    """
    counted = _COUNTED.format(
        report_in_force=standing.in_force("r"),
        plan=standing.plan_id,
        achieved=MilestoneStatus.ACHIEVED,
        missed=MilestoneStatus.MISSED,
        withdrawn=MilestoneStatus.WITHDRAWN,
    )
    # Of those in force now a tool asks for some, which an index finds, as another finds the periods that any of them
    # was measured in. As of a moment, that has to be worked out for all of them, which is done once.
    first, shown = "", f"({_clinic(standing)})"
    is_asked = f"EXISTS (SELECT 1 FROM clinic m WHERE m.measured_period = e.period AND {standing.in_force('m')})"
    if standing.last_day:
        first, shown = f"shown AS MATERIALIZED {shown}, ", "shown"
        is_asked = "e.period IN (SELECT measured_period FROM shown)"
    return f"""
        WITH {first}asked AS MATERIALIZED (
            SELECT e.period, e.ends_on,
                (SELECT max(l.period) FROM period l WHERE l.ends_on <= e.ends_on) AS last_code
            FROM period e WHERE {is_asked}
        ), {counted}
        SELECT
            c.partner_code || ' ' || c.indicator || ' ' || c.opened_period AS clinic_id, c.indicator, c.opened_period,
            c.reason, c.closed_period, coalesce(n.due, 0) AS milestones_due,
            coalesce(n.achieved, 0) AS milestones_achieved,
            CASE WHEN coalesce(n.milestones, 0) = 0 THEN '{Diagnosis.NO_PLAN}'
                WHEN n.due = 0 THEN '{Diagnosis.NOT_YET_DUE}'
                WHEN n.achieved < n.due THEN '{Diagnosis.LATE}'
                ELSE '{Diagnosis.NOT_WORKING}' END AS diagnosis,
            CASE WHEN c.closed_period IS NULL THEN '{ClinicStatus.OPEN}' ELSE '{ClinicStatus.CLOSED}' END AS status
            {more_columns}
        FROM {shown} c
        LEFT JOIN added_up n ON n.indicator = c.indicator AND n.measured_period = c.measured_period"""


def _clinic(standing: Standing) -> str:
    """SQL of the clinics that had opened by the last requested period, as of that period."""
    return f"""
            SELECT c.partner_code, c.indicator, c.opened_period, c.reason,
                coalesce(CASE WHEN {standing.until("c.closed_period")} THEN c.closed_period END, {_ended(standing)})
                    AS closed_period,
                {_measured(standing)} AS measured_period
            FROM clinic c
            WHERE {standing.in_force("c")} AND {standing.until("c.opened_period")} AND {standing.of_partners("c")}
        """


def _ended(standing: Standing) -> str:
    """SQL of the last quarter in which a clinic's figure was owed, if that is over: then nothing is left to improve."""
    return f"""(
                    SELECT q.period
                    FROM (
                        SELECT max(w.last_day) AS last_day FROM plan_owed w WHERE w.plan_id = {standing.plan_id}
                            AND w.partner_code = c.partner_code AND w.indicator = c.indicator) l
                    JOIN period q ON q.ends_on = l.last_day
                    WHERE l.last_day < {standing.last_day or standing.today} AND q.quarter IS NOT NULL
                        AND q.period >= c.opened_period)"""


def _measured(standing: Standing) -> str:
    """SQL of the last period without improvement that is not after the last requested one.

    If it is earlier than the stored one, it comes from the judgements. A year counts if it has no quarters.
    """
    if not standing.last_day:
        return "c.measured_period"
    return f"""CASE WHEN {standing.until("c.measured_period")} THEN c.measured_period ELSE (
                    SELECT j.period FROM judgement j JOIN period e ON e.period = j.period
                    WHERE j.partner_code = c.partner_code AND j.indicator = c.indicator AND j.period >= c.opened_period
                        AND {standing.in_force("j")} AND e.ends_on <= {standing.last_day}
                        AND j.direction <> '{Direction.IMPROVING}' AND (e.quarter IS NOT NULL OR NOT EXISTS (
                            SELECT 1 FROM judgement q JOIN period of_q ON of_q.period = q.period
                            WHERE q.partner_code = j.partner_code AND q.indicator = j.indicator
                                AND of_q.financial_year = j.period AND of_q.quarter IS NOT NULL
                                AND {standing.in_force("q")}))
                    ORDER BY j.period DESC LIMIT 1) END"""
