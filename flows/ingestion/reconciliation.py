"""Finds in the archive what the warehouse does not know, and takes it: nothing is lost when an older copy is restored.

A drop is lost if it had a number, or if nobody will come to it any more: what lies where it was dropped is taken from
there. Each is recorded by its delivery, and so once, whoever else takes it and wherever this is killed.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.personal import shown_file_name, shown_path
from flows.inbox.sweep import make_folders
from flows.ingestion.context import Workplace
from flows.ingestion.erasure import finish_erasures
from flows.ingestion.job import Steps
from flows.storage.archive import archive_path, delivery_of
from flows.storage.drop_notes import (
    DROPS,
    Drop,
    GivenNumbers,
    Noted,
    Unanswered,
    given_by_hand,
    noted_hashes,
    read_drops,
)
from flows.storage.files import path_from_text
from warehouse.engine import reading
from warehouse.queries.history import came_later, known_hashes, later_in_force
from warehouse.recording.outstanding import judge_outstanding
from warehouse.recording.record import Recorded, known_deliveries


@dataclass(frozen=True, slots=True)
class TakenDrop:
    """A drop that was taken from the archive; `earlier_number` is the one that was lost, if it had any."""

    drop: Drop
    recorded: Recorded
    earlier_number: int | None

    def __str__(self) -> str:
        """One line for people."""
        lost = f", which was submission {self.earlier_number}" if self.earlier_number else ""
        status = self.recorded.status.value
        return f"{described(self.drop)}: {status}, as submission {self.recorded.submission_id}{lost}."


@dataclass(slots=True)
class Reconciled:
    """What was taken, and what somebody has to look at, as sentences."""

    taken: list[TakenDrop] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def reconcile(
    workplace: Workplace,
    tell: Callable[[TakenDrop], None] = lambda _: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Reconciled:
    """Take every drop that the archive notes and the warehouse does not know, in the order in which they came.

    What was erased is erased first, where an older copy has brought it back. Then the judgements are made that a
    backfill has left, if it was stopped.

    Args:
        workplace: whose archive, and the warehouse as it is now.
        tell: is given each drop once it is taken.
        is_stopped: asked before each drop, whether to leave the rest for the next time.

    Raises:
        OSError: the archive cannot be read, or a receipt not be written.
        sqlalchemy.exc.SQLAlchemyError: the warehouse is out of reach; what was taken by then stays.
    """
    archive = workplace.settings.archive
    done = Reconciled()
    finish_erasures(workplace)
    judge_outstanding(workplace.engine, workplace.plan, lambda: datetime.now(UTC), is_stopped)
    unanswered = Unanswered(archive)
    half_done = unanswered.deliveries()
    noted = read_drops(archive, lambda deliveries: _known(workplace, deliveries) - half_done)
    done.left += [f"{note}: the note cannot be read, nor what it was about be taken." for note in noted.unreadable]
    if not noted.drops:
        return done
    make_folders(workplace.settings.inbox, workplace.plan.partners)
    numbers = GivenNumbers(archive).by_delivery()
    for drop in _in_order(noted, numbers):
        if is_stopped():
            break
        if drop.delivery in half_done or _is_lost(workplace, drop, noted, numbers):
            taken = _take(workplace, drop, numbers.get(drop.delivery), unanswered)
            if isinstance(taken, str):
                done.left.append(taken)
            else:
                done.taken.append(taken)
                tell(taken)
    return done


def without_note(workplace: Workplace) -> list[Path]:
    """The workbooks in the archive that the warehouse does not know, and of which no note says who dropped them."""
    archive = workplace.settings.archive
    kept = {path.name: path for path in _workbooks(archive)}
    noted = noted_hashes(archive)
    with reading(workplace.engine) as connection:
        known = known_hashes(connection)
    return [path for sha256, path in sorted(kept.items()) if sha256 not in known and sha256 not in noted]


def described(drop: Drop) -> str:
    """A drop as people are told of it: whose, its name if that may be shown, and when it came."""
    name = shown_file_name(path_from_text(drop.file).name)
    whose = f"{drop.partner_code}/" if drop.partner_code else ""
    return f"{whose}{name} of {drop.received_at:%Y-%m-%d %H:%M:%S}"


def _known(workplace: Workplace, deliveries: Collection[str]) -> set[str]:
    with reading(workplace.engine) as connection:
        return set(known_deliveries(connection, deliveries))


def _in_order(noted: Noted, numbers: dict[str, int]) -> list[Drop]:
    """Drops as they came; those that came together in the order of their numbers, or else of their paths."""
    last = max(numbers.values(), default=0) + 1
    return sorted(noted.drops.values(), key=lambda one: (one.received_at, numbers.get(one.delivery, last), one.file))


def _is_lost(workplace: Workplace, drop: Drop, noted: Noted, numbers: dict[str, int]) -> bool:
    """Whether nobody will come to a drop any more that the warehouse does not know."""
    path = place_of(workplace, drop)
    lies_there = _lies_there(path, drop)
    if drop.delivery in numbers:
        # It was recorded; the inbox is looked through in any case.
        return not (drop.is_answered and lies_there)
    if lies_there:
        return False
    return not _was_replaced(workplace, drop, noted)


def _was_replaced(workplace: Workplace, drop: Drop, noted: Noted) -> bool:
    """Whether another file came to a drop's place before it was recorded: its partner does not mean it any more."""
    if any(other.file == drop.file and other.received_at > drop.received_at for other in noted.drops.values()):
        return True
    if shown_path(drop.file) != drop.file:
        # The warehouse does not know the place by its name.
        return False
    with reading(workplace.engine) as connection:
        return came_later(connection, drop.file, drop.received_at)


