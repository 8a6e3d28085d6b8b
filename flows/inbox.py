"""The inbox: a folder for each partner, whose name is the partner's identity."""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from flows.taking import finish_taking

# Folders of our own inside a partner's folder, which are not swept.
REPLIES = "replies"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file in the inbox: a partner's to ingest, or, with a `reason`, one that is left where it is."""

    path: Path
    partner_code: str
    reason: str = ""


def sweep(inbox: Path, partner_codes: Collection[str], now: float, settle_seconds: float = 0.0) -> Iterator[Waiting]:
    """Everything that lies in the inbox, partner by partner, oldest first; folders are made where they are missing.

    `now` is in seconds since 1970. A file younger than `settle_seconds` may still be being written and waits. Excel's
    locks and hidden files are passed over in silence; what else cannot be taken is given with the reason.
    """
    for partner_code in partner_codes:
        (inbox / partner_code).mkdir(parents=True, exist_ok=True)
    for entry in sorted(inbox.iterdir()):
        if entry.name in partner_codes and entry.is_dir() and not entry.is_symlink():
            yield from _sweep_folder(entry, now, settle_seconds)
        elif not _is_passed_over(entry) and entry.name != "README.md":
            yield Waiting(entry, "", "it is not in a partner's folder")


def partner_of(path: Path, inbox: Path, partner_codes: Collection[str]) -> str:
    """The partner in whose folder of the inbox a path lies; empty for a path outside.

    A path with a link below the inbox, or one that `..` leads elsewhere, is nobody's: a link lends no partner's name.
    """
    given = path.absolute()
    try:
        within = Path(os.path.normpath(given)).relative_to(inbox)
    except ValueError:
        return ""
    if len(within.parts) < 2 or given.parent.resolve() != inbox.resolve() / within.parent:
        return ""
    return within.parts[0] if within.parts[0] in partner_codes else ""


def _sweep_folder(folder: Path, now: float, settle_seconds: float) -> Iterator[Waiting]:
    finish_taking(folder)
    for path, status in sorted(_entries(folder), key=lambda entry: (entry[1].st_mtime_ns, entry[0].name)):
        if not S_ISREG(status.st_mode):
            kind = "a link" if path.is_symlink() else "a folder" if path.is_dir() else "no ordinary file"
            yield Waiting(path, folder.name, f"it is {kind}")
        elif now - status.st_mtime < settle_seconds:
            yield Waiting(path, folder.name, "it may still be being written")
        else:
            yield Waiting(path, folder.name)


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """What lies in a folder, less what leaves it while it is looked at."""
    for path in folder.iterdir():
        if not _is_passed_over(path) and path.name != REPLIES:
            with suppress(FileNotFoundError):
                yield path, path.lstat()


def _is_passed_over(path: Path) -> bool:
    return path.name.startswith((".", "~$"))
