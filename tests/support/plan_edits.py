"""Changes to a plan's tables, as an editor makes them: rows that end, change and are added."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import plan_of
from cypp_etl.plan.tables import read_files
from tests.support.plans import quarterly_files


@dataclass
class PlanEdits:
    """The tables of a plan as rows of texts by column: at first the built-in one's, with everything asked quarterly."""

    tables: dict[str, list[dict[str, str]]] = field(default_factory=lambda: _tables(quarterly_files()))

    @classmethod
    def of_the_built_in_plan(cls) -> "PlanEdits":
        """The tables as they are."""
        return cls(_tables(read_files(None)))

    def change(self, table: str, code: str, **cells: str) -> "PlanEdits":
        """Change the last row of a table that is about a code."""
        self._last(table, code).update(cells)
        return self

    def add(self, table: str, like: str = "", **cells: str) -> "PlanEdits":
        """Add a row; what is not said is as in the last row about a code, or blank."""
        rows = self.tables.setdefault(table, [])
        model = self._last(table, like) if like else {}
        rows.append({**model, "first_period": "", "last_period": "", **cells})
        return self

    def renew(self, indicator: str, first_period: str, last_period: str, **cells: str) -> "PlanEdits":
        """End an edition of an indicator, and begin another that differs in some cells."""
        self.change("indicators", indicator, last_period=last_period)
        return self.add("indicators", indicator, first_period=first_period, **cells)

    def _last(self, table: str, code: str) -> dict[str, str]:
        """The last row with a code in its first cell; if there is none, in any of its cells."""
        rows = self.tables[table]
        own = [row for row in rows if next(iter(row.values())) == code]
        return (own or [row for row in rows if code in row.values()])[-1]

    @property
    def files(self) -> dict[str, bytes]:
        """The files, with a column for each cell that any row has."""
        return {f"{name}.csv": _csv(rows) for name, rows in self.tables.items()}

    def read(self) -> Plan:
        """The plan."""
        return plan_of(self.files)


def _tables(files: Mapping[str, bytes]) -> dict[str, list[dict[str, str]]]:
    return {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(content.decode())))
        for name, content in files.items()
    }


def _csv(rows: list[dict[str, str]]) -> bytes:
    columns = list(dict.fromkeys(name for row in rows for name, text in row.items() if text or name in rows[0]))
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue().encode()
