"""The log of `cypp serve`, and what an entry says of itself beside its words."""

import logging

log = logging.getLogger("cypp.serve")


def about(event: str, **concern: str) -> dict[str, object]:
    """What a line of the log carries beside its words, so that it can be sent as an event: see `event_log`."""
    return {"cypp_event": event, "cypp_concern": concern}
