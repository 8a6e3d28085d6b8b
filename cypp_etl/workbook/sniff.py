"""Detects a file's format from its bytes, not from its name."""

import re
from enum import StrEnum

from cypp_etl.workbook.limits import Limits, damaged, not_excel, refuse_size
from cypp_etl.workbook.model import UnreadableWorkbook
from cypp_etl.workbook.package import Package, part_name


class Encoding(StrEnum):
    """The workbook formats that can be read."""

    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BARE_XLS = (b"\x09\x08", b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a Word document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"II*\x00", "an image"),
    (b"MM\x00*", "an image"),
    (b"7z\xbc\xaf", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"\x1f\x8b", "a compressed archive"),
)
_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"urn:schemas-microsoft-com:office:spreadsheet", "an XML spreadsheet of 2003"),
    (b"<html", "a web page"),
    (b"<!doctype html", "a web page"),
    (b"<table", "a web page"),
    (b"mime-version:", "a web page"),
    (b"<?xml", "an XML file"),
)
_OLE_STREAMS = (
    ("WordDocument", "a Word document"),
    ("PowerPoint Document", "a PowerPoint presentation"),
    ("__properties_version1.0", "an Outlook message"),
)
_ARCHIVE_PARTS = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("visio/", "a Visio drawing"),
    ("index/document.iwa", "an Apple Numbers or Pages file"),
)
_HEAD = 4096
_ODS_MANIFEST = "META-INF/manifest.xml"
_ODS_CONTENT, _ODS_BODY = "content.xml", re.compile(rb"<(?:[\w.-]{1,60}:)?spreadsheet[\s/>]")
_TAG_BYTES = 80
_ODS_ENCRYPTION = b"encryption-data"
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def sniff(data: bytes, limits: Limits) -> tuple[Encoding, Package | None]:
    """The format of a workbook, and its archive if it has one; raises UnreadableWorkbook if it is not a workbook."""
    if not data:
        raise UnreadableWorkbook("workbook-empty")
    refuse_size(len(data), limits)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        package = Package(data, limits)
        return _sniff_archive(package), package
    if data.startswith(_OLE):
        return _sniff_ole(data), None
    if data.startswith(_BARE_XLS):
        return Encoding.XLS, None
    raise not_excel(_other_kind(data))


def workbook_part(package: Package) -> str | None:
    """The name of the part that lists the sheets: as the package says, otherwise the usual one."""
    said = [link.target for link in package.relationships("").values() if link.kind == "officeDocument"]
    return next((part for part in (*said, "xl/workbook.xml", "xl/workbook.bin") if part in package), None)


def _sniff_archive(package: Package) -> Encoding:
    if "mimetype" in package:
        if b"".join(package.chunks("mimetype")).startswith(_ODS_TYPE):
            _refuse_password(package)
            return Encoding.ODS
        raise not_excel("an OpenDocument file that is not a spreadsheet")
    if _ODS_CONTENT in package and _says_spreadsheet(package):
        _refuse_password(package)
        return Encoding.ODS
    part = workbook_part(package)
    for start, kind in _ARCHIVE_PARTS:
        if any(name.startswith(start) for name in ([part_name(part)] if part else package)):
            raise not_excel(kind)
    if part is None:
        raise not_excel("a zip archive without a workbook")
    return Encoding.XLSB if part.lower().endswith(".bin") else Encoding.XLSX


def _says_spreadsheet(package: Package) -> bool:
    """Whether an OpenDocument file that was packed again, without the entry with its type, is a spreadsheet."""
    said = b"".join(package.chunks(_ODS_MANIFEST)) if _ODS_MANIFEST in package else b""
    if _ODS_TYPE in said:
        return True
    before = b""
    for chunk in package.chunks(_ODS_CONTENT):
        # The tag may be split between two chunks.
        if _ODS_BODY.search(before + chunk):
            return True
        before = chunk[-_TAG_BYTES:]
    return False


def _refuse_password(package: Package) -> None:
    if _ODS_MANIFEST in package and _ODS_ENCRYPTION in b"".join(package.chunks(_ODS_MANIFEST)):
        raise UnreadableWorkbook("workbook-password")


def _sniff_ole(data: bytes) -> Encoding:
    if _has_stream(data, "EncryptedPackage"):
        raise UnreadableWorkbook("workbook-password")
    if _has_stream(data, "Workbook") or _has_stream(data, "Book"):
        return Encoding.XLS
    for stream, kind in _OLE_STREAMS:
        if _has_stream(data, stream):
            raise not_excel(kind)
    if _is_cut_short(data):
        raise damaged("it was cut short")
    raise not_excel("a file of another program")


def _is_cut_short(data: bytes) -> bool:
    """Whether an OLE file ends before its directory, which is often at its end."""
    sector_bytes = 1 << min(int.from_bytes(data[30:32], "little"), 12)
    return (int.from_bytes(data[48:52], "little") + 1) * sector_bytes >= len(data)


def _has_stream(data: bytes, name: str) -> bool:
    # A directory entry starts at a multiple of 128 bytes: its name, padded to 64, and then the length of the name.
    # This search finds a stream even if the tables that lead to it are damaged. Case does not matter.
    encoded = name.encode("utf-16-le") + b"\0\0"
    length = len(encoded).to_bytes(2, "little")
    found = re.finditer(re.escape(encoded), data, re.IGNORECASE)
    return any(at.start() % 128 == 0 and data[at.start() + 64 : at.start() + 66] == length for at in found)


def _other_kind(data: bytes) -> str:
    head = data[:_HEAD]
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "plain text or CSV"
    lowered = head.lower()
    for mark, kind in _MARKUP:
        if mark in lowered:
            return kind
    return "a file of an unknown kind" if b"\0" in head else "plain text or CSV"
