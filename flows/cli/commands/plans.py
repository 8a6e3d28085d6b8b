"""`cypp compare-plans`: what would be judged otherwise by another plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cypp_etl.judgement.columns import TITLES
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.reader import read_plan
from flows.cli.arguments import parsed_period
from flows.cli.queries import ask
from flows.cli.terminal import say
from warehouse.queries.plan_comparison import turned_by

if TYPE_CHECKING:
    from sqlalchemy import Connection


def compare_plans(
    other: Annotated[
        Path, typer.Argument(help="The folder of another plan's CSV files.", exists=True, file_okay=False)
    ],
    period: Annotated[str | None, typer.Argument(help="One period; all of them, if none.")] = None,
) -> None:
    """Show which symbols another plan would change.

    Its margins, polarities and targets are tried on the figures in force; nothing is adopted.
    """
    wanted = parsed_period(period) if period else None
    raise typer.Exit(ask(lambda connection, _: _show_comparison(connection, other, wanted)))


def _show_comparison(connection: "Connection", other: Path, period: Period | None) -> int:
    """Print each symbol that would turn; nothing is recorded.

    Raises:
        cypp_etl.plan.reader.PlanError: the other plan has faults.
    """
    turned = [one for one in turned_by(connection, read_plan(other)) if period is None or one.period == period.code]
    for one in turned:
        name = TITLES[one.column]
        say(f"{one.indicator}, {parse_period(one.period).label}, {name.lower()}: {one.was} -> {one.now}")
    say(f"{len(turned)} symbols would turn." if turned else "No symbol would turn.")
    return 0
