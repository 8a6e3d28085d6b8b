"""Checks the plan's rows and files against each other, after each cell has been checked.

Every check skips cells that are not a number or a date: those are faults already, and a second message about the
same cell would only hide the first.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from cypp_etl.phrases import quoted
from cypp_etl.plan.checks.indicators import UNITS_IN_WORDS, check_editions, check_families, check_leaves
from cypp_etl.plan.indicator_rows import Rows, leaf_rows, number, parent_rows, span_of
from cypp_etl.plan.model import BUILT_IN_COMPARATORS
from cypp_etl.plan.reference_keys import reference_key
from cypp_etl.plan.tables import PlanFault, PlanTables, Row
from schemas.codes import ComparatorMethod, Measure, Unit
from schemas.plan import EVERY_PARTNER, NEIGHBOURS, OWN_GROUP, SCHEMAS, is_date, is_period


class Reference(NamedTuple):
    """A column whose cells are codes of a file, which has them in its `target_column`."""

    file: str
    column: str
    target: str
    target_column: str


REFERENCES = (
    Reference("aspirations.csv", "outcome_code", "outcomes.csv", "outcome_code"),
    Reference("actions.csv", "aspiration", "aspirations.csv", "aspiration"),
    Reference("actions.csv", "partner_code", "partners.csv", "partner_code"),
    Reference("groups.csv", "parent_group", "groups.csv", "group_code"),
    Reference("partners.csv", "group_code", "groups.csv", "group_code"),
    Reference("partners.csv", "successor", "partners.csv", "partner_code"),
    Reference("neighbours.csv", "partner_code", "partners.csv", "partner_code"),
    Reference("neighbours.csv", "neighbour", "partners.csv", "partner_code"),
    Reference("milestones.csv", "action_id", "actions.csv", "action_id"),
    Reference("indicators.csv", "outcome_code", "outcomes.csv", "outcome_code"),
    Reference("figures.csv", "indicator", "indicators.csv", "indicator"),
    Reference("owed_by.csv", "indicator", "indicators.csv", "indicator"),
    Reference("banding.csv", "indicator", "indicators.csv", "indicator"),
)

_TOO_LARGE = 10**12
# The keys of rows in their own files: returns match them without regard to case or spacing.
_NAMES = (
    ("outcomes.csv", "outcome_code"),
    ("aspirations.csv", "aspiration"),
    ("actions.csv", "action_id"),
    ("milestones.csv", "milestone"),
    ("indicators.csv", "indicator"),
    ("groups.csv", "group_code"),
    ("comparators.csv", "comparator"),
)


def check_tables(tables: PlanTables) -> list[PlanFault]:
    """Every fault between rows and between files; anything unreadable is ignored."""
    checks: tuple[Callable[[Rows], Iterator[PlanFault]], ...] = (
        _check_body,
        check_families,
        check_leaves,
        check_editions,
        _check_spans,
        _check_groups,
        _check_measured_aspirations,
        _check_comparators,
        _check_measures,
        _check_only_leaves_are_named,
        _check_figures,
        _check_calendar,
        _check_banding,
    )
    settled = _settled(tables)
    faults = (
        *_check_names(tables.rows),
        *_check_headings(tables.rows),
        *_check_references(tables),
        *_check_owners(tables),
    )
    # A parent's faults are found once for each of its sub-indicators.
    return list(dict.fromkeys((*faults, *(fault for check in checks for fault in check(settled)))))


def _settled(tables: PlanTables) -> Rows:
    """The rows without those that a row with misplaced cells may belong to, because it may have what they lack."""
    astray = tables.astray.get("indicators.csv", frozenset()) - {""}
    indicators = tables.rows.get("indicators.csv", ())
    unsettled = {row["indicator_ref"] for row in indicators if row["indicator_ref"] in astray}
    lost = astray | {row["indicator"] for row in indicators if row["indicator_ref"] in unsettled}
    unsettled |= {row["indicator_ref"] for row in indicators if row["number_indicator"] in lost}
    rows = {**tables.rows}
    if unsettled:
        rows["indicators.csv"] = rows["indicators.csv"].only(lambda row: row["indicator_ref"] not in unsettled)
    if "" in tables.astray.get("banding.csv", ()):
        del rows["banding.csv"]
    return rows


def _check_names(rows: Rows) -> Iterator[PlanFault]:
    for file, column in _NAMES:
        earlier: dict[str, Row] = {}
        for row in rows.get(file, ()):
            first = earlier.setdefault(reference_key(row[column]), row)
            # An identical name is reported when the file is read.
            if row[column] and row[column] != first[column]:
                other = f"{quoted(first[column])} in row {first.number}"
                message = f"{quoted(row[column])} differs from {other} in case or spacing only"
                yield row.fault(column, f"{message}, which returns do not distinguish")


def _check_headings(rows: Rows) -> Iterator[PlanFault]:
    """The published table has no codes, so outcomes are distinguished by their names in it."""
    earlier: dict[str, Row] = {}
    for row in rows.get("outcomes.csv", ()):
        for column in ("outcome", "table_heading"):
            if not row[column]:
                continue
            first = earlier.setdefault(reference_key(row[column]), row)
            # Equal codes are already reported.
            if reference_key(first["outcome_code"]) != reference_key(row["outcome_code"]):
                other = f"{first['outcome_code']}, in row {first.number}"
                yield row.fault(
                    column, f"{quoted(row[column])} is also the name of {other}: outcomes must have different names"
                )


def _check_references(tables: PlanTables) -> Iterator[PlanFault]:
    rows = tables.rows
    for file, column, target, target_column in REFERENCES:
        if target not in rows:
            continue
        known = {*rows[target].columns[target_column], ""} | tables.astray[target]
        unknown = {(code,) for code in {*_column(rows, file, column)} - known}
        alike = {reference_key(name): name for name in known}
        for row in _saying(rows, file, (column,), unknown):
            meant = alike.get(reference_key(row[column]))
            hint = f", which has {quoted(meant)}: they differ in case or spacing only" if meant else ""
            yield row.fault(column, f"{quoted(row[column])} is not in {target}{hint}")


def _column(rows: Rows, file: str, column: str) -> Sequence[str]:
    """The cells of a column; none if the file has no usable table."""
    return rows[file].columns[column] if file in rows else ()


def _pairs(rows: Rows, file: str, *columns: str) -> set[tuple[str, ...]]:
    """What the rows of a file say in some columns, each once; nothing if it has no usable table.

    Hundreds of thousands of figures say little that is new: what one says is looked at once, and a row only if it is at
    fault.
    """
    return set(rows[file].cells(*columns)) if file in rows else set()


def _saying(rows: Rows, file: str, columns: tuple[str, ...], said: Collection[tuple[str, ...]]) -> Iterator[Row]:
    return rows[file].saying(columns, said) if file in rows else iter(())


def _check_body(rows: Rows) -> Iterator[PlanFault]:
    for row in rows.get("body.csv", ())[1:]:
        yield row.fault("body", "only one row is allowed here: a plan is one body's")


def _check_spans(rows: Rows) -> Iterator[PlanFault]:
    """Rows about one thing hold one after the other."""
    for file, table in SCHEMAS.items():
        if "first_period" not in table.columns:
            continue
        key = [column for column in table.key if column != "first_period"]
        earlier: dict[tuple[str, ...], list[Row]] = {}
        for row in rows.get(file, ()):
            span = span_of(row)
            if span.last_day < span.first_day:
                first = quoted(row["first_period"])
                yield row.fault("last_period", f"{quoted(row['last_period'])} ends before the first_period, {first}")
                continue
            others = earlier.setdefault(tuple(row[column] for column in key), [])
            for other in others:
                # Rows that begin with the same period are reported when the file is read.
                if span.overlaps(span_of(other)) and row["first_period"] != other["first_period"]:
                    message = f"{quoted(row[key[-1]])} holds at the same time in row {other.number}"
                    yield row.fault("first_period", f"{message}: give the earlier one a last_period before this")
            others.append(row)


def _check_owners(tables: PlanTables) -> Iterator[PlanFault]:
    """An indicator is owed by a partner, by the partners of a group, or by all; a figure is of a partner or a group."""
    rows = tables.rows
    if "partners.csv" not in rows or "groups.csv" not in rows:
        return
    known = {row["partner_code"] for row in rows["partners.csv"]} | {row["group_code"] for row in rows["groups.csv"]}
    known |= tables.astray["partners.csv"] | tables.astray["groups.csv"]
    alike = {reference_key(code): code for code in known}
    where = "partners.csv or groups.csv" if rows["groups.csv"] else "partners.csv"
    for file, others in (("owed_by.csv", {EVERY_PARTNER}), ("figures.csv", set())):
        unknown = {(code,) for code in {*_column(rows, file, "partner_code")} - known - others - {""}}
        for row in _saying(rows, file, ("partner_code",), unknown):
            code = row["partner_code"]
            meant = alike.get(reference_key(code))
            hint = f", which has {quoted(meant)}: they differ in case or spacing only" if meant else ""
            yield row.fault("partner_code", f"{quoted(code)} is not in {where}{hint}")


def _check_groups(rows: Rows) -> Iterator[PlanFault]:
    partners = {reference_key(row["partner_code"]): row for row in rows.get("partners.csv", ())}
    groups = {row["group_code"]: row for row in rows.get("groups.csv", ())}
    for code, row in groups.items():
        if code and reference_key(code) in partners:
            number_of = partners[reference_key(code)].number
            yield row.fault("group_code", f"{quoted(code)} is also a partner, in row {number_of} of partners.csv")
        passed, parent = {code}, row["parent_group"]
        while parent in groups and parent not in passed:
            passed.add(parent)
            parent = groups[parent]["parent_group"]
        if parent in passed:
            yield row.fault("parent_group", f"{quoted(code)} would be part of itself, by way of {parent}")
    for row in rows.get("partners.csv", ()):
        if row["successor"] and row["successor"] == row["partner_code"]:
            yield row.fault("successor", f"{quoted(row['successor'])} is the partner itself")
        elif row["successor"] and not row["last_period"]:
            yield row.fault("last_period", "blank is not allowed here: the partner has a successor")


def _check_measured_aspirations(rows: Rows) -> Iterator[PlanFault]:
    if "aspirations.csv" not in rows:
        return
    known = {row["aspiration"] for row in rows["aspirations.csv"]}
    for row in rows.get("indicators.csv", ()):
        for code in row["aspirations"].split():
            if code not in known:
                yield row.fault("aspirations", f"{quoted(code)} is not in aspirations.csv")


def _check_comparators(rows: Rows) -> Iterator[PlanFault]:
    """A comparator that is computed says from whose figures."""
    groups = {row["group_code"] for row in rows.get("groups.csv", ())}
    for row in rows.get("comparators.csv", ()):
        bodies, is_given = row["bodies"], row["method"] == ComparatorMethod.GIVEN
        if is_given and bodies:
            yield row.fault("bodies", f"{quoted(bodies)} has no effect if the method is {ComparatorMethod.GIVEN}")
        elif not is_given and bodies not in (NEIGHBOURS, OWN_GROUP, EVERY_PARTNER, *groups):
            known = f"{NEIGHBOURS}, {OWN_GROUP}, a code of groups.csv, or {EVERY_PARTNER} for every partner"
            yield row.fault("bodies", f"{quoted(bodies)} is not one of {known}")


def _check_measures(rows: Rows) -> Iterator[PlanFault]:
    """The figures of a comparator that is computed are the partners' own."""
    methods = {row["comparator"]: row["method"] for row in rows.get("comparators.csv", ())}
    methods = methods or dict.fromkeys(BUILT_IN_COMPARATORS, ComparatorMethod.GIVEN)
    known = ", ".join((Measure.TARGET, Measure.HISTORY, *methods))
    given = {measure for measure, method in methods.items() if method == ComparatorMethod.GIVEN}
    others = {*_column(rows, "figures.csv", "measure")} - {"", Measure.TARGET, Measure.HISTORY} - given
    for row in _saying(rows, "figures.csv", ("measure",), {(measure,) for measure in others}):
        measure = row["measure"]
        if measure not in methods:
            yield row.fault("measure", f"{quoted(measure)} is not one of {known}")
        else:
            message = f"{quoted(measure)} is not given: its method in comparators.csv is {methods[measure]}"
            yield row.fault("measure", message)


