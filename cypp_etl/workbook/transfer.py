"""A workbook as lines of JSON, for the way from the process that read it to the one that asked for it."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from cypp_etl.workbook.guards import Limits
from cypp_etl.workbook.model import Cell, CellKind, Sheet, UnreadableWorkbook, Workbook

_KINDS = {kind.value: kind for kind in CellKind}


def encode_limits(limits: Limits) -> str:
    """The limits as one word of a command line."""
    return json.dumps(asdict(limits))


def decode_limits(text: str) -> Limits:
    """The limits from the word that `encode_limits` made."""
    return Limits(**json.loads(text))


def dump_fault(fault: UnreadableWorkbook) -> Iterator[str]:
    """The one line that says why there is no workbook."""
    yield json.dumps({"code": fault.code, "words": fault.words})


def dump(workbook: Workbook) -> Iterator[str]:
    """A line for the workbook, and then for each sheet a line for itself and one for each of its rows."""
    flags = {"has_formats": workbook.has_formats, "has_macros": workbook.has_macros}
    yield json.dumps({"kind": workbook.kind, "has_external_links": workbook.has_external_links, **flags})
    for sheet in workbook.sheets:
        hidden = {"hidden_rows": sorted(sheet.hidden_rows), "hidden_columns": sorted(sheet.hidden_columns)}
        yield json.dumps({"name": sheet.name, "is_hidden": sheet.is_hidden, "merges": sheet.merges, **hidden})
        for row in sheet.rows.values():
            yield json.dumps(list(row.values()))


def load(answer: bytes) -> Workbook:
    """The workbook that the lines of `dump` say, or the fault of `dump_fault`, raised."""
    lines = iter(answer.splitlines())
    head = json.loads(next(lines))
    if "code" in head:
        raise UnreadableWorkbook(head["code"], **head["words"])
    workbook = Workbook(sheets=[], **head)
    formats: dict[str, str] = {}
    for line in lines:
        entry = json.loads(line)
        if isinstance(entry, dict):
            workbook.sheets.append(_sheet(**entry))
        else:
            cells = (_cell(formats, *cell) for cell in entry)
            workbook.sheets[-1].rows[entry[0][0]] = {cell.column: cell for cell in cells}
    return workbook


def _sheet(
    name: str, is_hidden: bool, merges: list[list[int]], hidden_rows: list[int], hidden_columns: list[int]
) -> Sheet:
    areas = [
        (first_row, first_column, last_row, last_column) for first_row, first_column, last_row, last_column in merges
    ]
    return Sheet(name, is_hidden, {}, set(hidden_rows), set(hidden_columns), areas)


def _cell(
    formats: dict[str, str], row: int, column: int, kind: str, value: float | str | bool | None, *rest: str | bool
) -> Cell:
    number_format, is_formula = rest
    # One text for all the cells that have the format, rather than one each.
    return Cell(
        row, column, _KINDS[kind], value, formats.setdefault(str(number_format), str(number_format)), bool(is_formula)
    )
