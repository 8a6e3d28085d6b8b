"""The collection for `hostile/checking.py`: each file, and its expected outcome.

The outcome is `accepted` if Excel opens the file, so that the good return inside must be read; `a finding` if any
will do, and otherwise the code of the finding. `accepted, in its time` is for a file that is large, not hostile, and
may take more than the five seconds.
"""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.hostile.files import SHEET, TEXTS, TYPES, Maker, doubled, filepass, pack, streamed

ACCEPTED, LARGE, FINDING = "accepted", "accepted, or stopped in time", "a finding"
_LINKS = "xl/_rels/workbook.xml.rels"
BOOK = "xl/workbook.xml"
_LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 10) for level in range(10)
)
_LAUGHS += b"]>"
_QUADRATIC = b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 60_000 + b'">]>'
_EXTERNAL = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_STYLED = b'<row><c s="1"/><c s="2"/><c s="3"/><c s="1"/><c s="2"/></row>'


class Case(NamedTuple):
    """One file: its name, description, expected outcome, function to make it, and whether it is in `--smoke`."""

    name: str
    what: str
    expected: str
    make: Callable[[], bytes]
    is_smoke: bool = False


def disguised(maker: Maker) -> Iterator[Case]:
    kinds = {
        "empty": (b"", "nothing at all", "workbook-empty"),
        "one-byte": (b"P", "one byte", "workbook-not-excel"),
        "html": (b"<html><table><tr><td>NI 111</td></tr></table></html>", "a web page", "workbook-not-excel"),
        "csv": (b"Ref,Sub,Actual\r\nNI 111,a,71%\r\n", "CSV", "workbook-not-excel"),
        "utf16-tsv": ("Ref\tSub\r\n".encode("utf-16"), "Excel's Unicode text", "workbook-not-excel"),
        "pdf": (b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF", "a PDF", "workbook-not-excel"),
        "png": (b"\x89PNG\r\n\x1a\n" + bytes(200), "an image", "workbook-not-excel"),
        "rtf": (b"{\\rtf1 NI 111}", "a Word document", "workbook-not-excel"),
        "docx": (pack({TYPES: b"<Types/>", "word/document.xml": b"<w/>"}), "a Word document", "workbook-not-excel"),
        "zip": (pack({"return.csv": b"1,2"}), "an archive of something", "workbook-not-excel"),
        "zip-of-xlsx": (pack({"return.xlsx": maker.good}), "an archive of a return", "workbook-not-excel"),
        "xml-2003": (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "an XML spreadsheet of 2003",
            "workbook-not-excel",
        ),
        "filepass": (filepass(), "an .xls with a password", "workbook-password"),
        "noise": (bytes(range(256)) * 400, "noise", "workbook-not-excel"),
        "ole-noise": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 40, "a broken OLE file", FINDING),
        "lock": (b"\x05Admin" + b" " * 158, "Excel's lock under a name without ~$", "workbook-not-excel"),
    }
    for name, (data, what, expected) in kinds.items():
        yield Case(f"{name}.xlsx", what, expected, lambda data=data: data, name in {"empty", "csv", "pdf"})
    yield Case("encrypted.xlsx", "a password to open it", "workbook-password", maker.encrypted, is_smoke=True)


