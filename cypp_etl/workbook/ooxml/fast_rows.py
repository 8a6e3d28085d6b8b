"""The plain form of a sheet's rows, in which Excel and LibreOffice write nearly all of them, and their cells."""

import re
from collections.abc import Callable, Iterator, Mapping

from cypp_etl.workbook.addresses import column_number
from cypp_etl.workbook.limits import Spent, damaged
from cypp_etl.workbook.model import Cell, CellKind
from cypp_etl.workbook.ooxml.fast_path import PLAIN_CHARACTERS
from cypp_etl.workbook.ooxml.shared_strings import BLANKS, text_at
from cypp_etl.workbook.styles import GENERAL_STYLE, Style
from cypp_etl.workbook.values import Value

TWO_IN_ONE_PLACE = "it has two cells in one place"

# Attributes in the order in which Excel writes them; a hidden row does not match.
_NUMBERS = "[0-9.:]*"
_FLAG = "(?:[01]|true|false)"
_ROW_ATTRIBUTES = "".join(
    f'(?: {name}="{values}")?'
    for name, values in (
        ("spans", "[0-9: ]*"),
        ("s", _NUMBERS),
        ("customFormat", _FLAG),
        ("ht", _NUMBERS),
        ("hidden", "(?:0|false)"),
        ("customHeight", _FLAG),
        ("outlineLevel", _NUMBERS),
        ("collapsed", _FLAG),
        ("thickTop", _FLAG),
        ("thickBot", _FLAG),
    )
)
# Letters up to the last column, XFD.
_LETTERS = "(?:[A-Z]{1,2}|[A-W][A-Z]{2}|X[A-E][A-Z]|XF[A-D])"
# A number is the usual case, and is passed over faster than any text.
_RESULT = f"(?:<v>(?:[0-9.]++|{PLAIN_CHARACTERS})</v>|<v ?/>)</c>"
# The formula itself is not read, nor the other cells that share it.
_FORMULA_ATTRIBUTES = "".join(
    f'(?: {name}="{values}")?'
    for name, values in (
        ("t", "(?:normal|array|shared)"),
        ("aca", _FLAG),
        ("ref", "[A-Z0-9:]*"),
        ("ca", _FLAG),
        ("si", "[0-9]+"),
    )
)
_FORMULA = f"<f{_FORMULA_ATTRIBUTES}(?: ?/>|>{PLAIN_CHARACTERS}</f>){_RESULT}"
_OWN_TEXT = f'<is><t(?: xml:space="preserve")?>{PLAIN_CHARACTERS}</t></is></c>'
_EMPTY = "(?: ?/>|></c>)"
# By the cell's type: a shared text, a value or formula, a text of its own. What matched is not tried in another way.
_CONTENT = (
    rf'(?: t="s"(?:><v>[0-9]{{1,9}}+</v></c>|{_EMPTY})'
    rf'|(?: t="(?:n|b|e|str)")?+(?:>{_RESULT}|{_EMPTY}|>{_FORMULA})'
    rf'| t="inlineStr"(?:>{_OWN_TEXT}|{_EMPTY}))'
)


def _rows(row_attributes: str) -> re.Pattern[str]:
    # Each cell must name its own row.
    cell = rf'<c r="{_LETTERS}(?P=row)"(?: s="[0-9]++")?+{_CONTENT}'
    return re.compile(rf'(?:<row r="(?P<row>[1-9][0-9]{{0,6}})"{row_attributes}>(?:{cell})*+</row>)++')


_ROWS = _rows(_ROW_ATTRIBUTES)
_ROWS_OF_EXCEL = _rows(_ROW_ATTRIBUTES + '(?: x14ac:dyDescent="[0-9.]*")?')

# The number of each row; or letters, style and type of each cell that has a value, the tags of its formula or of its
# own text, and the value.
_FILLED = re.compile(
    r'<row r="([0-9]++)|<c r="([A-Z]++)[0-9]++"(?: s="([0-9]++)")?+(?: t="([A-Za-z]++)")?+>'
    r"(?:<v>|(<f[^>]*>(?:[^<]*</f>)?(?:<v>)?|<is><t[^>]*>))([^<]*+)"
)
_TRIMMED = "<is><t>"
_TEXT, _ERROR = CellKind.TEXT, CellKind.ERROR
_new_tuple = tuple.__new__


def plain_rows(before: bytes) -> re.Pattern[str] | None:
    """The pattern of plain rows after the beginning of a sheet."""
    # Only without a prefix do they share the namespace of their parent.
    if not before.endswith(b"<sheetData>"):
        return None
    return _ROWS_OF_EXCEL if b' xmlns:x14ac="' in before else _ROWS


def read_rows(
    rows: str,
    styles: Mapping[str | None, Style],
    strings: Callable[[], list[str]],
    builders: Mapping[str, Callable[[str, Style], Value]],
    spent: Spent,
    *,
    placeholder: float | None = None,
) -> Iterator[tuple[int, dict[int, Cell]]]:
    """The number of each plain row, and its cells by their columns.

    `builders` converts all values except shared texts; `placeholder` is as in `SheetReader`.
    """
    row, cells, texts = 0, dict[int, Cell](), None
    for digits, letters, style_id, kind_id, tags, raw in _FILLED.findall(rows):
        if digits:
            if row:
                yield row, cells
            row, cells = int(digits), {}
            continue
        style = styles.get(style_id or None, GENERAL_STYLE)
        is_formula = False
        if kind_id != "s":
            if tags:
                is_formula = tags.startswith("<f")
                raw = raw.strip(BLANKS) if tags == _TRIMMED else raw  # noqa: PLW2901
            kind, value = builders[kind_id or "n"](raw, style)
            if is_formula and value == placeholder:
                kind, value = CellKind.BLANK, None
            if value is None and not is_formula:
                continue
            if kind is _ERROR:
                spent.add_text(raw)
        else:
            texts = strings() if texts is None else texts
            kind, value = _TEXT, text_at(texts, int(raw))
        column = column_number(letters)
        if column in cells:
            raise damaged(TWO_IN_ONE_PLACE)
        # The same as `Cell(...)`, without the call.
        cells[column] = _new_tuple(Cell, (row, column, kind, value, style.number_format, is_formula))
    yield row, cells
