"""SQL predicates for current and point-in-time (as-of) queries.

Views and reports as of a date share the same query text, so that they cannot differ.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Standing:
    """The parts of a query that depend on the moment, and on the last period.

    `today`, `last_day` and `partner_codes` are SQL; `last_day` is empty where every period counts, and `partner_codes`
    where every partner does.
    """

    is_as_of: bool
    today: str
    last_day: str
    partner_codes: str = ""

    def in_force(self, row: str) -> str:
        """The condition that a row, by its alias, is in force."""
        if self.is_as_of:
            return f"({row}.recorded_at <= :at AND ({row}.superseded_at IS NULL OR {row}.superseded_at > :at))"
        return f"{row}.superseded_at IS NULL"

    def submission_in_force(self, row: str) -> str:
        """The condition that an accepted submission, by its alias, is in force: still, or again after a withdrawal."""
        return f"""({self.in_force(row)} OR EXISTS (
                SELECT 1 FROM withdrawal r WHERE r.restored_id = {row}.submission_id AND {self.in_force("r")}))"""

    def is_withdrawn(self, row: str) -> str:
        """The condition that a submission, by its alias, has been withdrawn."""
        return f"""EXISTS (
                SELECT 1 FROM withdrawal r WHERE r.submission_id = {row}.submission_id AND {self.known("r")})"""

    def known(self, row: str) -> str:
        """The condition that a row, by its alias, had been recorded, even if it has been superseded."""
        return f"{row}.recorded_at <= :at" if self.is_as_of else "1 = 1"

    @property
    def plan_id(self) -> str:
        """The number of the plan in force."""
        return f"(SELECT p.plan_id FROM plan p WHERE {self.in_force('p')})"

    def until(self, period: str) -> str:
        """The condition that a period, by the SQL of its code, does not end after the last one asked for."""
        return f"{last_day_of(period)} <= {self.last_day}" if self.last_day else "1 = 1"

    def of_partners(self, row: str) -> str:
        """The condition that a row, by its alias, is of one of the partners asked for."""
        return f"{row}.partner_code IN {self.partner_codes}" if self.partner_codes else "1 = 1"


NOW = Standing(False, "{today}", "")
"""For a view; `{today}` is filled in for the database."""

AS_OF = Standing(True, ":today", ":last_day")
"""What a report asks: `:at` is a moment, `:today` its date, `:last_day` the last day of the report's period."""

OF_SOME = replace(AS_OF, partner_codes=":partner_codes")
"""The same of some partners alone."""


def last_day_of(period: str) -> str:
    """SQL for the last day of a period; `period` is SQL of its code."""
    return f"(SELECT e.ends_on FROM period e WHERE e.period = {period})"
