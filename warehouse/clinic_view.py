"""The view of performance clinics: opened where the direction of travel is not positive, closed when it is again.

A clinic closes where an indicator has improved for two periods running. Periods up to and including such a place make
a stretch; a clinic that opens in a stretch, at its first period that is not positive, closes at its end. So there is
never more than one at a time, and a stretch can be found by counting the places that close one.
"""

from schemas.codes import ClinicReason, ClinicStatus, Diagnosis, Direction, MilestoneStatus, OnTarget
from warehouse.standing import Standing, place

_SERIES = "PARTITION BY partner_code, indicator"

# Quarters count, and a whole year where no quarter of it was returned. After a gap "running" has to begin again.
_TRAVELLED = """
        judged AS (
            SELECT j.partner_code, j.indicator, j.period, j.direction, {place} AS place,
                CASE WHEN j.direction = '{declining}' THEN '{is_declining}'
                    WHEN j.direction = '{no_change}' AND j.on_target = '{off_target}' THEN '{is_off_target}'
                    END AS reason,
                max(length(j.period)) OVER (
                    PARTITION BY j.partner_code, j.indicator, substr(j.period, 1, 7)) AS longest
            FROM judgement j WHERE {in_force} AND {until}
        ), travelled AS (
            SELECT partner_code, indicator, period, direction, place, reason,
                CASE WHEN direction = '{improving}' AND lag(direction) OVER w = '{improving}'
                    AND length(lag(period) OVER w) = length(period)
                    AND place - lag(place) OVER w = CASE WHEN length(period) > 7 THEN 1 ELSE 4 END
                    THEN 1 ELSE 0 END AS is_end
            FROM judged WHERE length(period) = longest WINDOW w AS ({series} ORDER BY place)
        ), stretched AS (
            SELECT partner_code, indicator, period, direction, reason, is_end,
                coalesce(sum(is_end) OVER (
                    {series} ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS stretch
            FROM travelled
        )"""

# The milestones are counted as at the last period without improvement: the diagnosis says why there was none.
_CLINICS = """
        clinic AS MATERIALIZED (
            SELECT partner_code, indicator, min(CASE WHEN reason IS NOT NULL THEN period END) AS opened_period,
                min(CASE WHEN reason = '{is_declining}' THEN period END) AS declining_period,
                max(CASE WHEN is_end = 1 THEN period END) AS closed_period,
                max(CASE WHEN direction <> '{improving}' THEN period END) AS measured_period
            FROM stretched GROUP BY partner_code, indicator, stretch
            HAVING count(reason) > 0
        ), counted AS (
            SELECT w.outcome_code, w.period, count(*) AS milestones,
                count(CASE WHEN w.is_due THEN 1 END) AS due,
                count(CASE WHEN w.is_due AND w.state = '{achieved}' THEN 1 END) AS achieved
            FROM (
                SELECT x.outcome_code, x.period, x.state, x.due <= {last_day} OR x.state = '{missed}' AS is_due
                FROM (
                    SELECT k.outcome_code, k.period, m.due, coalesce((
                        SELECT r.status FROM milestone_report r
                        WHERE r.milestone = m.milestone AND {report_in_force} AND r.status IS NOT NULL
                            AND {report_place} <= {asked_place}
                        ORDER BY r.period DESC LIMIT 1), '') AS state
                    FROM (
                        SELECT DISTINCT i.outcome_code, c.measured_period AS period
                        FROM clinic c JOIN plan_indicator i ON i.plan_id = {plan} AND i.indicator = c.indicator
                    ) k
                    JOIN plan_aspiration p ON p.plan_id = {plan} AND p.outcome_code = k.outcome_code
                    JOIN plan_action a ON a.plan_id = p.plan_id AND a.aspiration = p.aspiration
                    JOIN plan_milestone m ON m.plan_id = a.plan_id AND m.action_id = a.action_id
                ) x WHERE x.state <> '{withdrawn}'
            ) w GROUP BY w.outcome_code, w.period
        )"""


def clinics_query(standing: Standing, more_columns: str = "") -> str:
    """A row per clinic; `more_columns` is SQL of columns that follow the promised ones."""
    words = {
        "series": _SERIES,
        "place": place("j.period"),
        "in_force": standing.in_force("j"),
        "until": standing.until("j.period"),
        "report_in_force": standing.in_force("r"),
        "report_place": place("r.period"),
        "asked_place": place("k.period"),
        "plan": standing.plan_id,
        "last_day": _last_day("x.period"),
        "improving": Direction.IMPROVING,
        "declining": Direction.DECLINING,
        "no_change": Direction.NO_CHANGE,
        "off_target": OnTarget.NO,
        "is_declining": ClinicReason.DECLINING,
        "is_off_target": ClinicReason.OFF_TARGET,
        "achieved": MilestoneStatus.ACHIEVED,
        "missed": MilestoneStatus.MISSED,
        "withdrawn": MilestoneStatus.WITHDRAWN,
    }
    return f"""
        WITH {_TRAVELLED.format(**words)}, {_CLINICS.format(**words)}
        SELECT
            c.partner_code || ' ' || c.indicator || ' ' || c.opened_period AS clinic_id, c.indicator, c.opened_period,
            CASE WHEN c.opened_period = c.declining_period THEN '{ClinicReason.DECLINING}'
                ELSE '{ClinicReason.OFF_TARGET}' END AS reason,
            c.closed_period, coalesce(n.due, 0) AS milestones_due,
            coalesce(n.achieved, 0) AS milestones_achieved,
            CASE WHEN coalesce(n.milestones, 0) = 0 THEN '{Diagnosis.NO_PLAN}'
                WHEN n.due = 0 THEN '{Diagnosis.NOT_YET_DUE}'
                WHEN n.achieved < n.due THEN '{Diagnosis.LATE}'
                ELSE '{Diagnosis.NOT_WORKING}' END AS diagnosis,
            CASE WHEN c.closed_period IS NULL THEN '{ClinicStatus.OPEN}' ELSE '{ClinicStatus.CLOSED}' END AS status
            {more_columns}
        FROM clinic c
        JOIN plan_indicator i ON i.plan_id = {standing.plan_id} AND i.indicator = c.indicator
        LEFT JOIN counted n ON n.outcome_code = i.outcome_code AND n.period = c.measured_period"""  # noqa: S608 (nothing but constants)


def _last_day(period: str) -> str:
    """SQL for a period's last day, by the SQL of its code; what it is compared with is a date."""
    year, quarter = f"CAST(substr({period}, 1, 4) AS integer)", f"substr({period}, 9, 1)"
    days = " ".join(
        f"WHEN '{number}' THEN '{day}'" for number, day in (("1", "-06-30"), ("2", "-09-30"), ("3", "-12-31"))
    )
    years = f"CASE WHEN {quarter} IN ('1', '2', '3') THEN {year} ELSE {year} + 1 END"
    return f"date({years} || CASE {quarter} {days} ELSE '-03-31' END)"
