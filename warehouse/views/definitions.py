"""The views that BI tools use. Their names, columns and column order are a promise; the tables are not.

The SQL is the same for both databases, except for the words in `_DIALECTS`. `_symbol` writes the symbols from the
code lists, so that none is typed twice.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, inspect, text

from cypp_etl.periods import YEAR_LABELS
from schemas.codes import (
    BAND_SYMBOLS,
    DIRECTION_SYMBOLS,
    ON_TARGET_SYMBOLS,
    ComparatorMethod,
    Measure,
    ReturnStatus,
    Severity,
    SubmissionStatus,
)
from warehouse.schema.tables import IS_ACCEPTED
from warehouse.views.clinics import clinics_query
from warehouse.views.comments import comment_statements
from warehouse.views.dimensions import ASPIRATIONS, GROUPS, INDICATORS, OUTCOMES, PARTNERS, PERIODS
from warehouse.views.in_force import AS_OF, NOW, Standing
from warehouse.views.milestones import milestones_query
from warehouse.views.partner_queries import queries_query
from warehouse.views.plan_columns import definition_sql
from warehouse.views.symbol_changes import BEHIND, symbol_changes_query

_SYMBOLS: dict[str, Mapping[Any, str]] = {
    "direction": DIRECTION_SYMBOLS,
    "quarter_direction": DIRECTION_SYMBOLS,
    "on_target": ON_TARGET_SYMBOLS,
    "target_band": BAND_SYMBOLS,
    "statistical_neighbours_band": BAND_SYMBOLS,
    "national_band": BAND_SYMBOLS,
    "band": BAND_SYMBOLS,
}
"""The symbols of the words of each column that has a symbol beside it."""

_IN_COLUMNS = (Measure.NATIONAL, Measure.STATISTICAL_NEIGHBOURS)
"""The comparators that have columns of their own in a judgement `g`."""
_EACH = ", ".join(f"('{comparator}', g.period)" for comparator in _IN_COLUMNS)

# Dates are compared as dates in UTC, because moments are stored in UTC. Each database joins the comparators in the way
# in which it reads each judgement once: SQLite keeps to a CROSS JOIN's order, PostgreSQL begins with what is needed.
_DIALECTS = {
    "sqlite": {
        "today": "date('now')",
        "received_on": "date(a.first_received_at)",
        "behind": BEHIND["sqlite"],
        "joined": "group_concat",
        "comparators": "CROSS JOIN plan_comparator c",
    },
    "postgresql": {
        "today": "CAST(now() AT TIME ZONE 'UTC' AS date)",
        "received_on": "CAST(a.first_received_at AT TIME ZONE 'UTC' AS date)",
        "behind": BEHIND["postgresql"],
        "joined": "string_agg",
        "comparators": f"""CROSS JOIN LATERAL (VALUES {_EACH}) w (comparator, period)
            JOIN plan_comparator c ON c.comparator = w.comparator""",
    },
}


def _symbol(column: str) -> str:
    """SQL of a judgement's word, and of its symbol."""
    cases = " ".join(f"WHEN '{word}' THEN '{symbol}'" for word, symbol in _SYMBOLS[column].items())
    return f"j.{column}, CASE j.{column} {cases} END AS {column}_symbol"


def _label() -> str:
    """SQL of the label of a judgement's period: a year says which year of the indicator `i` it is."""
    parts = {"{label}": "' || e.period_label || '", "{start_year}": "' || substr(e.financial_year, 1, 4) || '"}
    cases = ""
    for year_type, label in YEAR_LABELS.items():
        text_of = f"'{label}'"
        for part, sql in parts.items():
            text_of = text_of.replace(part, sql)
        cases += f" WHEN '{year_type}' THEN {text_of}"
    return f"CASE WHEN e.quarter IS NULL THEN CASE i.year_type{cases} END ELSE e.period_label END"


_LABEL = _label()