def _check_only_leaves_are_named(rows: Rows) -> Iterator[PlanFault]:
    """A parent never carries values: an indicator that was split may have figures of the time before."""
    carrying = {row["indicator"] for row in leaf_rows(rows)}
    parents = parent_rows(rows).keys() - carrying
    whats = (("figures.csv", "have figures"), ("owed_by.csv", "are returned"), ("banding.csv", "are banded"))
    for file, what in whats:
        for row in _saying(rows, file, ("indicator",), {(parent,) for parent in parents}):
            yield row.fault("indicator", f"{quoted(row['indicator'])} is a parent: only its sub-indicators {what}")


def _check_figures(rows: Rows) -> Iterator[PlanFault]:
    leaves = {row["indicator"]: row for row in leaf_rows(rows)}
    dated = {pair for pair in _pairs(rows, "figures.csv", "measure", "period") if _is_comparator_of_quarter(*pair)}
    valued = {
        (name, text): [*_value_faults(leaves[name], text)]
        for name, text in _pairs(rows, "figures.csv", "indicator", "value")
        if name in leaves
    }
    valued = {pair: found for pair, found in valued.items() if found}
    if not dated and not valued:
        return
    for row in rows["figures.csv"]:
        if (row["measure"], row["period"]) in dated:
            yield row.fault("period", f"{quoted(row['period'])} is a quarter: a comparator is given for a year")
        for message in valued.get((row["indicator"], row["value"]), ()):
            yield row.fault("value", message)


