"""`cypp export`: the views as files for other tools."""

from typing import TYPE_CHECKING

import typer

from flows.cli.arguments import Output
from flows.cli.terminal import say
from flows.cli.warehouse_access import with_warehouse
from warehouse.exports.files import export_views

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cypp_etl.plan.model import Plan


def export(output: Output) -> None:
    """Export every view as CSV and Parquet.

    A Frictionless data package describes the files.
    """

    def write(connection: "Connection", _: "Plan") -> int:
        for path in export_views(connection, output):
            say(path)
        return 0

    raise typer.Exit(with_warehouse(write))
