"""SQL predicates for current and point-in-time (as-of) queries.

Views and reports as of a date share the same query text, so that they cannot differ.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """The parts of a query that depend on the moment, and on the last period.

    `today` and `last_place` are SQL; `last_place` is empty if every period counts (see `place`).
    """

    is_as_of: bool
    today: str
    last_place: str

    def in_force(self, row: str) -> str:
        """The condition that a row, by its alias, is in force."""
        if self.is_as_of:
            return f"({row}.recorded_at <= :at AND ({row}.superseded_at IS NULL OR {row}.superseded_at > :at))"
        return f"{row}.superseded_at IS NULL"

    def known(self, row: str) -> str:
        """The condition that a row, by its alias, had been recorded, even if it has been superseded."""
        return f"{row}.recorded_at <= :at" if self.is_as_of else "1 = 1"

    @property
    def plan_id(self) -> str:
        """The number of the plan in force."""
        return f"(SELECT p.plan_id FROM plan p WHERE {self.in_force('p')})"  # noqa: S608 (nothing but constants)

    def until(self, period: str) -> str:
        """The condition that a period, by the SQL of its code, is not after the last requested one."""
        return f"{place(period)} <= {self.last_place}" if self.last_place else "1 = 1"


NOW = Standing(False, "{today}", "")
"""For a view; `{today}` is filled in for the database."""

AS_OF = Standing(True, ":today", ":last_place")
"""For a report: `:at` is a moment, `:today` its date, `:last_place` the place of the report's period."""


def place(period: str) -> str:
    """SQL for the end of a period, counted in quarters; `period` is SQL of its code."""
    return (
        f"(CAST(substr({period}, 1, 4) AS integer) * 4"
        f" + CASE WHEN length({period}) > 7 THEN CAST(substr({period}, 9, 1) AS integer) ELSE 4 END)"
    )
