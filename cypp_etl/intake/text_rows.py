"""Rows of a table that are about nothing in the plan: footnotes, stray marks, headings printed again, and totals."""

from collections.abc import Iterator

from cypp_etl.findings import Finding, find
from cypp_etl.intake.tables import TableRow
from cypp_etl.intake.values import read_figure, read_text
from cypp_etl.layout import SheetLayout, normalise_heading, read_words

# The columns of figures, and those of words from a list; what else a row holds may be anybody's note.
_FIGURE_COLUMNS = ("actual", "numerator", "denominator", "target")
_MARKER_COLUMN = "marker"
_LISTED_COLUMNS = ("status", "review")
_NAMING_COLUMNS = ("ref", "sub", "definition")
# What is longer is no heading and no word of ours.
_LONGEST_WORDS = 200


def holds_entry(row: TableRow, layout: SheetLayout) -> bool:
    """Whether a row holds what a return is made of: a figure, a marker, a status or a review.

    A heading in its own column, as it stands at the top of each printed page, is none of them; nor is a footnote.
    """
    return any(
        _is_entry(row, name) and not _is_heading(row.text(name), name, layout) and not _begins_with(row, name)
        for name in (*_FIGURE_COLUMNS, _MARKER_COLUMN, *_LISTED_COLUMNS)
    )


def _is_entry(row: TableRow, name: str) -> bool:
    cell = row.cell(name)
    if cell is None:
        return False
    if name in _LISTED_COLUMNS:
        # A word that is not in the list may be a status all the same; a stray mark is none.
        return row.is_uncalculated(name) or any(map(str.isalnum, read_text(cell)))
    reading = read_figure(cell)
    return not reading.is_blank and reading.trouble != "not-a-figure"


def _is_heading(text: str, name: str, layout: SheetLayout) -> bool:
    return len(text) <= _LONGEST_WORDS and layout.column(name).match(text) is not None


def _begins_with(row: TableRow, name: str, kind: str = "footnote") -> bool:
    """Whether a cell begins with a word of a kind."""
    begin = normalise_heading(row.text(name)[:_LONGEST_WORDS])
    return any(begin == word or begin.startswith(f"{word} ") for word in read_words()[kind])


def find_total(row: TableRow) -> Iterator[Finding]:
    """The finding of a row that says that it is a total, at the first cell that says so; none for other rows."""
    for name in _NAMING_COLUMNS:
        if _begins_with(row, name, "total"):
            yield find("total-returned", sheet=row.sheet, cell=row.address(name), value=row.text(name))
            return


def find_text(row: TableRow, thing: str) -> Iterator[Finding]:
    """The note of a row that was not read, at the first of its texts; `thing` is what the table's rows are about.

    Of a row of formulas that all came to nothing there is nothing to say.
    """
    written = [cell for cell in row.cells().values() if read_text(cell)]
    for cell in sorted(written, key=lambda one: one.column)[:1]:
        yield find("text-around-table", sheet=row.sheet, cell=cell.address, value=read_text(cell), thing=thing)
