"""Holds tidy rows against the pandera schemas, those of many workbooks at once, and leads failures back to cells."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pandas as pd
import pandera.pandas as pa

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import FigureRow, IndicatorRow, MilestoneRow, ParsedReturn, PlanIndex, reference_key
from cypp_etl.plan_model import Indicator
from schemas import returns
from schemas.codes import MilestoneStatus, Polarity, Review


def judge_conformance(batch: Sequence[ParsedReturn], index: PlanIndex) -> Iterator[tuple[ParsedReturn, Finding]]:
    """Check the rows of a batch of workbooks; a finding comes with the workbook that it is about."""
    yield from _judge_indicator_rows(batch, index)
    yield from _judge_figures(batch)
    yield from _judge_milestones(batch, index)


def _judge_indicator_rows(batch: Sequence[ParsedReturn], index: PlanIndex) -> Iterator[tuple[ParsedReturn, Finding]]:
    rows = [(parsed, row) for parsed in batch for row in parsed.indicator_rows]
    schema = returns.indicator_rows(index.references, frozenset(index.leaves))
    for position, code in _failures(schema, [_indicator_record(row, index) for _, row in rows]):
        parsed, row = rows[position]
        column = returns.BLAMED_COLUMN[code]
        yield parsed, find(
            code,
            sheet=row.source.sheet,
            cell=row.source.address(column),
            value=row.source.text(column) or row.good_performance,
            indicator=row.leaf.indicator if row.leaf else f"{row.indicator_ref} {row.sub}".strip(),
            expected=_expected(code, row.leaf),
        )


def _indicator_record(row: IndicatorRow, index: PlanIndex) -> dict[str, object]:
    leaf = row.leaf
    reference = reference_key(leaf.indicator_ref if leaf else row.indicator_ref)
    is_strange_sub = leaf is None and not row.is_parent and reference in index.references
    return {
        "reference": reference,
        "leaf": reference + reference_key(row.sub) if is_strange_sub else None,
        "identity": f"{row.file}|{leaf.indicator}" if leaf else None,
        "parent_figures": int(row.is_parent and row.has_figure),
        "good_performance": row.good_performance.upper() if leaf else None,
        "plan_polarity": leaf.polarity.value if leaf else None,
        "unit": row.unit.casefold() if leaf and row.unit is not None else None,
        "plan_unit": leaf.unit.value if leaf else None,
    }


def _expected(code: str, leaf: Indicator | None) -> str:
    """What the plan says where a row says something else, or the words to choose from."""
    if code == "unit-differs" and leaf:
        return leaf.unit.value
    if code in ("good-performance-differs", "good-performance-unknown") and leaf:
        return leaf.polarity.value
    return ", ".join(polarity.value for polarity in Polarity)


def _judge_figures(batch: Sequence[ParsedReturn]) -> Iterator[tuple[ParsedReturn, Finding]]:
    rows = [(parsed, figure) for parsed in batch for figure in parsed.figures]
    for position, code in _failures(returns.figures(), [_figure_record(figure) for _, figure in rows]):
        parsed, figure = rows[position]
        leaf = figure.leaf
        words = {"minimum": _plain(leaf.minimum), "maximum": _plain(leaf.maximum), "bounds": _bounds(leaf)}
        yield parsed, figure.find(code, column=returns.BLAMED_COLUMN[code], **words)


def _figure_record(figure: FigureRow) -> dict[str, object]:
    leaf = figure.leaf
    return {
        "measure": figure.measure.value,
        "unit": leaf.unit.value,
        "value": _float(figure.value),
        "minimum": _float(leaf.minimum),
        "maximum": _float(leaf.maximum),
        "numerator": _float(figure.numerator),
        "denominator": _float(figure.denominator),
    }


def _judge_milestones(batch: Sequence[ParsedReturn], index: PlanIndex) -> Iterator[tuple[ParsedReturn, Finding]]:
    rows = [(parsed, row) for parsed in batch for row in parsed.milestone_rows]
    schema = returns.milestone_reports(frozenset(index.milestones))
    for position, code in _failures(schema, [_milestone_record(row) for _, row in rows]):
        parsed, row = rows[position]
        codes = MilestoneStatus if code == "status-unknown" else Review
        yield parsed, row.find(code, returns.BLAMED_COLUMN[code], expected=", ".join(word.value for word in codes))


def _milestone_record(row: MilestoneRow) -> dict[str, object]:
    return {
        "milestone": reference_key(row.milestone),
        "identity": f"{row.file}|{row.known.milestone}" if row.known else None,
        "status": code_word(MilestoneStatus, row.status) or row.status or None,
        "review": code_word(Review, row.review) or row.review or None,
    }


def _failures(schema: pa.DataFrameSchema, records: list[dict[str, object]]) -> Iterator[tuple[int, str]]:
    """The failures of a frame made of records, by their position."""
    if not records:
        return
    dtypes = {name: str(column.dtype) for name, column in schema.columns.items()}
    columns = {name: pd.Series([record[name] for record in records], dtype=dtype) for name, dtype in dtypes.items()}
    yield from returns.failures(schema, pd.DataFrame(columns))


def code_word(codes: type[MilestoneStatus] | type[Review], text: str) -> str:
    """The word of a code list that a text is in any case and spacing, or nothing."""
    return next((code.value for code in codes if reference_key(code.value) == reference_key(text)), "")


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _bounds(leaf: Indicator) -> str:
    """The range of an indicator in words, such as `0 or more` or `between 0 and 100`."""
    if leaf.minimum is not None and leaf.maximum is not None:
        return f"between {leaf.minimum:f} and {leaf.maximum:f}"
    return f"{leaf.minimum:f} or more" if leaf.minimum is not None else f"{_plain(leaf.maximum)} or less"
