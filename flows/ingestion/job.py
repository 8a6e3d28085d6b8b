"""The steps that ingest one workbook; each runs once, for the first caller.

A run calls them as its tasks. The watcher calls them before the run, which then finds them done: a receipt does not
wait for Prefect (docs/decisions/0012).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.personal import shown_path
from flows.inbox.moves import take_away
from flows.ingestion.context import Workplace
from flows.ingestion.in_hand import MOST_DEATHS, InHand, note_of
from flows.ingestion.receipt import Answer, answer, queue_mail
from flows.mail.outbox import Outbox
from flows.service_log import log
from flows.storage.archive import Kept, archive_path
from flows.storage.drop_notes import Drop, given_by_hand, note_of_drops
from flows.storage.files import path_as_text, path_from_text
from warehouse.recording.record import Recorded


class Steps:
    """One workbook's ingestion: check, record, send the receipt, remove from the inbox. Each step runs at most once.

    A step that fails is run again by the next caller. Each step first runs the earlier ones that are not done.
    """

    # Not a dataclass: Prefect inspects a task's arguments, and would go through the whole plan each time.
    def __init__(
        self, workplace: Workplace, path: Path, folder_partner: str, received_at: datetime, known_as: str = ""
    ) -> None:
        """Nothing is done yet; `folder_partner` is empty for a file outside the inbox.

        `known_as` is the path by which the warehouse is to know it, where it only lies at `path` for a moment.
        """
        self.workplace = workplace
        self.path = path
        self.file = known_as or path_as_text(path)
        self.folder_partner = folder_partner
        self.received_at = received_at
        self._turn = Lock()
        self._archived: Kept | None = None
        self._checked: tuple[Kept, CheckedReturn] | None = None
        self._recorded: Recorded | None = None
        self._answer: Answer | None = None
        self._is_mailed = True
        self._deaths = 0
        self._note = "", path

    @classmethod
    def from_archive(cls, workplace: Workplace, drop: Drop, path: Path) -> "Steps":
        """The steps of a drop whose bytes the archive has; `path` is where it lay, and its receipt goes beside."""
        steps = cls(workplace, path, drop.partner_code, drop.received_at)
        place = archive_path(workplace.settings.archive, drop.sha256)
        # After a restore there may be months of them, which their partners know.
        steps._is_mailed = False
        steps._archived = Kept(place, drop.sha256, (0, 0, 0), drop.delivery, drop.size)
        steps._note = drop.delivery[:40], place
        return steps

    def check(self) -> CheckedReturn:
        """Archive the bytes, then read and check them.

        Raises:
            FileNotFoundError: the file no longer exists.
            OSError: it cannot be read or archived.
            sqlalchemy.exc.SQLAlchemyError: the warehouse cannot be reached.
        """
        with self._turn, self._in_hand():
            return self._check()[1]

    def load(self) -> Recorded:
        """Record the submission in one transaction.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the warehouse is out of reach.
        """
        with self._turn, self._in_hand():
            return self._load()

    def reply(self) -> Answer | None:
        """Write the receipt to the partner's folder; a file outside the inbox has no receipt.

        Raises:
            OSError: the folder cannot be written to.
            sqlalchemy.exc.SQLAlchemyError: the warehouse is out of reach.
        """
        with self._turn, self._in_hand():
            if self.folder_partner and self._answer is None:
                recorded = self._load()
                kept, checked = self._check()
                answered = answer(self.workplace, checked, recorded, kept, self.received_at)
                if self._is_mailed:
                    self._queue_mail(checked, recorded, answered, kept.delivery)
                self._answer = answered
            return self._answer

    def _queue_mail(self, checked: CheckedReturn, recorded: Recorded, answered: Answer, delivery: str) -> None:
        """Queue the receipt to be sent by e-mail; that it cannot be is no reason to ingest no more."""
        outbox = Outbox(self.workplace.settings.outbox)
        try:
            queue_mail(outbox, checked, recorded, answered, delivery, self.folder_partner)
        except OSError as fault:
            log.error("%s: its receipt cannot be sent by e-mail: %s.", shown_path(path_as_text(self.path)), fault)

    def take_away(self) -> None:
        """Remove the workbook from the inbox, unless it has been replaced: the last step.

        Raises:
            OSError: the folder cannot be written to.
        """
        with self._turn:
            if self.folder_partner:
                self._load()
                take_away(self.path, self._check()[0])

    def _check(self) -> tuple[Kept, CheckedReturn]:
        if self._checked is None:
            kept = self._keep()
            self._checked = kept, self._checked_once(kept)
        return self._checked

    def _keep(self) -> Kept:
        """Keep the bytes, and note whose they are."""
        if self._archived:
            return self._archived
        archive = self.workplace.settings.archive
        kept = self.workplace.keep(
            self.path,
            follow_links=not self.folder_partner,
            beside=lambda all_kept: note_of_drops(archive, [self._drop(self._delivered(one)) for one in all_kept]),
        )
        return self._delivered(kept)

    def _delivered(self, kept: Kept) -> Kept:
        """What was kept, with the delivery that it is known by."""
        if self.folder_partner:
            return kept
        return replace(kept, delivery=given_by_hand(kept.delivery, self.received_at))

    def _drop(self, kept: Kept) -> Drop:
        return Drop(
            kept.delivery,
            kept.sha256,
            kept.size,
            # Somebody else will look for it, from another folder.
            path_as_text(path_from_text(self.file).absolute()),
            self.folder_partner,
            self.received_at,
            is_answered=bool(self.folder_partner),
        )

    def _checked_once(self, kept: Kept) -> CheckedReturn:
        if self._deaths >= MOST_DEATHS:
            # It is archived, and never opened again.
            return self.workplace.set_aside(self.file, kept, self.folder_partner)
        return self.workplace.check(self.file, kept, self.folder_partner, self.received_at)

    @contextmanager
    def _in_hand(self) -> Iterator[None]:
        """Leave a note about a workbook in the inbox, which the next start finds if this process is killed."""
        if not self.folder_partner or self._answer is not None:
            yield
            return
        if self._checked is None and not self._archived:
            # Later steps use the archived bytes, even if the file has been replaced.
            self._note = note_of(self.path), self.path
        with InHand(self.workplace.settings.in_hand).holding(*self._note) as deaths:
            self._deaths = max(self._deaths, deaths)
            yield

    def _load(self) -> Recorded:
        if self._recorded is None:
            kept, checked = self._check()
            self._recorded = self.workplace.load(checked, self.received_at, kept.delivery)
            self._checked = kept, self._as_recorded(checked, self._recorded)
        return self._recorded

    def _as_recorded(self, checked: CheckedReturn, recorded: Recorded) -> CheckedReturn:
        """Use the findings that were recorded: checked again, the return would be compared with itself."""
        if not recorded.was_known or recorded.duplicate_of is not None:
            return checked
        return replace(checked, findings=self.workplace.findings_of(recorded.submission_id))
