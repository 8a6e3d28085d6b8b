"""The flow `ingest-return`: one run per workbook, whose state shows the outcome at a glance."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Annotated, Any, cast

from prefect import flow, get_client
from prefect.client.schemas.objects import State
from prefect.context import get_run_context
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.escapes import for_log
from cypp_etl.findings import holds
from cypp_etl.personal import shown_path
from flows.deployments.artifacts import finding_place, findings_summary, show_findings, show_summary
from flows.deployments.events import HELD, Concern, emit
from flows.deployments.parameter_forms import Choices, FormField
from flows.deployments.quarter_overview import show_quarter
from flows.deployments.retries import retried_task
from flows.inbox.corrected_receipts import CorrectedReceipts, is_receipt_path
from flows.inbox.partner_folder import is_form_path
from flows.inbox.sweep import partner_of
from flows.ingestion.context import open_to_write
from flows.ingestion.job import Steps
from flows.ingestion.receipt import Answer
from flows.settings import read_settings
from flows.storage.files import path_as_text, path_from_text
from schemas.codes import Severity, SubmissionStatus
from warehouse.recording.record import Recorded

# The final states of a run, as the UI shows them. Rejected is red, the partner's error; Failed is our error.
_STATE_NAMES = {
    SubmissionStatus.ACCEPTED: "Accepted",
    SubmissionStatus.ACCEPTED_WITH_QUERIES: "Accepted with queries",
    SubmissionStatus.DUPLICATE: "Duplicate",
    SubmissionStatus.HELD: "Held",
    SubmissionStatus.REJECTED: "Rejected",
}


@dataclass(frozen=True, slots=True)
class Ingested:
    """The outcome of one workbook."""

    checked: CheckedReturn
    recorded: Recorded


# The jobs that are already running in this process, by the arguments of the run that will share them: a run's
# parameters are plain values, which its server stores.
_under_way: dict[tuple[str, str, datetime | None], Steps] = {}


@contextmanager
def showing(steps: Steps) -> Iterator[None]:
    """Let a run of `ingest_return` for the same workbook share these steps, which may already be running."""
    key = path_as_text(steps.path), steps.folder_partner, steps.received_at
    _under_way[key] = steps
    try:
        yield
    finally:
        del _under_way[key]


@retried_task("check")
async def check_workbook(steps: Steps) -> CheckedReturn:
    """Archive the bytes, then read and check them."""
    return await asyncio.to_thread(steps.check)


@retried_task("load")
async def load_return(steps: Steps) -> Recorded:
    """Record the submission in one transaction."""
    return await asyncio.to_thread(steps.load)


@retried_task("reply")
async def reply_to_partner(steps: Steps) -> Answer | None:
    """Put the receipt into the partner's folder."""
    return await asyncio.to_thread(steps.reply)


def _run_name() -> str:
    return name_of_run(flow_run.parameters)


def name_of_run(parameters: Mapping[str, Any]) -> str:
    """What a run of `ingest-return` is called: its label, or else the workbook's folder and name."""
    path = PurePath(shown_path(parameters["file"]))
    return for_log(str(parameters["label"] or f"{path.parent.name}/{path.name}"))


