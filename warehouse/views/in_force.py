"""What stands, in SQL: what is in force now, as a view says it, or what was at a moment, as a report asks it.

The same query text serves both, so that a report as of a date and a view cannot come to differ.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """The words of a query that depend on when it is asked, and up to which period.

    `today` and `last_day` are SQL; `last_day` is empty where every period counts.
    """

    is_as_of: bool
    today: str
    last_day: str

    def in_force(self, row: str) -> str:
        """The condition that a row, by its alias, is in force."""
        if self.is_as_of:
            return f"({row}.recorded_at <= :at AND ({row}.superseded_at IS NULL OR {row}.superseded_at > :at))"
        return f"{row}.superseded_at IS NULL"

    def known(self, row: str) -> str:
        """The condition that a row, by its alias, had been recorded, whatever became of it."""
        return f"{row}.recorded_at <= :at" if self.is_as_of else "1 = 1"

    @property
    def plan_id(self) -> str:
        """The number of the plan in force."""
        return f"(SELECT p.plan_id FROM plan p WHERE {self.in_force('p')})"

    def until(self, period: str) -> str:
        """The condition that a period, by the SQL of its code, does not end after the last one asked for."""
        return f"{last_day_of(period)} <= {self.last_day}" if self.last_day else "1 = 1"


NOW = Standing(False, "{today}", "")
"""What a view shows; `{today}` is filled in for the database."""

AS_OF = Standing(True, ":today", ":last_day")
"""What a report asks: `:at` is a moment, `:today` its date, `:last_day` the last day of the report's period."""


def last_day_of(period: str) -> str:
    """SQL for the last day of a period; `period` is SQL of its code."""
    return f"(SELECT e.ends_on FROM period e WHERE e.period = {period})"
