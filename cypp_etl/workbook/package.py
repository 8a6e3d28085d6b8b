"""Opens a workbook's archive: checked as a whole first, then read part by part, in chunks."""

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from posixpath import normpath
from typing import NamedTuple
from urllib.parse import unquote

from cypp_etl.caching import remembered
from cypp_etl.workbook.limits import (
    Limits,
    Spent,
    damaged,
    too_large,
    too_many_attributes,
    too_many_cells,
    too_many_elements,
    too_many_idle,
    too_many_rows,
    unsafe,
)
from cypp_etl.workbook.markup import find_elements
from cypp_etl.workbook.part_cache import work_out

_CHUNK = 1 << 16
_LARGE_CHUNK = 1 << 20
_ENTRY_SIGNATURE = b"PK\x01\x02"
_ENCRYPTED = 0x1
# All exceptions of zipfile for a damaged archive: it decodes names, sizes and offsets before it checks them.
_ARCHIVE_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
)


class Relationship(NamedTuple):
    """A relationship between parts: `kind` is the last word of its type, `target` the name of a part."""

    kind: str
    target: str
    is_external: bool


class Package:
    """An archive's parts by name, without regard to case and slashes."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.spent = Spent(limits)
        # Counted before zipfile creates an object for each; a stored archive within the archive adds a few.
        if data.count(_ENTRY_SIGNATURE) > limits.entries:
            raise unsafe(f"it is made of more than {limits.entries:,} files")
        try:
            self._archive = zipfile.ZipFile(BytesIO(data))
        except _ARCHIVE_FAULTS as fault:
            raise damaged("it was cut short, or is not a whole archive") from fault
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._relationships: dict[str, Mapping[str, Relationship]] = {}
        for entry in self._archive.infolist():
            _check_entry(entry, limits)
            if entry.is_dir():
                continue
            if self._entries.setdefault(part_name(entry.filename), entry) is not entry:
                raise unsafe("it holds two files of the same name")
        if sum(entry.compress_size for entry in self._entries.values()) > len(data):
            raise unsafe("the files in its archive overlap")
        if sum(entry.file_size for entry in self._entries.values()) > limits.archived_bytes:
            raise unsafe("it unpacks to far more than a workbook holds")

    def __contains__(self, part: str) -> bool:
        return part_name(part) in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def entries(self) -> list[zipfile.ZipInfo]:
        """All entries of the archive in their order, folders included."""
        return self._archive.infolist()

    def chunks(self, part: str) -> Iterator[bytes]:
        """A part's bytes, which are counted."""
        for chunk in self._inflate(part, _CHUNK):
            self.spent.inflate(len(chunk))
            yield chunk

    def listing(self, part: str) -> Iterator[bytes]:
        """The bytes of a part that lists styles, sheets or other parts, and must be small."""
        if self.size([part]) > self.spent.limits.listing_bytes:
            raise too_large("its styles alone are larger than a workbook")
        return self.chunks(part)

    def _inflate(self, part: str, size: int) -> Iterator[bytes]:
        # zipfile stops at the declared size, and then compares checksums, so a false size is detected.
        entry = self._entries.get(part_name(part))
        if entry is None:
            raise damaged("a part of it is missing")
        try:
            with self._archive.open(entry) as stream:
                while chunk := stream.read(size):
                    yield chunk
        except _ARCHIVE_FAULTS as fault:
            raise damaged("a part of it cannot be unpacked") from fault

    def size(self, parts: Iterable[str]) -> int:
        """The unpacked size of some parts; a missing part counts as 0."""
        found = (self._entries.get(part) for part in {part_name(part) for part in parts})
        return sum(entry.file_size for entry in found if entry is not None)

    def refuse_volume(self, parts: Iterable[str]) -> None:
        """Refuse a part with too much content by counting its tags, in a tenth of the time of reading them.

        Tags in comments or with other names may deceive it: whatever passes is counted again as it is read.
        """
        limits = self.spent.limits
        opened = idle = cells = attributes = 0
        for part in sorted({part_name(part) for part in parts} & self._entries.keys()):
            closed_rows, cells_before = 0, cells
            for chunk in self._inflate(part, _LARGE_CHUNK):
                opened += chunk.count(b"<") - chunk.count(b"</")
                idle += chunk.count(b"/>")
                cells += chunk.count(b"</c>")
                attributes += chunk.count(b"=")
                closed_rows += chunk.count(b"</row>")
                if idle > limits.idle_elements:
                    raise too_many_idle(limits)
                if attributes > limits.attributes:
                    raise too_many_attributes(limits)
                # There may be many of either: empty rows, or a few rows with much content.
                if min(closed_rows, cells - cells_before) > limits.filled_rows:
                    raise too_many_rows(limits)
                if cells > limits.cells:
                    raise too_many_cells(limits)
                if opened > limits.elements:
                    raise too_many_elements(limits)

    def relationships(self, part: str) -> Mapping[str, Relationship]:
        """The relationships of a part, by id; `""` is the package itself. A part need not have any."""
        folder, _, file = part_name(part).rpartition("/")
        listing = f"{folder}/_rels/{file}.rels"
        if listing not in self:
            return {}
        if listing not in self._relationships:
            self._relationships[listing] = work_out(_read_relationships, self.listing(listing), self.spent, folder)
        return self._relationships[listing]


@remembered
def part_name(name: str) -> str:
    """A part's name in a uniform form: Excel ignores case, slashes and `%20` for a space."""
    return normpath("/" + unquote(name).replace("\\", "/")).lstrip("/").lower()


def _check_entry(entry: zipfile.ZipInfo, limits: Limits) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise unsafe("a file in its archive is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise unsafe("it is packed in a way that workbooks are not")
    if entry.file_size > limits.ratio_from_bytes and entry.file_size > limits.ratio * entry.compress_size:
        raise unsafe("it unpacks to far more than a workbook holds")


def _read_relationships(chunks: Iterable[bytes], spent: Spent, folder: str) -> dict[str, Relationship]:
    found = find_elements(chunks, spent, frozenset({"Relationship"}))
    return {element.attributes.get("Id", ""): _relationship(element.attributes, folder) for element in found}


def _relationship(attributes: dict[str, str], folder: str) -> Relationship:
    target = attributes.get("Target", "").replace("\\", "/")
    is_external = attributes.get("TargetMode") == "External"
    if not is_external and not target.startswith("/"):
        target = f"{folder}/{target}"
    return Relationship(attributes.get("Type", "").rpartition("/")[2], target, is_external)
