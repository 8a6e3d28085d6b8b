"""Tells which layout a workbook has: one that the plan brings, a built-in return, or the published table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cypp_etl.intake.labels import read_cover, read_labelled_figures
from cypp_etl.intake.tables import Table, find_header, find_sheet, find_sheets, read_table
from cypp_etl.layout import INDICATORS, PUBLISHED, RETURN, Layout, SheetLayout, published_table
from cypp_etl.workbook.model import Sheet, Workbook
from schemas.codes import SheetKind

# Of what a layout asks for, a workbook must have so much to be one with faults.
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How far a workbook has what a layout asks for: the required columns that were found, and those that were not.

    `size` counts all that were found; `has_figures` says that the figures' column is among them.
    """

    layout: Layout
    found: int
    missing: tuple[str, ...]
    size: int
    has_figures: bool

    @property
    def share(self) -> float:
        """The share of the required columns that were found."""
        return self.found / (self.found + len(self.missing)) if self.found else 0.0

    @property
    def rank(self) -> tuple[float, int, int]:
        """What the likeliest layout has most of: required columns, a partner of its own, columns."""
        return self.share, bool(self.layout.partner_code), self.size


@dataclass(frozen=True, slots=True)
class Recognised:
    """The layout of a workbook, None if it has none that is known; `table` is the published table in it.

    `resemblances` are what was looked for of the plan's own layouts.
    """

    layout: Layout | None
    table: Table | None = None
    resemblances: tuple[Resemblance, ...] = field(default=())


def recognise(workbook: Workbook, layouts: Mapping[str, Layout], folder_partner: str) -> Recognised:
    """The layout of a workbook from a partner's folder, or from nobody's.

    A layout that the plan brings comes first where the workbook has all that it asks for; failing that, it is what the
    workbook has most of, and at least half of, so that one missing heading is a finding and not another layout.
    """
    # Every return that we wrote has a hidden sheet that identifies it.
    if find_sheet(workbook, layouts[RETURN].part("meta")):
        return Recognised(layouts[RETURN] if _looks_like_return(workbook, layouts[RETURN]) else None)
    own = tuple(_own_resemblances(workbook, layouts, folder_partner))
    likeliest = max((one for one in own if one.has_figures), key=lambda one: one.rank, default=None)
    if likeliest is not None and not likeliest.missing:
        return Recognised(likeliest.layout, resemblances=own)
    if table := _find_published_table(workbook, published_table(layouts)):
        return Recognised(layouts[PUBLISHED], table, own)
    is_return = _looks_like_return(workbook, layouts[RETURN])
    is_likely = likeliest is not None and likeliest.share >= _LEAST_SHARE
    if likeliest and is_likely and not (is_return and _resemblance(workbook, layouts[RETURN]).share >= likeliest.share):
        return Recognised(likeliest.layout, resemblances=own)
    return Recognised(layouts[RETURN] if is_return else None, resemblances=own)


def _own_resemblances(workbook: Workbook, layouts: Mapping[str, Layout], folder_partner: str) -> Iterator[Resemblance]:
    """How far the workbook has each layout of the plan's own that its partner may use."""
    for layout in layouts.values():
        is_own = layout.is_return and layout.layout != RETURN
        if is_own and (not folder_partner or layout.partner_code in ("", folder_partner)):
            yield _resemblance(workbook, layout)


def _resemblance(workbook: Workbook, layout: Layout) -> Resemblance:
    found, missing, size = 0, [], 0
    has_figures = False
    for part in layout.sheets:
        if part.is_hidden:
            continue
        names = max((_names_on(sheet, part) for sheet in find_sheets(workbook, part)), key=len, default=frozenset())
        size += len(names)
        if part.part == INDICATORS:
            has_figures = bool(names) if part.kind is SheetKind.ANYWHERE else "actual" in names
        for column in part.columns:
            if column.is_required:
                is_found = column.column in names
                found += is_found
                missing += [] if is_found else [f"{part.sheet}: {column.heading}"]
    return Resemblance(layout, found, tuple(missing), size, has_figures)


def _names_on(sheet: Sheet, part: SheetLayout) -> frozenset[str]:
    """The columns or labels of a part that a sheet has."""
    if part.kind is SheetKind.ANYWHERE and part.part == INDICATORS:
        return frozenset(name for name, _ in read_labelled_figures(sheet, part))
    if part.kind in (SheetKind.LABELS, SheetKind.ANYWHERE):
        return frozenset(read_cover(sheet, part))
    header = find_header(sheet, part)
    if header is None:
        return frozenset()
    return frozenset([*header.known, *(column.name for column in header.dated)])


def _looks_like_return(workbook: Workbook, layout: Layout) -> bool:
    """A return has a cover, or two of its other sheets; one missing sheet is a finding, not another layout."""
    found = {part.part for part in layout.sheets if find_sheet(workbook, part)}
    return "cover" in found or len(found) >= 2


def _find_published_table(workbook: Workbook, part: SheetLayout) -> Table | None:
    """The published table, on any sheet: other people's workbooks may name it as they like.

    No other built-in table has headings with years; a table without some columns is recognised by half of the others.
    """
    sheets = sorted(workbook.sheets, key=lambda sheet: not part.is_named(sheet.name))
    tables = (table for sheet in sheets if (table := read_table(sheet, part)) is not None)
    return next((table for table in tables if table.year and len(table.columns) * 2 >= len(part.columns)), None)
