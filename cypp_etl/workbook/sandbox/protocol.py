"""A workbook as lines of JSON, for the transfer from the process that read it to its parent.

Each sheet has a line with its name, one for each row, and one with its hidden and merged parts and what is attached to
its cells; a last line is for the workbook, so that a truncated answer is not taken for a complete one. A fault can
replace any of them.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, fields
from typing import IO, Any, NoReturn

from cypp_etl.gc_control import collection_paused
from cypp_etl.workbook.limits import MIB, Limits, Spent, damaged, too_complex
from cypp_etl.workbook.model import Cell, CellKind, Sheet, UnreadableWorkbook, Workbook

Send = Callable[[object], None]

_HEAD = tuple(field.name for field in fields(Workbook) if field.name != "sheets")
_KINDS = {kind.value: kind for kind in CellKind}
_VALUES = frozenset({str, int, float, bool, type(None)})
# The values of each kind of cell; an uncalculated formula has none.
_HELD: dict[CellKind, frozenset[type]] = {
    CellKind.NUMBER: frozenset({int, float}),
    CellKind.DATE: frozenset({int, float}),
    CellKind.TEXT: frozenset({str}),
    CellKind.BOOLEAN: frozenset({bool}),
    CellKind.ERROR: frozenset({str}),
    CellKind.BLANK: frozenset({type(None)}),
}
# The limit for a row, or the numbers of all hidden rows. JSON takes many times its size in memory.
_TOO_LARGE = 10**300
_LONGEST_LINE = 16 * MIB
# The faults that a sender can report, with the words that their messages need.
_FAULTS: dict[str, frozenset[str]] = {
    "workbook-empty": frozenset(),
    "workbook-not-excel": frozenset({"kind"}),
    "workbook-password": frozenset(),
    "workbook-damaged": frozenset({"reason"}),
    "workbook-too-large": frozenset({"reason"}),
    "workbook-unsafe": frozenset({"reason"}),
    "workbook-too-complex": frozenset(),
    "workbook-no-sheets": frozenset(),
}


def encode_limits(limits: Limits) -> str:
    """The limits as one command-line argument."""
    return json.dumps(asdict(limits))


def decode_limits(text: str) -> Limits:
    """The limits from an argument made by `encode_limits`."""
    return Limits(**json.loads(text))


class RowsSent(dict[int, dict[int, Cell]]):
    """A sheet's rows, each sent when it is added and not kept, so that the sender needs little memory."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def __setitem__(self, _row: int, cells: dict[int, Cell]) -> None:
        self._send(list(cells.values()))


def begin_sheet(name: str, is_hidden: bool, send: Send) -> Sheet:
    """Send the beginning of a sheet whose rows are sent as they are added."""
    send({"name": name, "is_hidden": is_hidden})
    return Sheet(name, is_hidden, RowsSent(send))


def end_sheet(sheet: Sheet, send: Send) -> None:
    """Send what is known only at the end of a sheet."""
    hidden = {"hidden_rows": sorted(sheet.hidden_rows), "hidden_columns": sorted(sheet.hidden_columns)}
    send({"merges": sheet.merges, "comments": sheet.comments, "links": sheet.links, **hidden})


def send_whole(workbook: Workbook, send: Send) -> None:
    """Send a workbook that has been read."""
    for sheet in workbook.sheets:
        sending = begin_sheet(sheet.name, sheet.is_hidden, send)
        for row, cells in sheet.rows.items():
            sending.rows[row] = cells
        end_sheet(sheet, send)
    send_head(workbook, send)


def send_head(workbook: Workbook, send: Send) -> None:
    """Send the end of a workbook, with everything except its sheets."""
    send({name: getattr(workbook, name) for name in _HEAD})


def send_fault(fault: UnreadableWorkbook, send: Send) -> None:
    """Send why there is no workbook."""
    send({"code": fault.code, "words": fault.words})


