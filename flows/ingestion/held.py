"""Tells a partner what the data team decided on a return that was held: in another receipt, and by e-mail."""

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from flows.ingestion.context import Workplace, read
from flows.ingestion.receipt import Answer, queue_mail, send, summarise
from flows.ingestion.reconciliation import place_of
from flows.mail.outbox import Outbox
from flows.storage.archive import Kept, archive_path
from flows.storage.drop_notes import Drop, read_drops
from flows.storage.files import path_as_text
from warehouse.engine import reading

if TYPE_CHECKING:
    from warehouse.recording.submissions.held import HeldDecision


def answer_held(workplace: Workplace, decided: "HeldDecision") -> Answer | None:
    """Write the receipt of what was decided, beside that of what was held; None for what did not lie in the inbox.

    Written again, it takes the place of the first, and is sent by e-mail once.

    Raises:
        OSError: the folder cannot be written to, or the archive not be read.
    """
    drop = _drop_of(workplace, decided)
    if drop is None or not drop.is_answered:
        return None
    path = place_of(workplace, drop)
    if not path.parent.is_dir():
        return None
    checked = replace(decided.checked, file=path_as_text(path))
    with reading(workplace.engine) as connection:
        summary = summarise(connection, workplace, checked, decided.recorded, decided.received_at)
    summary = replace(summary, was_held=True, word=decided.word)
    place = archive_path(workplace.settings.archive, checked.sha256)
    # It may have been pruned, or erased.
    data = read(Kept(place, drop.sha256, (0, 0, 0), drop.delivery, drop.size)) if place.exists() else None
    answered = send(workplace, checked, data, summary)
    # What was held has a letter of its own.
    delivery = hashlib.sha256(f"{drop.delivery} decision {decided.decision_id}".encode()).hexdigest()
    queue_mail(Outbox(workplace.settings.outbox), checked, decided.recorded, answered, delivery, drop.partner_code)
    return answered


def _drop_of(workplace: Workplace, decided: "HeldDecision") -> Drop | None:
    if decided.delivery is None:
        return None
    wanted = decided.delivery
    return read_drops(workplace.settings.archive, lambda noted: set(noted) - {wanted}).drops.get(wanted)
