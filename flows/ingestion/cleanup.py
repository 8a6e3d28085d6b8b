"""Removes unfinished files of killed processes from the archive and from the partners' receipts."""

import time
from collections.abc import Collection

from flows.inbox.receipt_files import remove_unfinished_replies
from flows.inbox.written_receipts import remove_unfinished_notes
from flows.ingestion.in_hand import InHand
from flows.service_log import log
from flows.settings import Settings
from flows.storage.archive import remove_unfinished


def clear_leftovers(settings: Settings, partner_codes: Collection[str]) -> None:
    """Remove unfinished files of killed processes from the archive and from the partners' replies."""
    now = time.time()
    remove_unfinished(settings.archive, now)
    remove_unfinished_notes(settings.receipts, now)
    InHand(settings.in_hand).forget_gone()
    for partner_code in partner_codes:
        try:
            remove_unfinished_replies(settings.inbox / partner_code, now)
        except OSError as fault:
            log.warning("The replies of %s cannot be cleaned up: %s.", partner_code, fault.strerror)