# What a judgement `j` is about, in the words of the edition `i` that holds for its period `e`.
_DESCRIBED = f"""j.period, {_LABEL} AS period_label, e.financial_year, e.quarter,
            i.outcome_code, oc.outcome, nullif(i.indicator_no, '') AS indicator_no,
            i.indicator_ref, nullif(i.sub, '') AS sub, i.indicator,
            {definition_sql("i")},
            i.polarity, i.unit, i.decimals"""

# What people read of the unit beside its code.
_UNIT = "nullif(i.unit_label, '') AS unit_label, nullif(i.currency, '') AS currency"

# What else the edition says, which came after version 1.
_EDITION = f"i.year_type, i.edition, {_UNIT}"
_COMPARES_BODIES = "i.compares_bodies"

_JUDGED = f"""j.previous_period, j.previous_actual, j.change,
            {_symbol("direction")},
            j.direction_basis,
            {_symbol("quarter_direction")},
            j.target,
            {_symbol("on_target")},
            j.year_to_date,
            {_symbol("target_band")},
            j.statistical_neighbours,
            {_symbol("statistical_neighbours_band")},
            j.national,
            {_symbol("national_band")},
            j.next_target, j.next_target_2"""


def _describing(plan_id: str) -> str:
    """SQL that joins to judgements `j` what `_DESCRIBED` reads, in the words of a plan."""
    return f"""JOIN period e ON e.period = j.period
        JOIN plan_edition i ON i.plan_id = {plan_id} AND i.indicator = j.indicator
            AND e.ends_on BETWEEN i.described_from AND i.described_until
        LEFT JOIN plan_outcome oc ON oc.plan_id = i.plan_id AND oc.outcome_code = i.outcome_code"""


def _performance(plan_id: str, last_column: str, condition: str, more_columns: str = "") -> str:
    """A row per judgement, with the figure judged and its cell.

    Rows of left-joined tables always exist: a database can skip a table if none of its columns is selected.

    Args:
        plan_id: the plan whose words describe the indicator.
        last_column: SQL of columns after those of version 1.
        condition: SQL that selects the judgements.
        more_columns: SQL of columns that follow the promised ones.
    """
    return f"""
        SELECT
            {_DESCRIBED}, j.partner_code,
            j.actual, o.typed AS actual_text, coalesce(o.marker, nullif(o.qualifiers, '')) AS marker,
            {_JUDGED},
            o.submission_id, s.file_name AS source_file, o.sheet AS source_sheet, o.cell AS source_cell,
            j.recorded_at{last_column}, {_EDITION},
            j.target_gap, j.variation, j.on_course, {_COMPARES_BODIES}{more_columns}
        FROM judgement j
        {_describing(plan_id)}
        LEFT JOIN observation o ON o.observation_id = j.observation_id
        LEFT JOIN submission s ON s.submission_id = o.submission_id
        WHERE {condition}"""


def _count(severity: Severity) -> str:
    """SQL for the number of findings of a severity of a submission `s`."""
    return f"(SELECT count(*) FROM finding f WHERE f.submission_id = s.submission_id AND f.severity = '{severity}')"


# Counted per submission: with GROUP BY, a database would group everything before it filters. What is in force again
# after a withdrawal was recorded a second time, and is not counted twice.
_SUBMISSIONS = f"""
        SELECT
            s.submission_id, s.partner_code, s.period, s.version, s.file_name, s.sha256, s.received_at,
            CASE WHEN {NOW.is_withdrawn("s")} THEN '{SubmissionStatus.WITHDRAWN}'
                WHEN EXISTS (
                    SELECT 1 FROM held_decision h WHERE h.submission_id = s.submission_id AND h.accepted_id IS NULL)
                    THEN '{SubmissionStatus.REFUSED}'
                WHEN {NOW.submission_in_force("s")} THEN s.status
                ELSE '{SubmissionStatus.SUPERSEDED}' END AS status,
            {_count(Severity.ERROR)} AS errors, {_count(Severity.QUERY)} AS queries, {_count(Severity.NOTE)} AS notes,
            (SELECT count(*) FROM observation o WHERE o.submission_id = s.submission_id
                AND o.recorded_at = s.recorded_at) AS observations
        FROM submission s"""

