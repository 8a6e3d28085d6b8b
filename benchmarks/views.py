"""Measures the views with queries like those of BI tools, at a million observations: by period, partner, indicator.

Each query transfers all columns of all rows into this process, like a tool. For comparison, it also measures how long
the database takes to count the rows of the whole view, for which it need not compute every column.
`benchmarks/million.py` runs them.
"""

import time

from sqlalchemy import Connection, Engine

from benchmarks.support.big_warehouse import Size
from cypp_etl.plan.model import Plan
from warehouse.engine import reading

ALL = "*"
BY_DIRECTION = "direction, count(*), avg(actual)"
RUNS = 3

# View, selected columns, and filtered columns. `GROUP BY` follows from the selected columns.
QUESTIONS = (
    ("bi_performance", ALL, ("period", "partner_code")),
    ("bi_performance", ALL, ("period",)),
    ("bi_performance", BY_DIRECTION, ("period",)),
    ("bi_performance", ALL, ("partner_code",)),
    ("bi_performance", BY_DIRECTION, ("indicator",)),
    ("bi_performance_history", ALL, ("indicator", "period", "partner_code")),
    ("bi_performance_history", BY_DIRECTION, ("period",)),
    ("bi_performance_history", ALL, ("partner_code",)),
    ("bi_submissions", ALL, ("period",)),
    ("bi_submissions", ALL, ("partner_code",)),
    ("bi_findings", ALL, ("submission_id",)),
    ("bi_return_status", ALL, ("period",)),
    ("bi_return_status", ALL, ("partner_code",)),
    ("bi_milestones", ALL, ("period",)),
    ("bi_milestones", ALL, ("aspiration",)),
    ("bi_clinics", ALL, ("indicator",)),
    ("bi_clinics", ALL, ("opened_period",)),
    ("bi_symbol_changes", ALL, ("period",)),
    ("bi_symbol_changes", ALL, ("indicator",)),
)


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def quickest(connection: Connection, question: str, runs: int = RUNS) -> tuple[float, int]:
    """Milliseconds of the fastest of several runs, and the number of rows."""
    times, rows = [], 0
    for _ in range(runs):
        started = time.perf_counter()
        rows = len(connection.exec_driver_sql(question).fetchall())
        times.append(time.perf_counter() - started)
    return min(times) * 1000, rows


def ask_views(engine: Engine, plan: Plan, size: Size) -> None:
    """Run all queries on a warehouse of a size, and print the times."""
    values: dict[str, object] = {
        "period": size.periods[-3].code,
        "opened_period": size.periods[-3].code,
        "partner_code": next(iter(plan.partners)),
        "indicator": next(iter(plan.indicators)),
        "aspiration": next(iter(plan.actions.values())).aspiration,
        "submission_id": 7,
    }
    print(f"{'view':24}{'filtered by':32}{'rows':>8}{'ms':>9}{'whole view, ms':>16}{'ratio':>8}")
    with reading(engine) as connection:
        whole = {
            view: quickest(connection, f"SELECT count(*) FROM {view}", 1)[0] for view in {each[0] for each in QUESTIONS}
        }
        for view, columns, names in QUESTIONS:
            order = " GROUP BY direction" if columns == BY_DIRECTION else ""
            asked = " AND ".join(f"{name} = {_literal(values[name])}" for name in names)
            ms, rows = quickest(connection, f"SELECT {columns} FROM {view} WHERE {asked}{order}")
            by = ", ".join(names) + (" (grouped)" if order else "")
            print(f"{view:24}{by:32}{rows:>8,}{ms:>9.1f}{whole[view]:>16.1f}{whole[view] / ms:>8.1f}", flush=True)
