"""The layouts that a plan brings in `layouts/`: read after the built-in ones, and checked like its other tables.

A row with the key of a built-in one replaces it, and any other is added.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import PurePosixPath

from cypp_etl.layout import (
    COVER,
    INDICATORS,
    LEFT_OUT,
    MILESTONES,
    PUBLISHED,
    RECEIPT,
    RELATIVE_YEARS,
    RETURN,
    Layout,
    builtin_rows,
    layouts_of,
    normalise_heading,
    read_layouts,
)
from cypp_etl.phrases import quoted
from cypp_etl.plan.indicator_rows import leaf_rows
from cypp_etl.plan.tables import PlanFault, PlanTables, Row, TableRows
from schemas.codes import SheetKind
from schemas.plan import LAYOUT_SCHEMAS

FOLDER = "layouts"
_SHEETS, _COLUMNS = LAYOUT_SCHEMAS

# The fields of a cover beyond those of the built-in one: what a period is put together from.
_FURTHER_LABELS = ("year", "quarter", "period_end")
# Those of a table of indicators: a reference and its words in one cell, whose row it is, and what is left out.
_FURTHER_COLUMNS = ("indicator", "partner_code", "partner", "period", LEFT_OUT)
# The columns of a flat table: each row says its period and its partner.
_FLAT = "period"
_OWNING = frozenset({"partner_code", "partner"})
_NAMING = frozenset({"ref", "indicator", "definition"})
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
# What may stand in a sheet's name, and in the headings of a cover and of a table; a period's parts only beside figures.
_IN_SHEETS = frozenset({"outcome"})
_IN_COVERS = frozenset({"partner", "partner_code", "period", "year", "quarter"})
_IN_TABLES = frozenset({"year", "quarter"})
_DATED = frozenset({"actual", "marker", "numerator", "denominator", "comment", "target", LEFT_OUT})
_Rows = Mapping[str, TableRows]


def brought_layouts(rows: _Rows) -> Mapping[str, Layout]:
    """The layouts of a plan by name, the built-in ones and its own, given the rows of its tables."""
    if _SHEETS not in rows and _COLUMNS not in rows:
        return read_layouts()
    sheets = _after(builtin_rows("layouts.csv"), rows.get(_SHEETS, ()), ("layout", "part"))
    columns = _after(builtin_rows("columns.csv"), rows.get(_COLUMNS, ()), ("layout", "part", "column"))
    return layouts_of(sheets, columns)


def _after(
    builtin: Iterable[Mapping[str, str]], rows: Iterable[Row], key: tuple[str, ...]
) -> Iterable[Mapping[str, str]]:
    merged = {tuple(row[name] for name in key): row for row in builtin}
    merged |= {tuple(row[name] for name in key): row.cells for row in rows}
    return merged.values()


def check_layouts(tables: PlanTables) -> Iterator[PlanFault]:
    """Every fault of the layouts that a plan brings: what would be ignored, and what could never be read."""
    for name in tables.files:
        if PurePosixPath(name).parent.name == FOLDER and name not in LAYOUT_SCHEMAS:
            message = (
                f"would be ignored: {FOLDER}/ holds {' and '.join(PurePosixPath(own).name for own in LAYOUT_SCHEMAS)}"
            )
            yield PlanFault(name, None, None, message)
    sheets, columns = (tables.rows.get(name, ()) for name in (_SHEETS, _COLUMNS))
    if not sheets and not columns:
        return
    parts = {(row["layout"], row["part"]): row["kind"] for row in builtin_rows("layouts.csv")}
    parts |= {(row["layout"], row["part"]): row["kind"] for row in sheets}
    leaves = {row["indicator"] for row in leaf_rows(tables.rows)}
    partners = {row["partner_code"] for row in tables.rows.get("partners.csv", ())}
    for row in sheets:
        yield from _check_sheet(row, partners)
    for row in columns:
        yield from _check_column(row, parts, leaves)
    yield from _check_partners(sheets)
    yield from _check_whole(sheets, columns)
    yield from _check_headings(columns)


def _check_sheet(row: Row, partners: set[str]) -> Iterator[PlanFault]:
    layout, part = row["layout"], row["part"]
    own = {(one["layout"], one["part"]): one for one in builtin_rows("layouts.csv")}.get((layout, part))
    if row.cells == own:
        return
    if layout == RECEIPT:
        yield row.fault("layout", f"{quoted(layout)} is what the program itself writes: a plan cannot change it")
    elif layout in read_layouts() and own is None:
        known = ", ".join(sheet.part for sheet in read_layouts()[layout].sheets)
        yield row.fault("part", f"{quoted(part)} is not a part of the built-in layout {layout}, which has {known}")
    elif layout not in read_layouts() and part not in (COVER, INDICATORS, MILESTONES):
        yield row.fault("part", f"{quoted(part)} is not one of {COVER}, {INDICATORS}, {MILESTONES}")
    if own is not None:
        fixed = ("sheet", "kind", "is_hidden", "header_rows", "partner_code")
        for name in fixed:
            if row[name] != own[name]:
                yield row.fault(
                    name,
                    f"{quoted(row[name])} is not {quoted(own[name])}: of a built-in sheet only spellings may differ",
                )
    elif row["kind"] not in list(SheetKind):
        pass  # a fault of the cell already
    elif part == COVER and row["kind"] not in (SheetKind.LABELS, SheetKind.ANYWHERE):
        yield row.fault("kind", f"{quoted(row['kind'])} is no kind of a cover: it is labels or anywhere")
    elif (part == INDICATORS and row["kind"] == SheetKind.LABELS) or (
        part == MILESTONES and row["kind"] != SheetKind.TABLE
    ):
        allowed = "table" if part == MILESTONES else "table, banded or anywhere"
        yield row.fault("kind", f"{quoted(row['kind'])} is no kind of {part}: it is {allowed}")
    yield from _unknown_placeholders(row, ("sheet", "spellings"), _IN_SHEETS if part == INDICATORS else frozenset())
    if row["partner_code"] and partners and row["partner_code"] not in partners:
        yield row.fault("partner_code", f"{quoted(row['partner_code'])} is not in partners.csv")


def _check_column(row: Row, parts: Mapping[tuple[str, str], str], leaves: set[str]) -> Iterator[PlanFault]:
    layout, part, column = row["layout"], row["part"], row["column"]
    own = {(one["layout"], one["part"], one["column"]): one for one in builtin_rows("columns.csv")}.get(
        (layout, part, column)
    )
    kind = parts.get((layout, part))
    if row.cells == own:
        return
    if layout == RECEIPT:
        yield row.fault("layout", f"{quoted(layout)} is what the program itself writes: a plan cannot change it")
        return
    if kind is None:
        yield row.fault("part", f"{quoted(part)} of {layout} is not in {_SHEETS}")
        return
    if kind == SheetKind.ANYWHERE and part == INDICATORS:
        if column not in leaves:
            yield row.fault("column", f"{quoted(column)} is no indicator with figures in indicators.csv")
    elif column not in (known := _known_columns(layout, part)):
        yield row.fault("column", f"{quoted(column)} is not one of {', '.join(known)}")
    if own is not None:
        fixed = ("group", "is_entry") if layout == RETURN else ("heading", "group", "is_entry")
        for name in fixed:
            if row[name] != own[name]:
                message = f"{quoted(row[name])} is not {quoted(own[name])}, which reports and forms are written by"
                yield row.fault(name, message)
    yield from _unknown_placeholders(row, ("heading", "group", "spellings"), _allowed(layout, part, column, kind))
    if kind == SheetKind.ANYWHERE and part == COVER:
        said = set(_PLACEHOLDER.findall(row["heading"]))
        if said and column not in said:
            yield row.fault("column", f"{quoted(column)} is not among what its heading says, {', '.join(sorted(said))}")


def _known_columns(layout: str, part: str) -> tuple[str, ...]:
    own = read_layouts().get(layout)
    columns = tuple(column.column for column in (own or read_layouts()[RETURN]).part(part).columns)
    if own is not None:
        return columns
    return (*columns, *{COVER: _FURTHER_LABELS, INDICATORS: _FURTHER_COLUMNS}.get(part, (LEFT_OUT,)))


def _allowed(layout: str, part: str, column: str, kind: str) -> frozenset[str]:
    """The placeholders that a column's headings may have."""
    if layout == PUBLISHED:
        return frozenset(RELATIVE_YEARS)
    if layout == RETURN:
        return frozenset()
    if part == COVER:
        return _IN_COVERS if kind == SheetKind.ANYWHERE else frozenset()
    is_table = kind != SheetKind.ANYWHERE and part == INDICATORS
    return _IN_TABLES if is_table and column in _DATED else frozenset()


