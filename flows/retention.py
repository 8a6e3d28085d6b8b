"""How long workbooks are kept: those that came before a moment leave the archive, and what was loaded of them stays."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.storage.archive import archive_path
from flows.storage.drop_notes import read_drops
from warehouse.engine import reading
from warehouse.queries.history import last_received

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many workbooks are older than is asked, and how many bytes they have."""

    workbooks: int
    size: int


def prune_archive(workplace: "Workplace", before: datetime, *, remove: bool) -> Pruned:
    """Remove from the archive the workbooks that came before a moment, or only count them.

    One that came again since stays, and so does one that the warehouse does not know: reconciling may need it.

    Args:
        workplace: whose archive.
        before: the moment.
        remove: whether to remove them.

    Raises:
        OSError, sqlalchemy.exc.SQLAlchemyError: the archive or the warehouse is out of reach.
    """
    archive = workplace.settings.archive
    with reading(workplace.engine) as connection:
        came = last_received(connection)
    again = {drop.sha256 for drop in read_drops(archive, lambda _: ()).drops.values() if drop.received_at >= before}
    count = size = 0
    for sha256 in sorted(sha256 for sha256, at in came.items() if at < before and sha256 not in again):
        path = archive_path(archive, sha256)
        length = _length_of_old(path, before)
        if length is None:
            continue
        count, size = count + 1, size + length
        if remove:
            path.unlink(missing_ok=True)
    return Pruned(count, size)


def _length_of_old(path: Path, before: datetime) -> int | None:
    """The size of a file that was written before a moment; None where it is not there, or is being taken again."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size if status.st_mtime < before.timestamp() else None
