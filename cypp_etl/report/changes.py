"""What changed: symbols that read otherwise than in the period before, and those that turned since the last report."""

from dataclasses import dataclass
from datetime import date

from cypp_etl.judgement.columns import BOARD_TITLES, TITLES
from cypp_etl.report.model import BoardData, Row, Since
from cypp_etl.report.moments import moment_words
from cypp_etl.report.returns import nothing_returned
from cypp_etl.report.symbols import Sign, sign


@dataclass(frozen=True, slots=True)
class Turned:
    """A symbol that turned after it had been judged, in words; `on` is the day in UTC."""

    indicator: str
    period: str
    judgement: str
    was: str
    became: str
    on: date
    because: str


def changes(data: BoardData) -> list[tuple[Row, str, Sign, Sign]]:
    """What reads otherwise than in the period before: row, judgement, then and now."""
    return [
        (row, name, then, now)
        for earlier, row in _in_both(data)
        for column, name in BOARD_TITLES.items()
        if (then := sign(earlier, column)) != (now := sign(row, column))
    ]


def no_changes(data: BoardData) -> str:
    """Why nothing reads otherwise than in the period before."""
    if not data.returned(data.period):
        return nothing_returned(data)
    compared = len(_in_both(data))
    if not compared:
        return f"None of the indicators was returned for {data.period.previous.label} as well."
    if compared == 1:
        return "No symbol reads otherwise, of the one indicator that was returned for both."
    return f"No symbol reads otherwise, of the {compared} indicators that were returned for both."


def turned(data: BoardData) -> list[Turned]:
    """The symbols that turned since, in words."""
    return [
        Turned(
            data.named(row),
            data.label(row, row["period"]),
            TITLES[row["judgement"]],
            row["was"],
            row["became"],
            row["changed_at"].date(),
            _cause(row),
        )
        for row in data.turned
    ]


def turned_heading(data: BoardData) -> str:
    """What the list of symbols that turned is headed with, or says where there are none, without a full stop.

    A report knows nothing of later periods, whose symbols may have turned too.
    """
    those = f"of {data.period.label} or before"
    what = f"Symbols {those} that turned" if data.turned else f"No symbol {those} has turned"
    return f"{what} {_since(data.since)}" if data.since else what


def _since(since: Since) -> str:
    """From when on symbols that turned are listed, and why from then."""
    said = f"after {moment_words(since.moment)}"
    if since.published:
        return f"{said}, up to which the last published report, on {since.published.label}, knew"
    return f"{said}, when returns for {since.due.label} were due" if since.due else said


def _in_both(data: BoardData) -> list[tuple[Row, Row]]:
    """The judgements of the period before and of this one, of what was returned for both."""
    before = {(row["indicator"], row["partner_code"]): row for row in data.of_period(data.period.previous)}
    both = ((before.get((row["indicator"], row["partner_code"])), row) for row in data.returned(data.period))
    return [(earlier, row) for earlier, row in both if earlier]


def _cause(row: Row) -> str:
    if row["source_cell"]:
        return f"{row['source_file']}, sheet {row['source_sheet']}, cell {row['source_cell']}"
    if row["source_file"]:
        return f"{row['source_file']}, which leaves a figure out"
    if row["withdrawal"]:
        return f"the withdrawal of {row['withdrawal']}"
    return "a change of the plan"
