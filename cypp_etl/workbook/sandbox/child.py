"""The program of the process that `parent` starts: bytes in, lines of JSON out, within limits that it sets itself."""

import json
import sys

from cypp_etl.process_limits import end_after, limit
from cypp_etl.workbook.legacy import read_legacy
from cypp_etl.workbook.limits import Limits, too_complex
from cypp_etl.workbook.model import UnreadableWorkbook
from cypp_etl.workbook.ooxml.book import OoxmlBook
from cypp_etl.workbook.opendocument.book import OpenDocumentBook
from cypp_etl.workbook.sandbox.protocol import (
    Send,
    begin_sheet,
    decode_limits,
    end_sheet,
    send_fault,
    send_head,
    send_whole,
)
from cypp_etl.workbook.sniff import Encoding, sniff

# The formats that are read without other libraries.
_BOOKS: dict[Encoding, type[OoxmlBook | OpenDocumentBook]] = {
    Encoding.XLSX: OoxmlBook,
    Encoding.ODS: OpenDocumentBook,
}


def confine(limits: Limits) -> None:
    """Give up the right to more memory and files than reading needs, as far as the system knows such limits."""
    limit("RLIMIT_AS", limits.memory)
    limit("RLIMIT_FSIZE", 0)
    limit("RLIMIT_CORE", 0)


def confine_time(seconds: int) -> None:
    """Give up the right to more computing than so many seconds, of which a process that is ended cannot complain.

    Where the system does not count computing, the clock may run three times as long, as the parent waits.
    """
    if not limit("RLIMIT_CPU", seconds):
        end_after(3 * seconds)


def read_here(data: bytes, limits: Limits, send: Send) -> None:
    """Send the workbook in these bytes, whatever their format, while reading it in this process."""
    confine_time(limits.seconds)
    encoding, package = sniff(data, limits)
    book_of = _BOOKS.get(encoding)
    if book_of is not None and package is not None:
        book = book_of(package)
        book.refuse_volume()
        book.read(lambda name, is_hidden: begin_sheet(name, is_hidden, send), lambda sheet: end_sheet(sheet, send))
        send_head(book.head(), send)
    else:
        confine_time(limits.foreign_seconds)
        send_whole(read_legacy(data, encoding, limits), send)


def main() -> None:
    """Read the workbook from standard input, and write its content, or why it cannot be read, to standard output."""
    limits = decode_limits(sys.argv[1])
    confine(limits)
    encode = json.JSONEncoder(separators=(",", ":")).encode

    def send(entry: object) -> None:
        sys.stdout.write(encode(entry) + "\n")

    try:
        read_here(sys.stdin.buffer.read(), limits, send)
    except UnreadableWorkbook as fault:
        send_fault(fault, send)
    except MemoryError:
        send_fault(too_complex("reading it took more memory than a workbook needs"), send)


if __name__ == "__main__":
    main()
