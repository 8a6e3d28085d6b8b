"""The layouts of the workbooks that we write and read, loaded from CSV: sheets, headings and markers are data."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from cypp_etl.caching import remembered
from schemas.packaged import read_rows

TEMPLATE_VERSION = "1"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_YEARS_JOINED = re.compile(r"(?<=\d)\s*[-/\u2010-\u2015]\s*(?=\d)")
_NO_WORD = re.compile(r"[^\w/%]+|_+")


class SheetKind(StrEnum):
    """The kind of a sheet: labels with values, a table, or a table with bands and a two-row header."""

    LABELS = "labels"
    TABLE = "table"
    BANDED = "banded"


@dataclass(frozen=True, slots=True, eq=False)
class ColumnLayout:
    """A column of a table, or a label of a sheet of labels; each is a single object, used as a cache key.

    `column` is the field's name. `heading` is what we write, `spellings` are also accepted; both may contain years
    as placeholders, such as `{next} Target`. `group` is the merged heading above, if there is one. `is_entry` says
    that the partner fills it in.
    """

    column: str
    heading: str
    group: str
    spellings: tuple[str, ...]
    is_required: bool
    is_entry: bool
    width: float

    def match(self, text: str) -> Mapping[str, str] | None:
        """The years in a typed heading, by placeholder, or None if it is not a heading of this column."""
        normal = normalise_heading(text)
        for spelling in (self.heading, *self.spellings):
            if found := _pattern(spelling).fullmatch(normal):
                return found.groupdict()
        return None


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """A sheet of a layout; `part` is its name in code, `sheet` the name that we write."""

    part: str
    sheet: str
    kind: SheetKind
    is_hidden: bool
    spellings: tuple[str, ...]
    columns: tuple[ColumnLayout, ...]

    def column(self, name: str) -> ColumnLayout:
        """The column of a field.

        Raises:
            KeyError: the sheet has no such column.
        """
        return self.columns[self.position(name) - 1]

    def position(self, name: str) -> int:
        """The position where we write a field, counting from 1: the column of a table, the row of a label.

        Raises:
            KeyError: the sheet has no such column.
        """
        for position, column in enumerate(self.columns, start=1):
            if column.column == name:
                return position
        raise KeyError(f"The sheet {self.sheet} has no column {name}")

    def is_named(self, name: str) -> bool:
        """Whether a sheet's name, as found in a workbook, is one of this sheet's names."""
        return normalise_heading(name) in _normalised((self.sheet, *self.spellings))


@dataclass(frozen=True, slots=True)
class Layout:
    """A workbook's sheets, in the order in which they are written."""

    layout: str
    sheets: tuple[SheetLayout, ...]

    def part(self, name: str) -> SheetLayout:
        """The sheet of a part.

        Raises:
            KeyError: the layout has no such part.
        """
        for sheet in self.sheets:
            if sheet.part == name:
                return sheet
        raise KeyError(f"The layout {self.layout} has no part {name}")


@dataclass(frozen=True, slots=True)
class Guidance:
    """A step of the instructions; `part` is the sheet that it is about, empty if none."""

    part: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The input message of an entry cell, and the message for unexpected input."""

    title: str
    prompt: str
    error: str


RETURN, PUBLISHED = "return", "published"
"""The layouts that the program knows by name: a partner's return, and the Board's published table."""


@cache
def read_layouts() -> Mapping[str, Layout]:
    """The layouts by name, with their sheets and columns in order."""
    columns: dict[tuple[str, str], list[ColumnLayout]] = {}
    for row in read_rows("cypp_etl", "layouts", "columns.csv"):
        columns.setdefault((row["layout"], row["part"]), []).append(_column(row))
    sheets: dict[str, list[SheetLayout]] = {}
    for row in read_rows("cypp_etl", "layouts", "layouts.csv"):
        sheet = SheetLayout(
            part=row["part"],
            sheet=row["sheet"],
            kind=SheetKind(row["kind"]),
            is_hidden=_is_yes(row["is_hidden"]),
            spellings=_spellings(row["spellings"]),
            columns=tuple(columns[row["layout"], row["part"]]),
        )
        sheets.setdefault(row["layout"], []).append(sheet)
    return {name: Layout(name, tuple(parts)) for name, parts in sheets.items()}


@cache
def read_guidance() -> tuple[Guidance, ...]:
    """The steps of the instructions on a return's first sheet."""
    return tuple(Guidance(**row) for row in read_rows("cypp_etl", "layouts", "guidance.csv"))


@cache
def read_prompts() -> Mapping[tuple[str, str, str], Prompt]:
    """The messages for entry cells, by part, column and unit; the unit is empty if it makes no difference."""
    return {
        (row["part"], row["column"], row["unit"]): Prompt(row["title"], row["prompt"], row["error"])
        for row in read_rows("cypp_etl", "layouts", "prompts.csv")
    }


@cache
def read_words() -> Mapping[str, Mapping[str, str]]:
    """The words that we know in what people type, by kind; each, as `normalise_heading` gives it, with its value.

    A `month` and a `number` have theirs as a value; of a `total`, a `footnote`, a `quarter` and the rest it is empty.
    """
    words: dict[str, dict[str, str]] = {}
    for row in read_rows("cypp_etl", "layouts", "words.csv"):
        known = words.setdefault(row["kind"], {})
        known.update({normalise_heading(word): row["value"] for word in _spellings(row["words"])})
    return words


@remembered
def normalise_heading(text: str) -> str:
    """A heading without what people change by accident: case, spacing, line breaks and punctuation.

    The slash of a year stays, and dashes between years become a slash, so that `09-10 Target` is `09/10 target`.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NO_WORD.sub(" ", _YEARS_JOINED.sub("/", folded)).strip()


@lru_cache(maxsize=1024)
def _normalised(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normalise_heading, names))


@lru_cache(maxsize=1024)
def _pattern(spelling: str) -> re.Pattern[str]:
    """The pattern of a normalised heading for this spelling, with a group for each placeholder's year."""
    literals = _PLACEHOLDER.split(spelling)
    parts = [re.escape(normalise_heading(literals[0]))]
    for name, literal in zip(literals[1::2], literals[2::2], strict=True):
        parts += [rf"(?P<{name}>(?:\d\d){{1,2}}/(?:\d\d){{1,2}})", re.escape(normalise_heading(literal))]
    return re.compile(r"\s*".join(part for part in parts if part))


def published_table() -> SheetLayout:
    """The layout of the one sheet of the published table."""
    return read_layouts()[PUBLISHED].part("table")


def _column(row: Mapping[str, str]) -> ColumnLayout:
    return ColumnLayout(
        column=row["column"],
        heading=row["heading"],
        group=row["group"],
        spellings=_spellings(row["spellings"]),
        is_required=_is_yes(row["is_required"]),
        is_entry=_is_yes(row["is_entry"]),
        width=float(row["width"]),
    )


def _spellings(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


def _is_yes(text: str) -> bool:
    return {"yes": True, "no": False}[text]
