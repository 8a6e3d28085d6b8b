"""Makes a backup of a home while it is at work.

The order makes it consistent. The warehouse comes first: what the archive holds beyond it is found by its notes. The
inbox comes before the archive: a workbook is kept before it leaves the inbox, and so is in the one or in the other.
"""

import os
import secrets
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path

from cypp_etl.personal import shown_path
from flows.backup.manifest import (
    ARCHIVE,
    INBOX,
    PLAN,
    PREFECT,
    REPORTS,
    BackupError,
    Manifest,
    check_backup,
    copy_file,
    files_below,
    is_workbook,
    write_checksums,
    write_manifest,
    write_private,
)
from flows.backup.shares import names_of_groups
from flows.inbox.partner_folder import ASIDE, FORMS, README, REPLIES, STATUS
from flows.settings import Settings
from flows.storage.archive import archive_path, delivery_of, flush_folder
from flows.storage.drop_notes import noted_hashes
from flows.storage.files import UNFINISHED, sha256_of
from warehouse.copies import copy_warehouse


@dataclass(slots=True)
class _Copied:
    """What was copied so far."""

    folder: Path
    checksums: dict[str, str] = field(default_factory=dict)
    deliveries: dict[str, str] = field(default_factory=dict)
    modes: dict[str, tuple[int, int]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, source: Path, path: str) -> str:
        """Copy a file to a path in the backup; gives its SHA-256."""
        self.checksums[path] = sha256 = copy_file(source, self.folder / path)
        return sha256

    def note_mode(self, inbox: Path, path: Path) -> None:
        """Note who may read a file or folder of the inbox, if it is still there: a backup is for its owner alone."""
        try:
            status = path.lstat()
        except FileNotFoundError:
            return
        self.modes[path.relative_to(inbox).as_posix()] = stat.S_IMODE(status.st_mode), status.st_gid

    def forget(self, path: str) -> None:
        """Leave out what could not be copied whole."""
        (self.folder / path).unlink(missing_ok=True)
        self.checksums.pop(path, None)


def make_backup(
    settings: Settings, target: Path, made_at: datetime, read_prefect: Callable[[], bytes | None] = lambda: None
) -> Manifest:
    """Make a backup of a home, and check it; it has its name once it is whole.

    Args:
        settings: the home, which may be at work.
        target: the folder to make; nothing may be there.
        made_at: now.
        read_prefect: gives what is to be kept of Prefect's, if anything.

    Raises:
        BackupError, warehouse.copies.CopyError: something is there already, or the warehouse cannot be copied.
        OSError, sqlalchemy.exc.SQLAlchemyError: something is out of reach, or the disk is full.
    """
    if os.path.lexists(target):
        raise BackupError(f"{target} is there already: no backup is written over another")
    target = target.absolute()
    for place in (settings.archive, settings.inbox, settings.reports, *([settings.plan] if settings.plan else [])):
        if target.is_relative_to(place):
            raise BackupError(f"{target} lies in what is to be backed up: name a folder outside {place}")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{UNFINISHED}{target.name}-{secrets.token_hex(4)}")
    temporary.mkdir(mode=0o700)
    try:
        manifest = _fill(settings, temporary, made_at, read_prefect)
        check_backup(temporary)
        if hasattr(os, "sync"):
            # Thousands of files, each of which would be waited for.
            os.sync()
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    flush_folder(target.parent)
    return manifest


def _fill(settings: Settings, folder: Path, made_at: datetime, read_prefect: Callable[[], bytes | None]) -> Manifest:
    copied = _Copied(folder)
    warehouse = copy_warehouse(settings.warehouse_url, folder)
    copied.checksums[warehouse.file] = sha256_of(folder / warehouse.file)
    _copy_inbox(settings.inbox, copied)
    _copy_archive(settings.archive, copied)
    _copy_tree(settings.reports, REPORTS, copied)
    if settings.plan:
        _copy_plan(settings.plan, copied)
    if content := read_prefect():
        write_private(folder / PREFECT, content)
        copied.checksums[PREFECT] = sha256_of(folder / PREFECT)
    parts = [path.partition("/")[0] for path in copied.checksums]
    return write_manifest(
        folder,
        Manifest(
            program=metadata.version("cypp-etl"),
            made_at=made_at.isoformat(),
            warehouse=warehouse,
            checksums=write_checksums(folder, copied.checksums),
            files={part: parts.count(part) for part in sorted(set(parts))},
            deliveries=copied.deliveries,
            modes=copied.modes,
            groups=names_of_groups({group for _, group in copied.modes.values()}),
            damaged=tuple(copied.damaged),
            skipped=tuple(copied.skipped),
        ),
    )


def _copy_inbox(inbox: Path, copied: _Copied) -> None:
    """Copy what lies in the inbox; what leaves it meanwhile is in the archive, which is copied later."""
    for path in _listed(inbox, copied):
        source, name = inbox / path, f"{INBOX}/{path}"
        is_drop = not {REPLIES, FORMS, ASIDE, README, STATUS}.intersection(Path(path).parts)
        try:
            delivery = delivery_of(source) if is_drop else ""
            copied.add(source, name)
            if is_drop and delivery_of(source) != delivery:
                raise BlockingIOError(0, "it was being written")
        except FileNotFoundError:
            copied.forget(name)
        except OSError as fault:
            copied.forget(name)
            copied.skipped.append(f"{shown_path(str(source))}: {fault.strerror or fault}")
        else:
            if is_drop:
                copied.deliveries[path] = delivery
            copied.note_mode(inbox, source)
    for holder, _, _ in os.walk(inbox):
        copied.note_mode(inbox, Path(holder))


def _copy_archive(archive: Path, copied: _Copied) -> None:
    """Copy the notes, and the workbooks that were there before them or that they name: a note's bytes are there."""
    before = {path for path in _listed(archive, copied) if is_workbook(path)}
    for path in _listed(archive, copied):
        if not is_workbook(path):
            # A mark of what is being answered goes with its receipt.
            with suppress(FileNotFoundError):
                copied.add(archive / path, f"{ARCHIVE}/{path}")
    named = (archive_path(archive, sha256) for sha256 in noted_hashes(copied.folder / ARCHIVE))
    for path in sorted(before | {path.relative_to(archive).as_posix() for path in named if path.exists()}):
        if copied.add(archive / path, f"{ARCHIVE}/{path}") != Path(path).name:
            copied.damaged.append(path)


def _copy_plan(plan: Path, copied: _Copied) -> None:
    if plan.is_dir():
        _copy_tree(plan, PLAN, copied)
    elif plan.exists():
        copied.add(plan, f"{PLAN}/{plan.name}")


def _copy_tree(source: Path, name: str, copied: _Copied) -> None:
    for path in _listed(source, copied):
        with suppress(FileNotFoundError):
            copied.add(source / path, f"{name}/{path}")


def _listed(folder: Path, copied: _Copied) -> list[str]:
    """The ordinary files below a folder, by their path there, but for those that are still being written."""
    if not folder.is_dir():
        return []

    def skip(fault: OSError) -> None:
        # A folder that left meanwhile is no loss.
        if not isinstance(fault, FileNotFoundError):
            copied.skipped.append(f"{fault.filename}: {fault.strerror}")

    found = (path for path in files_below(folder, skip) if not Path(path).name.startswith(UNFINISHED))
    return [path for path in found if _is_ordinary(folder / path)]


def _is_ordinary(path: Path) -> bool:
    """Whether an ordinary file is still there: a service at work takes files away at any moment."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False
