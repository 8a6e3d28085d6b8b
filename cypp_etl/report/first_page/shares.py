"""Counts and shares: how many indicators are on target, now and in the period before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cypp_etl.report.model import BoardData, Row, in_plan_order
from cypp_etl.report.pages import open_clinic
from schemas.codes import Direction, OnTarget


@dataclass(frozen=True, slots=True)
class Share:
    """How an outcome, or all of them, stands: how many of how many are on target, now and in the period before."""

    name: str
    on_target: int = 0
    judged: int = 0
    on_target_before: int = 0
    judged_before: int = 0
    improving: int = 0
    declining: int = 0
    clinics: int = 0

    def plus(self, other: "Share") -> "Share":
        """Both together, under the name of the first."""
        return Share(
            self.name,
            self.on_target + other.on_target,
            self.judged + other.judged,
            self.on_target_before + other.on_target_before,
            self.judged_before + other.judged_before,
            self.improving + other.improving,
            self.declining + other.declining,
            self.clinics + other.clinics,
        )

    @property
    def share(self) -> str:
        """The share on target."""
        return _percent(self.on_target, self.judged)

    @property
    def share_before(self) -> str:
        """The share on target in the period before."""
        return _percent(self.on_target_before, self.judged_before)

    @property
    def rank(self) -> tuple[float, int]:
        """The sort key: the lowest share on target first, what has none last; of equal ones, the most clinics first."""
        return (self.on_target / self.judged if self.judged else 2.0, -self.clinics)


@dataclass(frozen=True, slots=True)
class OutcomeShare:
    """How an outcome stands; `order` is where it begins in the plan's table."""

    share: Share
    order: tuple[Any, ...]

    def plus(self, other: "OutcomeShare") -> "OutcomeShare":
        """Both together."""
        return OutcomeShare(self.share.plus(other.share), min(self.order, other.order))


def _percent(some: int, of: int) -> str:
    """A share in whole percent, rounded so that 0% is none, and 100% all."""
    if not of:
        return "-"
    percent = round(100 * some / of)
    return f"{max(1, min(99, percent)) if 0 < some < of else percent}%"


def headline(share: Share, before: str) -> str:
    """How many are on target, beside the period before, by its label; empty where nothing has a target."""
    if not share.judged:
        return ""
    then = f", {share.on_target_before:,} of {share.judged_before:,} in {before}"
    return f"{share.on_target:,} of {share.judged:,} on target{then if share.judged_before else ''}."


def share_of(data: BoardData, name: str) -> Share:
    """How a report, or a part of one, stands."""
    return _share(data, name, data.of_period(data.period), data.of_period(data.period.previous))


def outcome_shares(data: BoardData) -> dict[str, OutcomeShare]:
    """How each outcome of the period stands, by its code."""
    now, before = (_by_outcome(data.of_period(period)) for period in (data.period, data.period.previous))
    return {
        code: OutcomeShare(_share(data, str(rows[0]["outcome"]), rows, before.get(code, ())), in_plan_order(rows[0]))
        for code, rows in now.items()
    }


def in_order(outcomes: Iterable[OutcomeShare]) -> list[Share]:
    """The shares of outcomes in the table's order, and of all of them where there are several."""
    found = [one.share for one in sorted(outcomes, key=lambda one: one.order)]
    total = Share("All outcomes")
    for one in found:
        total = total.plus(one)
    return [*found, total] if len(found) > 1 else found


def _by_outcome(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["outcome_code"], []).append(row)
    return found


def _share(data: BoardData, name: str, now: Sequence[Row], before: Sequence[Row]) -> Share:
    def count(rows: Sequence[Row], column: str, *words: str) -> int:
        return sum(row[column] in words for row in rows)

    return Share(
        name,
        count(now, "on_target", OnTarget.YES),
        count(now, "on_target", OnTarget.YES, OnTarget.NO),
        count(before, "on_target", OnTarget.YES),
        count(before, "on_target", OnTarget.YES, OnTarget.NO),
        count(now, "direction", Direction.IMPROVING),
        count(now, "direction", Direction.DECLINING),
        sum(open_clinic(data, row) is not None for row in now),
    )
