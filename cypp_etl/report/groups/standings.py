"""The figures of groups in the period reported on, each with its members after it, in the order of their ranks."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from cypp_etl.judgement.ranks import NO_STANDING, Place, Standing, standing
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.selection import groups_about
from cypp_etl.report.figures import figure_text, number_text, words_of_unit
from cypp_etl.report.model import BoardData, Row, is_judged, series_of
from cypp_etl.report.symbols import sign


@dataclass(frozen=True, slots=True)
class Member:
    """A member's row of the period's table, the partner's name, and its place, if it has one."""

    row: Row
    partner: str
    place: Place | None

    @property
    def rank(self) -> str:
        """Its rank; empty if it has none."""
        return str(self.place.rank) if self.place else ""

    @property
    def quartile(self) -> str:
        """Which quarter its figure is in, in words; empty where that cannot be said."""
        return self.place.quarter if self.place else ""


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """A group's row of `bi_group_performance`, its members, the best first, and the quartiles of all their figures."""

    row: Row
    members: Sequence[Member]
    quartiles: tuple[float, float, float] | None

    @property
    def title(self) -> str:
        """The indicator and what it measures, with the unit of its figures."""
        unit = words_of_unit(self.row)
        return f"{self.row['indicator']}: {self.row['definition']}{f' ({unit})' if unit else ''}"

    @property
    def returned(self) -> str:
        """How many members have returned it."""
        return f"{self.row['partners_returned']} of {self.row['partners_owing']}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be known of it: why there is no figure or no judgement, the quartiles, why nobody is ranked."""
        remarks = [f"{self.row['note'][:1].upper()}{self.row['note'][1:]}."] if self.row["note"] else []
        if self.quartiles:
            lower, median, upper = (number_text(cut, self.row) for cut in self.quartiles)
            remarks.append(f"Lower quartile {lower}, median {median}, upper quartile {upper}.")
        if self.row["compares_bodies"] == "no":
            remarks.append("Not ranked: such figures depend on the size of the partner.")
        elif not any(member.place for member in self.members) and self.row["partners_returned"]:
            remarks.append("Not ranked: no direction is good.")
        return tuple(remarks)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of partners, by its name, with its figures in the order of the table."""

    group_code: str
    group: str
    standings: Sequence[GroupStanding]

    @property
    def key(self) -> str:
        """The name of the page's part on it."""
        return f"group-{self.group_code.lower()}"


def groups(data: BoardData) -> list[Group]:
    """The groups of a report that has any, in the order of the plan.

    Of a part of the report they are those that lie in it, or else those that it lies in; members are ranked among all
    members of their group, and those of the part are shown.
    """
    plan, whole = data.plan, data.whole or data
    if plan is None or not whole.groups:
        return []
    shown, of_whole = {series_of(row) for row in data.table_rows()}, whole.table_rows()
    of_indicator: dict[str, list[Row]] = {}
    for row in of_whole:
        of_indicator.setdefault(row["indicator"], []).append(row)
    known = {(row["group_code"], row["indicator"], row["period"]): row for row in whole.groups}
    asked = {indicator for indicator, _ in shown}
    # Who has a figure of what is shown, and is not shown: of an outcome's part nobody is left out.
    left_out = {row["partner_code"] for row in of_whole if row["indicator"] in asked and series_of(row) not in shown}
    codes = groups_about(plan, {code for _, code in shown}, left_out)
    found: dict[str, list[GroupStanding]] = {code: [] for code in codes}
    for indicator, rows in of_indicator.items():
        period = max((row["period"] for row in rows), key=lambda code: parse_period(code).order)
        if not any((indicator, row["partner_code"]) in shown for row in rows):
            continue
        for code, standings in found.items():
            if (group := known.get((code, indicator, period))) is not None:
                of_group = [row for row in rows if row["partner_code"] in plan.members[code]]
                standings.append(_standing(data, plan, group, of_group, shown))
    return [Group(code, plan.groups[code].group, standings) for code, standings in found.items() if standings]


def figure_words(data: BoardData, row: Row, column: str) -> str:
    """A figure of a group or a member for the Board, or why there is none."""
    if column == "actual" and not is_judged(row):
        return sign(row, "direction").word
    return figure_text(row, column, data.texts) or "-"


def _standing(
    data: BoardData, plan: Plan, group: Row, rows: Sequence[Row], shown: Set[tuple[str, str]]
) -> GroupStanding:
    """A group's figure with its members; what is of another period than the group's figure has no rank."""
    figures = {
        row["partner_code"]: row["year_to_date"] for row in rows if is_judged(row) and row["period"] == group["period"]
    }
    stand = _stand(plan, group, figures)
    members = [
        Member(row, data.partner(row), stand.places.get(row["partner_code"])) for row in rows if series_of(row) in shown
    ]
    # Sorting keeps the plan's order among those that share a rank or have none.
    members.sort(key=lambda member: member.place.rank if member.place else len(rows) + 1)
    # A figure of the report has a partner and a marker.
    return GroupStanding({**group, "partner_code": group["group_code"], "marker": None}, members, stand.quartiles)


def _stand(plan: Plan, group: Row, figures: Mapping[str, float | None]) -> Standing:
    if group["indicator"] not in plan.indicators:
        return NO_STANDING
    return standing(plan, group["indicator"], parse_period(group["period"]), figures)
