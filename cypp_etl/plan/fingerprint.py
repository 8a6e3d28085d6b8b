"""A plan's fingerprint: of what it says, however its cells are written and whichever files they are kept in."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat

from cypp_etl.plan.tables import TableRows
from schemas.plan import TABLES, Column, ColumnKind, is_decimal

# What a workbook's cell cannot hold, or holds in one way only.
_NOT_IN_A_CELL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LINE_END = re.compile("\r\n?")
_NUMERIC = frozenset({ColumnKind.NUMBER, ColumnKind.PERCENT, ColumnKind.FIGURE})


def fingerprint_of(rows: Mapping[str, TableRows]) -> str:
    """The SHA-256 of a plan's rows, given by file: of their cells by column, in the order of the rows.

    Two plans share it if they say the same. The order of columns, blank rows, the digits of a number (`1,406` or
    `1406`, `4.40` or `4.4`), and whether an optional file or column is there without saying anything, do not matter.
    """
    digest = hashlib.sha256()
    for file, table in TABLES.items():
        if not rows.get(file):
            continue
        digest.update(f"{file}\n".encode())
        columns = enumerate(table.columns.items())
        pieces = [
            _pieces(name, column, rows[file].columns[name], is_first=not place) for place, (name, column) in columns
        ]
        # Each row is an object of JSON, of the texts of its cells: a text that rows repeat is made once.
        lines = zip(repeat("{", len(rows[file])), *pieces, repeat("}\n"), strict=False)
        digest.update("".join(chain.from_iterable(lines)).encode())
    return digest.hexdigest()


def _pieces(name: str, column: Column, cells: Sequence[str], *, is_first: bool) -> Iterator[str]:
    """What each cell of a column adds to its row: its name and what it says, or nothing for a default.

    The first column of a table has no default.
    """
    before = f"{_json(name)}: " if is_first else f", {_json(name)}: "
    piece = {cell: before + _json(canonical_cell(cell, column.kind)) for cell in set(cells)}
    if column.default is not None:
        piece[column.default] = ""
    return map(piece.__getitem__, cells)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def former_fingerprint_of(contents: Mapping[str, bytes]) -> str:
    """The SHA-256 of a plan's files, which was its fingerprint before workbooks: warehouses and forms still have it."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def canonical_cell(cell: str, kind: ColumnKind) -> str:
    """What a cell says, in one spelling of those that say the same."""
    if kind in _NUMERIC:
        return _canonical_number(cell)
    return cell if cell.isprintable() else _NOT_IN_A_CELL.sub("", _LINE_END.sub("\n", cell)).strip()


def _canonical_number(cell: str) -> str:
    """A number without what changes nothing in it: commas, zeros at its ends, the percent sign of a percentage."""
    digits = cell.removesuffix("%")
    if not is_decimal(digits):
        return cell
    whole, _, part = digits.removeprefix("-").replace(",", "").partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    sign = "-" if digits.startswith("-") and (whole, part) != ("0", "") else ""
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
