"""What the data dictionary says of each view and column, as comments of PostgreSQL, which BI tools show."""

from collections.abc import Iterator

from warehouse.views.columns import ViewColumn
from warehouse.views.dictionary import VIEWS


def comment_statements() -> Iterator[str]:
    """The statements that comment every view and every column."""
    for view in VIEWS:
        yield f"COMMENT ON VIEW {view.name} IS {_quoted(f'A row is {view.row}.')}"
        for column in view.columns:
            yield f'COMMENT ON COLUMN {view.name}."{column.name}" IS {_quoted(meaning_of(column))}'


def meaning_of(column: ViewColumn) -> str:
    """What a column means, with its unit, and the view that it leads to."""
    unit = f" (in {column.unit})" if column.unit else ""
    leads = f"; leads to {column.refers_to}" if column.refers_to and column.refers_to not in column.meaning else ""
    return column.meaning + unit + leads


def _quoted(text: str) -> str:
    # A driver takes a percent sign for a parameter.
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
