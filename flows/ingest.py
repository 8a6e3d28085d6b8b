"""The flow `ingest-return`: one run per workbook, ending as the data team reads it at a glance."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from prefect import flow, get_client, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.context import get_run_context
from prefect.states import Cancelled, Completed, Failed
from sqlalchemy.exc import OperationalError

from cypp_etl.submission import CheckedReturn
from flows.answering import answer
from flows.archive import Kept
from flows.artifacts import show_findings, show_summary
from flows.quarter import show_quarter
from flows.settings import read_settings
from flows.taking import take_away
from flows.workplace import Workplace, open_workplace
from schemas.codes import SubmissionStatus
from warehouse.load import Recorded

# The last part of a run's life, as the UI shows it. Rejected is red, and theirs to mend; Failed is ours.
_STATE_NAMES = {
    SubmissionStatus.ACCEPTED: "Accepted",
    SubmissionStatus.ACCEPTED_WITH_QUERIES: "Accepted with queries",
    SubmissionStatus.DUPLICATE: "Duplicate",
    SubmissionStatus.REJECTED: "Rejected",
}


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one workbook."""

    checked: CheckedReturn
    recorded: Recorded


def _is_passing(_task: object, _run: object, state: State[Any]) -> bool:
    """Whether a failure may pass by itself: the database was gone, or another writer took too long."""
    return isinstance(getattr(state, "data", None), OperationalError)


@task(name="check", cache_policy=NO_CACHE, persist_result=False)
def check_workbook(
    workplace: Workplace, path: Path, folder_partner: str, received_at: datetime
) -> tuple[Kept, CheckedReturn]:
    """Keep the bytes, then read and check them."""
    kept = workplace.keep(path, follow_links=not folder_partner)
    return kept, workplace.check(str(path), kept, folder_partner, received_at)


@task(
    name="load",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=_is_passing,
)
def load_return(workplace: Workplace, checked: CheckedReturn, received_at: datetime, delivery: str | None) -> Recorded:
    """Record the submission in one transaction, again if the database was away."""
    return workplace.load(checked, received_at, delivery)


@task(name="reply", cache_policy=NO_CACHE, persist_result=False)
def reply_to_partner(
    workplace: Workplace, checked: CheckedReturn, recorded: Recorded, kept: Kept, received_at: datetime
) -> None:
    """Put the receipt into the partner's folder, and take what it answers out of it."""
    answer(workplace, checked, recorded, kept, received_at)
    take_away(Path(checked.file), kept)


@flow(name="ingest-return", flow_run_name="{label}", persist_result=False)
async def ingest_return(
    label: str, file: str, folder_partner: str = "", received_at: datetime | None = None
) -> Ingested:
    """Check one workbook, and load it if it has no errors.

    Args:
        label: the run's name in the UI, `<partner>/<file>`.
        file: the workbook's path; one in the inbox is taken out of it once it is recorded.
        folder_partner: the partner in whose folder of the inbox it lies; empty for the data team's own doing.
        received_at: when it came; now, if not given.

    Returns:
        What became of it. The run's state is named after its status, as the UI shows it. A file that the partner took
        back, or that another machine took, ends as `Gone`.
    """
    received = received_at or datetime.now(UTC)
    workplace = open_workplace(read_settings())
    try:
        kept, checked = check_workbook(workplace, Path(file), folder_partner, received)
    except FileNotFoundError:
        if not folder_partner:
            raise
        return cast(Ingested, Cancelled(name="Gone", message="It left the inbox before it was read."))
    recorded = load_return(workplace, checked, received, kept.delivery if folder_partner else None)
    if folder_partner:
        reply_to_partner(workplace, checked, recorded, kept, received)
    await _add_tags(checked)
    await show_summary(checked, recorded)
    if checked.findings:
        await show_findings(checked)
    if checked.period:
        await show_quarter(workplace, checked.period)
    # Prefect takes a state that is returned as the run's own, and gives the caller the data in it.
    return cast(Ingested, _ended(Ingested(checked, recorded)))


def _ended(ingested: Ingested) -> State[Ingested]:
    status = ingested.recorded.status
    end = Failed if status is SubmissionStatus.REJECTED else Completed
    return end(name=_STATE_NAMES[status], message=_message(ingested), data=ingested)


def _message(ingested: Ingested) -> str:
    if ingested.recorded.was_known:
        return f"Recorded already as submission {ingested.recorded.submission_id}; the rest was done now."
    if ingested.recorded.status is SubmissionStatus.DUPLICATE:
        return f"The same file as submission {ingested.recorded.duplicate_of}, which is in force."
    checked, recorded = ingested.checked, ingested.recorded
    return (
        f"Submission {recorded.submission_id}: {len(checked.findings)} findings, {len(checked.observations)} figures, "
        f"{recorded.changed_judgements} judgements changed."
    )


async def _add_tags(checked: CheckedReturn) -> None:
    """Tag the run with what only the workbook could tell: its partner and its period."""
    run = get_run_context().flow_run  # type: ignore[union-attr]
    known = {checked.partner_code, checked.period.code if checked.period else ""} - {""}
    if run is not None and not known <= set(run.tags):
        async with get_client() as client:
            await client.update_flow_run(run.id, tags=sorted(known | set(run.tags)))
