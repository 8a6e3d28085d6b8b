"""The views as files: CSV that is safe to open in a spreadsheet, Parquet, and descriptions that tools can read."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from warehouse.exports.data_package import data_package
from warehouse.exports.dbt_sources import dbt_sources
from warehouse.exports.rows import write_rows
from warehouse.exports.snapshot import snapshot
from warehouse.views.dictionary import VIEWS


def export_views(connection: Connection, folder: Path) -> Iterator[Path]:
    """Write every view as CSV and Parquet, then what describes them; yield each path when it is complete.

    All views are of one moment if the connection is a transaction of `engine.reading`.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with snapshot(connection, folder) as read:
        for view in VIEWS:
            table, parquet = folder / f"{view.name}.csv", folder / f"{view.name}.parquet"
            write_rows(connection, read, view, table, parquet)
            yield from (table, parquet)
    for name, text in (("schema.yml", dbt_sources()), ("datapackage.json", data_package(folder))):
        (folder / name).write_text(text, "utf-8")
        yield folder / name
