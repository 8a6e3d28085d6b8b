"""Other ways to do parts of it, for comparison: what a script would do, and readers of values alone."""

from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pandera.pandas as pa
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine

from cypp_etl.plan_model import Plan
from schemas.codes import MilestoneStatus

FIGURES = pa.DataFrameSchema(
    {
        "Ref": pa.Column(str),
        "Good performance": pa.Column(str, pa.Check.isin(["HIGH", "LOW", "RANGE", "NONE"])),
        "Unit": pa.Column(str, pa.Check.isin(["percent", "number", "rate"])),
        "Actual": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
        "Numerator": pa.Column(float, pa.Check.ge(0), coerce=True, nullable=True),
        "Denominator": pa.Column(float, pa.Check.gt(0), coerce=True, nullable=True),
    }
)
REPORTS = pa.DataFrameSchema(
    {"Milestone": pa.Column(str), "Status": pa.Column(str, pa.Check.isin(list(MilestoneStatus)))}
)


def find_faults(
    figures: pd.DataFrame, reports: pd.DataFrame, plan: Plan, owed: Collection[str]
) -> tuple[pd.DataFrame, list[str]]:
    """The figures with their codes, and what a script finds in them with pandera and a loop over the rows."""
    faults: list[str] = []
    for schema, frame in ((FIGURES, figures), (REPORTS, reports)):
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            faults += errors.failure_cases["check"].astype(str).tolist()
    codes = []
    for _, row in figures.iterrows():
        code = row["Ref"] + (row["Sub"] if isinstance(row["Sub"], str) else "")
        codes.append(code)
        leaf = plan.indicators.get(code)
        if leaf is None or leaf.polarity != row["Good performance"]:
            faults.append(code)
        elif leaf.multiplier and not isinstance(row["Actual"], str) and row["Denominator"] > 0:
            share = row["Numerator"] * leaf.multiplier / row["Denominator"] / (100 if leaf.unit == "percent" else 1)
            if abs(share - row["Actual"]) > 0.6 * 10.0**-leaf.decimals:
                faults.append(code)
    faults += sorted(set(owed) - set(codes))
    return figures.assign(indicator=codes), faults


def take_plainly(path: Path, engine: Engine, plan: Plan, owed: Collection[str]) -> None:
    """What a script would do with a return: pandas.read_excel by openpyxl, pandera, `to_sql`."""
    sheets = pd.read_excel(path, engine="openpyxl", sheet_name=["Return", "Indicators", "Milestones"])
    figures, faults = find_faults(sheets["Indicators"], sheets["Milestones"], plan, owed)
    with engine.begin() as connection:
        if not faults:
            own = {"file": str(path), "partner": path.parent.name, "period": path.stem}
            figures.assign(**own).to_sql("figures", connection, if_exists="append", index=False)
            sheets["Milestones"].assign(**own).to_sql("reports", connection, if_exists="append", index=False)
        if faults:
            found = pd.DataFrame({"file": [str(path)] * len(faults), "fault": faults})
            found.to_sql("faults", connection, if_exists="append", index=False)


def read_calamine(data: BinaryIO) -> int:
    """Values alone, row by row."""
    book = CalamineWorkbook.from_filelike(data)
    return sum(len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names)
