"""The page in a partner's folder that says how its returns stand: a single file that needs no network.

It is made for somebody who only ever sees this folder.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from cypp_etl.phrases import date_text
from cypp_etl.receipts.wording import plain
from schemas.codes import ReturnStatus

MARK = "<!-- Written by cypp-etl, and written over whenever something changes. -->"
"""By which a page of ours is known again: what a partner puts in its place is none."""

_BEGINS = f'<!DOCTYPE html>\n{MARK}\n<html lang="en-GB">'
_STATES = {
    ReturnStatus.RECEIVED: ("Received", "done"),
    ReturnStatus.LATE: ("Received late", "done"),
    ReturnStatus.MISSING: ("Missing", "wrong"),
    ReturnStatus.NOT_DUE: ("Not received yet", "open"),
}
_NOTHING_TO_DO = "Nothing. Every return that was due has come, and no query is open."
_HOW_TO_ANSWER = (
    "Write your explanation in Comment in the row of the figure, or in Evidence in the row of the milestone, and put "
    "the workbook into this folder again. Or tell the data team."
)
_NO_CONTACT = "Ask the data team that gave you this folder."
# The colours of GOV.UK's design system, whose contrast with the text is at least 4.5 to 1.
_STYLE = """
body{font:1rem/1.5 Arial,sans-serif;color:#0b0c0c;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.8rem;line-height:1.25}h2{font-size:1.3rem;margin-top:2.2rem}
.todo{border-left:.6rem solid #1d70b8;padding:.1rem 1.2rem}.todo h2{margin-top:.6rem}
li{margin:.4rem 0}table{border-collapse:collapse;width:100%}
caption{text-align:left;font-weight:bold;padding:.4rem 0}
th,td{border-bottom:1px solid #b1b4b6;padding:.5rem .8rem .5rem 0}
th,td{text-align:left;vertical-align:top;overflow-wrap:anywhere}tbody th,td:last-child{white-space:nowrap}
.state{display:inline-block;padding:.1rem .5rem;font-weight:bold;white-space:nowrap}
.done{background:#cce2d8;color:#005a30}.wrong{background:#f4cdc6;color:#2a0b06}.open{background:#fff7bf;color:#594d00}
@media(max-width:40rem){thead{display:none}tr{display:block;padding:.6rem 0;border-bottom:1px solid #b1b4b6}
td,tbody th{display:block;border:0;padding:.1rem 0}td:last-child{white-space:normal}
td[data-heading]::before{content:attr(data-heading) ": ";font-weight:bold}}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""


@dataclass(frozen=True, slots=True)
class ReturnState:
    """How one return stands: its period for people, when it is due and when it came, None if not known.

    `rejected_on` is the day of a later attempt that was rejected, None if there was none, and `has_receipt` whether the
    partner's folder may have a receipt that says why. `has_form` says whether its form lies there.
    """

    period: str
    due_on: date | None
    status: ReturnStatus
    received_on: date | None = None
    rejected_on: date | None = None
    has_receipt: bool = True
    has_form: bool = False


@dataclass(frozen=True, slots=True)
class OpenQuery:
    """A query that waits for the partner: which return, where in it, what is asked, and since when."""

    period: str
    place: str
    message: str
    asked_on: date


@dataclass(frozen=True, slots=True)
class PartnerStatus:
    """How a partner's returns stand on a day; the newest return first. `contact` may be empty."""

    partner: str
    known_on: date
    returns: Sequence[ReturnState]
    queries: Sequence[OpenQuery]
    contact: str = ""


def status_page(status: PartnerStatus) -> str:
    """The page as HTML."""
    title = f"Returns of {status.partner}"
    body = [
        f"<h1>{_safe(title)}</h1>",
        f"<p>As known on {date_text(status.known_on)}. This page changes after each of your returns; to see the "
        "latest, open it again.</p>",
        f'<div class="todo"><h2>What you have to do</h2>{_todo(status)}</div>',
        f"<h2>Your returns</h2>{_returns(status.returns)}",
        f"<h2>Open queries</h2>{_queries(status.queries)}",
        f"<h2>Whom to ask</h2><p>{_safe(status.contact or _NO_CONTACT)}</p>",
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'{_BEGINS}<head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


def _todo(status: PartnerStatus) -> str:
    tasks = [sentence for one in reversed(status.returns) for sentence in _tasks(one)]
    if status.queries:
        count = len(status.queries)
        tasks.append(f"Answer {count} open {'query' if count == 1 else 'queries'}: see below.")
    if not tasks:
        return f"<p>{_NOTHING_TO_DO}</p>"
    return f"<ul>{''.join(f'<li>{_safe(task)}</li>' for task in tasks)}</ul>"


def _tasks(one: ReturnState) -> Iterable[str]:
    is_awaited = one.status in (ReturnStatus.MISSING, ReturnStatus.NOT_DUE)
    if one.rejected_on:
        kept = "" if is_awaited else " What you sent before is in force."
        why = 'its receipt in the folder "replies" says' if one.has_receipt else "the data team can tell you"
        yield (
            f"Correct the workbook for {one.period} that was rejected on {date_text(one.rejected_on)}: {why} what is "
            f"wrong.{kept}"
        )
    elif is_awaited and one.due_on:
        is_late = one.status is ReturnStatus.MISSING
        due = f"It was due by {date_text(one.due_on)}." if is_late else f"It is due by {date_text(one.due_on)}."
        form = ' Its form is in the folder "forms".' if one.has_form else ""
        yield f"Send the return for {one.period}. {due}{form}"


def _returns(returns: Sequence[ReturnState]) -> str:
    if not returns:
        return "<p>No return has come yet, and none is due.</p>"
    rows = "".join(_return_row(one) for one in returns)
    return _table("Returns, the newest first", ("Return", "Due by", "State", "Received on"), rows)


def _return_row(one: ReturnState) -> str:
    word, look = _STATES[one.status]
    rejected = f" A later one was rejected on {date_text(one.rejected_on)}." if one.rejected_on else ""
    if one.status in (ReturnStatus.MISSING, ReturnStatus.NOT_DUE):
        rejected = rejected.replace("A later one", "One")
    cells = [
        _cell("Due by", _day(one.due_on)),
        f'<td data-heading="State"><span class="state {look}">{word}</span>{rejected}</td>',
        _cell("Received on", _day(one.received_on)),
    ]
    return f'<tr><th scope="row">{_safe(one.period)}</th>{"".join(cells)}</tr>'


def _queries(queries: Sequence[OpenQuery]) -> str:
    if not queries:
        return "<p>There are none.</p>"
    rows = "".join(
        f'<tr><th scope="row">{_safe(one.period)}</th>{_cell("Where", one.place)}{_cell("What is asked", one.message)}'
        f"{_cell('Asked on', date_text(one.asked_on))}</tr>"
        for one in queries
    )
    table = _table("What we ask you to explain", ("Return", "Where", "What is asked", "Asked on"), rows)
    return f"<p>{_HOW_TO_ANSWER}</p>{table}"


def _table(caption: str, headings: Sequence[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(heading: str, text: str) -> str:
    return f'<td data-heading="{heading}">{_safe(text)}</td>'


def _day(day: date | None) -> str:
    return date_text(day) if day else "–"


def _safe(text: str) -> str:
    return escape(plain(text))
