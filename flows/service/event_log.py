"""Sends what `cypp serve` logs, and only logs, as events too: nobody looks at a log."""

import logging

from flows.deployments.events import Concern, emit


class EventLog(logging.Handler):
    """Sends an event for each record that names one: `extra=about("cypp.inbox.out-of-reach", reason=...)`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record's event, if it names one."""
        if name := getattr(record, "cypp_event", ""):
            emit(name, getattr(record, "cypp_concern", Concern()))
