"""The views as SQLAlchemy tables, to select from."""

from functools import cache
from typing import Any

from sqlalchemy import Date, Float, Integer, TableClause, Text, column, table
from sqlalchemy.types import TypeEngine

from warehouse.schema.types import Moment
from warehouse.views.columns import Kind
from warehouse.views.dictionary import VIEWS

_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.TEXT: Text(),
    Kind.CODE: Text(),
    Kind.YES_NO: Text(),
    Kind.INTEGER: Integer(),
    Kind.NUMBER: Float(53),
    Kind.DATE: Date(),
    Kind.MOMENT: Moment(),
}


@cache
def view(name: str) -> TableClause:
    """A view, with the columns and types of the dictionary: SQLite too returns dates and moments as such.

    Raises:
        KeyError: there is no such view.
    """
    columns = {one.name: one.columns for one in VIEWS}[name]
    return table(name, *(column(one.name, _TYPES[one.kind]) for one in columns))
