"""Checks the plan's indicators: parents, their sub-indicators, and what an indicator with values needs.

As elsewhere, a cell that is not a number is skipped: that is a fault already.
"""

from collections.abc import Iterator, Mapping

from cypp_etl.phrases import quoted
from cypp_etl.plan.indicator_rows import Rows, leaf_rows, number, parent_row, parent_rows, polarity_row, span_of
from cypp_etl.plan.reference_keys import reference_key
from cypp_etl.plan.tables import PlanFault, Row
from schemas.codes import Accumulation, Frequency, Polarity, ReportedYear, Unit, YearType
from schemas.plan import YEARS_RETURN

# The columns of indicators that carry values, and those that such an indicator must fill in.
_LEAF_COLUMNS = (
    "unit",
    "decimals",
    "minimum",
    "maximum",
    "accumulation",
    "multiplier",
    "number_indicator",
    "frequency",
    "asked_in",
    "year_type",
    "reports_on",
    "unit_label",
    "currency",
    "compares_bodies",
    "aspirations",
)
_LEAF_NEEDS = ("unit", "decimals", "accumulation", "multiplier")
_BAND = ("range_low", "range_high")
_MULTIPLIERS_OF_PERCENT = (0, 100)
_COUNTED_FOR = (Unit.PERCENT, Unit.RATE)
UNITS_IN_WORDS: Mapping[str, str] = {
    Unit.PERCENT: "a percent",
    Unit.NUMBER: "a number",
    Unit.RATE: "a rate",
    Unit.MONEY: "money",
    Unit.DAYS: "a number of days",
    Unit.SCORE: "a score",
}
"""What an indicator is, by the word of its unit in the plan."""


def check_families(rows: Rows) -> Iterator[PlanFault]:
    """Faults between parents and their sub-indicators."""
    indicators, parents = rows.get("indicators.csv", ()), parent_rows(rows)
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
        elif row["sub"] and parent_row(row, parents) is None:
            message = f"{quoted(row['indicator'])} is a sub-indicator, but its parent {quoted(row['indicator_ref'])}"
            yield row.fault("first_period", f"{message} has no row for the same time")
    for row in (row for editions in parents.values() for row in editions):
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


def check_editions(rows: Rows) -> Iterator[PlanFault]:
    """Faults between the editions of an indicator, and of sub-indicators that outlast their parent's edition."""
    parents = parent_rows(rows)
    for row in rows.get("indicators.csv", ()):
        parent = parent_row(row, parents)
        if parent is not None and not span_of(row).within(span_of(parent)):
            message = f"{row['indicator']} holds longer than its parent in row {parent.number}"
            yield row.fault("first_period", f"{message}: give each edition of the parent a sub-indicator of its own")


def check_leaves(rows: Rows) -> Iterator[PlanFault]:
    """Faults of the indicators that carry values."""
    parents = parent_rows(rows)
    editions = leaf_rows(rows)
    leaves = {row["indicator"]: row for row in editions}
    counting = {row["number_indicator"]: row["indicator"] for row in editions if row["number_indicator"]}
    for row in editions:
        for column in _LEAF_NEEDS:
            if not row[column]:
                yield row.fault(column, "blank is not allowed here: the indicator carries values")
        yield from _check_when_it_is_asked(row)
        yield from _check_currency(row)
        judged_by = polarity_row(row, parents)
        is_orphan = row["sub"] and parent_row(row, parents) is None
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
        yield from _check_ratio(row)
        yield from _check_count(row, counting.get(row["indicator"], ""))
        if row["number_indicator"]:
            yield from _check_counted(row, leaves)


def _check_when_it_is_asked(row: Row) -> Iterator[PlanFault]:
    """What is collected quarterly is of the financial year's own quarters."""
    if row["frequency"] == Frequency.YEARLY:
        return
    if row["year_type"] not in ("", YearType.FINANCIAL):
        message = f"{quoted(row['year_type'])} years have no quarters of their own here"
        yield row.fault("year_type", f"{message}: the frequency must be {Frequency.YEARLY}")
    for column, of_years in (("reports_on", ReportedYear.LAST_YEAR), ("asked_in", YEARS_RETURN)):
        if row[column] == of_years:
            yield row.fault(column, f"{quoted(row[column])} is for an indicator that is collected yearly")


