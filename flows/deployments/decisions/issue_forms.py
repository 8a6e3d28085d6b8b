"""The flow `issue-forms`: each partner's form in its folder, on the day on which a period opens."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from cypp_etl.escapes import for_log
from cypp_etl.periods import parse_period
from flows.deployments.decisions.decision import REFUSED, show_lines
from flows.deployments.parameter_forms import Choices, FormField
from flows.deployments.retries import retried_task
from flows.ingestion.context import open_to_write
from flows.settings import read_settings
from flows.team.issued_forms import Issued, issue_summary
from flows.team.issued_forms import issue_forms as put_into_folders


def _run_name() -> str:
    return f"forms for {flow_run.parameters['period'] or 'what is open'}"


@flow(name="issue-forms", flow_run_name=_run_name, persist_result=False)
async def issue_forms(
    period: Annotated[str, FormField("Period", Choices.PERIODS)] = "",
    partners: Annotated[Sequence[str] | None, FormField("Only these partners", Choices.PARTNERS)] = None,
) -> State[Any]:
    """Put each partner's form into its folder, for those who owe a return. What lies there is not written over.

    It ends `Issued`, `Nothing to issue`, `Not all issued` where a folder cannot be written to, or `Refused`.

    Args:
        period: The quarter of the forms. If left empty, the forms of every period that is open, for those who have not
            been given them: so it runs by itself.
        partners: Only these partners. All who owe a return, if left empty.
    """
    issued = await _issue(period, list(partners or ()))
    if isinstance(issued, str):
        return Failed(name=REFUSED, message=issued)
    notable = [one for one in issued if one.is_trouble or (one.put and one.put.is_new)]
    if notable:
        await show_lines("issue-forms", issue_summary(issued), [str(one) for one in notable])
    for one in notable:
        if one.is_trouble:
            get_run_logger().warning("%s", for_log(str(one)))
    if any(one.is_trouble for one in notable):
        return Failed(name="Not all issued", message=issue_summary(issued))
    return Completed(name="Issued" if notable else "Nothing to issue", message=issue_summary(issued))


@retried_task("issue")
async def _issue(period: str, partners: Sequence[str]) -> list[Issued] | str:
    """What was done with each form, or why none can be issued."""
    return await asyncio.to_thread(_in_warehouse, period, partners)


def _in_warehouse(period: str, partners: Sequence[str]) -> list[Issued] | str:
    workplace = open_to_write(read_settings())
    try:
        wanted = parse_period(period) if period else None
        return put_into_folders(workplace, wanted, partners, today=datetime.now(UTC).date())
    except ValueError as refused:
        return str(refused)
    finally:
        workplace.engine.dispose()