_DECISIONS = """
        SELECT decision_id, kind, about, partner_code, period, decided_by, decided_at, why, until FROM decision"""


def groups_query(standing: Standing) -> str:
    """A row per judgement of a group of the plan that is in force, in the words of that plan."""
    return f"""
        SELECT
            {_DESCRIBED}, j.group_code, w.group_name AS "group",
            j.actual, {_JUDGED},
            j.partners_owing, j.partners_returned, nullif(j.note, '') AS note, j.recorded_at, {_UNIT},
            j.target_gap, {_COMPARES_BODIES}
        FROM group_judgement j
        {_describing(standing.plan_id)}
        JOIN plan_group w ON w.plan_id = i.plan_id AND w.group_code = j.group_code
        WHERE {standing.in_force("j")}"""


def _history(more_columns: str = "") -> str:
    """A row per judgement that is or was in force, by the plan that judged it: two halves with their indexes."""
    return " UNION ALL ".join(
        _performance("j.plan_id", ", j.superseded_at", f"j.superseded_at {half}", more_columns)
        for half in ("IS NULL", "IS NOT NULL")
    )


# Comparators that are given, and have columns of their own, are in the judgement itself. By the casts, SQLite takes the
# columns of both halves for the same, without which it would copy every row once more.
_COMPARATOR = "c.heading, c.method"
_COMPARISONS = f"""
        SELECT j.partner_code, j.indicator, j.period, j.comparator, j.heading, j.method, j.value,
            {_symbol("band")},
            j.bodies, j.recorded_at
        FROM (
            SELECT g.partner_code, g.indicator, g.period, c.comparator, {_COMPARATOR},
                CAST(CASE c.comparator WHEN '{Measure.NATIONAL}' THEN g.national
                    ELSE g.statistical_neighbours END AS DOUBLE PRECISION) AS value,
                CAST(CASE c.comparator WHEN '{Measure.NATIONAL}' THEN g.national_band
                    ELSE g.statistical_neighbours_band END AS TEXT) AS band,
                CAST(0 AS INTEGER) AS bodies, g.recorded_at
            FROM judgement g {{comparators}}
            WHERE {NOW.in_force("g")} AND c.plan_id = {NOW.plan_id} AND c.method = '{ComparatorMethod.GIVEN}'
                AND c.comparator IN ({", ".join(f"'{comparator}'" for comparator in _IN_COLUMNS)})
            UNION ALL
            SELECT n.partner_code, n.indicator, n.period, n.comparator, {_COMPARATOR}, n.value, n.band,
                n.bodies, n.recorded_at
            FROM comparison n
            JOIN plan_comparator c ON c.plan_id = {NOW.plan_id} AND c.comparator = n.comparator
            WHERE {NOW.in_force("n")}
        ) j"""

_FINDINGS = "SELECT submission_id, code, severity, sheet, cell, value, message, fix FROM finding"


