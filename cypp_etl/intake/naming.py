"""What a row calls its indicator: a reference, a part and a definition, in cells of their own or in one."""

from cypp_etl.intake.tables import TableRow
from cypp_etl.plan.index import PlanIndex


def naming_of(row: TableRow, index: PlanIndex) -> tuple[str, str, str]:
    """A row's reference, part and definition as typed; from one cell, the reference that the plan has."""
    if "indicator" not in row.columns:
        return row.text("ref"), row.text("sub"), row.text("definition")
    text = row.text("indicator")
    ref, sub, rest = index.reference_begun(text)
    if not ref:
        return row.text("ref"), row.text("sub"), text
    return ref, sub or row.text("sub"), rest or row.text("definition")


def blame_naming(columns: dict[str, int]) -> None:
    """Have findings about a reference stand where a table without a column of them names its indicators."""
    naming = columns.get("indicator") or columns.get("definition")
    if naming:
        columns.setdefault("ref", naming)
        columns.setdefault("sub", columns["ref"])
