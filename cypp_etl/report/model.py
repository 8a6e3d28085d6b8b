"""The data of a board report: rows with the columns of the warehouse's views, as known at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from cypp_etl.periods import LAST_PERIOD, Period, parse_period
from cypp_etl.report.variation import Ratio
from schemas.codes import Measure, NoteKind

Row = Mapping[str, Any]


class FigureKey(NamedTuple):
    """Partner, indicator and period of a figure."""

    partner_code: str
    indicator: str
    measure: Measure
    period: str


@dataclass(frozen=True, slots=True)
class KnownText:
    """A figure: its value, and its printed form if it is from a printed table or has no value."""

    value: float | None
    printed: str | None


class Texts(dict[FigureKey, KnownText]):
    """Every known figure, by its key."""

    @cached_property
    def first_year(self) -> int:
        """The earliest financial year with a figure; later than all years if there is none."""
        codes = {key.period for key in self}
        return min((parse_period(code).start_year for code in codes), default=LAST_PERIOD.start_year)


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a clinic. `period` is the last one that was judged when it was noted."""

    partner_code: str
    indicator: str
    period: str
    kind: NoteKind
    text: str
    noted_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class BoardData:
    """What was known at a moment, up to a period; every row is a mapping named as its view's columns.

    `performance` has all periods up to the report's; `owed` has a row for each indicator that a partner owes for its
    period, as if nothing were returned. `indicators` has a row per leaf with `definition`,
    `parent_definition` and `table_heading`; `texts` has the printed forms of figures, `ratios` their counts;
    `returns` has the returns of the period, with `partner`; `findings` those of its submissions in force and of
    rejected ones, with `partner_code` and `file_name`; `comments` the partners' comments on figures; `turned` the
    symbols that have changed since `since`.
    """

    period: Period
    at: datetime
    since: date | None
    performance: Sequence[Row]
    owed: Sequence[Row]
    indicators: Mapping[str, Row]
    texts: Texts
    ratios: Mapping[FigureKey, Ratio]
    aspirations: Sequence[Row]
    milestones: Sequence[Row]
    clinics: Sequence[Row]
    notes: Sequence[Note]
    returns: Sequence[Row]
    findings: Sequence[Row]
    comments: Sequence[Row]
    turned: Sequence[Row]

    def of_period(self, period: Period) -> list[Row]:
        """The judgements of one period, in the order of the plan's table."""
        return sorted((row for row in self.performance if row["period"] == period.code), key=in_plan_order)

    def table_rows(self) -> list[Row]:
        """The rows of the table for the report's period: figures that were judged, and those not returned."""
        judged = self.of_period(self.period)
        returned = {(row["indicator"], row["partner_code"]) for row in judged}
        missing = (row for row in self.owed if (row["indicator"], row["partner_code"]) not in returned)
        return sorted([*judged, *missing], key=in_plan_order)

    def series(self, row: Row) -> list[Row]:
        """The judgements that lead up to one: the quarters, or the years if there are no quarters."""
        same = [
            one
            for one in self.performance
            if one["indicator"] == row["indicator"] and one["partner_code"] == row["partner_code"]
        ]
        quarters = [one for one in same if one["quarter"]]
        return sorted(quarters or same, key=lambda one: str(one["period"]))


def is_judged(row: Row) -> bool:
    """Whether a row is from a return, not a placeholder for an owed figure."""
    return row["recorded_at"] is not None


def in_plan_order(row: Row) -> tuple[bool, int, str, str]:
    """The sort key: the number in the plan's table, those without one last."""
    number = row["indicator_no"]
    return not number, int(number) if number and number.isdigit() else 0, row["indicator"], row["partner_code"]
