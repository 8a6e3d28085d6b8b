"""Other ways to do part of the work, for comparison: a plain script, and a reader of values only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl
import pandas as pd
import pandera.pandas as pa
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, inspect, text

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import MilestoneStatus, Review

LARGE_CHANGE = 0.9

FIGURES = pa.DataFrameSchema(
    {
        "Ref": pa.Column(str),
        "Good performance": pa.Column(str, pa.Check.isin(["HIGH", "LOW", "RANGE", "NONE"])),
        "Unit": pa.Column(str, pa.Check.isin(["percent", "number", "rate"])),
        "Actual": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
        "Numerator": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
        "Denominator": pa.Column(float, pa.Check.gt(0), coerce=True, nullable=True),
    },
    unique=["Ref", "Sub"],
)
REPORTS = pa.DataFrameSchema(
    {
        "Milestone": pa.Column(str, unique=True),
        "Status": pa.Column(str, pa.Check.isin(list(MilestoneStatus))),
        "Review": pa.Column(str, pa.Check.isin(list(Review)), nullable=True),
    }
)


def take_plainly(path: Path, engine: Engine, plan: Plan) -> None:
    """A script for a return: openpyxl, pandas, pandera, loops over the rows, `to_sql`.

    It has each figure's cell, and recognises a percentage by its format, in a single reading; it compares with the last
    period, and judges nothing.
    """
    book = openpyxl.load_workbook(path, data_only=True)
    cover = {row[0].value: row[1].value for row in book["Return"].iter_rows(max_col=2)}
    partner, period = cover["Partner code"], parse_period(cover["Period"])
    figures, reports = _table(book["Indicators"], "Actual"), _table(book["Milestones"], "Status")
    figures["indicator"] = figures["Ref"] + figures["Sub"].fillna("")
    with engine.begin() as connection:
        before = _before(connection, partner, period.previous.code)
        faults = [*_schema_faults(figures, reports), *_faults(figures, reports, before, plan, partner)]
        if not faults:
            own = {"file": str(path), "partner": partner, "period": period.code}
            figures.assign(**own).to_sql("figures", connection, if_exists="append", index=False)
            reports.assign(**own).to_sql("reports", connection, if_exists="append", index=False)
        else:
            found = pd.DataFrame(faults, columns=["cell", "fault"]).assign(file=str(path))
            found.astype(str).to_sql("faults", connection, if_exists="append", index=False)


def fill_up(engine: Engine, returns: int) -> None:
    """Fill the plain way's table as if so many other returns had been loaded, each with the rows of the first."""
    names = [f'"{column["name"]}"' for column in inspect(engine).get_columns("figures")]
    others = ", ".join("'other' || n" if name == '"partner"' else f"f.{name}" for name in names)
    with engine.begin() as connection:
        first = connection.scalar(text("SELECT min(file) FROM figures"))
        count = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :returns)"
        fill = f"INSERT INTO figures {count} SELECT {others} FROM numbers, figures f WHERE f.file = :first"
        connection.execute(text(fill), {"returns": returns, "first": first})


def _table(sheet: Worksheet, lead: str) -> pd.DataFrame:
    """A sheet's rows, with the address and the number format of the cell in one column."""
    heading, *rows = sheet.iter_rows()
    names = [cell.value for cell in heading]
    place = names.index(lead)
    table = pd.DataFrame([[cell.value for cell in row] for row in rows], columns=names)
    return table.assign(
        cell=[row[place].coordinate for row in rows],
        is_percent=["%" in row[place].number_format for row in rows],
        is_hidden=[sheet.row_dimensions[row[place].row].hidden for row in rows],
    )


def _before(connection: Any, partner: str, period: str) -> dict[str, float]:
    if not connection.dialect.has_table(connection, "figures"):
        return {}
    query = text('SELECT indicator, "Actual" FROM figures WHERE partner = :partner AND period = :period')
    return {row[0]: row[1] for row in connection.execute(query, {"partner": partner, "period": period})}


def _schema_faults(figures: pd.DataFrame, reports: pd.DataFrame) -> Iterator[tuple[object, object]]:
    for schema, frame in ((FIGURES, figures), (REPORTS, reports)):
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            yield from errors.failure_cases[["index", "check"]].itertuples(index=False, name=None)


def _faults(
    figures: pd.DataFrame, reports: pd.DataFrame, before: dict[str, float], plan: Plan, partner: str
) -> Iterator[tuple[object, object]]:
    for _, row in figures.iterrows():
        leaf = plan.indicators.get(row["indicator"])
        if leaf is None or leaf.polarity != row["Good performance"] or leaf.unit != row["Unit"]:
            yield row["cell"], "not as the plan says"
        elif isinstance(row["Actual"], str) or (leaf.unit == "percent") != row["is_percent"]:
            yield row["cell"], "not a figure, or a percentage that is none"
        elif leaf.multiplier and row["Denominator"] > 0:
            share = row["Numerator"] * leaf.multiplier / row["Denominator"] / (100 if row["is_percent"] else 1)
            if abs(share - row["Actual"]) > 0.6 * 10.0 ** -(leaf.decimals + 2 * row["is_percent"]):
                yield row["cell"], "ratio differs"
    for name in set(plan.owed_by[partner]) ^ set(figures["indicator"]):
        yield name, "missing, or not owed"
    for name in {each.milestone for each in plan.milestones_of[partner]} ^ set(reports["Milestone"]):
        yield name, "missing, or not owed"
    for _, row in figures.iterrows():
        last = before.get(row["indicator"])
        if last and not isinstance(row["Actual"], str) and abs(row["Actual"] - last) > LARGE_CHANGE * abs(last):
            yield row["cell"], "changed much"


def read_calamine(data: BinaryIO) -> int:
    """Values only, row by row."""
    book = CalamineWorkbook.from_filelike(data)
    return sum(len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names)
