"""Sets of values that statements ask for, each as one parameter.

With a parameter for each value, SQLAlchemy writes the statement again for each set, which for one return takes longer
than to execute it.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


def is_one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The condition that a column has one of the values of a set, which is the parameter of this name."""
    return _IsOneOf(column, bindparam(name, type_=_SetOf(column.type)))


class _SetOf(TypeDecorator[Collection[Any]]):
    """Values of a type: an array on PostgreSQL, and on SQLite, which has none, a JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.item))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        if dialect.name == "postgresql":
            return values
        written = json.dumps(values)
        if "\\u" not in written:
            return written
        # Only what JSON escapes may be a text that no database stores.
        bind = self.item.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps(list(map(bind, values)) if bind else values)


class _IsOneOf(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    name = "is_one_of"

    def self_group(self, against: Any = None) -> "_IsOneOf":
        # SQLAlchemy would write "= 1" behind it for SQLite, which then uses no index.
        return self


@compiles(_IsOneOf, "sqlite")
def _by_json(element: _IsOneOf, compiler: SQLCompiler, **words: Any) -> str:
    column, values = (compiler.process(clause, **words) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - what is compiled is our own


@compiles(_IsOneOf, "postgresql")
def _by_array(element: _IsOneOf, compiler: SQLCompiler, **words: Any) -> str:
    column, values = (compiler.process(clause, **words) for clause in element.clauses)
    return f"{column} = ANY ({values})"
