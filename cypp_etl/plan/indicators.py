"""Checks the plan's indicators: parents, their sub-indicators, and what an indicator with values needs.

As elsewhere, a cell that is not a number is skipped: that is a fault already.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from cypp_etl.plan.index import reference_key
from cypp_etl.plan.tables import PlanFault, Row, quoted
from schemas.codes import Polarity, Unit
from schemas.plan import is_decimal

Rows = Mapping[str, tuple[Row, ...]]

# The columns of indicators that carry values, and those that such an indicator must fill in.
_LEAF_COLUMNS = ("unit", "decimals", "minimum", "maximum", "accumulation", "multiplier", "number_indicator")
_LEAF_NEEDS = ("unit", "decimals", "accumulation", "multiplier")
_BAND = ("range_low", "range_high")
_MULTIPLIERS_OF_PERCENT = (0, 100)


def number(text: str) -> Decimal | None:
    """The number in a cell, or None if it is blank or something else."""
    return exact(text) if is_decimal(text) else None


def exact(text: str) -> Decimal:
    """The number in a cell that is known to have one; commas may separate thousands."""
    return Decimal(text.replace(",", ""))


def parent_rows(rows: Rows) -> Mapping[str, Row]:
    """The indicators with subs, by reference."""
    indicators = rows.get("indicators.csv", ())
    with_subs = {row["indicator_ref"] for row in indicators if row["sub"]}
    return {row["indicator_ref"]: row for row in indicators if not row["sub"] and row["indicator_ref"] in with_subs}


def polarity_row(leaf: Row, parents: Mapping[str, Row]) -> Row:
    """The row whose polarity and range apply to a leaf: its own, or its parent's if it states none."""
    return leaf if leaf["polarity"] else parents.get(leaf["indicator_ref"], leaf)


def leaf_rows(rows: Rows) -> tuple[Row, ...]:
    """The indicators that carry values."""
    parents = parent_rows(rows)
    return tuple(row for row in rows.get("indicators.csv", ()) if row["sub"] or row["indicator_ref"] not in parents)


def check_families(rows: Rows) -> Iterator[PlanFault]:
    """Faults between parents and their sub-indicators."""
    indicators = rows.get("indicators.csv", ())
    refs_without_sub = {row["indicator_ref"] for row in indicators if not row["sub"]}
    alike = {reference_key(ref): ref for ref in refs_without_sub}
    for row in indicators:
        name = row["indicator_ref"] + row["sub"]
        if row["indicator"] != name:
            yield row.fault("indicator", f"{quoted(row['indicator'])} should be {quoted(name)}, its ref and sub")
        if row["sub"] and row["indicator_ref"] not in refs_without_sub:
            message = f"{quoted(row['indicator'])} is a sub-indicator, but its parent {quoted(row['indicator_ref'])}"
            meant = alike.get(reference_key(row["indicator_ref"]))
            hint = f": {quoted(meant)} differs from it in case or spacing only" if meant else ""
            yield row.fault("sub", f"{message} has no row of its own{hint}")
    for row in parent_rows(rows).values():
        for column in _LEAF_COLUMNS:
            if row[column]:
                yield row.fault(
                    column, f"{quoted(row[column])} is not allowed for a parent: only its sub-indicators have one"
                )
    for row in indicators:
        yield from _check_band_is_used(row)


def _check_band_is_used(row: Row) -> Iterator[PlanFault]:
    """A band only counts in the row with RANGE: elsewhere it would be ignored without notice."""
    polarity = row["polarity"]
    if polarity in (Polarity.HIGH, Polarity.LOW, Polarity.NONE) or (row["sub"] and not polarity):
        for column in _BAND:
            if row[column]:
                message = f"{quoted(row[column])} has no effect if the polarity is {polarity or 'blank'}"
                yield row.fault(column, f"{message}: a band must be in the row with RANGE")


def check_leaves(rows: Rows) -> Iterator[PlanFault]:
    """Faults of the indicators that carry values."""
    parents = parent_rows(rows)
    leaves = {row["indicator"]: row for row in leaf_rows(rows)}
    for row in leaves.values():
        for column in _LEAF_NEEDS:
            if not row[column]:
                yield row.fault(column, "blank is not allowed here: the indicator carries values")
        judged_by = polarity_row(row, parents)
        is_orphan = row["sub"] and row["indicator_ref"] not in parents
        if not judged_by["polarity"] and not is_orphan:
            yield row.fault("polarity", f"blank: neither {row['indicator']} nor a parent of it states one")
        if judged_by["polarity"] == Polarity.RANGE:
            for column in _BAND:
                if not judged_by[column]:
                    yield judged_by.fault(column, "blank is not allowed here: the polarity is RANGE")
        yield from _check_order(judged_by, *_BAND)
        yield from _check_order(row, "minimum", "maximum")
        multiplier = number(row["multiplier"])
        if row["unit"] == Unit.PERCENT and multiplier is not None and multiplier not in _MULTIPLIERS_OF_PERCENT:
            message = (
                f"{quoted(row['multiplier'])} gives no percentage: use 100, or 0 without numerator and denominator"
            )
            yield row.fault("multiplier", message)
        if row["number_indicator"]:
            yield from _check_counted(row, leaves)


def _check_counted(row: Row, leaves: Mapping[str, Row]) -> Iterator[PlanFault]:
    """A rate or a percentage may have a number that counts for it, but a number may not, so there are no cycles."""
    name = row["number_indicator"]
    counted = leaves.get(name)
    if row["unit"] == Unit.NUMBER:
        message = f"{quoted(name)} belongs to a number: only a rate or a percentage has an indicator that counts for it"
        yield row.fault("number_indicator", message)
    elif counted is None:
        yield row.fault("number_indicator", f"{quoted(name)} is not an indicator that carries values")
    elif counted is row:
        yield row.fault(
            "number_indicator", f"{quoted(name)} is the indicator itself: another indicator must count for it"
        )
    elif counted["unit"] in (Unit.PERCENT, Unit.RATE):
        message = f"{quoted(name)} is a {counted['unit']}: only an indicator whose unit is number counts for another"
        yield row.fault("number_indicator", message)


def _check_order(row: Row, low_column: str, high_column: str) -> Iterator[PlanFault]:
    low, high = number(row[low_column]), number(row[high_column])
    if low is not None and high is not None and low > high:
        yield row.fault(high_column, f"{quoted(row[high_column])} is below the {low_column}, {row[low_column]}")