def _check_currency(row: Row) -> Iterator[PlanFault]:
    """Money has a currency, and nothing else has one. It stands before a figure, and a unit's label behind it."""
    currency = row["currency"]
    if row["unit"] == Unit.MONEY and not currency:
        yield row.fault("currency", f"blank is not allowed here: the unit is {Unit.MONEY}")
    elif row["unit"] != Unit.MONEY and currency:
        yield row.fault("currency", f"{quoted(currency)} has no effect if the unit is {row['unit'] or 'blank'}")
    elif currency and currency in row["unit_label"].split():
        message = f"{quoted(row['unit_label'])} has the currency, which stands before the figure already: leave it out"
        yield row.fault("unit_label", message)


def _check_ratio(row: Row) -> Iterator[PlanFault]:
    """The quarters of a ratio are added up by their numerators and denominators, of which a number has none."""
    if row["unit"] == Unit.SCORE and row["accumulation"] in (Accumulation.SUM, Accumulation.CUMULATIVE):
        message = f"{quoted(row['accumulation'])} is for what adds up over the year, but {row['indicator']} is a score"
        yield row.fault("accumulation", message)
    if row["accumulation"] != Accumulation.RATIO:
        return
    if row["unit"] == Unit.NUMBER:
        message = (
            f"{quoted(Accumulation.RATIO)} is for percentages and rates, but {row['indicator']} is a {row['unit']}"
        )
        yield row.fault("accumulation", message)
    elif number(row["multiplier"]) == 0:
        message = "0 means that returns give no numerator and denominator, but the accumulation is ratio: such as"
        yield row.fault("multiplier", f"{message} 100 for a percentage")


def _check_count(row: Row, counts_for: str) -> Iterator[PlanFault]:
    """A number that adds up over the year, or that a rate counts, is of whole things."""
    if row["unit"] != Unit.NUMBER or not number(row["decimals"]):
        return
    if row["accumulation"] in (Accumulation.SUM, Accumulation.CUMULATIVE):
        why = "it adds up over the year"
    elif counts_for:
        why = f"{counts_for} is made of it"
    else:
        return
    message = f"{row['indicator']} is a count, because {why}: it must have 0 decimals"
    yield row.fault("decimals", f"{quoted(row['decimals'])} is not allowed: {message}")


def _check_counted(row: Row, leaves: Mapping[str, Row]) -> Iterator[PlanFault]:
    """A rate or a percentage may have a number that counts for it, but a number may not, so there are no cycles."""
    name = row["number_indicator"]
    counted = leaves.get(name)
    if row["unit"] in UNITS_IN_WORDS and row["unit"] not in _COUNTED_FOR:
        what = UNITS_IN_WORDS[row["unit"]]
        message = f"{quoted(name)} belongs to {what}: only a rate or a percentage has an indicator that counts for it"
        yield row.fault("number_indicator", message)
    elif counted is None:
        yield row.fault("number_indicator", f"{quoted(name)} is not an indicator that carries values")
    elif counted is row:
        yield row.fault(
            "number_indicator", f"{quoted(name)} is the indicator itself: another indicator must count for it"
        )
    elif counted["unit"] in UNITS_IN_WORDS and counted["unit"] != Unit.NUMBER:
        what = UNITS_IN_WORDS[counted["unit"]]
        message = f"{quoted(name)} is {what}: only an indicator whose unit is number counts for another"
        yield row.fault("number_indicator", message)


def _check_order(row: Row, low_column: str, high_column: str) -> Iterator[PlanFault]:
    low, high = number(row[low_column]), number(row[high_column])
    if low is not None and high is not None and low > high:
        yield row.fault(high_column, f"{quoted(row[high_column])} is below the {low_column}, {row[low_column]}")
