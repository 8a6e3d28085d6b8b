"""Reads one sheet of an Office Open XML workbook in a single pass: the performance-critical part of the reader."""

from collections.abc import Callable, Iterable, Mapping

from cypp_etl.workbook.addresses import parse_address, whole_number
from cypp_etl.workbook.limits import Spent, damaged
from cypp_etl.workbook.markup import Attributes, Handlers, parse
from cypp_etl.workbook.model import Cell, CellKind, Sheet
from cypp_etl.workbook.ooxml.fast_path import PlainElements, set_apart
from cypp_etl.workbook.ooxml.fast_rows import TWO_IN_ONE_PLACE, plain_rows, read_rows
from cypp_etl.workbook.ooxml.shared_strings import RichText, text_at, unescape
from cypp_etl.workbook.ooxml.sheet_extras import TRUE, AroundCells
from cypp_etl.workbook.ooxml.validations import without_asides
from cypp_etl.workbook.styles import GENERAL_STYLE, Style
from cypp_etl.workbook.values import Value, boolean_value, error_value, iso_date_value, number_value

_DIGITS = "0123456789"
_ROW_ENDS = frozenset({"row", "sheetData"})
_new_tuple = tuple.__new__


class SheetReader:
    """Handles one sheet part and fills in a Sheet.

    `strings` returns the shared texts, and is called only if a cell refers to one: a workbook need not have any.
    `targets` are as in `AroundCells`. A formula whose result is the `placeholder` was never calculated.
    """

    __slots__ = (
        "_build",
        "_builders",
        "_cells",
        "_cells_before",
        "_closed",
        "_column",
        "_columns",
        "_depth_of_rows",
        "_in_text",
        "_is_formula",
        "_opened",
        "_openers",
        "_placeholder",
        "_raw",
        "_rich",
        "_row",
        "_row_digits",
        "_sheet",
        "_spent",
        "_strings",
        "_style",
        "_styles",
        "_texts",
    )

    def __init__(
        self,
        sheet: Sheet,
        styles: Mapping[str | None, Style],
        strings: Callable[[], list[str]],
        targets: Mapping[str, str],
        spent: Spent,
        *,
        placeholder: float | None = None,
    ) -> None:
        self._sheet = sheet
        self._placeholder = placeholder
        self._styles = styles
        self._strings = strings
        self._spent = spent
        self._builders: dict[str, Callable[[str, Style], Value]] = {
            "n": number_value,
            "s": self._shared_text,
            "str": self._plain_text,
            "inlineStr": self._plain_text,
            "b": boolean_value,
            "e": error_value,
            "d": iso_date_value,
        }
        self._openers = self._start_listeners() | AroundCells(sheet, targets, spent).start_listeners()
        self._texts: list[str] = []
        self._rich = RichText()
        self._in_text = False
        self._depth_of_rows = 0
        self._opened = self._closed = 0
        self._row = self._column = 0
        self._row_digits = ""
        self._cells: dict[int, Cell] = {}
        self._cells_before = 0
        self._columns: dict[str, int] = {}
        self._raw: str | None = None
        self._build: Callable[[str, Style], Value] = number_value
        self._style = GENERAL_STYLE
        self._is_formula = False

    def _start_listeners(self) -> dict[str, Callable[[Attributes], None]]:
        return {"f": self._start_formula, "is": self._start_text, "sheetData": self._start_rows, "row": self._start_row}

    def read(self, chunks: Iterable[bytes]) -> None:
        """Read the whole part."""
        handlers = Handlers(self._start, self._end, self._texts, lambda: (self._opened, self._closed))
        plain = PlainElements("<row ", "</row>", plain_rows, self._may_have_rows, self._take_rows)
        parse(without_asides(set_apart(chunks, plain), self._is_below_root, self._spent), handlers, self._spent)
        # They refer back to this reader, which would keep the cells until the next garbage collection.
        self._builders.clear()
        self._openers.clear()

    def _start(self, name: str, attributes: Attributes) -> None:
        self._opened += 1
        self._texts.clear()
        if name == "c":
            address = attributes.get("r")
            if address is None:
                self._column += 1
            else:
                letters = address.rstrip(_DIGITS)
                column = self._columns.get(letters)
                if column is None or address[len(letters) :] != self._row_digits:
                    column = self._find(address)
                self._column = column
            self._build = self._builders.get(attributes.get("t", "n"), error_value)
            self._style = self._styles.get(attributes.get("s"), GENERAL_STYLE)
            self._raw = None
            self._is_formula = False
        elif name == "v":
            return
        elif self._in_text:
            self._rich.start(name, attributes)
        elif name in self._openers:
            self._openers[name](attributes)

    def _end(self, name: str) -> None:
        self._closed += 1
        if name == "v":
            texts = self._texts
            self._raw = texts[0] if len(texts) == 1 else "".join(texts)
        elif name == "c":
            raw = self._raw
            is_formula = self._is_formula
            if raw is not None:
                kind, value = self._result(raw) if is_formula else self._build(raw, self._style)
                if value is None and not is_formula:
                    return
                if kind is CellKind.ERROR:
                    self._spent.add_text(raw)
            elif is_formula:
                kind, value = CellKind.BLANK, None
            else:
                return
            column = self._column
            if column in self._cells:
                raise damaged(TWO_IN_ONE_PLACE)
            # What `Cell` does, without its call.
            parts = (self._row, column, kind, value, self._style.number_format, is_formula)
            self._cells[column] = _new_tuple(Cell, parts)
        elif name == "is":
            self._in_text = False
            self._raw = self._rich.take()
            self._build = self._plain_text
        elif self._in_text:
            self._rich.end(name, self._texts)
        elif name in _ROW_ENDS:
            self._keep_row()
            if name == "sheetData":
                self._depth_of_rows = -1

    def _result(self, raw: str) -> Value:
        """The result of a formula, if it was calculated."""
        found = self._build(raw, self._style)
        return (CellKind.BLANK, None) if found[1] == self._placeholder else found

    def _start_formula(self, _attributes: Attributes) -> None:
        self._is_formula = True

    def _start_text(self, _attributes: Attributes) -> None:
        self._in_text = True

    def _start_rows(self, _attributes: Attributes) -> None:
        self._depth_of_rows = self._depth_of_rows or self._opened - self._closed

    def _is_below_root(self) -> bool:
        return self._opened - self._closed == 1

    def _may_have_rows(self) -> bool:
        """Whether the parser is directly within the first list of rows, where names have their usual meaning."""
        return self._opened - self._closed == self._depth_of_rows

    def _take_rows(self, rows: str) -> None:
        """Add plain rows, as if the parser had read them."""
        self._keep_row()
        known, spent = self._sheet.rows, self._spent
        for row, cells in read_rows(
            rows, self._styles, self._strings, self._builders, spent, placeholder=self._placeholder
        ):
            spent.add_row_element()
            self._check_row(row)
            before = known.get(row) or {}
            if before.keys() & cells.keys():
                raise damaged(TWO_IN_ONE_PLACE)
            self._cells = before | cells if before else cells
            if cells:
                spent.add_cells(len(cells))
                known[row] = self._cells
            self._row = row
        self._row_digits, self._cells_before = str(self._row), len(self._cells)
        elements = rows.count("<") - rows.count("</")
        self._opened, self._closed = self._opened + elements, self._closed + elements

    def _start_row(self, attributes: Attributes) -> None:
        digits = attributes.get("r")
        row = self._row + 1 if digits is None else whole_number(digits)
        self._begin_row(row)
        if attributes.get("hidden") in TRUE:
            self._sheet.hidden_rows.add(row)

    def _begin_row(self, row: int) -> None:
        self._spent.add_row_element()
        self._check_row(row)
        self._open_row(row)

    def _check_row(self, row: int) -> None:
        if not 1 <= row <= self._spent.limits.rows:
            raise damaged("a row has a number beyond the end of the sheet")

    def _open_row(self, row: int) -> None:
        self._keep_row()
        self._row = row
        self._row_digits = str(row)
        # The file may have had this row before.
        self._cells = self._sheet.rows.get(row) or {}
        self._cells_before = len(self._cells)

    def _keep_row(self) -> None:
        if self._column > self._spent.limits.columns:
            raise damaged("a row has more cells than a sheet has columns")
        self._column = 0
        if len(self._cells) > self._cells_before:
            if not self._row:
                raise damaged("a cell is in no row")
            self._sheet.rows[self._row] = self._cells
            self._spent.add_cells(len(self._cells) - self._cells_before)
            self._cells_before = len(self._cells)

    def _find(self, address: str) -> int:
        """The column of an address whose column is new, or whose row is not the current one."""
        row, column = parse_address(address, self._spent.limits)
        self._columns[address.rstrip(_DIGITS)] = column
        if row != self._row:
            self._open_row(row)
        return column

    def _shared_text(self, raw: str, _style: Style) -> Value:
        return (CellKind.TEXT, text_at(self._strings(), whole_number(raw))) if raw else (CellKind.BLANK, None)

    def _plain_text(self, raw: str, _style: Style) -> Value:
        text = unescape(raw)
        self._spent.add_text(text)
        return CellKind.TEXT, text
