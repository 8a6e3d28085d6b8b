"""What a backup holds: its manifest, and a checksum for every file in it.

`SHA256SUMS` is what `sha256sum --check SHA256SUMS` reads, and `manifest.json` says what it must be itself.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from flows.storage.drop_notes import DROPS
from flows.storage.files import open_regular, sha256_of
from warehouse.copies import WarehouseCopy, check_copy

MANIFEST, CHECKSUMS = "manifest.json", "SHA256SUMS"
ARCHIVE, INBOX, REPORTS, PLAN, PREFECT = "archive", "inbox", "reports", "plan", "prefect.json"
FORMAT = 1
_CHUNK_BYTES = 1 << 20


class BackupError(ValueError):
    """A backup cannot be made, is damaged or newer than this program, or cannot be restored here."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    `made_at` is in ISO 8601. `files` counts the files of each part. `deliveries` are those of the files in the
    inbox, by their path in it, and `modes` the mode and the group's number of each file and folder there; `groups` are
    the names of those groups, by their number as text. `damaged` are the workbooks whose bytes were not those of their
    name any more when they were copied; `skipped` says what could not be copied.
    """

    program: str
    made_at: str
    warehouse: WarehouseCopy
    checksums: str
    files: Mapping[str, int]
    deliveries: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    format: int = FORMAT


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write a manifest into a backup, and give it.

    Raises:
        OSError: the folder cannot be written to.
    """
    write_private(folder / MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
    return manifest


def write_checksums(folder: Path, checksums: Mapping[str, str]) -> str:
    """Write the SHA-256 of every file, by its path in the backup; gives that of what was written.

    Raises:
        OSError: the folder cannot be written to.
    """
    lines = b"".join(_line(checksums[path], path) for path in sorted(checksums))
    write_private(folder / CHECKSUMS, lines)
    return hashlib.sha256(lines).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup.

    Raises:
        BackupError: there is none, or it is newer than this program.
        OSError: it cannot be read.
    """
    try:
        words = json.loads((folder / MANIFEST).read_text("utf-8"))
        if words["format"] > FORMAT:
            raise BackupError(f"{folder}: the backup is newer than this program: install the program's newer version")
        copy = WarehouseCopy(**words["warehouse"])
        modes = {path: (int(mode), int(group)) for path, (mode, group) in words["modes"].items()}
        listed = {name: tuple(words[name]) for name in ("damaged", "skipped")}
        return Manifest(**(words | listed | {"warehouse": copy, "modes": modes}))
    except (FileNotFoundError, NotADirectoryError) as fault:
        raise BackupError(f"{folder}: there is no backup, for it has no {MANIFEST}") from fault
    except BackupError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BackupError(f"{folder / MANIFEST}: it cannot be read") from fault


def check_backup(folder: Path) -> Manifest:
    """Read every byte of a backup, and make sure that it is as it was made.

    Raises:
        BackupError, warehouse.copies.CopyError: it is damaged, or newer than this program.
        OSError: it cannot be read.
    """
    manifest = read_manifest(folder)
    try:
        lines = (folder / CHECKSUMS).read_bytes()
    except FileNotFoundError as fault:
        raise BackupError(f"{folder}: the backup is damaged: {CHECKSUMS} is missing") from fault
    if hashlib.sha256(lines).hexdigest() != manifest.checksums:
        raise BackupError(f"{folder}: the backup is damaged: {CHECKSUMS} was changed")
    expected = dict(_checksums(lines))
    present = {path for path in files_below(folder) if path not in (MANIFEST, CHECKSUMS)}
    faults = [f"{path} is missing" for path in sorted(expected.keys() - present)]
    faults += [f"{path} does not belong to it" for path in sorted(present - expected.keys())]
    both = sorted(expected.keys() & present)
    faults += [f"{path} was changed" for path in both if sha256_of(folder / path) != expected[path]]
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise BackupError(f"{folder}: the backup is damaged: {'; '.join(faults[:3])}{more}")
    check_copy(manifest.warehouse, folder)
    return manifest


def checksums_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a backup whose checksums were checked, by its path."""
    return dict(_checksums((folder / CHECKSUMS).read_bytes()))


def copy_file(source: Path, target: Path) -> str:
    """Copy an ordinary file, for its owner alone, with its time; gives the SHA-256 of what was copied.

    Raises:
        OSError: it cannot be read, is no ordinary file or a link, or the copy not be written.
    """
    digest = hashlib.sha256()
    make_private_path(target.parent)
    with open_regular(source) as original:
        status = os.fstat(original.fileno())
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
            while chunk := original.read(_CHUNK_BYTES):
                digest.update(chunk)
                copy.write(chunk)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return digest.hexdigest()


def make_private_path(folder: Path) -> None:
    """Make a folder and those above it for their owner alone, where they are not there."""
    if not folder.is_dir():
        make_private_path(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _refuse(fault: OSError) -> NoReturn:
    raise fault


def files_below(folder: Path, skip: Callable[[OSError], None] = _refuse) -> Iterator[str]:
    """The path of every file below a folder, seen from there; no link is followed.

    Raises:
        OSError: a folder cannot be listed, unless `skip` takes that.
    """
    for holder, _, names in os.walk(folder, onerror=skip):
        within = Path(holder).relative_to(folder)
        yield from ((within / name).as_posix() for name in names)


def is_workbook(path: str) -> bool:
    """Whether a file of the archive, by its path there, is a workbook and no note."""
    return not path.startswith(f"{DROPS}/")


def write_private(path: Path, content: bytes) -> None:
    """Write a new file, for its owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)


def _line(sha256: str, path: str) -> bytes:
    """A line as `sha256sum` writes it: a backslash before it says that the name has some in it for what is no text."""
    name = os.fsencode(path)
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != name else b"") + f"{sha256}  ".encode() + escaped + b"\n"


def _checksums(lines: bytes) -> Iterator[tuple[str, str]]:
    for line in lines.removesuffix(b"\n").split(b"\n") if lines else ():
        sha256, _, name = line.removeprefix(b"\\").partition(b"  ")
        if line.startswith(b"\\"):
            parts = name.split(b"\\\\")
            name = b"\\".join(part.replace(b"\\n", b"\n").replace(b"\\r", b"\r") for part in parts)
        yield os.fsdecode(name), sha256.decode()
