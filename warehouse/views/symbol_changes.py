"""The view of symbols that changed: each difference between a judgement and the one that replaced it."""

from cypp_etl.judgement.columns import TITLES
from schemas.codes import Measure

# The judgement that followed another, in two halves, each with its own index.
_FOLLOWING = """coalesce((
                SELECT min(n.judgement_id) FROM judgement n
                WHERE n.partner_code = was.partner_code AND n.indicator = was.indicator AND n.period = was.period
                    AND n.superseded_at IS NOT NULL AND n.judgement_id > was.judgement_id
            ), (
                SELECT n.judgement_id FROM judgement n
                WHERE n.partner_code = was.partner_code AND n.indicator = was.indicator AND n.period = was.period
                    AND n.superseded_at IS NULL))"""


# The moment is queried as a range. For one value, PostgreSQL trusts its statistics, which may be from when everything
# had been recorded at one moment, and would read all submissions; for a range with unknown ends it expects few.
_RECORDED_THEN = """(
                    SELECT s.submission_id FROM submission s
                    WHERE s.recorded_at BETWEEN f.changed_at AND f.changed_at)"""


def _behind(columns: str, recorded_then: str) -> str:
    """SQL of the figure behind a word `f` that changed, found through the few submissions recorded at that moment.

    A judgement may change because of another figure: last year's, the target, the neighbours'. The figure behind it
    was recorded at that moment: of those that differ from before, the judgement's own comes first, then the one that
    its column compares with. There is none if the plan changed it, or newer rules, because these have no cells.
    """
    return f"""
            SELECT {columns}
            FROM (
                SELECT n.observation_id, n.submission_id, n.sheet, n.cell,
                    CASE WHEN n.qualifiers = b.qualifiers
                        AND coalesce(n.value = b.value, n.value IS NULL AND b.value IS NULL)
                        AND coalesce(n.marker = b.marker, n.marker IS NULL AND b.marker IS NULL)
                        THEN 1 ELSE 0 END AS is_repeated,
                    CASE WHEN n.observation_id = f.observation_id THEN 0
                        WHEN f.name = n.measure || '_band' THEN 1
                        WHEN f.name IN ('on_target', 'target_band') AND n.measure = '{Measure.TARGET}' THEN 1
                        WHEN n.measure IN ('{Measure.ACTUAL}', '{Measure.HISTORY}') AND n.period = f.previous_period
                            THEN 2
                        WHEN n.measure = '{Measure.ACTUAL}' THEN 3
                        ELSE 4 END AS distance
                FROM observation n
                LEFT JOIN observation b ON b.partner_code = n.partner_code AND b.indicator = n.indicator
                    AND b.measure = n.measure AND b.period = n.period AND b.superseded_at = n.recorded_at
                    AND b.observation_id < n.observation_id
                WHERE n.partner_code = f.partner_code AND n.indicator = f.indicator
                    AND n.submission_id {recorded_then}
            ) y ORDER BY y.is_repeated, y.distance, y.observation_id LIMIT 1"""


_NUMBER = _behind("y.observation_id", f"IN {_RECORDED_THEN}")
_COLUMNS = _behind("y.submission_id, y.sheet, y.cell", f"= ANY (ARRAY{_RECORDED_THEN})")
BEHIND = {
    "sqlite": f"LEFT JOIN observation o ON o.observation_id = ({_NUMBER})",
    "postgresql": f"LEFT JOIN LATERAL ({_COLUMNS}) o ON true",
}
"""The join of the figure behind a word that changed, by database.

SQLite has no LATERAL. PostgreSQL, which expects several times as many words as have changed, would otherwise scan all
figures to find the right ones. For an array it expects ten elements, so that it expects a tenth of
the cost of a join: a server that compiles costly queries first (`jit`) may compile this one less thoroughly.
"""


def symbol_changes_query() -> str:
    """A row per word that changed; `{behind}` is filled in for the database.

    A judgement that was made for the first time, or removed, is not a change.
    """
    was, now = (
        "CASE c.name " + " ".join(f"WHEN '{name}' THEN {row}.{name}" for name in TITLES) + " END"
        for row in ("was", "now")
    )
    names = " UNION ALL ".join(f"SELECT '{name}' AS name" for name in TITLES)
    return f"""
        SELECT f.indicator, f.period, f.name AS judgement, f.was_word AS was, f.now_word AS became, f.changed_at,
            o.submission_id, o.cell AS source_cell, f.partner_code, s.file_name AS source_file, o.sheet AS source_sheet,
            coalesce(a.decision_id, w.decision_id) AS decision_id
        FROM (
            SELECT was.partner_code, was.indicator, was.period, now.previous_period, now.observation_id, now.plan_id,
                was.plan_id AS former_plan_id,
                c.name,
                {was} AS was_word, {now} AS now_word, now.recorded_at AS changed_at
            FROM judgement was
            JOIN judgement now ON now.judgement_id = {_FOLLOWING}
            CROSS JOIN ({names}) c
            WHERE was.superseded_at IS NOT NULL AND {was} <> {now}
        ) f
        {{behind}}
        LEFT JOIN submission s ON s.submission_id = o.submission_id
        LEFT JOIN plan a ON a.plan_id = f.plan_id AND a.plan_id <> f.former_plan_id
            AND a.recorded_at = f.changed_at
        LEFT JOIN withdrawal w ON w.recorded_at = f.changed_at AND w.partner_code = f.partner_code"""
