"""What the data dictionary is made of: views, their columns, and what a column holds."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "date and time, UTC"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column: `unit` is what a number counts in, empty for everything else."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One view: `row` says what a row of it is."""

    name: str
    row: str
    columns: tuple[ViewColumn, ...]


def words_of(*code_lists: type[StrEnum]) -> str:
    """The words of code lists, as a meaning names them."""
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
    """A judgement's word, and its symbol beside it."""
    return text_column(name, f"{meaning}: {words_of(code_list)}"), text_column(
        f"{name}_symbol", f"The symbol of `{name}`"
    )
