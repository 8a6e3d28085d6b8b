"""Reads the sheets of an OpenDocument spreadsheet in a single pass, within the limits for every file."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable

from cypp_etl.workbook.limits import Spent, damaged, too_large
from cypp_etl.workbook.markup import TEXT_OF_OPEN_DOCUMENT, Attributes, Handlers, parse
from cypp_etl.workbook.model import Cell, CellKind, Sheet, column_letters
from cypp_etl.workbook.opendocument.styles import STYLE_NAMES, OpenDocumentStyles
from cypp_etl.workbook.opendocument.values import count_of, number_format_of, value_of

_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})
_HIDDEN = frozenset({"collapse", "filter"})
_BLANKS = re.compile(r"[ \t\r\n]+")
_OUTSIDE = "'file:"


class SheetsReader:
    """Handles the content of a spreadsheet, and fills in one sheet after another.

    An element within a cell that is not text (a drawing, a form) is skipped with its content.
    """

    def __init__(
        self,
        styles: OpenDocumentStyles,
        begin: Callable[[str, bool], Sheet],
        end: Callable[[Sheet], None],
        spent: Spent,
    ) -> None:
        self.names: set[str] = set()
        self.has_external_links = False
        self._styles, self._begin_sheet, self._end_sheet = styles, begin, end
        self._spent, self._limits = spent, spent.limits
        self._texts: list[str] = []
        self._opened = self._closed = self._left_out = 0
        self._sheet: Sheet | None = None
        self._row = self._column = self._rows_alike = 0
        self._is_row_hidden = False
        # The default styles of cells: the row's, and the columns', each with its last column.
        self._row_style = ""
        self._column_ends: list[int] = []
        self._column_styles: list[str] = []
        self._cells: dict[int, Cell] = {}
        self._cell: Attributes | None = None
        self._in_paragraph = self._in_comment = False
        self._pieces: list[str] = []
        self._paragraphs: list[str] = []
        self._comment: list[str] = []
        self._starts: dict[str, Callable[[Attributes], None]] = {
            "table:table": self._start_sheet,
            "table:table-column": self._start_columns,
            "table:table-row": self._start_row,
            **dict.fromkeys(_CELLS, self._start_cell),
        }
        self._within_cell: dict[str, Callable[[Attributes], None]] = {
            "text:p": self._start_paragraph,
            "text:a": self._add_link,
            "text:s": self._add_spaces,
            "text:tab": lambda _: self._pieces.append("\t"),
            "text:line-break": lambda _: self._pieces.append("\n"),
            "office:annotation": self._start_comment,
        }
        self._ends: dict[str, Callable[[], None]] = {
            "text:p": self._end_paragraph,
            "office:annotation": self._end_comment,
            "table:table": self._end_of_sheet,
            "table:table-row": self._end_row,
            **dict.fromkeys(_CELLS, self._end_cell),
        }

    def read(self, chunks: Iterable[bytes]) -> None:
        """Read the whole part."""
        handlers = Handlers(self._start, self._end, self._texts, lambda: (self._opened, self._closed))
        parse(chunks, handlers, self._spent)

    def _start(self, name: str, attributes: Attributes) -> None:
        self._opened += 1
        self._take_texts()
        if self._left_out:
            self._left_out += 1
        elif self._cell is not None:
            if listener := self._within_cell.get(name):
                listener(attributes)
            elif not name.startswith(TEXT_OF_OPEN_DOCUMENT):
                self._left_out = 1
        elif listener := self._starts.get(name):
            listener(attributes)
        elif name in STYLE_NAMES:
            self._styles.start(name, attributes)

    def _end(self, name: str) -> None:
        self._closed += 1
        self._take_texts()
        if self._left_out:
            self._left_out -= 1
        elif listener := self._ends.get(name):
            listener()

    def _take_texts(self) -> None:
        if self._texts:
            if self._in_paragraph and not self._left_out:
                self._pieces.append(_BLANKS.sub(" ", "".join(self._texts)))
            self._texts.clear()

    def _start_sheet(self, attributes: Attributes) -> None:
        name = attributes.get("table:name", "")
        if self._sheet is not None or name.startswith(_OUTSIDE):
            # Cached content of another workbook that formulas refer to; a table in a table is not a sheet either.
            self.has_external_links |= name.startswith(_OUTSIDE)
            self._left_out = 1
            return
        if name.casefold() in self.names:
            raise damaged("two of its sheets have the same name")
        self.names.add(name.casefold())
        if len(self.names) > self._limits.sheets:
            raise too_large(f"it has more than {self._limits.sheets} sheets")
        self._sheet = self._begin_sheet(name, attributes.get("table:style-name") in self._styles.hidden_sheets)
        self._row = self._column = self._rows_alike = 0
        self._column_ends.clear()
        self._column_styles.clear()

    def _end_of_sheet(self) -> None:
        if self._sheet is not None:
            self._end_sheet(self._sheet)
            self._sheet = None

    def _start_columns(self, attributes: Attributes) -> None:
        first, self._column = self._column + 1, self._column + count_of(attributes, "table:number-columns-repeated")
        if self._column > self._limits.columns:
            raise damaged("a sheet has more columns than there can be")
        self._column_ends.append(self._column)
        self._column_styles.append(attributes.get("table:default-cell-style-name", ""))
        if self._sheet is not None and attributes.get("table:visibility") in _HIDDEN:
            self._sheet.hidden_columns.update(range(first, self._column + 1))

    def _start_row(self, attributes: Attributes) -> None:
        self._spent.add_row_element()
        self._row += self._rows_alike or 1
        self._rows_alike = count_of(attributes, "table:number-rows-repeated")
        self._is_row_hidden = attributes.get("table:visibility") in _HIDDEN
        self._row_style = attributes.get("table:default-cell-style-name", "")
        self._column, self._cells = 0, {}

    def _end_row(self) -> None:
        """Add the row, as often as it is repeated; empty rows are only counted."""
        if self._sheet is None or not self._cells:
            return
        if self._row + self._rows_alike - 1 > self._limits.rows:
            raise damaged("a row has a number beyond the end of the sheet")
        for row in range(self._row, self._row + self._rows_alike):
            self._spent.add_cells(len(self._cells))
            self._sheet.rows[row] = {column: cell._replace(row=row) for column, cell in self._cells.items()}
            if self._is_row_hidden:
                self._sheet.hidden_rows.add(row)

    def _start_cell(self, attributes: Attributes) -> None:
        self._cell = attributes
        self._column += 1
        self._paragraphs.clear()
        self._comment.clear()

    def _end_cell(self) -> None:
        attributes, self._cell = self._cell or {}, None
        first, self._column = self._column, self._column + count_of(attributes, "table:number-columns-repeated") - 1
        is_formula = "table:formula" in attributes
        text = "\n".join(self._paragraphs)
        if text:
            self._spent.add_text(text)
        kind, value = value_of(attributes, text)
        if kind is CellKind.BLANK and not is_formula and not self._comment:
            return
        if self._column > self._limits.columns:
            raise damaged("a row has more cells than a sheet has columns")
        self._hang_on(first, attributes)
        if kind is not CellKind.BLANK or is_formula:
            style = attributes.get("table:style-name") or self._row_style
            for column in range(first, self._column + 1):
                number_format = number_format_of(attributes, style or self._style_of(column), self._styles)
                self._cells[column] = Cell(self._row, column, kind, value, number_format, is_formula)

    def _style_of(self, column: int) -> str:
        """The default style of the cells of a column."""
        place = bisect_left(self._column_ends, column)
        return self._column_styles[place] if place < len(self._column_styles) else ""

    def _hang_on(self, column: int, attributes: Attributes) -> None:
        """Store the comment of a cell, and its merged area."""
        if self._sheet is None:
            return
        if comment := "\n".join(self._comment):
            self._spent.add_text(comment)
            self._sheet.comments[self._address(column)] = comment
        columns = count_of(attributes, "table:number-columns-spanned")
        rows = count_of(attributes, "table:number-rows-spanned")
        if columns > 1 or rows > 1:
            self._spent.add_merge()
            self._sheet.merges.append((self._row, column, self._row + rows - 1, column + columns - 1))

    def _start_paragraph(self, _attributes: Attributes) -> None:
        self._in_paragraph = True
        self._pieces.clear()

    def _end_paragraph(self) -> None:
        if self._in_paragraph:
            self._in_paragraph = False
            (self._comment if self._in_comment else self._paragraphs).append("".join(self._pieces))

    def _start_comment(self, _attributes: Attributes) -> None:
        self._in_comment = True

    def _end_comment(self) -> None:
        self._in_comment = False

    def _add_spaces(self, attributes: Attributes) -> None:
        self._pieces.append(" " * min(count_of(attributes, "text:c"), self._limits.text_length))

    def _add_link(self, attributes: Attributes) -> None:
        target = attributes.get("xlink:href", "")
        # A link within the workbook hides nothing.
        if self._sheet is not None and target and not target.startswith("#"):
            self._spent.add_text(target)
            self._sheet.links[self._address(self._column)] = target

    def _address(self, column: int) -> str:
        return f"{column_letters(column)}{self._row}"
