"""`cypp compare-plans`: which symbols another plan would turn."""

from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.judgement.columns import TITLES
from cypp_etl.periods import Period, parse_period
from flows.cli.terminal import say

if TYPE_CHECKING:
    from sqlalchemy import Connection


def show_comparison(connection: "Connection", other: Path, period: Period | None) -> int:
    """Print each symbol that would turn; nothing is recorded.

    Raises:
        cypp_etl.plan.reader.PlanError: the other plan has faults.
    """
    from cypp_etl.plan.reader import read_plan
    from warehouse.queries.plan_comparison import turned_by

    turned = [one for one in turned_by(connection, read_plan(other)) if period is None or one.period == period.code]
    for one in turned:
        name = TITLES[one.column]
        say(f"{one.indicator}, {parse_period(one.period).label}, {name.lower()}: {one.was} -> {one.now}")
    say(f"{len(turned)} symbols would turn." if turned else "No symbol would turn.")
    return 0
