"""What a user of polars would write, for comparison, if it is installed: `pip install '.[bench]'`.

`PolarsScript` is the plain way's script once more, on calamine and in columns: it checks what that can check without
the cells' formats, and loads. `validate_with_pandera` only checks the two sheets against pandera's schemas.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from benchmarks.support.plain_ways import LARGE_CHANGE
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import MilestoneStatus, Review

try:
    import pandera.polars as pa
    import polars as pl
except ImportError:  # an extra has them
    pa = pl = None

_SHEETS = ["Indicators", "Milestones"]
_NUMBERS = ("Actual", "Numerator", "Denominator")
_POLARITIES, _UNITS = ["HIGH", "LOW", "RANGE", "NONE"], ["percent", "number", "rate"]


class PolarsScript:
    """A script that takes returns one by one: calamine, polars, faults by expressions, and a table of a database."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self._engine = engine
        leaves = plan.indicators.values()
        self._leaves = pl.DataFrame(
            [(one.indicator, one.polarity.value, one.unit.value, one.multiplier, one.decimals) for one in leaves],
            schema=["indicator", "polarity", "unit", "multiplier", "decimals"],
            orient="row",
        )
        self._owed = plan.owed_by
        self._milestones = {code: [one.milestone for one in each] for code, each in plan.milestones_of.items()}

    def take(self, path: Path) -> None:
        """Check a return, and load its rows, or what is wrong with it."""
        cover = {row[0]: row[1] for row in pl.read_excel(path, sheet_name="Return", has_header=False).iter_rows()}
        partner, period = cover["Partner code"], parse_period(cover["Period"])
        figures, reports = (pl.read_excel(path, sheet_name=name) for name in _SHEETS)
        figures = figures.with_columns(
            (pl.col("Ref") + pl.col("Sub").cast(pl.String).fill_null("")).alias("indicator"),
            *(pl.col(name).cast(pl.Float64, strict=False).alias(f"{name} as number") for name in _NUMBERS),
        )
        with self._engine.begin() as connection:
            before = self._before(connection, partner, period.previous.code)
            faults = pl.concat([*self._faults(figures, reports, before, partner)])
            own = {"file": str(path), "partner": partner, "period": period.code}
            if faults.is_empty():
                self._load(connection, figures, "figures", own)
                self._load(connection, reports, "reports", own)
            else:
                self._load(connection, faults, "faults", own)

    def _load(self, connection: Any, frame: Any, table: str, own: dict[str, str]) -> None:
        rows = frame.with_columns(**{name: pl.lit(value) for name, value in own.items()})
        rows.write_database(table, connection, if_table_exists="append", engine="sqlalchemy")

    def _before(self, connection: Any, partner: str, period: str) -> Any:
        if not connection.dialect.has_table(connection, "figures"):
            return pl.DataFrame(schema={"indicator": pl.String, "last": pl.Float64})
        query = "SELECT indicator, \"Actual as number\" AS last FROM figures WHERE partner = '{}' AND period = '{}'"
        schema = {"indicator": pl.String, "last": pl.Float64}
        return pl.read_database(query.format(partner, period), connection, schema_overrides=schema)

    def _faults(self, figures: Any, reports: Any, before: Any, partner: str) -> Iterator[Any]:
        def named(frame: Any, name: str, fault: str) -> Any:
            return frame.select(pl.col(name).cast(pl.String).alias("row"), pl.lit(fault).alias("fault"))

        actual, below, under = (pl.col(f"{name} as number") for name in _NUMBERS)
        known = figures.join(self._leaves, on="indicator", how="left").join(before, on="indicator", how="left")
        is_percent = pl.col("unit") == "percent"
        share = below * pl.col("multiplier") / under / pl.when(is_percent).then(100).otherwise(1)
        within = 0.6 * pl.lit(10.0).pow(-(pl.col("decimals") + pl.when(is_percent).then(2).otherwise(0)))
        is_text = pl.any_horizontal(
            pl.col(name).is_not_null() & pl.col(f"{name} as number").is_null() for name in _NUMBERS
        )
        for condition, fault in (
            (pl.col("polarity").is_null(), "not in the plan"),
            (pl.col("Good performance") != pl.col("polarity"), "not as the plan says"),
            (pl.col("Unit") != pl.col("unit"), "not as the plan says"),
            (is_text, "not a figure"),
            ((actual < 0) | (below < 0) | (under <= 0), "out of range"),
            (pl.struct("indicator").is_duplicated(), "twice"),
            ((pl.col("multiplier") > 0) & (under > 0) & ((share - actual).abs() > within), "ratio differs"),
            ((actual - pl.col("last")).abs() > LARGE_CHANGE * pl.col("last").abs(), "changed much"),
        ):
            yield named(known.filter(condition), "indicator", fault)
        is_status = pl.col("Status").is_in([each.value for each in MilestoneStatus])
        yield named(reports.filter(~is_status), "Milestone", "no status")
        for frame, name, owed in (
            (figures, "indicator", self._owed[partner]),
            (reports, "Milestone", self._milestones[partner]),
        ):
            due = pl.DataFrame({name: list(owed)}, schema={name: pl.String})
            yield named(due.join(frame, on=name, how="anti"), name, "missing")
            yield named(frame.join(due, on=name, how="anti"), name, "not owed")


def validate_with_pandera(paths: Sequence[Path]) -> int:
    """Check both sheets of each workbook against pandera's schemas for polars; returns how many have an error."""
    figures = pa.DataFrameSchema(
        {
            "Ref": pa.Column(str),
            "Good performance": pa.Column(str, pa.Check.isin(_POLARITIES)),
            "Unit": pa.Column(str, pa.Check.isin(_UNITS)),
            "Actual": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
            "Numerator": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
            "Denominator": pa.Column(float, pa.Check.gt(0), coerce=True, nullable=True),
        },
        unique=["Ref", "Sub"],
    )
    reports = pa.DataFrameSchema(
        {
            "Milestone": pa.Column(str, unique=True),
            "Status": pa.Column(str, pa.Check.isin([each.value for each in MilestoneStatus])),
            "Review": pa.Column(str, pa.Check.isin([each.value for each in Review]), nullable=True),
        }
    )
    return sum(not _is_sound(path, (figures, reports)) for path in paths)


def _is_sound(path: Path, schemas: Sequence[Any]) -> bool:
    sound = True
    for name, schema in zip(_SHEETS, schemas, strict=True):
        try:
            schema.validate(pl.read_excel(path, sheet_name=name), lazy=True)
        except pa.errors.SchemaErrors:
            sound = False
    return sound
