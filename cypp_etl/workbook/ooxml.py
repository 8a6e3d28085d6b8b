"""Reads Office Open XML workbooks (`.xlsx`, `.xlsm`, `.xltx`, transitional or strict) from their parts."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from cypp_etl.workbook.cells import SheetReader
from cypp_etl.workbook.guards import damaged, too_large
from cypp_etl.workbook.markup import Attributes, find_elements
from cypp_etl.workbook.model import Sheet, UnreadableWorkbook, Workbook
from cypp_etl.workbook.package import Package, Relationship
from cypp_etl.workbook.sniff import workbook_part
from cypp_etl.workbook.strings import read_shared_strings
from cypp_etl.workbook.styles import GENERAL_STYLE, Style, read_styles

_LISTED = frozenset({"sheet", "workbookPr"})
_WITHOUT_CELLS = frozenset({"chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet"})


def read_ooxml(package: Package) -> Workbook:
    """The workbook in a package that has a workbook part."""
    part = workbook_part(package)
    if part is None:
        raise damaged("the part that lists its sheets is missing")
    listed = find_elements(package.chunks(part), _LISTED, package.spent)
    links = package.relationships(part)
    is_1904 = any(element.attributes.get("date1904") in {"1", "true"} for element in listed)
    entries = [element.attributes for element in listed if element.parent == "sheets"]
    if len(entries) > package.spent.limits.sheets:
        raise too_large(f"it has more than {package.spent.limits.sheets} sheets")
    styles = _read_styles(package, links, is_1904=is_1904)
    strings = _lazy_strings(package, links)
    with _collection_paused():
        sheets = [
            _read_sheet(package, entry, link, styles, strings)
            for entry in entries
            if (link := _sheet_link(entry, links)).kind not in _WITHOUT_CELLS
        ]
    if not sheets:
        raise UnreadableWorkbook("workbook-no-sheets")
    kinds = {link.kind for link in links.values()}
    return Workbook("xlsx", sheets, has_macros="vbaProject" in kinds, has_external_links="externalLink" in kinds)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Cells are many and never in a cycle: to look for one among them, over and over, takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _sheet_link(entry: Attributes, links: dict[str, Relationship]) -> Relationship:
    link = links.get(entry.get("r:id", ""))
    if link is None:
        raise damaged("a sheet that it lists is missing")
    return link


def _read_sheet(
    package: Package,
    entry: Attributes,
    link: Relationship,
    styles: dict[str | None, Style],
    strings: Callable[[], list[str]],
) -> Sheet:
    sheet = Sheet(entry.get("name", ""), is_hidden=entry.get("state", "visible") != "visible")
    SheetReader(sheet, styles, strings, package.spent).read(package.chunks(link.target))
    return sheet


def _part_of_kind(package: Package, links: dict[str, Relationship], kind: str) -> str | None:
    return next((link.target for link in links.values() if link.kind == kind and link.target in package), None)


def _read_styles(package: Package, links: dict[str, Relationship], *, is_1904: bool) -> dict[str | None, Style]:
    part = _part_of_kind(package, links, "styles")
    if part is None:
        return {None: GENERAL_STYLE}
    return read_styles(package.chunks(part), package.spent, is_1904=is_1904)


def _lazy_strings(package: Package, links: dict[str, Relationship]) -> Callable[[], list[str]]:
    @cache
    def strings() -> list[str]:
        part = _part_of_kind(package, links, "sharedStrings")
        if part is None:
            raise damaged("the part that holds its texts is missing")
        return read_shared_strings(package.chunks(part), package.spent)

    return strings