@flow(name="ingest-return", flow_run_name=_run_name, persist_result=False)
async def ingest_return(
    label: str,
    file: Annotated[str, FormField("Workbook")],
    folder_partner: Annotated[str, FormField("Partner", Choices.PARTNERS)] = "",
    received_at: datetime | None = None,
    known_as: str = "",
) -> Ingested:
    """Check one workbook, and load it if it has no errors.

    Args:
        label: The run's name in the UI, `<partner>/<file>`. If empty, the workbook's folder and name.
        file: The workbook's path on the server. If it lies in the inbox, it leaves it at the end.
        folder_partner: The partner in whose folder of the inbox it lies, who gets the receipt. Empty for any other
            workbook, whose cover says who the partner is.
        received_at: when it arrived; now if not given.
        known_as: the path by which the warehouse is to know it, if that is another than the workbook's.

    Returns:
        Its outcome. The run's state is named after its status, as the UI shows it. A file that the partner took
        back, or that another machine took, ends as `Gone`; one outside its partner's folder, a form, or a receipt that
        nobody changed, as `Refused`, unopened.
    """
    path = path_from_text(file)
    if folder_partner and partner_of(path, read_settings().inbox, [folder_partner]) != folder_partner:
        message = f"The file is not in the inbox folder of {folder_partner}: it was not opened."
        return cast(Ingested, Failed(name="Refused", message=message))
    if folder_partner and is_form_path(path):
        message = "It lies among the forms, and is no return: it was not opened."
        return cast(Ingested, Failed(name="Refused", message=message))
    if folder_partner and is_receipt_path(path) and path.exists():
        brought = await asyncio.to_thread(CorrectedReceipts(read_settings().receipts).bring_in, path.absolute())
        if brought is None:
            message = "It is a receipt that nobody has changed, or that is still open: it was not opened."
            return cast(Ingested, Failed(name="Refused", message=message))
        path = brought
    steps = _under_way.get((file, folder_partner, received_at)) or Steps(
        open_to_write(read_settings()), path, folder_partner, received_at or datetime.now(UTC), known_as
    )
    try:
        await check_workbook(steps)
    except FileNotFoundError:
        if not folder_partner:
            raise
        return cast(Ingested, Cancelled(name="Gone", message="It disappeared from the inbox before it was read."))
    recorded = await load_return(steps)
    checked = await asyncio.to_thread(steps.check)
    answer = await reply_to_partner(steps) if folder_partner else None
    await _add_tags(checked)
    await show_summary(checked, recorded, answer)
    if checked.findings:
        await show_findings(checked)
    if checked.period:
        await show_quarter(steps.workplace, checked.period)
    if recorded.status is SubmissionStatus.HELD:
        _tell_of_held(checked, recorded)
    await asyncio.to_thread(steps.take_away)
    # Prefect uses a returned state as the run's own, and gives the caller its data.
    return cast(Ingested, _ended(Ingested(checked, recorded)))


def _tell_of_held(checked: CheckedReturn, recorded: Recorded) -> None:
    """Send an event that names the submission, so that an Automation can ask somebody to decide."""
    reason = f"Submission {recorded.submission_id}: {why_held(checked)}"
    period = checked.period.code if checked.period else ""
    emit(HELD, Concern(partner=checked.partner_code, period=period, file=checked.file, reason=reason))


def _ended(ingested: Ingested) -> State[Ingested]:
    status = ingested.recorded.status
    end = Failed if status is SubmissionStatus.REJECTED else Completed
    return end(name=_STATE_NAMES[status], message=_message(ingested), data=ingested)


def _message(ingested: Ingested) -> str:
    if ingested.recorded.was_known:
        return f"Already recorded as submission {ingested.recorded.submission_id}; the remaining steps were done now."
    if ingested.recorded.status is SubmissionStatus.DUPLICATE:
        return f"It says what submission {ingested.recorded.duplicate_of} says."
    checked, recorded = ingested.checked, ingested.recorded
    if recorded.status is SubmissionStatus.REJECTED:
        # The chat message of an Automation is this text.
        first = next(finding for finding in checked.findings if finding.severity is Severity.ERROR)
        place = f"{finding_place(first)}: " if first.sheet else ""
        return for_log(f"{findings_summary(checked)}. The first: {place}{first.message}")
    if recorded.status is SubmissionStatus.HELD:
        return for_log(f"Submission {recorded.submission_id} waits for a decision: {why_held(checked)}")
    return (
        f"Submission {recorded.submission_id}: {len(checked.findings)} findings, {len(checked.observations)} figures, "
        f"{recorded.changed_judgements} judgements changed."
    )


def why_held(checked: CheckedReturn) -> str:
    """Why a return is held, in the words of its findings."""
    return " ".join(finding.message for finding in checked.findings if holds(finding))


async def _add_tags(checked: CheckedReturn) -> None:
    """Tag the run with the partner and the period, which are only known from the workbook."""
    run = get_run_context().flow_run  # type: ignore[union-attr]
    known = {checked.partner_code, checked.period.code if checked.period else ""} - {""}
    if run is not None and not known <= set(run.tags):
        async with get_client() as client:
            await client.update_flow_run(run.id, tags=sorted(known | set(run.tags)))
