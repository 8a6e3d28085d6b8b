"""The rest of the collection: files that are large, saved by other programs or oddly named; and the whole."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.hostile.cases import ACCEPTED, BOOK, FINDING, LARGE, Case, archives, disguised, markup, parts
from benchmarks.hostile.files import MAIN, OFFICE, SHEET, TEXTS, Maker, number, pack, unpack


def _bombs(maker: Maker) -> Iterator[Case]:
    attributes = b" ".join(b'a%d="%d"' % (index, index % 10) for index in range(3000))
    large: dict[str, tuple[Callable[[], bytes], str, str]] = {
        "bomb-cells": (
            lambda: maker.with_unit(SHEET, b"<row><c><v>1</v></c></row>", 4096),
            "4 GiB of cells",
            "workbook-unsafe",
        ),
        "bomb-text": (lambda: maker.with_unit(TEXTS, b"<si><t>x</t></si>", 4096), "4 GiB of texts", "workbook-unsafe"),
        "bomb-space": (lambda: maker.with_unit(SHEET, b" ", 4096), "4 GiB of spaces", "workbook-unsafe"),
        "bomb-string": (lambda: maker.with_unit(TEXTS, b"x", 1024), "one string of 1 GiB", "workbook-unsafe"),
        "styled-blanks": (
            lambda: maker.with_spare_sheet(
                b'<row r="%d">%s</row>'
                % (row, b"".join(b'<c r="%c%d" s="%d"/>' % (col, row, (row + col) % 9) for col in b"ABCDEFGHIJKL"))
                for row in range(1, 700_000)
            ),
            "8 million styled blanks",
            "workbook-too-large",
        ),
        "blanks-2m": (
            lambda: maker.with_spare_sheet(
                b'<row r="%d"><c r="A%d" s="%d"/></row>' % (row, row, row % 9) for row in range(1, 700_000)
            ),
            "700,000 rows with a styled blank each",
            ACCEPTED,
        ),
        "cells-3m": (lambda: maker.with_spare_sheet(map(number, range(1, 250_000))), "3 million numbers", FINDING),
        "cells-1.2m": (
            lambda: maker.with_spare_sheet(map(number, range(1, 100_001))),
            "100,000 rows of 12 numbers",
            LARGE,
        ),
        "rows-1m": (
            lambda: maker.with_spare_sheet(number(row, "A") for row in range(1, 1_048_577)),
            "a million rows of one number",
            "workbook-too-large",
        ),
        "texts-1m": (
            lambda: maker.with_parts(
                {
                    TEXTS: maker.parts[TEXTS].replace(
                        b"</sst>", b"".join(b"<si><t>%d</t></si>" % text for text in range(1_000_000)) + b"</sst>"
                    )
                }
            ),
            "a million texts that no cell has",
            FINDING,
        ),
        "attributes": (
            lambda: maker.with_spare_sheet(
                b'<row %s r="%d" y="%s"/>' % (attributes, row, number(row).hex().encode()) for row in range(1, 4000)
            ),
            "12 million attributes",
            "workbook-too-large",
        ),
        "styles-1m": (
            lambda: maker.edited(
                "xl/styles.xml",
                b"</cellXfs>",
                b"".join(b'<xf numFmtId="%d"/>' % style for style in range(1_000_000)) + b"</cellXfs>",
            ),
            "a million styles",
            "workbook-too-large",
        ),
        "sheets": (
            lambda: maker.edited(
                BOOK,
                b"</sheets>",
                b"".join(b'<sheet name="S%d" r:id="rId2"/>' % sheet for sheet in range(20_000)) + b"</sheets>",
            ),
            "20,000 sheets of one part",
            "workbook-too-large",
        ),
        "one-part-255-times": (
            lambda: maker.edited(
                BOOK,
                b"</sheets>",
                b"".join(b'<sheet name="S%d" r:id="rId2"/>' % sheet for sheet in range(250)) + b"</sheets>",
            ),
            "250 sheets of one part",
            FINDING,
        ),
        "too-many-bytes": (
            lambda: maker.with_parts({"xl/media/x.bin": _random_bytes(25)}),
            "a 25 MB picture",
            "workbook-too-large",
        ),
    }
    for name, (make, what, expected) in large.items():
        yield Case(f"{name}.xlsx", what, expected, make)


def _random_bytes(mebibytes: int) -> bytes:
    return os.urandom(mebibytes << 20)


def _encodings(maker: Maker, folder: Path) -> Iterator[Case]:
    for kind, expected in (
        ("xls", ACCEPTED),
        ("ods", ACCEPTED),
        ("xltx", ACCEPTED),
        ("fods", "workbook-not-excel"),
        ("csv", "workbook-not-excel"),
        ("html", "workbook-not-excel"),
        ("pdf", "workbook-not-excel"),
    ):
        yield Case(
            f"saved-as-{kind}.xlsx",
            f"an .{kind} of LibreOffice under another name",
            expected,
            lambda kind=kind: maker.converted(folder, kind),
        )


def _open_documents(maker: Maker, folder: Path) -> Iterator[Case]:
    cell = b'<table:table-cell %s office:value-type="float" office:value="1"/>'
    blank_row = b'<table:table-cell table:number-columns-repeated="16384"/>'
    full_row = cell % b'table:number-columns-repeated="16384"'
    for name, what, by, expected in (
        ("rows", "a row that is repeated a million times", (cell % b"", 1_048_000), "workbook-too-large"),
        ("cells", "17 billion cells, each filled", (full_row, 1_048_000), "workbook-too-large"),
        ("blanks", "17 billion blank cells", (blank_row, 1_048_000), ACCEPTED),
        ("many", "a repetition that no sheet has room for", (cell % b"", 10**9), "workbook-damaged"),
    ):
        yield Case(f"ods-{name}.ods", what, expected, lambda by=by: _with_repeated_row(maker, folder, *by))


def _with_repeated_row(maker: Maker, folder: Path, cells: bytes, count: int) -> bytes:
    parts = unpack(maker.converted(folder, "ods"))
    row = b'<table:table-row table:number-rows-repeated="%d">%s</table:table-row>' % (count, cells)
    spare = b'<table:table table:name="Spare">%s</table:table>' % row
    content = parts["content.xml"].replace(b"</office:spreadsheet>", spare + b"</office:spreadsheet>")
    return pack(parts | {"content.xml": content})


def _attached(maker: Maker) -> Iterator[Case]:
    rows = range(1, 60_001)
    links = f"{Path(SHEET).parent}/_rels/{Path(SHEET).name}.rels"
    head = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    comments = b"".join(b'<comment ref="Z%d" authorId="0"><text><t>x</t></text></comment>' % row for row in rows)
    listed = b"".join(
        b'<Relationship Id="h%d" Type="%s/hyperlink" Target="file:///%d" TargetMode="External"/>' % (row, OFFICE, row)
        for row in rows
    )
    for name, what, changes in (
        (
            "comments",
            "60,000 comments",
            {
                links: head + b'<Relationship Id="c" Type="%s/comments" Target="/c.xml"/></Relationships>' % OFFICE,
                "c.xml": b'<comments xmlns="%s"><commentList>%s</commentList></comments>' % (MAIN, comments),
            },
        ),
        (
            "links",
            "60,000 links",
            {
                links: head + listed + b"</Relationships>",
                SHEET: maker.parts[SHEET].replace(
                    b"</worksheet>",
                    b'<hyperlinks xmlns:q="%s">%s</hyperlinks></worksheet>'
                    % (OFFICE, b"".join(b'<hyperlink ref="Z%d" q:id="h%d"/>' % (row, row) for row in rows)),
                ),
            },
        ),
    ):
        yield Case(f"many-{name}.xlsx", what, ACCEPTED, lambda changes=changes: maker.with_parts(changes))


def _names(maker: Maker) -> Iterator[Case]:
    for name, what in (
        ("with a space.xlsx", "a space in its name"),
        ('it\'s "quoted".xlsx', "quotes in its name"),
        ("..xlsx", "two dots"),
        ("🙂 été.xlsx", "an emoji in its name"),
        ("two\nlines.xlsx", "a line break in its name"),
        ("n" * 250 + ".xlsx", "a name of 255 bytes"),
        ("-rf.xlsx", "a dash first"),
        ("=cmd|' C calc'!A0.xlsx", "a formula for a name"),
        ("[red]x.xlsx", "markup in its name"),
        ("$(touch x);`id`.xlsx", "commands in its name"),
        ("no extension", "no extension"),
    ):
        yield Case(name, what, ACCEPTED, lambda: maker.good, name.startswith(("-", "it")))


def all_cases(good: bytes, folder: Path, *, is_smoke: bool) -> list[Case]:
    """The whole collection, made from a good return; or the few small ones."""
    maker = Maker(good)
    found = [Case("good.xlsx", "a good return", ACCEPTED, lambda: maker.good, is_smoke=True)]
    for group in (disguised, archives, parts, markup, _names, _bombs):
        found += group(maker)
    found += [*_encodings(maker, folder), *_open_documents(maker, folder), *_attached(maker)]
    return [case for case in found if case.is_smoke] if is_smoke else found