def _unknown_placeholders(row: Row, names: tuple[str, ...], allowed: frozenset[str]) -> Iterator[PlanFault]:
    for name in names:
        for said in _PLACEHOLDER.findall(row[name]):
            if said not in allowed:
                known = (
                    f"it may have {', '.join(f'{{{one}}}' for one in sorted(allowed))}"
                    if allowed
                    else "it may have none"
                )
                yield row.fault(name, f"{quoted('{' + said + '}')} means nothing here: {known}")


def _check_partners(sheets: Sequence[Row]) -> Iterator[PlanFault]:
    """A layout is one partner's as a whole."""
    first: dict[str, Row] = {}
    for row in sheets:
        earlier = first.setdefault(row["layout"], row)
        if row["partner_code"] != earlier["partner_code"]:
            other = f"{quoted(earlier['partner_code'])} in row {earlier.number}"
            yield row.fault(
                "partner_code", f"{quoted(row['partner_code'])} is not {other}: a layout is one partner's or all's"
            )


def _check_whole(sheets: Sequence[Row], columns: Sequence[Row]) -> Iterator[PlanFault]:
    """A layout of the plan's own can be read: it says what a figure is about, whose it is and of which period."""
    has: dict[tuple[str, str], set[str]] = {}
    for row in columns:
        has.setdefault((row["layout"], row["part"]), set()).add(row["column"])
    own = [row for row in sheets if row["layout"] not in read_layouts()]
    parts = {(row["layout"], row["part"]) for row in own}
    for row in own:
        names = has.get((row["layout"], row["part"]), set())
        if not names:
            yield row.fault("part", f"{quoted(row['part'])} of {row['layout']} has no columns in {_COLUMNS}")
        elif row["part"] == COVER and not _says_period(row, columns):
            message = "does not say the period: it has neither period, period_end, nor year and quarter"
            yield row.fault("part", f"{row['layout']} {message}")
        elif row["part"] == INDICATORS and row["kind"] != SheetKind.ANYWHERE:
            yield from _check_table(row, names)
    for layout, row in {row["layout"]: row for row in reversed(own)}.items():
        is_flat = _FLAT in has.get((layout, INDICATORS), set())
        if (layout, INDICATORS) not in parts:
            yield row.fault("layout", f"{quoted(layout)} has no part {INDICATORS}, so no figure could be read")
        if (layout, COVER) in parts and is_flat:
            yield row.fault("layout", f"{quoted(layout)} says partner and period in each row, and on a cover too")
        elif (layout, COVER) not in parts and not is_flat:
            yield row.fault("layout", f"{quoted(layout)} has no part {COVER}, which says the period")