def archives(maker: Maker) -> Iterator[Case]:
    good, parts = maker.good, maker.parts
    for share in (0.1, 0.5, 0.9, 0.999):
        yield Case(
            f"cut-{share}.xlsx",
            f"cut off after {share:.1%}",
            "workbook-damaged",
            lambda share=share: good[: int(len(good) * share)],
            share == 0.5,
        )
    odd = {
        "comment": (lambda: pack(parts, comment=b"c" * 60_000), "an archive with a comment"),
        "junk-after": (lambda: good + bytes(20_000), "zeros after its end"),
        "stored": (lambda: pack(parts, zipfile.ZIP_STORED), "an archive that is not packed"),
        "streamed": (lambda: streamed(parts), "an archive that was written to a pipe, sizes last"),
        "folders": (lambda: pack({"xl/": b"", "xl/worksheets/": b""} | parts), "an archive with entries for folders"),
        "backslashes": (
            lambda: pack({name.replace("/", "\\"): content for name, content in parts.items()}),
            "backslashes in the archive's names",
        ),
        "wrong-case": (
            lambda: pack({name.upper(): content for name, content in parts.items()}),
            "the archive's names in capitals",
        ),
        "slash-first": (
            lambda: pack({f"/{name}": content for name, content in parts.items()}),
            "the archive's names from the root",
        ),
    }
    for name, (make, what) in odd.items():
        yield Case(f"{name}.xlsx", what, ACCEPTED, make, name in {"backslashes", "comment"})
    flip = good.find(b"PK\x01\x02") // 2
    bad = {
        "junk-before": (lambda: b"#!/bin/sh\n" + good, "a script before the archive", FINDING),
        "bit-rot": (lambda: good[:flip] + bytes([good[flip] ^ 1]) + good[flip + 1 :], "a bit turned", FINDING),
        "twin": (lambda: doubled(good, SHEET), "two entries of one name", "workbook-unsafe"),
        "twin-case": (lambda: doubled(good, SHEET.upper()), "two entries whose case alone differs", "workbook-unsafe"),
        "climbing": (
            lambda: maker.with_parts({"../../../etc/cron.d/x": b"x", "C:\\x": b"x"}),
            "entries that climb out of the archive",
            ACCEPTED,
        ),
        "many-entries": (
            lambda: maker.with_parts({f"x/{entry}": b"" for entry in range(60_000)}),
            "60,000 entries",
            "workbook-unsafe",
        ),
        "in-itself": (lambda: maker.with_parts({"xl/embeddings/self.xlsx": good}), "itself, embedded", ACCEPTED),
        "says-small": (lambda: maker.patched(24, b"\x10\0\0\0"), "a size that lies, too small", "workbook-damaged"),
        "says-large": (lambda: maker.patched(24, b"\xff\xff\xff\x7f"), "a size that lies, 2 GiB", "workbook-unsafe"),
        "zip64": (lambda: maker.patched(24, b"\xff\xff\xff\xff"), "a size in a zip64 field that is missing", FINDING),
        "far-offset": (lambda: maker.patched(42, b"\xff\xff\xff\x7f"), "an entry beyond the end", "workbook-damaged"),
        "overlap": (lambda: maker.patched(42, b"\0\0\0\0"), "an entry over another", FINDING),
        "entry-locked": (lambda: maker.patched(8, b"\x01\0"), "an entry with a password", "workbook-unsafe"),
        "bzip2": (lambda: pack(parts, zipfile.ZIP_BZIP2), "packed by bzip2", "workbook-unsafe"),
    }
    for name, (make, what, expected) in bad.items():
        yield Case(f"{name}.xlsx", what, expected, make, name == "twin")