def _lies_there(path: Path, drop: Drop) -> bool:
    try:
        delivery = delivery_of(path)
    except OSError:
        return False
    return drop.delivery in (delivery, given_by_hand(delivery, drop.received_at))


def place_of(workplace: Workplace, drop: Drop) -> Path:
    """Where a drop lay, in the inbox as it is now: a home may be restored to another place."""
    path = path_from_text(drop.file)
    if drop.is_answered and not path.is_relative_to(workplace.settings.inbox):
        return workplace.settings.inbox / drop.partner_code / path.name
    return path


def _take(workplace: Workplace, drop: Drop, earlier_number: int | None, unanswered: Unanswered) -> TakenDrop | str:
    """Take a drop, or say why it is left."""
    path = place_of(workplace, drop)
    place = archive_path(workplace.settings.archive, drop.sha256)
    if not place.exists():
        return f"{described(drop)}: its bytes are not in the archive ({place})."
    steps = Steps.from_archive(workplace, drop, path)
    if later := _later_in_force(workplace, steps.check(), drop):
        return (
            f"{described(drop)}: left, since submission {later} came later and is in force or held. "
            f"To have it nevertheless: cypp ingest {place}"
        )
    is_answered = drop.is_answered and path.parent.is_dir()
    if is_answered:
        unanswered.add(drop.delivery)
    recorded = steps.load()
    if is_answered:
        steps.reply()
    unanswered.remove(drop.delivery)
    return TakenDrop(drop, recorded, earlier_number)


def _later_in_force(workplace: Workplace, checked: CheckedReturn, drop: Drop) -> int | None:
    """The submission in force, or held, whose place a drop would take, although it came later."""
    if not checked.is_accepted or checked.period is None:
        return None
    with reading(workplace.engine) as connection:
        if known_deliveries(connection, [drop.delivery]):
            return None
        return later_in_force(connection, checked.partner_code, checked.period, drop.received_at)


def _workbooks(archive: Path) -> Iterator[Path]:
    for folder in archive.iterdir() if archive.is_dir() else ():
        if folder.is_dir() and folder.name != DROPS:
            yield from folder.iterdir()
