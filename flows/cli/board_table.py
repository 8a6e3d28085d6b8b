"""The Board's table on the terminal: one row per indicator, with its symbols."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cypp_etl.decimals import decimal_text
from cypp_etl.escapes import for_terminal
from cypp_etl.judgement.columns import PRINTED
from cypp_etl.layout import published_table
from cypp_etl.periods import Period
from cypp_etl.plan.model import own_definition
from warehouse.queries.board.reader import read_board
from warehouse.queries.views import performance

if TYPE_CHECKING:
    from sqlalchemy import Connection


def show_board_table(connection: "Connection", period: Period) -> None:
    """Print a period's judgements as the published table lays them out.

    What is not asked in the period's return has its latest figure, with the period that it is of.
    """
    table = Table("Ref", title=period.label, title_justify="left")
    table.add_column("Definition", no_wrap=True, overflow="ellipsis", max_width=44)
    for heading in ("Good", "Last year", "Target", "Actual"):
        table.add_column(heading, justify="left" if heading == "Good" else "right", no_wrap=True)
    for heading in ("On target", "DOT", "Year to date", "Stat. neigh.", "National"):
        table.add_column(heading, justify="center")
    for row in read_board(connection, period, datetime.now(UTC)).of_period(period):
        figures = [figure_text(row, name) for name in ("previous_actual", "target", "actual")]
        if row["period"] != period.code:
            figures[-1] += f" ({row['period_label']})"
        symbols = (row[f"{column.name}_symbol"] for column in PRINTED.values())
        # A sub-indicator's own definition distinguishes it; its parent's would fill the column.
        definition = own_definition(row["definition"]) if row["sub"] else row["definition"]
        texts = (row["indicator"], definition, row["polarity"], *figures, *symbols)
        # As Text objects: in a plain string, rich would interpret square brackets.
        table.add_row(*(Text(for_terminal(text)) for text in texts))
    Console(width=160, highlight=False).print(table)


def count_agreeing_symbols(connection: "Connection", year: Period, printed: Sequence[Sequence[str]]) -> tuple[int, int]:
    """How many of a printed table's symbols the warehouse agrees with, and how many were printed."""
    columns = [column.column for column in published_table().columns]
    computed = {row["indicator"]: row for row in performance(connection, period=year)}
    agreeing = count = 0
    parent = ""
    for texts in printed[1:]:
        record = dict(zip(columns, texts, strict=True))
        parent = record["ref"] if record["ref"] and len(record["ref"]) > 1 else parent
        row = computed.get(record["ref"]) or computed.get(parent + record["ref"])
        for printed_in, column in PRINTED.items():
            if row and record[printed_in]:
                count += 1
                agreeing += record[printed_in] == row[f"{column.name}_symbol"]
    return agreeing, count


def figure_text(row: Any, name: str) -> str:
    """A figure of a row as people write it, `-` if there is none."""
    value = row[name]
    return "-" if value is None else decimal_text(value, row["decimals"], row["unit"], row["currency"] or "")
