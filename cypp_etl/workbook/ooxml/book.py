"""Reads Office Open XML workbooks (`.xlsx`, `.xlsm`, `.xltx`, transitional or strict) from their parts."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from cypp_etl.gc_control import collection_paused
from cypp_etl.workbook.limits import damaged, too_large, unless_damaged
from cypp_etl.workbook.markup import Attributes, find_elements
from cypp_etl.workbook.model import Sheet, UnreadableWorkbook, Workbook
from cypp_etl.workbook.ooxml.comments import read_comments
from cypp_etl.workbook.ooxml.shared_strings import read_shared_strings
from cypp_etl.workbook.ooxml.sheet import SheetReader
from cypp_etl.workbook.ooxml.sheet_extras import TRUE
from cypp_etl.workbook.package import Package, Relationship
from cypp_etl.workbook.part_cache import work_out
from cypp_etl.workbook.sniff import workbook_part
from cypp_etl.workbook.styles import GENERAL_STYLE, Style, read_styles

_LISTED = frozenset({"sheet", "workbookPr", "calcPr"})
# XlsxWriter's result of every formula, with a request to calculate it when the file is opened.
_PLACEHOLDER = 0.0
# The version of Excel's calculation engine that such libraries claim. A program that does calculate formulas gives its
# own version, or lists them in calculation order: its zeros are results, whatever it requests.
_LIBRARY = "124519"
_WITHOUT_CELLS = frozenset({"chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet"})


class _Entry(NamedTuple):
    """A sheet in the workbook's list: its part, the targets of its links by id, and the parts of its comments."""

    name: str
    is_hidden: bool
    part: str
    targets: Mapping[str, str]
    comments: tuple[str, ...]


class OoxmlBook:
    """A workbook whose sheets are listed, and read one by one, so that they need not be in memory at once."""

    def __init__(self, package: Package) -> None:
        part = workbook_part(package)
        if part is None:
            raise damaged("the part that lists its sheets is missing")
        self._package = package
        self._links = package.relationships(part)
        listed = work_out(find_elements, package.listing(part), package.spent, _LISTED)
        self._is_1904 = any(element.attributes.get("date1904") in TRUE for element in listed)
        was_worked_out = any(link.kind == "calcChain" for link in self._links.values())
        is_to_be_worked_out = any(
            element.attributes.get("fullCalcOnLoad") in TRUE and element.attributes.get("calcId", _LIBRARY) == _LIBRARY
            for element in listed
        )
        self._placeholder = _PLACEHOLDER if is_to_be_worked_out and not was_worked_out else None
        self._entries = self._with_cells([element.attributes for element in listed if element.parent == "sheets"])

    @property
    def size(self) -> int:
        """The unpacked size of the parts that take time: the cells and their texts."""
        return self._package.size(self._large_parts())

    def refuse_volume(self) -> None:
        """Refuse, at little cost, a workbook with more content than is read."""
        self._package.refuse_volume(self._large_parts())

    def head(self) -> Workbook:
        """The workbook without its sheets."""
        kinds = {link.kind for link in self._links.values()}
        return Workbook(
            "xlsx",
            [],
            has_macros="vbaProject" in kinds,
            has_external_links="externalLink" in kinds,
            has_pivot_caches="pivotCacheDefinition" in kinds,
        )

    def read(self, begin: Callable[[str, bool], Sheet], end: Callable[[Sheet], None]) -> None:
        """Read all sheets: each into the result of `begin` for its name and visibility, then call `end`."""
        styles = self._read_styles()
        strings = self._lazy_strings()
        with collection_paused():
            for name, is_hidden, part, targets, comments in self._entries:
                sheet = begin(name, is_hidden)
                spent, placeholder = self._package.spent, self._placeholder
                reader = SheetReader(sheet, styles, strings, targets, spent, placeholder=placeholder)
                reader.read(self._package.chunks(part))
                for each in comments:
                    with unless_damaged():
                        sheet.comments |= read_comments(self._package.chunks(each), self._package.spent)
                end(sheet)

    def _with_cells(self, listed: list[Attributes]) -> list[_Entry]:
        limits = self._package.spent.limits
        if len(listed) > limits.sheets:
            raise too_large(f"it has more than {limits.sheets} sheets")
        # A sheet without a part is a macro module from the time of Excel 95.
        links = [(entry, self._sheet_link(key)) for entry in listed if (key := entry.get("r:id"))]
        found = [(entry, link.target) for entry, link in links if link.kind not in _WITHOUT_CELLS]
        if not found:
            raise UnreadableWorkbook("workbook-no-sheets")
        if len({entry.get("name", "").casefold() for entry, _ in found}) < len(found):
            raise damaged("two of its sheets have the same name")
        return [self._entry(entry, part) for entry, part in found]

    def _entry(self, attributes: Attributes, part: str) -> _Entry:
        links: Mapping[str, Relationship] = {}
        with unless_damaged():
            links = self._package.relationships(part)
        targets = {key: link.target for key, link in links.items() if link.is_external}
        comments = (link.target for link in links.values() if link.kind == "comments" and link.target in self._package)
        is_hidden = attributes.get("state", "visible") != "visible"
        return _Entry(attributes.get("name", ""), is_hidden, part, targets, tuple(comments))

    def _sheet_link(self, key: str) -> Relationship:
        link = self._links.get(key)
        if link is None:
            raise damaged("a sheet that it lists is missing")
        return link

    def _large_parts(self) -> list[str]:
        strings = self._part_of_kind("sharedStrings")
        read = [part for entry in self._entries for part in (entry.part, *entry.comments)]
        return [*read, strings] if strings else read

    def _part_of_kind(self, kind: str) -> str | None:
        targets = (link.target for link in self._links.values() if link.kind == kind)
        return next((target for target in targets if target in self._package), None)

    def _read_styles(self) -> Mapping[str | None, Style]:
        part = self._part_of_kind("styles")
        if part is None:
            return {None: GENERAL_STYLE}
        return read_styles(self._package.listing(part), self._package.spent, is_1904=self._is_1904)

    def _lazy_strings(self) -> Callable[[], list[str]]:
        @cache
        def strings() -> list[str]:
            part = self._part_of_kind("sharedStrings")
            if part is None:
                raise damaged("the part that holds its texts is missing")
            return read_shared_strings(self._package.chunks(part), self._package.spent)

        return strings
