"""Puts a backup into a home: what is there stays, and what the backup has beside it is added.

The warehouse comes last. Until then a restoration that is killed has only added files, and can be begun again.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.backup.manifest import (
    ARCHIVE,
    INBOX,
    PLAN,
    REPORTS,
    BackupError,
    Manifest,
    check_backup,
    checksums_of,
    copy_file,
    files_below,
    is_workbook,
    make_private_path,
)
from flows.backup.shares import Shares
from flows.settings import Settings
from flows.storage.archive import READ_BYTES
from flows.storage.drop_notes import DROPS, NUMBERS, GivenNumbers, Unanswered, read_drops
from flows.storage.erasures import erased_hashes
from flows.storage.files import UNFINISHED, sha256_of
from warehouse.copies import POSTGRESQL, file_of, require_empty, require_same_system, restore_warehouse


@dataclass(slots=True)
class Restored:
    """What was restored: how many files of each part were added, and what people should know, as sentences."""

    manifest: Manifest
    added: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def restore_backup(settings: Settings, source: Path, *, over: bool = False) -> Restored:
    """Restore a backup into a home in which nothing works.

    Args:
        settings: the home, and where the warehouse is to be.
        source: the backup; all of it is checked before anything is changed.
        over: restore although there is something: its archive, inbox and reports stay and gain what they lack, and
            its warehouse is moved aside. A database on PostgreSQL must be empty in any case.

    Raises:
        BackupError, warehouse.copies.CopyError: the backup is damaged or newer, or the home is not empty.
        OSError, sqlalchemy.exc.SQLAlchemyError: something is out of reach, or the disk is full.
    """
    manifest = check_backup(source)
    require_same_system(manifest.warehouse, settings.warehouse_url)
    if not over and (found := _found(settings)):
        raise BackupError(
            f"{found} is there: restore into an empty home, or with --over into this one, whose archive, inbox and "
            "reports stay and gain what they lack, and whose warehouse is moved aside"
        )
    if manifest.warehouse.system == POSTGRESQL:
        require_empty(settings.warehouse_url)
    done = Restored(manifest)
    checksums = checksums_of(source)
    done.added[ARCHIVE] = _restore_archive(source / ARCHIVE, settings.archive, checksums)
    done.added[REPORTS] = _add_tree(source / REPORTS, settings.reports)
    done.added[INBOX] = _restore_inbox(source / INBOX, settings, manifest, done.notes)
    _restore_plan(source / PLAN, settings, done)
    aside = restore_warehouse(manifest.warehouse, source, settings.warehouse_url)
    if aside:
        done.notes.append(f"The warehouse that was there is {aside}.")
    return done


def _found(settings: Settings) -> Path | None:
    """Something in a home that is worth something."""
    path = file_of(settings.warehouse_url)
    if path and path.exists():
        return path
    for folder in (settings.archive, settings.reports, settings.inbox):
        for name in files_below(folder) if folder.is_dir() else ():
            if not (folder == settings.inbox and name == "README.md"):
                return folder / name
    return None


def _restore_archive(source: Path, archive: Path, checksums: Mapping[str, str]) -> int:
    """Add workbooks and notes that the archive lacks, and workbooks whose bytes there are not those of their name."""
    added = 0
    archive.mkdir(mode=0o700, parents=True, exist_ok=True)
    erased = erased_hashes(archive)
    for path in files_below(source) if source.is_dir() else ():
        target = archive / path
        if path == f"{DROPS}/{NUMBERS}":
            continue
        if target.name in erased and is_workbook(path) and not target.exists():
            # It was erased after the backup was made.
            continue
        if target.exists() and not (is_workbook(path) and sha256_of(target) != target.name):
            continue
        if is_workbook(path) and checksums[f"{ARCHIVE}/{path}"] != target.name and target.exists():
            continue
        _put(source / path, target)
        added += 1
    return added + _restore_numbers(source, archive)


def _restore_numbers(source: Path, archive: Path) -> bool:
    """Note the numbers that the archive does not have, and its highest at the end, where it is looked for.

    Says whether there were any.
    """
    numbers = GivenNumbers(archive)
    there = set(numbers.all())
    if missing := [given for given in GivenNumbers(source).all() if given not in there]:
        numbers.note(missing)
        highest = max(there, default=None)
        if highest and highest > max(missing):
            numbers.note([highest])
    return bool(missing)


def _restore_inbox(source: Path, settings: Settings, manifest: Manifest, notes: list[str]) -> int:
    """Put back what lay in the inbox, but for what the archive has: that would be taken twice."""
    archived = read_drops(settings.archive, lambda _: ()).drops
    added, left = 0, 0
    shares = Shares(manifest.groups)
    files = set(files_below(source) if source.is_dir() else ())
    for path in sorted(manifest.modes.keys() - files):
        if not (settings.inbox / path).exists():
            (settings.inbox / path).mkdir(mode=0o700, parents=True)
            shares.give(settings.inbox / path, *manifest.modes[path])
    for path in sorted(files):
        target = settings.inbox / path
        delivery = manifest.deliveries.get(path)
        # Of what is too large the archive has the beginning alone.
        if delivery in archived and archived[delivery].size <= READ_BYTES:
            # Perhaps nobody has answered it.
            Unanswered(settings.archive).add(archived[delivery].delivery)
            left += 1
        elif not os.path.lexists(target):
            _put(source / path, target)
            if path in manifest.modes:
                shares.give(target, *manifest.modes[path])
            added += 1
    notes += shares.sentences()
    if left:
        notes.append(f"{left} of the inbox are in the archive already, and are taken or answered from there.")
    return added


def _restore_plan(source: Path, settings: Settings, done: Restored) -> None:
    if not source.is_dir():
        return
    target = settings.plan or settings.home / PLAN
    if target.exists():
        done.notes.append(f"The plan's folder {target} was there, and stays as it is.")
        return
    if settings.plan and (source / settings.plan.name).is_file():
        # It is one file.
        _put(source / settings.plan.name, target)
        done.added[PLAN] = 1
        return
    done.added[PLAN] = _add_tree(source, target)
    if settings.plan is None:
        done.notes.append(f"The plan's folder is {target}: name it in CYPP_PLAN.")


def _add_tree(source: Path, target: Path) -> int:
    added = 0
    for path in files_below(source) if source.is_dir() else ():
        if not (target / path).exists():
            _put(source / path, target / path)
            added += 1
    return added


def _put(source: Path, target: Path) -> None:
    """Put a copy in its place, whole or not at all."""
    make_private_path(target.parent)
    temporary = target.with_name(f"{UNFINISHED}restored")
    temporary.unlink(missing_ok=True)
    copy_file(source, temporary)
    shutil.move(temporary, target)
