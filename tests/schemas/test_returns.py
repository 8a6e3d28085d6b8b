"""The schemas of tidy rows: what passes, what fails and with which code, and what is our own error."""

import pandas as pd
import pandera.pandas as pa
import pytest

from schemas import returns

INDICATORS = returns.indicator_rows(frozenset({"ni43", "ni111"}), frozenset({"ni43", "ni111a"}))
MILESTONES = returns.milestone_reports()
INDICATOR = {
    "reference": "ni43",
    "leaf": None,
    "times": 1,
    "parent_figures": 0,
    "good_performance": "LOW",
    "plan_polarity": "LOW",
    "unit": "percent",
    "plan_unit": "percent",
}
FIGURE = {"is_count": False, "value": 71.0, "minimum": 0.0, "maximum": 100.0, "numerator": 71.0, "denominator": 100.0}
MILESTONE = {"is_known": True, "times": 1, "status": "On track", "review": "Continue"}


def frame(schema: pa.DataFrameSchema, *records: dict[str, object]) -> pd.DataFrame:
    return returns.as_frame(schema, {name: [record[name] for record in records] for name in records[0]})


def failures(schema: pa.DataFrameSchema, *records: dict[str, object]) -> list[tuple[int, str]]:
    return sorted(returns.failures(schema, frame(schema, *records)))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, ""),
        ({"reference": None}, ""),
        ({"times": 2}, "indicator-twice"),
        ({"reference": "ni99"}, "indicator-unknown"),
        ({"leaf": "ni111a"}, ""),
        ({"leaf": "ni111c"}, "sub-indicator-unknown"),
        ({"parent_figures": 1}, "parent-has-value"),
        ({"good_performance": None}, ""),
        ({"good_performance": "HIGH"}, "good-performance-differs"),
        ({"good_performance": "HIHG"}, "good-performance-unknown"),
        ({"good_performance": "", "plan_polarity": None}, "good-performance-unknown"),
        ({"plan_polarity": None}, ""),
        ({"unit": None}, ""),
        ({"unit": "number"}, "unit-differs"),
    ],
)
def test_rows_that_name_an_indicator(change, code):
    assert failures(INDICATORS, INDICATOR | change) == ([(0, code)] if code else [])


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"value": None}, []),
        ({"value": 0.0}, []),
        ({"value": 100.0}, []),
        ({"value": 100.1}, ["out-of-range"]),
        ({"value": -0.1}, ["out-of-range"]),
        ({"value": 1e11, "maximum": None}, []),
        ({"value": -1e11, "minimum": None}, []),
        ({"value": 71.5}, []),
        ({"value": 71.5, "is_count": True}, ["count-not-whole"]),
        ({"value": 71.0, "is_count": True}, []),
        ({"numerator": 0.0}, []),
        ({"numerator": -1.0}, ["numerator-negative"]),
        ({"denominator": 0.0}, ["denominator-not-positive"]),
        ({"numerator": None, "denominator": None}, []),
        (
            {"value": 200.5, "is_count": True, "numerator": -1.0},
            ["count-not-whole", "numerator-negative", "out-of-range"],
        ),
    ],
)
def test_figures(change, codes):
    assert [code for _, code in failures(returns.figures(), FIGURE | change)] == codes


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, ""),
        ({"status": None, "review": None}, ""),
        ({"times": 2}, "milestone-twice"),
        ({"is_known": False}, "milestone-unknown"),
        ({"status": "Done"}, "status-unknown"),
        ({"review": "Yes"}, "review-unknown"),
    ],
)
def test_reports_on_milestones(change, code):
    assert failures(MILESTONES, MILESTONE | change) == ([(0, code)] if code else [])


def test_a_fault_in_one_row_hides_none_in_another():
    wrong = [{"value": 101.0}, {}, {"numerator": -1.0}, {"denominator": 0.0}, {"value": 0.5, "is_count": True}]
    assert failures(returns.figures(), *[FIGURE | change for change in wrong]) == [
        (0, "out-of-range"),
        (2, "numerator-negative"),
        (3, "denominator-not-positive"),
        (4, "count-not-whole"),
    ]


def test_a_frame_that_breaks_our_own_promise_is_no_finding():
    with pytest.raises(pa.errors.SchemaErrors):
        list(returns.failures(MILESTONES, frame(MILESTONES, MILESTONE).drop(columns="review")))
    figures = frame(returns.figures(), FIGURE)
    for broken in (figures.astype({"value": str}), *(figures.drop(columns=name) for name in FIGURE)):
        with pytest.raises(pa.errors.SchemaErrors):
            list(returns.failures(returns.figures(), broken))


def test_a_check_that_breaks_is_no_finding():
    def broken(_: "pd.Series[float]") -> bool:
        raise MemoryError

    schema = pa.DataFrameSchema({"value": pa.Column("float64", pa.Check(broken, error="out-of-range"))})
    with pytest.raises(pa.errors.SchemaErrors):
        list(returns.failures(schema, pd.DataFrame({"value": [1.0]})))


def test_every_code_says_where_it_is_reported():
    schemas = (INDICATORS, returns.figures(), MILESTONES)
    checks = [
        check
        for schema in schemas
        for check in (*schema.checks, *(c for col in schema.columns.values() for c in col.checks))
    ]
    assert {check.error for check in checks} == set(returns.BLAMED_COLUMN)
