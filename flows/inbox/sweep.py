"""The inbox: a folder for each partner, whose name is the partner's identity."""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from flows.inbox.corrected_receipts import CorrectedReceipts, is_receipt_path
from flows.inbox.moves import finish_taking
from flows.inbox.partner_folder import ASIDE, README, REPLIES, STATUS
from flows.inbox.stray_files import is_note
from flows.inbox.subfolders import bring_up


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file in the inbox: a partner's to ingest, or, with a `reason`, one that is left in place."""

    path: Path
    partner_code: str
    reason: str = ""
    is_folder: bool = False
    """Whether a partner's whole folder is skipped."""
    is_unsettled: bool = False
    """Whether it is left only until it is certain to be whole."""
    is_receipt: bool = False
    """Whether it is a receipt that its partner changed, to be brought into the partner's folder first."""

    @property
    def is_stray(self) -> bool:
        """Whether it lies in the inbox itself, and is nobody's."""
        return not self.partner_code


def make_folders(inbox: Path, partner_codes: Collection[str]) -> None:
    """Create the inbox and the partners' folders in it, if they are missing.

    Raises:
        OSError: the inbox itself cannot be created.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    make_partner_folders(inbox, partner_codes)


def make_partner_folders(inbox: Path, partner_codes: Collection[str]) -> None:
    """Create the partners' folders in an inbox that is there.

    Raises:
        FileNotFoundError: it is not. What is made in its place, while a share is away, would hide the share's files.
    """
    if not inbox.is_dir():
        raise FileNotFoundError("there is no such folder")
    for partner_code in partner_codes:
        # `sweep` reports what is in the way of a folder; it only affects that partner.
        with suppress(OSError):
            (inbox / partner_code).mkdir(exist_ok=True)


def sweep(
    inbox: Path,
    partner_codes: Collection[str],
    now: float,
    settle_seconds: float = 0.0,
    corrected: CorrectedReceipts | None = None,
) -> Iterator[Waiting]:
    """Everything in the inbox, partner by partner, oldest first.

    Nothing is made. What a killed process had begun to take out of a folder is taken out, or put back, beforehand; and
    workbooks in folders that partners made in theirs are moved up into the partner's own.

    `now` is in seconds since 1970. A file younger than `settle_seconds` may still be being written, and waits. Excel's
    locks and hidden files are passed over in silence; what else cannot be taken is given with the reason. With
    `corrected`, the receipts that partners changed are given too.

    Raises:
        OSError: the inbox itself cannot be listed.
    """
    for entry in sorted(inbox.iterdir()):
        if entry.name in partner_codes:
            yield from _sweep_partner(entry, now, settle_seconds, corrected)
        elif not _is_passed_over(entry) and entry.name != "README.md" and not is_note(entry.name):
            yield Waiting(entry, "", "it is not in a partner's folder")


def partner_of(path: Path, inbox: Path, partner_codes: Collection[str]) -> str:
    """The partner in whose inbox folder a path is; empty for a path outside.

    A path with a link below the inbox, or with `..` that leads out, has no partner: a link does not identify a partner.
    """
    given = path.absolute()
    try:
        within = Path(os.path.normpath(given)).relative_to(inbox)
    except ValueError:
        return ""
    if len(within.parts) < 2 or given.parent.resolve() != inbox.resolve() / within.parent:
        return ""
    return within.parts[0] if within.parts[0] in partner_codes else ""


def _sweep_partner(
    folder: Path, now: float, settle_seconds: float, corrected: CorrectedReceipts | None
) -> Iterator[Waiting]:
    """The contents of a partner's folder, or why the folder is skipped: its errors do not stop the others."""
    try:
        status = folder.lstat()
        if S_ISDIR(status.st_mode):
            yield from _sweep_folder(folder, now, settle_seconds, corrected)
        elif S_ISLNK(status.st_mode):
            yield Waiting(folder, folder.name, "it is not in a partner's folder", is_folder=True)
        else:
            yield Waiting(folder, folder.name, "it is in the place of a partner's folder", is_folder=True)
    except FileNotFoundError:
        # It was deleted while it was listed, and is created again at the next scan.
        return
    except OSError as fault:
        where = f" ({Path(fault.filename).name})" if fault.filename else ""
        yield Waiting(folder, folder.name, f"the folder is skipped: {fault.strerror or fault}{where}", is_folder=True)


def _sweep_folder(
    folder: Path, now: float, settle_seconds: float, corrected: CorrectedReceipts | None
) -> list[Waiting]:
    for name in (ASIDE, REPLIES):
        _require_folder(folder / name)
    finish_taking(folder)
    below = [Waiting(path, folder.name, reason) for path, reason in bring_up(folder, now)]
    lying = [*_entries(folder), *(corrected.lying_in(folder, now) if corrected else ())]
    return [*_files(folder, lying, now, settle_seconds), *below]


def _require_folder(place: Path) -> None:
    """Raise OSError for anything other than a usable folder."""
    with suppress(FileNotFoundError):
        # By opening it for writing: on a share, the file mode does not show what is allowed.
        os.close(os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))


def _files(
    folder: Path, lying: Iterable[tuple[Path, os.stat_result]], now: float, settle_seconds: float
) -> Iterator[Waiting]:
    for path, status in sorted(lying, key=lambda entry: (entry[1].st_mtime_ns, entry[0].name)):
        if S_ISDIR(status.st_mode):
            # What lies in it has been moved up, or is said by itself.
            continue
        if not S_ISREG(status.st_mode):
            kind = "a link" if S_ISLNK(status.st_mode) else "no ordinary file"
            yield Waiting(path, folder.name, f"it is {kind}")
        elif now - status.st_mtime < settle_seconds:
            yield Waiting(path, folder.name, "it may still be being written", is_unsettled=True)
        else:
            yield Waiting(path, folder.name, is_receipt=is_receipt_path(path))


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The contents of a folder, without files that disappear while they are listed."""
    for path in folder.iterdir():
        if not _is_passed_over(path) and path.name not in (REPLIES, README, STATUS):
            with suppress(FileNotFoundError):
                yield path, path.lstat()


def _is_passed_over(path: Path) -> bool:
    return path.name.startswith((".", "~$"))
