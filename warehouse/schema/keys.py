"""The keys of figures and judgements in the tables."""

from typing import NamedTuple

from cypp_etl.checked_return import Observation


class Series(NamedTuple):
    """One indicator of one partner: judgements of a series depend only on its own figures."""

    partner_code: str
    indicator: str


class FigureKey(NamedTuple):
    """The key of a figure; at most one is in force."""

    partner_code: str
    indicator: str
    measure: str
    period: str

    @classmethod
    def of(cls, row: Observation) -> "FigureKey":
        """The key of an observation."""
        return cls(row.partner_code, row.indicator, row.measure.value, row.period.code)

    @property
    def series(self) -> Series:
        """The series that it belongs to."""
        return Series(self.partner_code, self.indicator)