def return_status_query(standing: Standing) -> str:
    """A row per return that is owed by the plan (`Plan.owing`), and per other return that was accepted.

    A return that was on time stays on time when it is corrected later: the first accepted submission tells when the
    return came, and so whether it was late; the one in force is the one to look at. One that was withdrawn tells
    nothing.
    """
    accepted = f"s.{IS_ACCEPTED} AND {standing.known('s')} AND NOT {standing.is_withdrawn('s')}"
    return f"""
        WITH owing AS (
            SELECT partner_code FROM plan_owed WHERE plan_id = {standing.plan_id}
            UNION
            SELECT a.partner_code FROM plan_action a
            JOIN plan_milestone m ON m.plan_id = a.plan_id AND m.action_id = a.action_id
            WHERE a.plan_id = {standing.plan_id}
        )
        SELECT a.partner_code, a.period, a.due_on,
            CASE WHEN a.submission_id IS NULL AND a.due_on < {standing.today} THEN '{ReturnStatus.MISSING}'
                WHEN a.submission_id IS NULL THEN '{ReturnStatus.NOT_DUE}'
                WHEN {{received_on}} > a.due_on THEN '{ReturnStatus.LATE}'
                ELSE '{ReturnStatus.RECEIVED}' END AS status,
            CASE WHEN a.submission_id IS NOT NULL THEN a.first_received_at END AS received_at, a.submission_id
        FROM (
            SELECT e.partner_code, e.period, e.due_on, n.submission_id, (
                SELECT min(s.received_at) FROM submission s
                WHERE s.partner_code = e.partner_code AND s.period = e.period AND {accepted}) AS first_received_at
            FROM (
                SELECT w.partner_code, c.period, c.due_on
                FROM plan_due w JOIN plan_calendar c ON c.plan_id = w.plan_id AND c.period = w.period
                WHERE w.plan_id = {standing.plan_id}
                UNION
                SELECT w.partner_code, s.period, c.due_on
                FROM owing w JOIN submission s ON s.partner_code = w.partner_code AND {accepted}
                LEFT JOIN plan_calendar c ON c.plan_id = {standing.plan_id} AND c.period = s.period
            ) e
            LEFT JOIN submission n ON n.partner_code = e.partner_code AND n.period = e.period
                AND n.{IS_ACCEPTED} AND {standing.submission_in_force("n")}
        ) a"""


_VIEWS = {
    "bi_performance": _performance(NOW.plan_id, "", NOW.in_force("j")),
    "bi_performance_history": _history(),
    "bi_submissions": _SUBMISSIONS,
    "bi_findings": _FINDINGS,
    "bi_return_status": return_status_query(NOW),
    "bi_milestones": milestones_query(NOW),
    "bi_clinics": clinics_query(NOW, ", c.partner_code"),
    "bi_symbol_changes": symbol_changes_query(),
    "bi_period": PERIODS,
    "bi_indicator": INDICATORS,
    "bi_partner": PARTNERS,
    "bi_group": GROUPS,
    "bi_outcome": OUTCOMES,
    "bi_aspiration": ASPIRATIONS,
    "bi_decisions": _DECISIONS,
    "bi_comparisons": _COMPARISONS,
    "bi_group_performance": groups_query(NOW),
    "bi_queries": queries_query(NOW),
}


def view_statements(dialect: str) -> dict[str, str]:
    """The SELECT of each view, by name, in the dialect of one database system."""
    return {name: sql.format_map(_DIALECTS[dialect]) for name, sql in _VIEWS.items()}


class Lookup(NamedTuple):
    """Columns of a view that few rows tell: a reader of the whole view asks for them once, not in each of its rows.

    `key` is the column that finds them in `query`, a SELECT of the key and of these columns: a column of the view, or
    one that only `keyed_statement` has.
    """

    key: str
    query: str


_DESCRIBED_BY = "described_by"


def _key(plan_id: str) -> str:
    """SQL of what finds the description of a judgement `j`, as a last column."""
    return f", {plan_id} || ' ' || j.indicator || ' ' || j.period AS {_DESCRIBED_BY}"


def _descriptions(plan_id: str, condition: str) -> Lookup:
    """What `_performance` says of indicators and periods."""
    query = f"""
        SELECT {_DESCRIBED}, {_EDITION}, {_COMPARES_BODIES}{_key("j.plan_id")}
        FROM (SELECT DISTINCT {plan_id} AS plan_id, j.indicator, j.period FROM judgement j WHERE {condition}) j
        {_describing("j.plan_id")}"""
    return Lookup(_DESCRIBED_BY, query)


