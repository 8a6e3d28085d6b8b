"""The judgements that are shown as symbols: their titles, and their columns in the Board's table."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.codes import BAND_SYMBOLS, DIRECTION_SYMBOLS, ON_TARGET_SYMBOLS


@dataclass(frozen=True, slots=True)
class SymbolColumn:
    """A judgement shown as a symbol.

    `name` is its column of `bi_performance`, whose symbol is in the column `{name}_symbol`. `title` is its name in the
    report. `symbols` are by the stored word. `printed_in` is the column of the published layout with
    the symbol, empty if the Board's table has none.
    """

    name: str
    title: str
    symbols: Mapping[str, str]
    printed_in: str


_ON_TARGET = {word.value: symbol for word, symbol in ON_TARGET_SYMBOLS.items()}
_DIRECTION = {word.value: symbol for word, symbol in DIRECTION_SYMBOLS.items()}
_BAND = {word.value: symbol for word, symbol in BAND_SYMBOLS.items()}

SYMBOL_COLUMNS = (
    SymbolColumn("on_target", "On target", _ON_TARGET, "on_target"),
    SymbolColumn("direction", "Direction of travel", _DIRECTION, "direction"),
    SymbolColumn("quarter_direction", "Direction since the quarter before", _DIRECTION, ""),
    # The column with the heading Year to Date shows the year to date's band against its target.
    SymbolColumn("target_band", "Year to date against target", _BAND, "year_to_date"),
    SymbolColumn("statistical_neighbours_band", "Against statistical neighbours", _BAND, "statistical_neighbours_band"),
    SymbolColumn("national_band", "Against national", _BAND, "national_band"),
)
"""Every judgement that is shown as a symbol."""

PRINTED = {column.printed_in: column for column in SYMBOL_COLUMNS if column.printed_in}
"""The five that the Board's table prints, in its order, by the column of the published layout."""

TITLES = {column.name: column.title for column in SYMBOL_COLUMNS}
"""The title of every judgement, by name."""

BOARD_TITLES = {column.name: column.title for column in PRINTED.values()}
"""The titles of the five, by name."""
