"""Reads the comments of a sheet's cells."""

from collections.abc import Iterable

from cypp_etl.workbook.addresses import parse_area
from cypp_etl.workbook.limits import Spent
from cypp_etl.workbook.markup import Attributes, Handlers, parse
from cypp_etl.workbook.model import column_letters
from cypp_etl.workbook.ooxml.shared_strings import RichText, unescape


def read_comments(chunks: Iterable[bytes], spent: Spent) -> dict[str, str]:
    """The texts of a comments part by cell address. Threaded comments are included as plain text."""
    found: dict[str, str] = {}
    texts: list[str] = []
    rich = RichText()
    opened = closed = 0
    address = ""

    def start(name: str, attributes: Attributes) -> None:
        nonlocal opened, address
        opened += 1
        texts.clear()
        if name == "comment":
            row, column, _, _ = parse_area(attributes.get("ref", ""), spent.limits)
            address = f"{column_letters(column)}{row}"
        else:
            rich.start(name, attributes)

    def end(name: str) -> None:
        nonlocal closed
        closed += 1
        if name == "comment":
            text = unescape(rich.take())
            spent.add_text(text)
            found[address] = text
        else:
            rich.end(name, texts)

    parse(chunks, Handlers(start, end, texts, lambda: (opened, closed)), spent)
    return found
