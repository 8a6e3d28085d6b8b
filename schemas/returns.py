"""The pandera schemas of tidy rows: what every row must be, whatever its partner and layout.

A check's error is the code of its finding, and `BLAMED_COLUMN` says in which of the row's cells it is reported.
Frames have typed values only (pandera misses errors in a column that is not clean). They can have the rows of any
number of files, and their index leads back to the row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from schemas.codes import MilestoneStatus, Polarity, Review

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The workbook column whose cell gets the finding of each check; empty for the cell of the figure itself.
BLAMED_COLUMN = {
    "indicator-unknown": "ref",
    "sub-indicator-unknown": "sub",
    "indicator-twice": "ref",
    "parent-has-value": "actual",
    "good-performance-unknown": "good_performance",
    "good-performance-differs": "good_performance",
    "unit-differs": "unit",
    "out-of-range": "",
    "count-not-whole": "",
    "numerator-negative": "numerator",
    "denominator-not-positive": "denominator",
    "milestone-unknown": "milestone",
    "milestone-twice": "milestone",
    "status-unknown": "status",
    "review-unknown": "review",
}


def _text(*checks: pa.Check, nullable: bool = False) -> pa.Column:
    # Without a type: text is stored as objects, and to check that, pandera would look for geopandas every time.
    return pa.Column(None, list(checks), nullable=nullable)


def _word_of(codes: type[StrEnum], *, error: str) -> pa.Column:
    return _text(pa.Check.isin([code.value for code in codes], error=error), nullable=True)


def _equal_where_known(left: str, right: str) -> "Callable[[pd.DataFrame], pd.Series[bool]]":
    return lambda frame: (frame[left] == frame[right]) | frame[left].isna() | frame[right].isna()


@cache
def indicator_rows(references: frozenset[str], leaves: frozenset[str]) -> pa.DataFrameSchema:
    """A row with an indicator, which must be known, occur once in its file, and agree with the plan.

    Columns, null if not to be checked: `reference` and `leaf` (keys of the plan's references and leaves),
    `times` (how often its file has named the leaf so far), `parent_figures` (1 if a parent's row has a figure),
    `good_performance` and `unit` as typed, with `plan_polarity` and `plan_unit`.
    """
    return pa.DataFrameSchema(
        {
            "reference": _text(pa.Check.isin(references, error="indicator-unknown"), nullable=True),
            "leaf": _text(pa.Check.isin(leaves, error="sub-indicator-unknown"), nullable=True),
            "times": pa.Column("int64", pa.Check.eq(1, error="indicator-twice")),
            "parent_figures": pa.Column("int64", pa.Check.eq(0, error="parent-has-value")),
            "good_performance": _word_of(Polarity, error="good-performance-unknown"),
            "plan_polarity": _text(nullable=True),
            "unit": _text(nullable=True),
            "plan_unit": _text(nullable=True),
        },
        checks=[
            pa.Check(_polarity_agrees, error="good-performance-differs"),
            pa.Check(_equal_where_known("unit", "plan_unit"), error="unit-differs"),
        ],
        strict=True,
    )


def _polarity_agrees(frame: pd.DataFrame) -> "pd.Series[bool]":
    """A word that is not a polarity has its own finding, and must not get this one too."""
    is_unknown = ~frame["good_performance"].isin([code.value for code in Polarity])
    return _equal_where_known("good_performance", "plan_polarity")(frame) | is_unknown


@cache
def figures() -> pa.DataFrameSchema:
    """A figure: its value is in its indicator's range; numerator and denominator can make a ratio.

    Columns: `value`, `minimum`, `maximum`, `numerator` and `denominator` are in the indicator's unit, null if there is
    none; `is_count` is 1 or 0. All are doubles, as `as_frame` makes them. Nearly every return has new figures, and for
    one return the time goes by the number of columns that pandera looks at, so that each check is of the whole frame.
    """
    return pa.DataFrameSchema(
        checks=[
            _of_figures(_inside_range, error="out-of-range"),
            _of_figures(_whole_where_counted, error="count-not-whole"),
            _of_figures(lambda frame: ~(_doubles(frame, "numerator") < 0), error="numerator-negative"),
            _of_figures(lambda frame: ~(_doubles(frame, "denominator") <= 0), error="denominator-not-positive"),
        ]
    )


def _of_figures(holds: "Callable[[pd.DataFrame], NDArray[np.bool_]]", *, error: str) -> pa.Check:
    # Each check knows nulls itself: pandera would look for them in the whole frame.
    return pa.Check(lambda frame: pd.Series(holds(frame), index=frame.index), error=error, ignore_na=False)


def _doubles(frame: pd.DataFrame, name: str) -> "NDArray[np.float64]":
    doubles: NDArray[np.float64] = frame[name].to_numpy()
    return doubles


def _inside_range(frame: pd.DataFrame) -> "NDArray[np.bool_]":
    value = _doubles(frame, "value")
    return ~((value < _doubles(frame, "minimum")) | (value > _doubles(frame, "maximum")))


def _whole_where_counted(frame: pd.DataFrame) -> "NDArray[np.bool_]":
    value = _doubles(frame, "value")
    is_whole: NDArray[np.bool_] = (_doubles(frame, "is_count") == 0) | np.isnan(value) | (value % 1 == 0)
    return is_whole


@cache
def milestone_reports() -> pa.DataFrameSchema:
    """A milestone report: known, once in its file, with a status and a review from their lists or blank.

    `is_known` says whether the plan has what its reference names, also true if it has none to be checked; `times` is
    how often its file has named it so far.
    """
    return pa.DataFrameSchema(
        {
            "is_known": pa.Column("bool", pa.Check.eq(True, error="milestone-unknown")),
            "times": pa.Column("int64", pa.Check.eq(1, error="milestone-twice")),
            "status": _word_of(MilestoneStatus, error="status-unknown"),
            "review": _word_of(Review, error="review-unknown"),
        },
        strict=True,
    )


def as_frame(schema: pa.DataFrameSchema, columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """A frame with the schema's columns and types, all of the same length; text is stored as objects.

    Where the schema has checks of the whole frame alone, all columns are doubles.
    """
    if not schema.columns:
        # In one piece, and with names as plain objects, pandas looks up its columns faster.
        values = np.array([*columns.values()], dtype="float64")
        return pd.DataFrame(values.T, columns=pd.Index([*columns], dtype=object))
    return pd.DataFrame({name: _typed(columns[name], column.dtype) for name, column in schema.columns.items()})


def _typed(values: Sequence[Any], dtype: object) -> "pd.Series[Any] | np.ndarray[Any, Any]":
    # An array makes a column in a third of the time; but of an array of objects, pandas would guess a type.
    return np.array(values, dtype=str(dtype)) if dtype else pd.Series(values, dtype=object)


def failures(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """The errors of a frame, each once, as its index label and the code of the failed check.

    Raises:
        pandera.errors.SchemaErrors: the frame itself is wrong, such as a missing column or a wrong type, or a check
            cannot be made, as without memory.
    """
    try:
        schema.validate(frame, lazy=True, inplace=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if not cases["check"].isin(list(BLAMED_COLUMN)).all() or cases["index"].isna().any():
            raise
        # A check across columns fails once for every column of the row.
        yield from cases[["index", "check"]].drop_duplicates().itertuples(index=False, name=None)
