"""The layouts of the workbooks that we write and read, loaded from CSV: sheets, headings and markers are data.

A plan may bring more of them, in the same tables (`plan/layout_files.py`).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from cypp_etl.caching import remembered
from schemas.codes import SheetKind
from schemas.packaged import read_rows

TEMPLATE_VERSION = "1"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_SHEET_PATTERN = re.compile(r"(\*|\{outcome\})")
_YEARS_JOINED = re.compile(r"(?<=\d)\s*[-/\u2010-\u2015]\s*(?=\d)")
_NO_WORD = re.compile(r"[^\w/%]+|_+")


# What a placeholder may stand for in a normalised heading; the others stand for a year.
_YEAR = r"(?:\d\d){1,2}/(?:\d\d){1,2}"
_TEXT = r".{1,200}?"
_STANDS_FOR = {"quarter": "[1-4]", "partner": _TEXT, "partner_code": _TEXT, "period": _TEXT}

RELATIVE_YEARS = {"previous": -1, "year": 0, "next": 1, "next_2": 2}
"""The placeholders for years in headings, by their distance from the table's own year."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnLayout:
    """A column of a table, or a label of a sheet of labels; each is a single object, used as a cache key.

    `column` is the field's name. `heading` is what we write, `spellings` are also accepted; both may contain
    placeholders, such as `{next} Target` or `Q{quarter}`. `group` is the merged heading above, if there is one, which
    may say the year. `is_entry` says that the partner fills it in.
    """

    column: str
    heading: str
    group: str
    spellings: tuple[str, ...]
    is_required: bool
    is_entry: bool
    width: float

    def match(self, text: str, group: str = "") -> Mapping[str, str] | None:
        """What a typed heading says, by placeholder, or None if it is not a heading of this column.

        `group` is the heading above it; it is looked at where it has to say something.
        """
        normal = normalise_heading(text)
        for spelling in (self.heading, *self.spellings):
            if found := _pattern(spelling).fullmatch(normal):
                above = self.match_group(group)
                return None if above is None else {**found.groupdict(), **above}
        return None

    def match_group(self, text: str) -> Mapping[str, str] | None:
        """What a typed heading of a group says; nothing where this column's says nothing, None if it is not its."""
        if "{" not in self.group:
            return {}
        found = _pattern(self.group).fullmatch(normalise_heading(text))
        return found.groupdict() if found else None

    @property
    def placeholders(self) -> frozenset[str]:
        """The placeholders in its heading, its spellings and its group's heading."""
        return _placeholders((self.heading, *self.spellings, self.group))


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """A sheet of a layout; `part` is its name in code, `sheet` the name that we write.

    `sheet` and `spellings` may be patterns, in which `*` is any text and `{outcome}` the name or code of an outcome:
    then every sheet that fits has such a table. `header_rows` is how many rows the headings may take. `is_dated` where
    columns of several periods may stand side by side, each with its period in its heading, and some that are not read.
    """

    part: str
    sheet: str
    kind: SheetKind
    is_hidden: bool
    spellings: tuple[str, ...]
    columns: tuple[ColumnLayout, ...]
    header_rows: int = 1
    is_dated: bool = False

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

    def has(self, name: str) -> bool:
        """Whether the sheet has a column for a field."""
        return any(column.column == name for column in self.columns)

    def is_named(self, name: str) -> bool:
        """Whether a sheet's name, as found in a workbook, is one of this sheet's names."""
        return normalise_heading(name) in _normalised((self.sheet, *self.spellings))

    @property
    def patterns(self) -> tuple[str, ...]:
        """Those of its names that are patterns."""
        return tuple(name for name in (self.sheet, *self.spellings) if _SHEET_PATTERN.search(name))

    def fit(self, name: str) -> Mapping[str, str] | None:
        """What a sheet's name says by one of this sheet's patterns, by placeholder; None if it fits none of them."""
        for pattern in self.patterns:
            if found := _sheet_pattern(pattern).fullmatch(name.strip()):
                return found.groupdict()
        return None


