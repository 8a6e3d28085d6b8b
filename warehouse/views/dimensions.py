"""The views that the others lead to by a key: each has one row of whatever any of them names.

A key is described by the plan in force; what that plan lacks, by the last one that had it. So no fact of years ago is
without its row, and `is_current` tells what holds today.
"""

from datetime import date

from warehouse.views.in_force import NOW
from warehouse.views.plan_columns import about_sql, area_of_focus_sql, definition_sql


def _latest(table: str, key: str) -> str:
    """SQL of the last plan that has each key of a table of the plan."""
    return f"(SELECT x.{key}, max(x.plan_id) AS plan_id FROM {table} x GROUP BY x.{key})"


def _is_current(row: str, condition: str = "1 = 1") -> str:
    return f"CASE WHEN {row}.plan_id = {NOW.plan_id} AND {condition} THEN 'yes' ELSE 'no' END AS is_current"


PERIODS = """
        SELECT
            e.period, e.period_label, e.financial_year, e.quarter, e.year_type, e.starts_on, e.ends_on, e.period_order,
            CASE WHEN c.period IS NULL THEN 'no' ELSE 'yes' END AS is_closed
        FROM period e LEFT JOIN period_closing c ON c.period = e.period"""

OUTCOMES = f"""
        SELECT o.outcome_code, o.outcome, {_is_current("o")}
        FROM {_latest("plan_outcome", "outcome_code")} k
        JOIN plan_outcome o ON o.plan_id = k.plan_id AND o.outcome_code = k.outcome_code"""

ASPIRATIONS = f"""
        SELECT
            a.aspiration, a.text AS description, a.outcome_code, o.outcome,
            {area_of_focus_sql("a")},
            nullif(a.focus_on, '') AS focus_on, {_is_current("a")}, {about_sql("a")}
        FROM {_latest("plan_aspiration", "aspiration")} k
        JOIN plan_aspiration a ON a.plan_id = k.plan_id AND a.aspiration = k.aspiration
        JOIN plan_outcome o ON o.plan_id = a.plan_id AND o.outcome_code = a.outcome_code"""

# The edition of today says what the indicator is; `f` is the first of its editions, and `l` the last.
INDICATORS = f"""
        SELECT
            i.indicator, nullif(i.indicator_no, '') AS indicator_no, i.indicator_ref, nullif(i.sub, '') AS sub,
            {definition_sql("i")},
            i.outcome_code, o.outcome, i.polarity, i.unit, nullif(i.unit_label, '') AS unit_label,
            nullif(i.currency, '') AS currency, i.decimals, i.accumulation, i.frequency, i.asked_in, i.year_type,
            i.reports_on,
            (SELECT {{joined}}(m.aspiration, ' ') FROM (
                SELECT u.aspiration FROM plan_measured u WHERE u.plan_id = i.plan_id AND u.indicator = i.indicator
                ORDER BY length(u.aspiration), u.aspiration) m) AS aspirations,
            {_is_current("i", "coalesce({today} >= b.starts_on, 1 = 1) AND coalesce({today} <= e.ends_on, 1 = 1)")},
            i.edition, nullif(f.first_period, '') AS first_period, nullif(l.last_period, '') AS last_period,
            {about_sql("i")}
        FROM {_latest("plan_indicator", "indicator")} k
        JOIN plan_edition i ON i.plan_id = k.plan_id AND i.indicator = k.indicator
            AND {{today}} BETWEEN i.described_from AND i.described_until
        JOIN plan_edition f ON f.plan_id = k.plan_id AND f.indicator = k.indicator AND f.edition = 1
        JOIN plan_edition l ON l.plan_id = k.plan_id AND l.indicator = k.indicator
            AND l.described_until = '{date.max}'
        JOIN plan_outcome o ON o.plan_id = i.plan_id AND o.outcome_code = i.outcome_code
        LEFT JOIN period b ON b.period = i.first_period
        LEFT JOIN period e ON e.period = i.last_period"""

GROUPS = f"""
        SELECT g.group_code, g.group_name AS "group", p.group_code AS parent_group_code, p.group_name AS parent_group,
            {_is_current("g")}
        FROM {_latest("plan_group", "group_code")} k
        JOIN plan_group g ON g.plan_id = k.plan_id AND g.group_code = k.group_code
        LEFT JOIN plan_group p ON p.plan_id = g.plan_id AND p.group_code = g.parent_group"""

# A return may come from somebody who is no partner of any plan, as the published table does.
PARTNERS = f"""
        SELECT p.partner_code, p.partner, g.group_code, g.group_name AS "group",
            {_is_current("p", "{today} BETWEEN p.first_day AND p.last_day")},
            u.group_code AS parent_group_code, u.group_name AS parent_group, nullif(p.successor, '') AS successor,
            nullif(p.first_period, '') AS first_period, nullif(p.last_period, '') AS last_period, {about_sql("p")}
        FROM {_latest("plan_partner", "partner_code")} k
        JOIN plan_partner p ON p.plan_id = k.plan_id AND p.partner_code = k.partner_code
        LEFT JOIN plan_group g ON g.plan_id = p.plan_id AND g.group_code = p.group_code
        LEFT JOIN plan_group u ON u.plan_id = g.plan_id AND u.group_code = g.parent_group
        UNION ALL
        SELECT s.partner_code, s.partner_code, NULL, NULL, 'no', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM (SELECT DISTINCT partner_code FROM submission WHERE partner_code IS NOT NULL) s
        WHERE NOT EXISTS (SELECT 1 FROM plan_partner p WHERE p.partner_code = s.partner_code)"""
