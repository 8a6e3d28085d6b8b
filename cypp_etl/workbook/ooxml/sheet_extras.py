"""Reads sheet-level elements: merged ranges, hyperlinks out of the workbook, hidden columns."""

from collections.abc import Callable, Mapping

from cypp_etl.workbook.addresses import parse_area, whole_number
from cypp_etl.workbook.limits import Spent, damaged, unless_damaged
from cypp_etl.workbook.markup import Attributes
from cypp_etl.workbook.model import Sheet, column_letters

TRUE = frozenset({"1", "true"})
"""The spellings of true in a part."""


class AroundCells:
    """Handles the start tags of sheet-level elements, and records them in the Sheet.

    `targets` are the external addresses of the sheet's links, by id.
    """

    __slots__ = ("_columns_left", "_limits", "_sheet", "_spent", "_targets")

    def __init__(self, sheet: Sheet, targets: Mapping[str, str], spent: Spent) -> None:
        self._sheet = sheet
        self._targets = targets
        self._spent = spent
        self._limits = spent.limits
        self._columns_left = spent.limits.columns

    def start_listeners(self) -> dict[str, Callable[[Attributes], None]]:
        """The handlers of start tags, by local name."""
        return {"col": self._hide_columns, "mergeCell": self._add_merge, "hyperlink": self._add_link}

    def _add_merge(self, attributes: Attributes) -> None:
        self._spent.add_merge()
        self._sheet.merges.append(parse_area(attributes.get("ref", ""), self._limits))

    def _add_link(self, attributes: Attributes) -> None:
        # A link within the workbook has no target part, and hides nothing.
        if target := self._targets.get(attributes.get("r:id", "")):
            with unless_damaged():
                row, column, _, _ = parse_area(attributes.get("ref", ""), self._limits)
                self._sheet.links[f"{column_letters(column)}{row}"] = target
            self._spent.add_text(target)

    def _hide_columns(self, attributes: Attributes) -> None:
        if attributes.get("hidden") not in TRUE:
            return
        first, last = whole_number(attributes.get("min", "")), whole_number(attributes.get("max", ""))
        self._columns_left -= last - first + 1
        if not 1 <= first <= last or self._columns_left < 0:
            raise damaged("its columns overlap, or lie beyond the end of the sheet")
        self._sheet.hidden_columns.update(range(first, last + 1))
