"""What views say of partners and indicators as dimensions: groups, successors, and when each begins and ends.

Every period that a view names gets its row too: what judgements compare with may be of years that no return is about.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_PERIODS = ("first_period", "last_period")
_PARTNERS = ("group_code", "successor", *_PERIODS)
_IS_PERIOD = re.compile(r"\d{4}-\d\d(Q[1-4])?")
# The last month and day of each quarter; the fourth ends in the year after, as the whole year does.
_ENDS = {1: (6, 30), 2: (9, 30), 3: (12, 31), 4: (3, 31)}


def upgrade() -> None:
    """Add the columns, filled from the files of the plans that are stored, and the periods."""
    for table, names in (("plan_partner", _PARTNERS), ("plan_edition", _PERIODS)):
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    named: set[str] = set()
    for plan_id, partners, indicators in _stored_plans():
        named |= _fill_partners(plan_id, partners)
        named |= _fill_editions(plan_id, indicators)
    _add_periods(named)


def _stored_plans() -> list[tuple[int, list[dict[str, str]], list[dict[str, str]]]]:
    """The number of each plan whose files are stored, and the rows of its partners and indicators."""
    files = sa.table("plan_file", *(sa.column(name) for name in ("plan_id", "file", "content")))
    found: dict[int, dict[str, list[dict[str, str]]]] = {}
    query = sa.select(files).where(files.c.file.in_(["partners.csv", "indicators.csv"]))
    for row in op.get_bind().execute(query):
        found.setdefault(row.plan_id, {})[row.file] = _rows(row.content)
    return [(number, rows.get("partners.csv", []), rows.get("indicators.csv", [])) for number, rows in found.items()]


def _rows(content: bytes) -> list[dict[str, str]]:
    table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [{name: (cell or "").strip() for name, cell in row.items() if name} for row in table]


def _fill_partners(plan_id: int, rows: Iterable[Mapping[str, str]]) -> set[str]:
    partner = sa.table("plan_partner", *(sa.column(name) for name in ("plan_id", "partner_code", *_PARTNERS)))
    named: set[str] = set()
    for row in rows:
        values = {name: row[name] for name in _PARTNERS[:2] if row.get(name)} | _periods_of(row)
        if values:
            which = (partner.c.plan_id == plan_id) & (partner.c.partner_code == row.get("partner_code"))
            op.get_bind().execute(sa.update(partner).where(which).values(values))
        named |= {values[name] for name in _PERIODS if name in values}
    return named


def _fill_editions(plan_id: int, rows: Iterable[Mapping[str, str]]) -> set[str]:
    """An edition is known by the day from which it describes: that of its first period, or of all time."""
    names = ("plan_id", "indicator", *_PERIODS)
    edition = sa.table("plan_edition", sa.column("described_from", sa.Date()), *(sa.column(name) for name in names))
    rows_of: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        # Only what carries figures has a unit, and only that has editions.
        if row.get("unit"):
            rows_of.setdefault(row["indicator"], []).append(row)
    named: set[str] = set()
    for indicator, editions in rows_of.items():
        for number, row in enumerate(sorted(editions, key=_first_day)):
            values = _periods_of(row)
            if values:
                first_day = _first_day(row) if number else date.min
                which = (edition.c.plan_id == plan_id) & (edition.c.indicator == indicator)
                found = sa.update(edition).where(which, edition.c.described_from == first_day)
                op.get_bind().execute(found.values(values))
            named |= set(values.values())
    return named


def _periods_of(row: Mapping[str, str]) -> dict[str, str]:
    return {name: row[name] for name in _PERIODS if _IS_PERIOD.fullmatch(row.get(name, ""))}


def _first_day(row: Mapping[str, str]) -> date:
    first: str | None = _periods_of(row).get("first_period")
    return _row(first)["starts_on"] if first else date.min


def _add_periods(codes: set[str]) -> None:
    days = {name: sa.Date() for name in ("starts_on", "ends_on")}
    period = sa.table("period", *(sa.column(name, days.get(name)) for name in _row("2010-11")))
    judged: sa.ColumnClause[str] = sa.column("period")
    for code in op.get_bind().scalars(sa.select(judged).select_from(sa.table("judgement", judged)).distinct()):
        year, mark, quarter = code.partition("Q")
        before = f"{int(year[:4]) - 1}-{int(year[2:4]):02}"
        codes |= {before, before + mark + quarter}
    codes -= set(op.get_bind().scalars(sa.select(period.c.period)))
    if codes:
        op.bulk_insert(period, [_row(code) for code in sorted(codes)])


def _row(code: str) -> dict[str, Any]:
    year, _, quarter = code.partition("Q")
    start, number = int(year[:4]), int(quarter or 0)
    month, day = _ENDS[number or 4]
    return {
        "period": code,
        "period_label": year.replace("-", "/") + (f" Q{quarter}" if quarter else ""),
        "financial_year": year,
        "quarter": number or None,
        "year_type": "financial",
        "starts_on": date(start + (number == 4), {1: 4, 2: 7, 3: 10, 4: 1}[number or 1], 1),
        "ends_on": date(start + (month == 3), month, day),
        "period_order": 5 * start + (number or 5),
    }


def downgrade() -> None:
    """Drop the columns: the plan's files have what they held. Periods more do no harm."""
    for table, names in (("plan_partner", _PARTNERS), ("plan_edition", _PERIODS)):
        for name in names:
            op.drop_column(table, name)
