"""Which workbooks' contents were erased, noted in the archive, so that no older copy brings them back for good.

A line of `archive/drops/erased` for each decision. Without its note, an erasure would be forgotten with the warehouse
that it is recorded in.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from flows.storage.archive import archive_path, flush_folder
from flows.storage.drop_notes import DROPS, drops_of, forget_drops, write_note

NOTES = "erased"
"""The file of notes, beside those of drops."""


@dataclass(frozen=True, slots=True)
class ErasureNote:
    """A decision to erase what was typed in a workbook: in `cells`, or in all free text if there are none.

    It is about all that came of these bytes until `decided_at`, and about nothing that comes later.
    """

    sha256: str
    cells: tuple[tuple[str, str], ...]
    decided_by: str
    why: str
    decided_at: datetime


def note_erasure(archive: Path, note: ErasureNote) -> None:
    """Note an erasure before it is committed; it is on disk when it returns.

    Call it in the writer's turn: two that write at once could lose each other's lines.

    Raises:
        OSError: the archive cannot be written.
    """
    folder = archive / DROPS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = (folder / NOTES).read_text("utf-8") if (folder / NOTES).exists() else ""
    line = json.dumps(asdict(note) | {"decided_at": note.decided_at.isoformat()})
    write_note(archive, folder / NOTES, f"{there}{line}\n")
    flush_folder(folder)


def noted_erasures(archive: Path) -> Iterator[ErasureNote]:
    """The erasures that were noted, oldest first.

    Raises:
        OSError, ValueError: the notes cannot be read.
    """
    path = archive / DROPS / NOTES
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        words = json.loads(line)
        cells = tuple((sheet, cell) for sheet, cell in words["cells"])
        yield ErasureNote(**(words | {"cells": cells, "decided_at": datetime.fromisoformat(words["decided_at"])}))


def remove_bytes(archive: Path, sha256: str, until: datetime) -> bool:
    """Remove a workbook's bytes and the notes of its drops until a moment; say whether its bytes were there.

    They stay where they were dropped again later.

    Raises:
        OSError: the archive cannot be written.
    """
    drops = drops_of(archive, sha256)
    forget_drops(archive, {drop.delivery for drop in drops if drop.received_at <= until})
    path = archive_path(archive, sha256)
    if not path.exists() or any(drop.received_at > until for drop in drops):
        return False
    path.unlink()
    flush_folder(path.parent)
    return True


def erased_hashes(archive: Path) -> Collection[str]:
    """The SHA-256 of every workbook whose content was erased."""
    return {note.sha256 for note in noted_erasures(archive)}
