"""Makes the files of `cases.py` from a good return: broken, disguised, odd, or malicious."""

import random
import re
import struct
import subprocess
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from warnings import catch_warnings

import msoffcrypto.format.ooxml
import openpyxl

Parts = dict[str, bytes]
SHEET = "xl/worksheets/sheet2.xml"
TEXTS = "xl/sharedStrings.xml"
TYPES = "[Content_Types].xml"
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MIB = 1 << 20
# Seeded, so that each run has the same files.
_RANDOM = random.Random(2010)


def unpack(data: bytes) -> Parts:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def pack(parts: Parts, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.comment = comment
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def with_shared_texts(parts: Parts) -> Parts:
    """With the texts of cells in a separate part, as Excel saves them."""
    texts: list[bytes] = []

    def share(match: re.Match[bytes]) -> bytes:
        texts.append(b"<si>" + match[1] + b"</si>")
        return b't="s"><v>%d</v></c>' % (len(texts) - 1)

    inline = rb't="inlineStr"><is>(.*?)</is></c>'
    sheets = {
        name: re.sub(inline, share, content, flags=re.DOTALL) for name, content in parts.items() if "/sheet" in name
    }
    links = "xl/_rels/workbook.xml.rels"
    link = b'<Relationship Id="rTexts" Target="sharedStrings.xml" Type="%s/sharedStrings"/></Relationships>' % OFFICE
    kind = (
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        b'spreadsheetml.sharedStrings+xml"/></Types>'
    )
    return parts | {
        **sheets,
        TEXTS: b'<sst xmlns="%s">%s</sst>' % (MAIN, b"".join(texts)),
        links: parts[links].replace(b"</Relationships>", link),
        TYPES: parts[TYPES].replace(b"</Types>", kind),
    }


class Maker:
    """Makes files from one good return."""

    def __init__(self, good: bytes) -> None:
        self.parts = with_shared_texts(unpack(good))
        self.good = pack(self.parts)

    def with_parts(self, changes: Parts) -> bytes:
        """With parts added or replaced."""
        return pack(self.parts | changes)

    def without(self, *names: str) -> bytes:
        """Without some parts."""
        return pack({name: content for name, content in self.parts.items() if name not in names})

    def edited(self, part: str, pattern: bytes, by: bytes, count: int = 0) -> bytes:
        """With all matches of a pattern in one part replaced; a pattern without a match is our mistake."""
        content, changed = re.subn(pattern, by, self.parts[part], count=count, flags=re.DOTALL)
        assert changed, (part, pattern)
        return self.with_parts({part: content})

    def with_rows(self, rows: bytes) -> bytes:
        """With more rows at the end of the indicators."""
        return self.edited(SHEET, rb"</sheetData>", (rows + b"</sheetData>").replace(b"\\", b"\\\\"))

    def with_spare_sheet(self, rows: Iterator[bytes], after: bytes = b"") -> bytes:
        """With one more sheet, which is not part of the return."""
        sheet = b'<worksheet xmlns="%s"><sheetData>%s</sheetData>%s</worksheet>' % (MAIN, b"".join(rows), after)
        links = self.parts["xl/_rels/workbook.xml.rels"].replace(
            b"</Relationships>",
            b'<Relationship Id="rSpare" Target="worksheets/spare.xml" Type="%s/worksheet"/></Relationships>' % OFFICE,
        )
        listed = self.parts["xl/workbook.xml"].replace(
            b"</sheets>",
            b'<sheet xmlns:q="%s" name="Spare" sheetId="99" q:id="rSpare"/></sheets>' % OFFICE,
        )
        return self.with_parts(
            {
                "xl/worksheets/spare.xml": sheet,
                "xl/_rels/workbook.xml.rels": links,
                "xl/workbook.xml": listed,
            }
        )

    def renamed(self, old: str, new: str) -> bytes:
        """With an entry of the archive under another name, to which nothing refers."""
        return pack({(new if name == old else name): content for name, content in self.parts.items()})

    def with_unit(self, part: str, unit: bytes, mebibytes: int) -> bytes:
        """With a part of so many MiB of repeated content, packed one MiB at a time."""
        stream = BytesIO(self.without(part))
        before, after = re.split(rb"(?=</sheetData>|</sst>)", self.parts[part], maxsplit=1)
        piece = unit * (_MIB // len(unit))
        with (
            zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive,
            archive.open(part, "w", force_zip64=True) as entry,
        ):
            entry.write(before)
            for _ in range(mebibytes):
                entry.write(piece)
            entry.write(after)
        return stream.getvalue()

    def patched(self, offset: int, value: bytes) -> bytes:
        """With a field of the sheet's entry in the archive's directory changed."""
        at = self.good.rfind(SHEET.encode()) - 46 + offset
        return self.good[:at] + value + self.good[at + len(value) :]

    def strict(self) -> bytes:
        """In the namespaces of the strict standard."""
        names = (
            (MAIN, b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
            (OFFICE, b"http://purl.oclc.org/ooxml/officeDocument/relationships"),
        )
        changed = dict(self.parts)
        for old, new in names:
            changed = {name: content.replace(old, new) for name, content in changed.items()}
        return pack(changed)

    def prefixed(self) -> bytes:
        """With every element of the workbook's own namespace under a prefix."""
        content = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", self.parts[SHEET]).replace(b'xmlns="', b'xmlns:x="', 1)
        return self.with_parts({SHEET: content})

    def utf16(self) -> bytes:
        """With the parts that hold cells in UTF-16."""
        return self.with_parts(
            {
                part: re.sub(r"^<\?xml[^>]*\?>", "", self.parts[part].decode()).encode("utf-16")
                for part in (SHEET, "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml")
            }
        )

    def with_bom(self) -> bytes:
        """With a byte-order mark before every part."""
        return pack(
            {name: b"\xef\xbb\xbf" + content for name, content in self.parts.items() if name.endswith(("xml", "rels"))}
        )

    def without_addresses(self) -> bytes:
        """With rows and cells without addresses, the empty ones between them written out."""
        book = openpyxl.load_workbook(BytesIO(self.good))
        rows = [list(row) for row in book.worksheets[1].iter_rows()]
        known = dict(re.findall(rb'<c r="([A-Z]+[0-9]+)"(.*?(?:/>|</c>))', self.parts[SHEET], re.DOTALL))
        cells = [
            b"<row>" + b"".join(b"<c" + known.get(c.coordinate.encode(), b"/>") for c in row) + b"</row>"
            for row in rows
        ]
        return self.edited(SHEET, rb"<sheetData>.*</sheetData>", b"<sheetData>" + b"".join(cells) + b"</sheetData>")

    def backwards(self) -> bytes:
        """With its rows from the last to the first."""
        rows = re.findall(rb"<row.*?</row>", self.parts[SHEET], re.DOTALL)
        return self.edited(
            SHEET, rb"<sheetData>.*</sheetData>", b"<sheetData>" + b"".join(rows[::-1]) + b"</sheetData>"
        )

    def encrypted(self) -> bytes:
        """With a password to open it."""
        stream = BytesIO()
        msoffcrypto.format.ooxml.OOXMLFile(BytesIO(self.good)).encrypt("secret", stream)
        return stream.getvalue()

    def converted(self, folder: Path, kind: str) -> bytes:
        """As LibreOffice saves it."""
        source = folder / "good.xlsx"
        source.write_bytes(self.good)
        subprocess.run(
            ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile"]  # noqa: RUF005
            + ["--convert-to", kind, "--outdir", str(folder / "converted"), str(source)],
            capture_output=True,
            timeout=120,
            check=True,
        )
        return (folder / "converted" / f"good.{kind.partition(':')[0]}").read_bytes()


def number(row: int, columns: str = "ABCDEFGHIJKL") -> bytes:
    """A row of numbers that do not compress well."""
    cells = "".join(f'<c r="{column}{row}"><v>{_RANDOM.random():.6f}</v></c>' for column in columns)
    return f'<row r="{row}">{cells}</row>'.encode()


def filepass() -> bytes:
    """The beginning of an old `.xls` that asks for a password."""
    beginning = struct.pack("<HHHHHHII", 0x0809, 16, 0x0600, 5, 0, 1997, 0, 6)
    return beginning + struct.pack("<HHHHH", 0x002F, 6, 1, 1, 1) + struct.pack("<HH", 0x000A, 0)


def doubled(good: bytes, name: str) -> bytes:
    """With one more entry of an existing name."""
    stream = BytesIO(good)
    with zipfile.ZipFile(stream, "a") as archive, catch_warnings(action="ignore"):
        archive.writestr(name, "<other/>")
    return stream.getvalue()


def streamed(parts: Parts) -> bytes:
    """Written to a pipe, so that sizes follow the bytes."""

    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

        def seek(self, *_: object) -> int:
            raise OSError

    stream = Pipe()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(content)
    return stream.getvalue()