def parts(maker: Maker) -> Iterator[Case]:
    for part, name in (
        (TYPES, "types"),
        ("_rels/.rels", "root-links"),
        ("xl/styles.xml", "styles"),
        ("docProps/app.xml", "properties"),
    ):
        # Without styles no cell is a percentage, so there are queries.
        expected = FINDING if name == "styles" else ACCEPTED
        yield Case(f"no-{name}.xlsx", f"without {part}", expected, lambda part=part: maker.without(part))
    for part in (TEXTS, SHEET, _LINKS):
        name = Path(part).stem
        yield Case(
            f"no-{name}.xlsx",
            f"without {part}",
            "workbook-damaged",
            lambda part=part: maker.without(part),
            part == TEXTS,
        )
    yield Case("no-workbook.xlsx", f"without {BOOK}", "workbook-not-excel", lambda: maker.without(BOOK))
    odd = {
        "drawing": (
            lambda: maker.edited(SHEET, b"</worksheet>", b'<drawing xmlns:q="x" q:id="r9"/></worksheet>'),
            "a drawing that is not there",
        ),
        "absolute": (lambda: maker.edited("_rels/.rels", b'"xl/workbook', b'"/xl/workbook'), "a root path from /"),
        "root-case": (lambda: maker.edited("_rels/.rels", b'"xl/workbook', b'"XL/Workbook'), "a root path in capitals"),
        "root-slash": (lambda: maker.edited("_rels/.rels", b'"xl/workbook', rb'"xl\\workbook'), "a root path with \\"),
        "root-wrong": (lambda: maker.edited("_rels/.rels", b'"xl/workbook', b'"nowhere/workbook'), "a wrong root path"),
        "dots": (lambda: maker.edited(_LINKS, b'"/xl/worksheets', b'"../xl/./worksheets'), "links with dots"),
        "percent": (
            lambda: pack(
                {name.replace("sheet2", "sheet%202"): content for name, content in maker.parts.items()}
                | {_LINKS: maker.parts[_LINKS].replace(b"sheet2", b"sheet%202")}
            ),
            "a part whose name has %20 in it",
        ),
        "strict": (maker.strict, "the strict standard"),
        "prefixed": (maker.prefixed, "a prefix on every element"),
        "utf16": (maker.utf16, "parts in UTF-16"),
        "bom": (maker.with_bom, "parts with a byte-order mark"),
        "no-addresses": (maker.without_addresses, "rows and cells without addresses"),
        "backwards": (maker.backwards, "rows from the last to the first"),
        "dimension": (
            lambda: maker.edited(SHEET, b'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"'),
            "17 billion claimed cells",
        ),
        "styled-corner": (
            lambda: maker.with_rows(b'<row r="1048576"><c r="XFD1048576" s="1"/></row>'),
            "a styled blank in the last cell",
        ),
        "merges": (
            lambda: maker.with_spare_sheet(
                iter(()),
                b"<mergeCells>%s</mergeCells>"
                % b"".join(b'<mergeCell ref="A%d:XFD%d"/>' % (r, r) for r in range(1, 50_001)),
            ),
            "50,000 merges",
        ),
        "million-rows": (
            lambda: maker.with_rows(b"".join(b'<row r="%d" s="1" ht="15"/>' % row for row in range(100, 1_048_577))),
            "a million styled rows that are empty",
        ),
        "macros": (
            lambda: maker.with_parts(
                {
                    "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000),
                    _LINKS: maker.parts[_LINKS].replace(
                        b"</Relationships>",
                        b'<Relationship Id="rM" Target="vbaProject.bin" Type="x/vbaProject"/></Relationships>',
                    ),
                }
            ),
            "macros",
        ),
        "external": (
            lambda: maker.with_parts(
                {
                    _LINKS: maker.parts[_LINKS].replace(
                        b"</Relationships>",
                        b'<Relationship Id="rE" Target="file:///etc/passwd" TargetMode="External" '
                        b'Type="x/externalLink"/></Relationships>',
                    )
                }
            ),
            "a link to another file",
        ),
        "module-sheet": (
            lambda: maker.edited(
                BOOK, b"</sheets>", b'<sheet name="Module1" sheetId="77" state="veryHidden"/></sheets>'
            ),
            "a sheet of macros of Excel 95",
        ),
    }
    for name, (make, what) in odd.items():
        smoke = name in {"strict", "dimension", "utf16"}
        yield Case(f"{name}{'.xlsm' if name == 'macros' else '.xlsx'}", what, ACCEPTED, make, smoke)


def markup(maker: Maker) -> Iterator[Case]:
    for name, doctype in (("laughs", _LAUGHS), ("quadratic", _QUADRATIC), ("external-entity", _EXTERNAL)):
        for part in (SHEET, TEXTS, BOOK, "xl/styles.xml", "_rels/.rels"):
            yield Case(
                f"{name}-{Path(part).name}.xlsx",
                f"{name} in {part}",
                "workbook-unsafe",
                lambda part=part, doctype=doctype: maker.with_parts({part: doctype + maker.parts[part]}),
                name == "laughs" and part == SHEET,
            )
    for name, rows, what, expected in (
        ("corner", b'<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>', "a value in the last cell", FINDING),
        ("nan", b'<row r="90"><c r="A90"><v>NaN</v></c><c r="I90"><v>1e999</v></c></row>', "NaN and 1e999", FINDING),
        ("row-zero", b'<row r="0"><c r="A0"><v>1</v></c></row>', "row 0", "workbook-damaged"),
        ("row-negative", b'<row r="-5"/>', "row -5", "workbook-damaged"),
        ("row-beyond", b'<row r="1048577"/>', "a row beyond the end", "workbook-damaged"),
        ("column-beyond", b'<row r="90"><c r="XFE90"/></row>', "a column beyond the end", "workbook-damaged"),
        ("cell-twice", b'<row r="1"><c r="A1"><v>1</v></c></row>', "two cells in one place", "workbook-damaged"),
        ("nested", b"<row>" * 100_000 + b"</row>" * 100_000, "100,000 nested rows", "workbook-too-complex"),
        ("not-closed", b"<row><c>", "tags that are not closed", "workbook-damaged"),
        ("not-utf8", b"<row>\xff\xfe</row>", "bytes that are no text", "workbook-damaged"),
        ("attribute", b'<row x="%s"/>' % (b"x" * 3_000_000), "an attribute of 3 MB", "workbook-too-complex"),
        ("text-index", b'<row r="90"><c r="A90" t="s"><v>-1</v></c></row>', "text number -1", "workbook-damaged"),
    ):
        yield Case(f"{name}.xlsx", what, expected, lambda rows=rows: maker.with_rows(rows), name == "nested")