def _is_comparator_of_quarter(measure: str, period: str) -> bool:
    return measure not in (Measure.TARGET, Measure.HISTORY) and "Q" in period and is_period(period)


def _value_faults(leaf: Row, text: str) -> Iterator[str]:
    """What is wrong with a figure of an indicator."""
    if text.endswith("%") and leaf["unit"] in UNITS_IN_WORDS and leaf["unit"] != Unit.PERCENT:
        yield f"{quoted(text)} has a percent sign, but {leaf['indicator']} is {UNITS_IN_WORDS[leaf['unit']]}"
    value = number(text.removesuffix("%"))
    low, high = number(leaf["minimum"]), number(leaf["maximum"])
    if value is not None and abs(value) >= _TOO_LARGE:
        yield f"{quoted(text)} is a trillion or more, which is too large for a figure"
    if value is not None and low is not None and value < low:
        yield f"{quoted(text)} is below the indicator's minimum, {low}"
    if value is not None and high is not None and value > high:
        yield f"{quoted(text)} is above the indicator's maximum, {high}"


def _check_calendar(rows: Rows) -> Iterator[PlanFault]:
    for row in rows.get("calendar.csv", ()):
        opens, due = row["opens_on"], row["due_on"]
        if is_date(opens) and is_date(due) and due < opens:
            yield row.fault("due_on", f"{quoted(due)} is before the period opens, {opens}")


