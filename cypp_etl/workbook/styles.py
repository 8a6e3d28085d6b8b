"""The number format of each cell style, and so the kind of its numbers."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cypp_etl.workbook.formats import BUILTIN_FORMATS, GENERAL, has_calendar, is_date
from cypp_etl.workbook.limits import Spent, damaged
from cypp_etl.workbook.markup import find_elements
from cypp_etl.workbook.model import CellKind
from cypp_etl.workbook.ooxml.shared_strings import unescape
from cypp_etl.workbook.part_cache import work_out

DAYS_FROM_1900_TO_1904 = 1462.0
_LONGEST_FORMAT = 4096


class Style(NamedTuple):
    """A number format, the kind of its numbers, and the days to add to convert its dates to the 1900 system."""

    number_format: str
    kind: CellKind
    shift: float


GENERAL_STYLE = Style(GENERAL, CellKind.NUMBER, 0.0)


def style_of(number_format: str, *, is_1904: bool) -> Style:
    """Interpret a number format."""
    kind = CellKind.DATE if is_date(number_format) else CellKind.NUMBER
    # A time of day or a duration has no epoch.
    shift = DAYS_FROM_1900_TO_1904 if is_1904 and has_calendar(number_format) else 0.0
    return Style(number_format, kind, shift)


def read_styles(chunks: Iterable[bytes], spent: Spent, *, is_1904: bool) -> Mapping[str | None, Style]:
    """The styles by their index, as text as in cells; None is for cells without a style."""
    return work_out(_parse_styles, chunks, spent, is_1904)


def _parse_styles(chunks: Iterable[bytes], spent: Spent, is_1904: bool) -> Mapping[str | None, Style]:
    formats = {str(number): code for number, code in BUILTIN_FORMATS.items()}
    styles: dict[str | None, Style] = {None: GENERAL_STYLE}
    found = find_elements(chunks, spent, frozenset({"numFmt", "xf"}))
    for parent, _, attributes in found:
        if parent == "numFmts":
            code = unescape(attributes.get("formatCode", "")) or GENERAL
            if len(code) > _LONGEST_FORMAT:
                raise damaged("a number format is longer than Excel allows")
            formats[attributes.get("numFmtId", "")] = code
    cell_styles = (element.attributes for element in found if element.parent == "cellXfs")
    for index, attributes in enumerate(cell_styles):
        code = formats.get(attributes.get("numFmtId", "0"), GENERAL)
        styles[str(index)] = style_of(code, is_1904=is_1904)
    # By the standard, cells without a style have the first.
    styles[None] = styles.get("0", GENERAL_STYLE)
    return styles
