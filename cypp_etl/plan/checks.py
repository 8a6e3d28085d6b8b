"""Checks the plan's rows and files against each other, after each cell has been checked.

Every check skips cells that are not a number or a date: those are faults already, and a second message about the
same cell would only hide the first.
"""

from collections.abc import Callable, Iterator

from cypp_etl.plan.index import reference_key
from cypp_etl.plan.indicators import Rows, check_families, check_leaves, leaf_rows, number, parent_rows
from cypp_etl.plan.tables import PlanFault, PlanTables, Row, quoted
from schemas.codes import Measure, Unit
from schemas.plan import is_date, is_period

# File, column, and the file whose column of that name must contain it.
_REFERENCES = (
    ("aspirations.csv", "outcome_code", "outcomes.csv"),
    ("actions.csv", "aspiration", "aspirations.csv"),
    ("actions.csv", "partner_code", "partners.csv"),
    ("milestones.csv", "action_id", "actions.csv"),
    ("indicators.csv", "outcome_code", "outcomes.csv"),
    ("figures.csv", "indicator", "indicators.csv"),
    ("owed_by.csv", "partner_code", "partners.csv"),
    ("owed_by.csv", "indicator", "indicators.csv"),
    ("banding.csv", "indicator", "indicators.csv"),
)
_TOO_LARGE = 10**12
_COMPARATORS = (Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL)
# The keys of rows in their own files: returns match them without regard to case or spacing.
_NAMES = (
    ("outcomes.csv", "outcome_code"),
    ("aspirations.csv", "aspiration"),
    ("actions.csv", "action_id"),
    ("milestones.csv", "milestone"),
    ("indicators.csv", "indicator"),
)


def check_tables(tables: PlanTables) -> list[PlanFault]:
    """Every fault between rows and between files; anything unreadable is ignored."""
    checks: tuple[Callable[[Rows], Iterator[PlanFault]], ...] = (
        check_families,
        check_leaves,
        _check_only_leaves_are_named,
        _check_figures,
        _check_calendar,
        _check_banding,
    )
    settled = _settled(tables)
    faults = (*_check_names(tables.rows), *_check_headings(tables.rows), *_check_references(tables))
    # A parent's faults are found once for each of its sub-indicators.
    return list(dict.fromkeys((*faults, *(fault for check in checks for fault in check(settled)))))


def _settled(tables: PlanTables) -> Rows:
    """The rows without those that a row with misplaced cells may belong to, because it may have what they lack."""
    astray = tables.astray.get("indicators.csv", frozenset()) - {""}
    indicators = tables.rows.get("indicators.csv", ())
    unsettled = {row["indicator_ref"] for row in indicators if row["indicator_ref"] in astray}
    lost = astray | {row["indicator"] for row in indicators if row["indicator_ref"] in unsettled}
    unsettled |= {row["indicator_ref"] for row in indicators if row["number_indicator"] in lost}
    rows = {**tables.rows, "indicators.csv": tuple(row for row in indicators if row["indicator_ref"] not in unsettled)}
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
    for file, column, target in _REFERENCES:
        if target not in rows:
            continue
        known = {row[column] for row in rows[target]} | tables.astray[target]
        alike = {reference_key(name): name for name in known}
        for row in rows.get(file, ()):
            if row[column] and row[column] not in known:
                meant = alike.get(reference_key(row[column]))
                hint = f", which has {quoted(meant)}: they differ in case or spacing only" if meant else ""
                yield row.fault(column, f"{quoted(row[column])} is not in {target}{hint}")


def _check_only_leaves_are_named(rows: Rows) -> Iterator[PlanFault]:
    parents = parent_rows(rows)
    whats = (("figures.csv", "have figures"), ("owed_by.csv", "are returned"), ("banding.csv", "are banded"))
    for file, what in whats:
        for row in rows.get(file, ()):
            if row["indicator"] in parents:
                yield row.fault("indicator", f"{quoted(row['indicator'])} is a parent: only its sub-indicators {what}")


def _check_figures(rows: Rows) -> Iterator[PlanFault]:
    leaves = {row["indicator"]: row for row in leaf_rows(rows)}
    for row in rows.get("figures.csv", ()):
        if row["measure"] in _COMPARATORS and "Q" in row["period"] and is_period(row["period"]):
            yield row.fault("period", f"{quoted(row['period'])} is a quarter: a comparator is given for a year")
        text, leaf = row["value"], leaves.get(row["indicator"])
        if leaf is None:
            continue
        if text.endswith("%") and leaf["unit"] in (Unit.NUMBER, Unit.RATE):
            yield row.fault("value", f"{quoted(text)} has a percent sign, but {row['indicator']} is a {leaf['unit']}")
        value = number(text.removesuffix("%"))
        low, high = number(leaf["minimum"]), number(leaf["maximum"])
        if value is not None and abs(value) >= _TOO_LARGE:
            yield row.fault("value", f"{quoted(text)} is a trillion or more, which is too large for a figure")
        if value is not None and low is not None and value < low:
            yield row.fault("value", f"{quoted(text)} is below the indicator's minimum, {low}")
        if value is not None and high is not None and value > high:
            yield row.fault("value", f"{quoted(text)} is above the indicator's maximum, {high}")


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
    for row in defaults:
        for column, cell in row.cells.items():
            if column != "indicator" and not cell:
                yield row.fault(column, "blank is not allowed here: the row has the default margins")