def _check_banding(rows: Rows) -> Iterator[PlanFault]:
    if "banding.csv" not in rows:
        return
    defaults = [row for row in rows["banding.csv"] if not row["indicator"]]
    if not defaults:
        yield PlanFault("banding.csv", None, "indicator", "no row is blank here: one must have the default margins")
    yield from _check_defaults_follow(defaults)
    for row in defaults:
        for column, cell in row.cells.items():
            if SCHEMAS["banding.csv"].columns[column].default is None and column != "indicator" and not cell:
                yield row.fault(column, "blank is not allowed here: the row has the default margins")


def _check_defaults_follow(defaults: list[Row]) -> Iterator[PlanFault]:
    """There are default margins at any time. Rows that overlap are reported elsewhere."""
    in_order = sorted(defaults, key=lambda row: span_of(row).first_day)
    if in_order and in_order[0]["first_period"]:
        yield in_order[0].fault(
            "first_period", "the earliest default margins must hold from the beginning: leave it blank"
        )
    if in_order and in_order[-1]["last_period"]:
        yield in_order[-1].fault("last_period", "the latest default margins must hold on: leave it blank")
    for row, following in pairwise(in_order):
        if row["last_period"] and span_of(row).last_day + timedelta(days=1) < span_of(following).first_day:
            message = f"no default margins hold between {row['last_period']} and {following['first_period']}"
            yield following.fault("first_period", message)
