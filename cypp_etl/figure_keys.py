"""What figures and judgements are about."""

from typing import NamedTuple


class Series(NamedTuple):
    """One indicator of one partner: judgements of a series depend only on its own figures."""

    partner_code: str
    indicator: str


class FigureKey(NamedTuple):
    """What a figure is about: at most one is in force.

    `measure` is a member of `schemas.codes.Measure`, or its word, which are equal; `period` is the period's code.
    """

    partner_code: str
    indicator: str
    measure: str
    period: str

    @property
    def series(self) -> Series:
        """The series that it belongs to."""
        return Series(self.partner_code, self.indicator)
