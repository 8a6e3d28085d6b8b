"""The pages of a large report's groups: each group has one, or several where one would be too large."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from cypp_etl.report.folder import slug
from cypp_etl.report.groups.standings import Group, GroupStanding

MOST_ROWS = 2500
"""How many rows a page has at most, if not a single indicator has more: a page of these is smaller than 2 MB."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A page: its file, what it is on, and the part of the group that it shows."""

    file: str
    title: str
    group: Group

    @property
    def place(self) -> str:
        """Its address, as the other pages have it."""
        return quote(self.file)


def group_pages(groups: Sequence[Group], first: int, beside: str = "") -> list[GroupPage]:
    """The pages of groups, whose numbers in the folder go on from the first.

    Their titles have beside the group's name the part of the report that they are of, if it is one.
    """
    found: list[GroupPage] = []
    for group in groups:
        parts = [*_parts(group.standings)]
        name = f"{group.group}, {beside}" if beside else group.group
        for number, part in enumerate(parts, start=1):
            title = f"{name} ({number})" if len(parts) > 1 else name
            file = f"{first + len(found):03} {slug(title)}.html"
            found.append(GroupPage(file, title, replace(group, standings=part)))
    return found


def _parts(standings: Sequence[GroupStanding]) -> Iterator[list[GroupStanding]]:
    """The standings in their order, so many at once that their rows fit into a page."""
    part: list[GroupStanding] = []
    rows = 0
    for one in standings:
        rows += len(one.members) + 2
        if part and rows > MOST_ROWS:
            yield part
            part, rows = [], len(one.members) + 2
        part.append(one)
    if part:
        yield part
