"""The returns that are held, in lines.

Apart from `held_verdicts`, so that what only reads need not import what writes receipts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cypp_etl.periods import parse_period


def held_in_short(row: Mapping[str, Any]) -> str:
    """Which submission is held; `row` is one of `held_submissions`."""
    return f"{row['submission_id']} ({row['partner_code']}, {parse_period(row['period']).label})"


def held_in_lines(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each submission that is held, with why."""
    return [f"Submission {held_in_short(row)} is held: {row['reason']}" for row in rows]
