"""Measures the views with queries like those of BI tools, at a million observations: by period, partner, indicator.

Each query transfers all columns of all rows into this process, like a tool. For comparison, it also measures how long
the database takes to count the rows of the whole view, for which it need not compute every column. Besides the time by
the clock it shows CPU time, that of PostgreSQL's process for this connection included, which other work on the machine
does not change. `benchmarks/million.py` runs them.
"""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from benchmarks.support.big_warehouse import Size
from cypp_etl.plan.model import Plan
from warehouse.engine import reading
from warehouse.views.definitions import view_statements

ALL = "*"
BY_DIRECTION = "direction, count(*), avg(actual)"
BY_BAND = "comparator, band, count(*), avg(value)"
BY_STATUS = "status, count(*)"
RUNS = 3

# View, selected columns, and filtered columns. `GROUP BY` has the selected columns before the count.
_ASKED = (
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
    ("bi_group_performance", ALL, ("period",)),
    ("bi_group_performance", ALL, ("group_code",)),
    ("bi_group_performance", BY_DIRECTION, ("indicator",)),
    ("bi_comparisons", ALL, ("period", "partner_code")),
    ("bi_comparisons", ALL, ("indicator", "period")),
    ("bi_comparisons", BY_BAND, ("period",)),
    ("bi_queries", ALL, ("period",)),
    ("bi_queries", ALL, ("partner_code",)),
    ("bi_queries", BY_STATUS, ()),
    ("bi_decisions", ALL, ("period",)),
    ("bi_decisions", ALL, ("partner_code",)),
)


@dataclass(frozen=True)
class Question:
    """A query of a view: its columns, and the columns by which it is filtered."""

    view: str
    columns: str
    filtered: tuple[str, ...]

    @property
    def by(self) -> str:
        """What it asks by, in words."""
        return (", ".join(self.filtered) or "all of it") + ("" if self.columns == ALL else " (grouped)")

    def sql(self, values: dict[str, object]) -> str:
        """Its SQL, for values of the filtered columns."""
        asked = " AND ".join(f"{name} = {_literal(values[name])}" for name in self.filtered)
        group, is_grouped, _ = self.columns.partition(", count(*)")
        return (
            f"SELECT {self.columns} FROM {self.view}"
            + (f" WHERE {asked}" if asked else "")
            + (f" GROUP BY {group}" if is_grouped else "")
        )


def questions() -> list[Question]:
    """All questions; a view that has none is asked for all of its rows, as a dimension is."""
    others = view_statements("sqlite").keys() - {view for view, _, _ in _ASKED}
    return [Question(*each) for each in _ASKED] + [Question(view, ALL, ()) for view in sorted(others)]


def values_of(plan: Plan, size: Size) -> dict[str, object]:
    """What the questions of a warehouse of a size ask for."""
    return {
        "period": size.periods[-3].code,
        "opened_period": size.periods[-3].code,
        "partner_code": list(plan.partners)[1],
        "group_code": list(plan.groups)[-1],
        "indicator": next(iter(plan.indicators)),
        "aspiration": next(iter(plan.actions.values())).aspiration,
        "submission_id": 7,
    }


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


class CpuClock:
    """The CPU time of this process and, on PostgreSQL, of the one that serves the connection, in milliseconds."""

    def __init__(self, connection: Connection) -> None:
        self._served_by = None
        if connection.dialect.name == "postgresql":
            process: int = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            # As Linux numbers the CPU clocks of other processes.
            self._served_by = (~process << 3) | 2

    def now(self) -> float:
        """The milliseconds until now."""
        served = 0.0 if self._served_by is None else time.clock_gettime(self._served_by)
        return (time.process_time() + served) * 1000


def quickest(connection: Connection, clock: CpuClock, question: str, runs: int = RUNS) -> tuple[float, float, int]:
    """Milliseconds of the fastest of several runs, by the clock and of CPU time, and the number of rows."""
    times, spent, rows = [], [], 0
    for _ in range(runs):
        started, before = time.perf_counter(), clock.now()
        rows = len(connection.exec_driver_sql(question).fetchall())
        spent.append(clock.now() - before)
        times.append((time.perf_counter() - started) * 1000)
    return min(times), min(spent), rows


def ask_views(engine: Engine, plan: Plan, size: Size) -> None:
    """Run all queries on a warehouse of a size, and print the times."""
    values = values_of(plan, size)
    print(f"{'view':24}{'filtered by':32}{'rows':>8}{'ms':>9}{'CPU, ms':>9}{'whole view, CPU':>17}{'ratio':>8}")
    with reading(engine) as connection:
        clock = CpuClock(connection)
        whole = {
            view: quickest(connection, clock, f"SELECT count(*) FROM {view}", 1)[1]
            for view in {question.view for question in questions()}
        }
        for question in questions():
            ms, spent, rows = quickest(connection, clock, question.sql(values))
            every = whole[question.view]
            named = f"{question.view:24}{question.by:32}"
            print(f"{named}{rows:>8,}{ms:>9.1f}{spent:>9.1f}{every:>17.1f}{every / spent:>8.1f}", flush=True)
