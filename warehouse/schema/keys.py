"""What figures and judgements are about, as the tables hold it."""

from typing import NamedTuple

from cypp_etl.checked_return import Observation


class Series(NamedTuple):
    """One indicator as one partner returns it: judgements of a series depend on its own figures, and no others."""

    partner_code: str
    indicator: str


class FigureKey(NamedTuple):
    """What a figure is about; at most one is in force."""

    partner_code: str
    indicator: str
    measure: str
    period: str

    @classmethod
    def of(cls, row: Observation) -> "FigureKey":
        """What an observation is about."""
        return cls(row.partner_code, row.indicator, row.measure.value, row.period.code)

    @property
    def series(self) -> Series:
        """The series that it belongs to."""
        return Series(self.partner_code, self.indicator)
