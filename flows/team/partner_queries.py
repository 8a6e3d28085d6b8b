"""Queries to partners: which are open, in lines, and answering one."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from cypp_etl.periods import parse_period
from cypp_etl.phrases import date_text, short_list
from flows.team.decided import Decided, require_who, shown_to_partner
from warehouse.engine import writing
from warehouse.recording.administration import answer_query as answer_query_in

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace


def answer_query(workplace: "Workplace", query_id: int, answer: str, *, by: str) -> Decided:
    """Answer a query, so that nobody waits for the partner any more.

    Raises:
        ValueError: there is no such query, it needs no answer any more, or nobody says what or who.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who(by)
    if not answer.strip():
        raise ValueError("say what the answer is")
    with writing(workplace.engine) as connection:
        asked, is_new = answer_query_in(connection, query_id, answer.strip(), by, datetime.now(UTC))
    state = "is answered" if is_new else "was already answered so"
    sentence = f"Query {query_id}, {query_label(dict(asked))}, {state}."
    decided = Decided(is_new, (sentence,), periods=(parse_period(asked["period"]),))
    return shown_to_partner(workplace, decided, asked["partner_code"])


def query_label(asked: Mapping[str, Any]) -> str:
    """Which query it is: its code and subject, whose it is, and of which return."""
    what = " ".join(filter(None, (asked["code"], asked["subject"])))
    return f"{what} ({asked['partner_code']}, {parse_period(asked['period']).label})"


def age_in_words(asked: Mapping[str, Any], today: date) -> str:
    """Since when it is asked, and for how many days."""
    day = asked["asked_at"].date()
    days = (today - day).days
    return f"asked {date_text(day)}, {days:,} {'day' if days == 1 else 'days'} ago"


def open_in_lines(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each period with open queries: how many each partner has. `rows` are those of `bi_queries`."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        of_period = counts.setdefault(row["period"], {})
        of_period[row["partner_code"]] = of_period.get(row["partner_code"], 0) + 1
    ordered = sorted(counts.items(), key=lambda item: parse_period(item[0]).order)
    return [
        f"{period}, open queries: {short_list([f'{partner} {count}' for partner, count in sorted(partners.items())])}"
        for period, partners in ordered
    ]
