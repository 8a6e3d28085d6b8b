"""Writes a new archive, copying the compressed bytes of unchanged entries."""

import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import lru_cache

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
# The flag for sizes after the data; here they always come before it.
_SIZES_FOLLOW = 0x8
_UTF8_NAME = 0x800
_VERSION = 20
# 1 January 1980, the earliest date in an archive, so that the same receipt has the same bytes.
_FIRST_DAY = (1 << 5) | 1
# The small parts of receipts of one template are often the same, such as styles and lists of parts; longer ones of an
# untrusted file could fill the memory.
_REMEMBERED_BYTES = 1 << 14
_REMEMBERED_PARTS = 32


@dataclass(slots=True)
class _Entry:
    name: bytes
    flags: int
    method: int
    moment: tuple[int, int]
    crc: int
    size: int
    packed: bytes
    attributes: int = 0


@dataclass(slots=True)
class Repacked:
    """The new archive. Its entries are in the order in which they are copied and added."""

    _entries: list[_Entry] = field(default_factory=list)

    def copy(self, archive: bytes, info: zipfile.ZipInfo) -> None:
        """Copy an entry's compressed bytes from another archive."""
        name_length, extra_length = struct.unpack_from("<2H", archive, info.header_offset + 26)
        name_at = info.header_offset + _LOCAL.size
        data_at = name_at + name_length + extra_length
        year, month, day, hour, minute, second = info.date_time
        moment = (hour << 11 | minute << 5 | second // 2, max(year - 1980, 0) << 9 | month << 5 | day)
        self._entries.append(
            _Entry(
                archive[name_at : name_at + name_length],
                info.flag_bits & ~_SIZES_FOLLOW,
                info.compress_type,
                moment,
                info.CRC,
                info.file_size,
                archive[data_at : data_at + info.compress_size],
                info.external_attr,
            )
        )

    def add(self, name: str, content: bytes) -> None:
        """Add an entry of our own."""
        packed = _packed_once(content) if len(content) <= _REMEMBERED_BYTES else _packed(content)
        flags = 0 if name.isascii() else _UTF8_NAME
        self._entries.append(
            _Entry(
                name.encode(), flags, zipfile.ZIP_DEFLATED, (0, _FIRST_DAY), zlib.crc32(content), len(content), packed
            )
        )

    def to_bytes(self) -> bytes:
        """The whole archive."""
        pieces: list[bytes] = []
        directory: list[bytes] = []
        offset = 0
        for entry in self._entries:
            sizes = (entry.crc, len(entry.packed), entry.size, len(entry.name), 0)
            common = (_VERSION, entry.flags, entry.method, *entry.moment, *sizes)
            pieces += _LOCAL.pack(b"PK\x03\x04", *common), entry.name, entry.packed
            directory += (
                _CENTRAL.pack(b"PK\x01\x02", _VERSION, *common, 0, 0, 0, entry.attributes, offset),
                entry.name,
            )
            offset += _LOCAL.size + len(entry.name) + len(entry.packed)
        count, length = len(self._entries), sum(map(len, directory))
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, length, offset, 0)
        return b"".join((*pieces, *directory, end))


def _packed(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


_packed_once = lru_cache(maxsize=_REMEMBERED_PARTS)(_packed)
