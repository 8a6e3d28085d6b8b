"""The types of the data dictionary: views, their columns, and the kinds of columns."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a column's values.

    A code is a text that many rows repeat: a reference, or a word of a list. `YES_NO` is `yes` or `no` in a view, and
    true or false in a file that has a type for that.
    """

    TEXT = "text"
    CODE = "code"
    YES_NO = "yes or no"
    INTEGER = "whole number"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "date and time, UTC"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column: `unit` is the unit of a number, empty for everything else.

    `refers_to` is the view of whose key it holds a value, if it is not empty; that view has such a row. `words` are
    those that it can hold, if there is a list of them; it may be empty besides.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    refers_to: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """One view: `row` says what one row is, and `key` names the columns that no two rows have alike, never empty.

    A view without a key has none that is never empty.
    """

    name: str
    row: str
    columns: tuple[ViewColumn, ...]
    key: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        """The columns that hold the key of a view, each with that view; its own key is none of them."""
        own = self.key if len(self.key) == 1 else ()
        return tuple((one.name, one.refers_to) for one in self.columns if one.refers_to and one.name not in own)


def words_of(*code_lists: type[StrEnum]) -> str:
    """The words of code lists, for use in a column's meaning."""
    return ", ".join(f"`{code.value}`" for code_list in code_lists for code in code_list)


def text_column(name: str, meaning: str) -> ViewColumn:
    """A column of text."""
    return ViewColumn(name, Kind.TEXT, meaning)


def code_column(name: str, meaning: str, *code_lists: type[StrEnum], refers_to: str = "") -> ViewColumn:
    """A column of codes; `{words}` in its meaning stands for the words of the code lists, which are all it can hold."""
    words = tuple(code.value for code_list in code_lists for code in code_list)
    return ViewColumn(name, Kind.CODE, meaning.replace("{words}", words_of(*code_lists)), "", refers_to, words)


def yes_no_column(name: str, meaning: str) -> ViewColumn:
    """A column of `yes` and `no`."""
    return ViewColumn(name, Kind.YES_NO, meaning)


def whole_column(name: str, meaning: str, unit: str = "", refers_to: str = "") -> ViewColumn:
    """A column of whole numbers, or of numbers of rows of another view."""
    return ViewColumn(name, Kind.INTEGER, meaning, unit, refers_to)


def figure_column(name: str, meaning: str) -> ViewColumn:
    """A column of an indicator's figures."""
    return ViewColumn(name, Kind.NUMBER, meaning, "the indicator's unit; percentages in percentage points")


def moment_column(name: str, meaning: str) -> ViewColumn:
    """A column of moments."""
    return ViewColumn(name, Kind.MOMENT, meaning)


def judged_columns(name: str, meaning: str, code_list: type[StrEnum]) -> tuple[ViewColumn, ViewColumn]:
    """The columns of a judgement: its word and its symbol."""
    return code_column(name, f"{meaning}: {{words}}", code_list), code_column(
        f"{name}_symbol", f"The symbol of `{name}`"
    )
