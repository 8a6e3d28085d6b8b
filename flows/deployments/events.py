"""Events of our own in Prefect: what waits for somebody and is no run, so that an Automation can act on it."""

from typing import TypedDict

from prefect.events import emit_event

from cypp_etl.escapes import for_log
from cypp_etl.personal import shown_path

SKIPPED = "cypp.inbox.skipped"
HELD = "cypp.return.held"
# The faults of a plan are lines, and may be many.
_LONGEST = 2_000


class Concern(TypedDict, total=False):
    """What an event is about, as far as it is known: whose file, for which period, and what is the matter."""

    partner: str
    period: str
    file: str
    reason: str


def emit(event: str, concern: Concern) -> None:
    """Send an event. Its payload has `partner`, `period`, `file` and `reason`, each a text, empty where not known.

    So have the labels of its resource but the reason, which may be long, for Automations to match. An event is sent in
    the background; while Prefect's server is away it waits.
    """
    partner, period = concern.get("partner", ""), concern.get("period", "")
    file = for_log(shown_path(concern.get("file", "")))
    subject = "/".join(filter(None, (partner, file.rpartition("/")[2]))) or event
    emit_event(
        event=event,
        resource={
            "prefect.resource.id": f"{event}.{subject}",
            "prefect.resource.name": subject,
            "cypp.partner": partner,
            "cypp.period": period,
            "cypp.file": file,
        },
        payload={"partner": partner, "period": period, "file": file, "reason": concern.get("reason", "")[:_LONGEST]},
    )