def _words(column: str) -> Lookup:
    """The symbols of a column's words."""
    words = " UNION ALL ".join(f"SELECT '{word}' AS {column}" for word in _SYMBOLS[column])
    return Lookup(column, f"SELECT {_symbol(column)} FROM ({words}) j")


_JUDGED_WORDS = tuple(_words(column) for column in _SYMBOLS if column != "band")
_KEYED = {
    "bi_performance": _performance(NOW.plan_id, "", NOW.in_force("j"), _key(NOW.plan_id)),
    "bi_performance_history": _history(_key("j.plan_id")),
}
_LOOKUPS = {
    "bi_performance": (_descriptions(NOW.plan_id, NOW.in_force("j")), *_JUDGED_WORDS),
    "bi_performance_history": (_descriptions("j.plan_id", "1 = 1"), *_JUDGED_WORDS),
    "bi_comparisons": (
        Lookup(
            "comparator",
            f"SELECT c.comparator, {_COMPARATOR} FROM plan_comparator c WHERE c.plan_id = {NOW.plan_id}",
        ),
        _words("band"),
    ),
}


def keyed_statement(name: str, dialect: str) -> str:
    """A SELECT of a view's columns, and of the keys of its lookups."""
    return _KEYED.get(name, f"SELECT * FROM {name}").format_map(_DIALECTS[dialect])


def lookups(name: str, dialect: str) -> tuple[Lookup, ...]:
    """The lookups of a view of very many rows; none of a smaller one."""
    return tuple(each._replace(query=each.query.format_map(_DIALECTS[dialect])) for each in _LOOKUPS.get(name, ()))


def as_of_statement(name: str, dialect: str, standing: Standing = AS_OF) -> str:
    """The SELECT of a view as of a moment, with the parameters of a standing; of queries, those of `:period`.

    Raises:
        KeyError: the view has no such form; `bi_performance_history` has what was in force when.
    """
    queries = {
        "bi_return_status": return_status_query(standing),
        "bi_milestones": milestones_query(standing),
        "bi_queries": queries_query(standing, ":period"),
        "bi_clinics": clinics_query(standing, ", c.partner_code, c.measured_period"),
        "bi_group_performance": groups_query(standing),
    }
    return queries[name].format_map(_DIALECTS[dialect])


def views_sha256(dialect: str) -> str:
    """The fingerprint of the views' SQL: stored with the views, it shows whether they are out of date."""
    comments = list(comment_statements()) if dialect == "postgresql" else []
    return hashlib.sha256(repr((view_statements(dialect), comments)).encode()).hexdigest()


def replace_views(connection: Connection, change_tables: Callable[[], None]) -> None:
    """Drop our views while the tables are changed, then recreate them with the same readers.

    Raises:
        sqlalchemy.exc.DBAPIError: on PostgreSQL, another view depends on one of ours, and must be dropped first.
    """
    readers = _readers(connection)
    for name in inspect(connection).get_view_names():
        if name.startswith("bi_"):
            connection.exec_driver_sql(f'DROP VIEW "{name}"')
    change_tables()
    statements = view_statements(connection.dialect.name)
    for name, sql in statements.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {sql}")
    if connection.dialect.name == "postgresql":
        for comment in comment_statements():
            connection.exec_driver_sql(comment)
    for name, reader in readers:
        if name in statements:
            connection.exec_driver_sql(f"GRANT SELECT ON {name} TO {reader}")


def _readers(connection: Connection) -> list[tuple[str, str]]:
    """Which views each role can read; a role's name is quoted. SQLite has no roles."""
    if connection.dialect.name != "postgresql":
        return []
    query = text(
        "SELECT table_name, CASE grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(grantee) END "
        "FROM information_schema.role_table_grants "
        "WHERE privilege_type = 'SELECT' AND table_schema = current_schema() AND grantee <> current_user"
    )
    return [(name, reader) for name, reader in connection.execute(query)]
