"""What the report says of the returns of its period: which have come, which were refused, and which are held."""

from collections.abc import Iterator

from cypp_etl.phrases import date_text
from cypp_etl.report.model import BoardData, Row
from schemas.codes import ReturnStatus

_MOST_NAMED = 10
"""More returns that were not accepted are counted, and named below."""


def wanting(data: BoardData) -> list[Row]:
    """The returns that are late or missing."""
    return [row for row in data.returns if row["status"] in (ReturnStatus.LATE, ReturnStatus.MISSING)]


def status_words(data: BoardData, row: Row) -> str:
    """Where a partner's return stands, and what of it was refused since, or is held."""
    parts = [str(row["status"])]
    for rows, state in ((data.refused, "was refused"), (data.held, "is held")):
        if row["partner_code"] in {one["partner_code"] for one in rows}:
            parts.append(f"a {_kind(row)} {state}")
    return "; ".join(parts)


def returns_in_short(data: BoardData) -> list[str]:
    """What the summary says of the returns, beside those that are late or missing."""
    standing = [] if wanting(data) else [_standing(data)]
    return [*standing, *_not_accepted(data)]


def nothing_returned(data: BoardData) -> str:
    """Why there is no figure of the period."""
    if not data.indicators:
        return "Nothing had been recorded by then."
    if any(row["submission_id"] for row in data.returns):
        return f"No figures have been returned for {data.period.label}."
    if data.refused or data.held:
        return f"Nothing that was returned for {data.period.label} has been accepted."
    return f"Nothing has been returned for {data.period.label}."


def no_returns(data: BoardData) -> str:
    """Why no returns are listed."""
    if not data.indicators:
        return "Nothing had been recorded by then."
    if data.part:
        return "No return belongs to this part of the report."
    if not data.period.quarter and not data.is_owed:
        return f"No return for {data.period.label} has been accepted: returns are owed for quarters."
    return f"The plan asks for no returns for {data.period.label}."


def _standing(data: BoardData) -> str:
    """What can be said of returns of which none is late or missing."""
    if not data.returns:
        sentence = no_returns(data)
        return sentence[0].lower() + sentence[1:].removesuffix(".")
    come = sum(row["status"] == ReturnStatus.RECEIVED for row in data.returns)
    if not data.period.quarter and not data.is_owed:
        return f"{come} received: returns are owed for quarters"
    if come == len(data.returns):
        return "all received on time"
    due = max(row["due_on"] for row in data.returns)
    return f"{come or 'none'} of {len(data.returns)} received so far, due on {date_text(due)}"


def _not_accepted(data: BoardData) -> Iterator[str]:
    rows = {row["partner_code"]: row for row in data.returns}
    for of, state, of_many in (
        (data.refused, "was refused", "were refused"),
        (data.held, "is held until it is decided", "are held until they are decided"),
    ):
        if len(of) > _MOST_NAMED:
            yield f"{len(of)} {of_many}"
            continue
        for one in of:
            yield f"a {_kind(rows.get(one['partner_code']))} from {one['partner']} {state}"


def _kind(row: Row | None) -> str:
    """What was refused, or is held: a return, or the correction of one that is in force."""
    return "correction" if row and row["submission_id"] else "return"
