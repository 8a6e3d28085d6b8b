"""The view of milestones: what the plan promised, and what was reported, period by period."""

from warehouse.views.in_force import Standing
from warehouse.views.plan_columns import about_sql, area_of_focus_sql
from warehouse.views.withheld import shown_sql


def milestones_query(standing: Standing) -> str:
    """A row per milestone of the plan and reported period; one with an empty period if it was never reported.

    A milestone without any report is what the Board must see first, so it is not left out. One whose action does not
    hold at the end of the last period asked for is; the view has them all.
    """
    holds = f"{standing.last_day} BETWEEN a.first_day AND a.last_day" if standing.last_day else "1 = 1"
    evidence, reason = (shown_sql("r", column, standing) for column in ("evidence", "reason"))
    return f"""
        SELECT
            m.milestone, p.outcome_code, p.aspiration,
            {area_of_focus_sql("p")},
            a.action, a.kind, m.description, m.due, a.strategic_lead, nullif(a.lead_officer, '') AS lead_officer,
            r.period, r.status, nullif({evidence}, '') AS evidence, r.review, nullif({reason}, '') AS review_reason,
            {about_sql("m")}
        FROM plan_milestone m
        JOIN plan_action a ON a.plan_id = m.plan_id AND a.action_id = m.action_id
        JOIN plan_aspiration p ON p.plan_id = m.plan_id AND p.aspiration = a.aspiration
        LEFT JOIN milestone_report r ON r.milestone = m.milestone AND {standing.in_force("r")}
            AND {standing.until("r.period")}
        WHERE m.plan_id = {standing.plan_id} AND {holds}"""
