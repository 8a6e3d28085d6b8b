"""The plan's own figures, of every partner and of each alone: hundreds of thousands of them in a plan of many bodies.

So a partner's are made of its rows when it is first asked for.
"""

from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TypeAlias, TypeVar

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.indicator_rows import number
from cypp_etl.plan.model import Figure
from cypp_etl.plan.tables import TableRows
from schemas.codes import Measure
from schemas.plan import FIGURE_MARKERS

Figures: TypeAlias = Mapping[tuple[str, str, Period], Figure]
"""Figures by measure, indicator and period."""

NO_PARTNER_CODE = ""
"""In `figures.csv`, what the figures that hold for every partner have in place of a code."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_MEASURES: Mapping[str, str] = {measure.value: measure for measure in Measure}


class LazyMapping(Mapping[_Key, _Value]):
    """A mapping that is only read once it is needed."""

    def __init__(self, read: Callable[[], Mapping[_Key, _Value]]) -> None:
        self._read = read

    def __reduce__(self) -> tuple[object, ...]:
        return LazyMapping, (self._read,)

    @cached_property
    def _held(self) -> Mapping[_Key, _Value]:
        return self._read()

    def __getitem__(self, key: _Key) -> _Value:
        return self._held[key]

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def items(self) -> ItemsView[_Key, _Value]:
        """As of any mapping, without a call for each item."""
        return self._held.items()


class PartnerFigures(Mapping[str, Figures]):
    """The figures of each partner that has any of its own, by its code, of rows in which there are no faults."""

    def __init__(self, rows: TableRows) -> None:
        self._rows = rows
        self._places: dict[str, list[int]] = {}
        for place, code in enumerate(rows.columns["partner_code"]):
            self._places.setdefault(code, []).append(place)
        self.of_every_partner = self._made(self._places.pop(NO_PARTNER_CODE, ()))
        self._known: dict[str, Figures] = {}

    def __getitem__(self, partner_code: str) -> Figures:
        if partner_code not in self._known:
            self._known[partner_code] = self._made(self._places[partner_code])
        return self._known[partner_code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, partner_code: object) -> bool:
        return partner_code in self._places

    def _made(self, places: Sequence[int]) -> Figures:
        names = ("measure", "indicator", "period", "value", "source")
        measures, indicators, periods, values, sources = (
            map(self._rows.columns[name].__getitem__, places) for name in names
        )
        keys = zip((_MEASURES.get(one, one) for one in measures), indicators, map(parse_period, periods), strict=True)
        return dict(zip(keys, map(_figure, values, sources), strict=True))


# There are few values and sources.
@lru_cache(maxsize=4096)
def _figure(value: str, source: str) -> Figure:
    # Decimal keeps the digits as written: 4.40 stays 4.40.
    return Figure(number(value.removesuffix("%")), FIGURE_MARKERS.get(value), source)
