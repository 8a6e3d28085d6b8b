"""The types of the data dictionary: views, their columns, and the kinds of columns."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a column's values."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "date and time, UTC"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column: `unit` is the unit of a number, empty for everything else."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One view: `row` says what one row is."""

    name: str
    row: str
    columns: tuple[ViewColumn, ...]


def words_of(*code_lists: type[StrEnum]) -> str:
    """The words of code lists, for use in a column's meaning."""
    return ", ".join(f"`{code.value}`" for code_list in code_lists for code in code_list)


def text_column(name: str, meaning: str) -> ViewColumn:
    """A column of text."""
    return ViewColumn(name, Kind.TEXT, meaning)


def whole_column(name: str, meaning: str, unit: str = "") -> ViewColumn:
    """A column of whole numbers."""
    return ViewColumn(name, Kind.INTEGER, meaning, unit)


def figure_column(name: str, meaning: str) -> ViewColumn:
    """A column of an indicator's figures."""
    return ViewColumn(name, Kind.NUMBER, meaning, "the indicator's unit; percentages in percentage points")


def moment_column(name: str, meaning: str) -> ViewColumn:
    """A column of moments."""
    return ViewColumn(name, Kind.MOMENT, meaning)


def judged_columns(name: str, meaning: str, code_list: type[StrEnum]) -> tuple[ViewColumn, ViewColumn]:
    """The columns of a judgement: its word and its symbol."""
    return text_column(name, f"{meaning}: {words_of(code_list)}"), text_column(
        f"{name}_symbol", f"The symbol of `{name}`"
    )