def _check_table(row: Row, names: set[str]) -> Iterator[PlanFault]:
    """A table of figures has them, says what they are about, and in each row whose they are or in none."""
    layout = row["layout"]
    if "actual" not in names:
        yield row.fault("part", f"{layout} has no column actual in {_COLUMNS}, so no figure could be read")
    if not names & _NAMING:
        yield row.fault("part", f"{layout} has none of the columns {', '.join(sorted(_NAMING))} in {_COLUMNS}")
    if (_FLAT in names) != bool(names & _OWNING):
        yield row.fault(
            "part", f"{layout} has only one of partner and {_FLAT} in {_COLUMNS}: rows say both, or neither"
        )
    elif _FLAT in names and row["kind"] != SheetKind.TABLE:
        message = f"{quoted(row['kind'])} is no kind of a table whose rows say their period: it is table"
        yield row.fault("kind", message)


def _says_period(sheet: Row, columns: Sequence[Row]) -> bool:
    labels = [row for row in columns if (row["layout"], row["part"]) == (sheet["layout"], sheet["part"])]
    said = {name for row in labels for name in (row["column"], *_PLACEHOLDER.findall(row["heading"]))}
    return bool({"period", "period_end"} & said) or {"year", "quarter"} <= said


def _check_headings(columns: Sequence[Row]) -> Iterator[PlanFault]:
    """No heading, however people type it, is that of two columns of a sheet."""
    merged = _after(builtin_rows("columns.csv"), columns, ("layout", "part", "column"))
    sheets: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for cells in merged:
        sheets.setdefault((cells["layout"], cells["part"]), []).append(cells)
    rows = {id(row.cells): row for row in columns}
    for brought in sheets.values():
        for one, other in combinations(brought, 2):
            row = rows.get(id(other)) or rows.get(id(one))
            if row is not None and (shared := _headings(one) & _headings(other)):
                twin = one if row.cells is other else other
                message = f"{quoted(min(shared)[0])} is also a heading of the column {twin['column']}"
                yield row.fault("heading", message)


def _headings(row: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(text, normalise_heading(row["group"]) if "{" in row["group"] else "") for text in _spelt(row)}


def _spelt(row: Mapping[str, str]) -> list[str]:
    return [normalise_heading(text) for text in (row["heading"], *filter(None, row["spellings"].split("|")))]