@dataclass(frozen=True, slots=True)
class Layout:
    """A workbook's sheets, in the order in which they are written.

    `partner_code` is that of the only partner that may use it, empty for every partner.
    """

    layout: str
    sheets: tuple[SheetLayout, ...]
    partner_code: str = ""

    @property
    def is_return(self) -> bool:
        """Whether a workbook of this layout is a partner's return, built in or brought by the plan."""
        return self.layout not in (PUBLISHED, RECEIPT)

    @property
    def is_flat(self) -> bool:
        """Whether each row of its table names its partner and its period, as in a collection of many returns."""
        table = self.find_part(INDICATORS)
        return table is not None and table.kind is SheetKind.TABLE and table.has("period")

    def find_part(self, name: str) -> SheetLayout | None:
        """The sheet of a part, None if the layout has no such part."""
        return next((sheet for sheet in self.sheets if sheet.part == name), None)

    def part(self, name: str) -> SheetLayout:
        """The sheet of a part.

        Raises:
            KeyError: the layout has no such part.
        """
        if (sheet := self.find_part(name)) is not None:
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


RETURN, PUBLISHED, RECEIPT = "return", "published", "receipt"
"""The layouts that the program knows by name: a partner's return, the Board's published table, and our own receipt."""

COVER, INDICATORS, MILESTONES = "cover", "indicators", "milestones"
"""The parts that a return may have."""

LEFT_OUT = "left_out"
"""The column of headings that are known and not read."""


@cache
def read_layouts() -> Mapping[str, Layout]:
    """The built-in layouts by name, with their sheets and columns in order."""
    return layouts_of(builtin_rows("layouts.csv"), builtin_rows("columns.csv"))


@cache
def builtin_rows(file: str) -> tuple[Mapping[str, str], ...]:
    """The rows of one of the built-in tables of layouts."""
    return tuple(read_rows("cypp_etl", "layouts", file))


def layouts_of(sheets: Iterable[Mapping[str, str]], columns: Iterable[Mapping[str, str]]) -> Mapping[str, Layout]:
    """The layouts by name from the rows of `layouts.csv` and `columns.csv`, in order."""
    columns_of: dict[tuple[str, str], list[ColumnLayout]] = {}
    for row in columns:
        columns_of.setdefault((row["layout"], row["part"]), []).append(_column(row))
    sheets_of: dict[str, list[SheetLayout]] = {}
    partner_codes: dict[str, str] = {}
    for row in sheets:
        own = tuple(columns_of[row["layout"], row["part"]])
        sheet = SheetLayout(
            part=row["part"],
            sheet=row["sheet"],
            kind=SheetKind(row["kind"]),
            is_hidden=_is_yes(row["is_hidden"]),
            spellings=_spellings(row["spellings"]),
            columns=own,
            header_rows=int(row["header_rows"]),
            is_dated=row["layout"] != PUBLISHED and any(one.placeholders or one.column == LEFT_OUT for one in own),
        )
        sheets_of.setdefault(row["layout"], []).append(sheet)
        partner_codes[row["layout"]] = row["partner_code"]
    return {name: Layout(name, tuple(parts), partner_codes[name]) for name, parts in sheets_of.items()}


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

    A `month`, a `number` and a `scale` have theirs as a value, a `unit` its word in the plan, a `currency` its symbol;
    of a `total`, a `footnote`, a `quarter` and the rest it is empty.
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
def _placeholders(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text))


@lru_cache(maxsize=1024)
def _sheet_pattern(name: str) -> re.Pattern[str]:
    """The pattern of a sheet's name, in any case."""
    stands_for = {"*": ".*", "{outcome}": "(?P<outcome>.+)"}
    parts = (stands_for.get(part) or re.escape(part) for part in _SHEET_PATTERN.split(name.strip()))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=1024)
def _pattern(spelling: str) -> re.Pattern[str]:
    """The pattern of a normalised heading for this spelling, with a group for what each placeholder stands for."""
    literals = _PLACEHOLDER.split(spelling)
    parts = [re.escape(normalise_heading(literals[0]))]
    for name, literal in zip(literals[1::2], literals[2::2], strict=True):
        parts += [f"(?P<{name}>{_STANDS_FOR.get(name, _YEAR)})", re.escape(normalise_heading(literal))]
    return re.compile(r"\s*".join(part for part in parts if part))


def published_table(layouts: Mapping[str, Layout] | None = None) -> SheetLayout:
    """The layout of the one sheet of the published table, as built in or among a plan's layouts."""
    return (layouts or read_layouts())[PUBLISHED].part("table")


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