def receive(lines: Iterable[bytes], limits: Limits) -> Workbook:
    """The workbook from these lines; a fault in them is raised.

    The sender is not trusted: a file may have taken it over. The limits apply to it, and a line that is not in this
    module's format means that the file could not be read.

    Raises:
        UnreadableWorkbook: the sender says so, or its lines are invalid.
    """
    with collection_paused():
        try:
            return _Receiver(Spent(limits)).receive(lines)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, StopIteration, RecursionError) as fault:
            raise _cut_off() from fault


def read_lines(stream: IO[bytes], most: int = _LONGEST_LINE) -> Iterator[bytes]:
    """The lines of a stream, none longer than 16 MiB.

    Raises:
        UnreadableWorkbook: one is longer.
    """
    while line := stream.readline(most + 1):
        _expect(len(line) <= most)
        yield line


class _Receiver:
    def __init__(self, spent: Spent) -> None:
        self._spent = spent
        self._formats: dict[str, str] = {}

    def receive(self, lines: Iterable[bytes]) -> Workbook:
        sheets: list[Sheet] = []
        for line in lines:
            entry = json.loads(line, parse_constant=_refuse_constant)
            if isinstance(entry, list):
                self._add_row(sheets[-1], entry)
            elif "code" in entry:
                words = {name: str(word) for name, word in entry["words"].items()}
                _expect(_FAULTS[entry["code"]] <= words.keys())
                raise UnreadableWorkbook(entry["code"], **words)
            elif "kind" in entry:
                _expect(all(type(value) in _VALUES for value in entry.values()))
                return Workbook(sheets=sheets, **entry)
            elif "name" in entry:
                sheets.append(Sheet(str(entry["name"]), bool(entry["is_hidden"])))
                if len(sheets) > self._spent.limits.sheets:
                    raise _cut_off()
            else:
                _finish(sheets[-1], entry, self._spent)
        raise _cut_off()

    def _add_row(self, sheet: Sheet, entry: list[list[Any]]) -> None:
        self._spent.add_cells(len(entry))
        formats = self._formats
        rows, columns = range(1, self._spent.limits.rows + 1), range(1, self._spent.limits.columns + 1)
        for row, column, kind, value, code, is_formula in entry:
            is_held = type(value) in _HELD[_KINDS[kind]] or (value is None and is_formula is True)
            # An integer that is too large for a float is invalid, and so is NaN.
            is_held = is_held and (type(value) is not int or -_TOO_LARGE < value < _TOO_LARGE)
            is_placed = type(row) is int and row in rows and type(column) is int and column in columns
            _expect(is_held and is_placed and type(code) is str and type(is_formula) is bool)
            if type(value) is str:
                self._spent.add_text(value)
        # One text for all cells with the same format, instead of one each.
        cells = {
            column: Cell(row, column, _KINDS[kind], value, formats.setdefault(code, code), is_formula)
            for row, column, kind, value, code, is_formula in entry
        }
        known = sheet.rows.setdefault(next(iter(cells.values())).row, cells)
        if known is not cells:
            # The file has had this row before.
            if known.keys() & cells.keys():
                raise damaged("it has two cells in one place")
            known.update(cells)


def _expect(is_so: bool) -> None:
    if not is_so:
        raise _cut_off()


def _refuse_constant(_name: str) -> NoReturn:
    """Refuse NaN and infinity, which JSON does not have, although Python's parser accepts them."""
    raise _cut_off()


def _finish(sheet: Sheet, entry: dict[str, Any], spent: Spent) -> None:
    hidden, texts = (entry["hidden_rows"], entry["hidden_columns"]), (entry["comments"], entry["links"])
    _expect(all(type(number) is int for numbers in (*hidden, *entry["merges"]) for number in numbers))
    for text in (text for by_address in texts for text in by_address.values()):
        _expect(type(text) is str)
        spent.add_text(text)
    sheet.merges = [
        (first_row, first_column, last_row, last_column)
        for first_row, first_column, last_row, last_column in entry["merges"]
    ]
    sheet.hidden_rows, sheet.hidden_columns = set(entry["hidden_rows"]), set(entry["hidden_columns"])
    sheet.comments, sheet.links = entry["comments"], entry["links"]


def _cut_off() -> UnreadableWorkbook:
    return too_complex("reading it took more memory or time than a workbook needs")
