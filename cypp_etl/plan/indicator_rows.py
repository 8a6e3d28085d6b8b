"""The rows of indicators as they are in the plan's tables: which carry values, which are parents, and their numbers.

As elsewhere in the checks of a plan, a cell that is not what its column allows is skipped: that is a fault already.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from cypp_etl.caching import remembered
from cypp_etl.periods import period_or_none
from cypp_etl.plan.spans import Span
from cypp_etl.plan.tables import Row, TableRows
from schemas.plan import is_decimal

Rows = Mapping[str, TableRows]
"""The rows of each of the plan's files, by its name."""


@remembered
def number(text: str) -> Decimal | None:
    """The number in a cell, or None if it is blank or something else."""
    return exact(text) if is_decimal(text) else None


def exact(text: str) -> Decimal:
    """The number in a cell that is known to have one; commas may separate thousands."""
    return Decimal(text.replace(",", ""))


def span_of(row: Row) -> Span:
    """The span of a row; a cell that is not a period is open, since it is a fault already."""
    return Span(period_or_none(row["first_period"]), period_or_none(row["last_period"]))


def parent_rows(rows: Rows) -> Mapping[str, tuple[Row, ...]]:
    """The editions of indicators with subs, by reference. An indicator may be split in parts from a period on.

    The rows of a reference without a sub are parents where a sub-indicator has a row for the same time.
    """
    indicators = rows.get("indicators.csv", ())
    subs: dict[str, list[Span]] = {}
    for row in indicators:
        if row["sub"]:
            subs.setdefault(row["indicator_ref"], []).append(span_of(row))
    parents: dict[str, tuple[Row, ...]] = {}
    for row in indicators:
        ref = row["indicator_ref"]
        if not row["sub"] and any(span_of(row).overlaps(span) for span in subs.get(ref, ())):
            parents[ref] = (*parents.get(ref, ()), row)
    return parents


def parent_row(leaf: Row, parents: Mapping[str, Sequence[Row]]) -> Row | None:
    """The parent's edition that holds with a sub-indicator's, or None."""
    if not leaf["sub"]:
        return None
    span = span_of(leaf)
    return next((row for row in parents.get(leaf["indicator_ref"], ()) if span_of(row).overlaps(span)), None)


def polarity_row(leaf: Row, parents: Mapping[str, Sequence[Row]]) -> Row:
    """The row whose polarity and range apply to a leaf: its own, or its parent's if it states none."""
    return leaf if leaf["polarity"] else (parent_row(leaf, parents) or leaf)


def leaf_rows(rows: Rows) -> tuple[Row, ...]:
    """The editions of the indicators that carry values."""
    parents = {(row.file, row.number) for editions in parent_rows(rows).values() for row in editions}
    return tuple(row for row in rows.get("indicators.csv", ()) if (row.file, row.number) not in parents)
