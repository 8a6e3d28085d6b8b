"""What changed: symbols that differ from the period before, and those that were revised since the last report."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cypp_etl.judgement.columns import BOARD_TITLES, TITLES
from cypp_etl.report.model import BoardData, Row, Since, series_of
from cypp_etl.report.moments import moment_words
from cypp_etl.report.returns import nothing_returned
from cypp_etl.report.symbols import Sign, sign


@dataclass(frozen=True, slots=True)
class Revision:
    """A symbol that turned after it had been judged, in words; `on` is the day in UTC, `order` the sort key.

    `whose` is the partner, where another one returns the indicator too; empty where that goes without saying.
    """

    indicator: str
    partner: str
    whose: str
    period: str
    judgement: str
    was: str
    became: str
    on: date
    because: str
    order: tuple[str, ...]

    @property
    def named(self) -> str:
        """The indicator, with its partner where that does not go without saying."""
        return f"{self.indicator} ({self.whose})" if self.whose else self.indicator


def changes_since_last_period(data: BoardData) -> list[tuple[Row, str, Sign, Sign]]:
    """The symbols that differ from the period before: row, judgement, then and now."""
    return data.once("changes", lambda: _changes(data))


def _changes(data: BoardData) -> list[tuple[Row, str, Sign, Sign]]:
    return [
        (row, name, then, now)
        for earlier, row in _in_both(data)
        for column, name in BOARD_TITLES.items()
        if (then := sign(earlier, column)) != (now := sign(row, column))
    ]


@dataclass(frozen=True, slots=True)
class SignChange:
    """What a judgement of the period before said, and what it says now."""

    was: Sign
    now: Sign


@dataclass(frozen=True, slots=True)
class ChangedIndicator:
    """An indicator of which a judgement has changed; `changes` has each judgement, None for those that have not."""

    row: Row
    title: str
    changes: tuple[SignChange | None, ...]


def changed_indicators(data: BoardData) -> list[ChangedIndicator]:
    """The indicators with a symbol that differs from the period before."""
    found: dict[tuple[str, str], dict[str, SignChange]] = {}
    rows = {}
    for row, name, was, now in changes_since_last_period(data):
        found.setdefault(series_of(row), {})[name] = SignChange(was, now)
        rows[series_of(row)] = row
    return [
        ChangedIndicator(
            row, f"{data.named(row)}: {row['definition']}", tuple(map(found[key].get, BOARD_TITLES.values()))
        )
        for key, row in rows.items()
    ]


def no_changes(data: BoardData) -> str:
    """Why no symbol differs from the period before."""
    if not data.returned(data.period):
        return nothing_returned(data)
    compared = len(_in_both(data))
    if not compared:
        return f"None of the indicators was returned for {data.period.previous.label} as well."
    if compared == 1:
        return "No symbol has changed for the one indicator returned in both periods."
    return f"No symbol has changed for the {compared} indicators returned in both periods."


def revisions(data: BoardData) -> list[Revision]:
    """The symbols that turned since, in words."""
    return [
        Revision(
            row["indicator"],
            data.partner(row),
            data.whose(row),
            data.label(row, row["period"]),
            TITLES[row["judgement"]],
            row["was"],
            row["became"],
            row["changed_at"].date(),
            _cause(row),
            (row["indicator"], row["period"], str(row["changed_at"]), row["judgement"], row["partner_code"]),
        )
        for row in data.symbol_changes
    ]


@dataclass(frozen=True, slots=True)
class Correction:
    """The symbols of one indicator and period that turned on one day because of one cell, or of whatever it was."""

    named: str
    indicator: str
    partner: str
    period: str
    on: date
    because: str
    changes: tuple[str, ...]


def corrections(rows: Iterable[Revision]) -> list[Correction]:
    """Symbols that turned, those that turned together in one."""
    found: dict[tuple[str, str, str, str, date, str], list[Revision]] = {}
    for one in rows:
        key = (one.named, one.indicator, one.partner, one.period, one.on, one.because)
        found.setdefault(key, []).append(one)
    return [
        Correction(*key, tuple(f"{one.judgement}: {one.became}, was {one.was}" for one in several))
        for key, several in found.items()
    ]


def revisions_heading(data: BoardData, count: int) -> str:
    """What the list of so many symbols that turned is headed with, or says where there are none, without a full stop.

    A report knows nothing of later periods, whose symbols may have turned too.
    """
    those = f"of {data.period.label} or before"
    what = f"Symbols {those} that turned" if count else f"No symbol {those} has turned"
    return f"{what} {_since(data.since)}" if data.since else what


def _since(since: Since) -> str:
    """From when on symbols that turned are listed, and why from then."""
    after = f"after {moment_words(since.moment)}"
    if since.published:
        return f"{after}, up to which the last published report, on {since.published.label}, knew"
    return f"{after}, when returns for {since.due.label} were due" if since.due else after


def _in_both(data: BoardData) -> list[tuple[Row, Row]]:
    """The judgements of the period before and of this one, of what was returned for both."""
    before = {series_of(row): row for row in data.of_period(data.period.previous)}
    both = ((before.get(series_of(row)), row) for row in data.returned(data.period))
    return [(earlier, row) for earlier, row in both if earlier]


def _cause(row: Row) -> str:
    if row["source_cell"]:
        return f"{row['source_file']}, sheet {row['source_sheet']}, cell {row['source_cell']}"
    if row["source_file"]:
        return f"{row['source_file']}, which leaves a figure out"
    if row["withdrawal"]:
        return f"the withdrawal of {row['withdrawal']}"
    # A plan that an older program put in force has no decision either.
    return "a change of the plan" if row["decision_id"] else "a change of the plan, or of the program's rules"
