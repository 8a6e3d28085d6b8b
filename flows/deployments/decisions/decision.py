"""What every decision's flow has in common: its name, who decided, one transaction, an artifact, and a refusal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, ParamSpec, TypeAlias, TypeVar, cast
from uuid import UUID

from prefect import Flow, flow, get_client, get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from cypp_etl.escapes import for_log, for_markdown
from cypp_etl.periods import Period
from flows.deployments.parameter_forms import FormField
from flows.deployments.quarter_overview import show_quarter
from flows.deployments.retries import retried_task
from flows.ingestion.context import Workplace, open_to_read, open_to_write
from flows.prefect_server.signed_in import is_signed_in
from flows.settings import read_settings
from flows.team.decided import Decided
from warehouse.upgrade import WarehouseStateError

P = ParamSpec("P")
D = TypeVar("D", bound=Decided)

By: TypeAlias = Annotated[str, FormField("Your name")]
Why: TypeAlias = Annotated[str, FormField("Why")]

REFUSED = "Refused"
_NOTHING_CHANGED = "Nothing was changed"


def decision(name: str) -> Callable[[Callable[P, Awaitable[State[Any]]]], Flow[P, Any]]:
    """Make a decision's flow, whose runs are named after it and what was given first, such as the period."""

    def named() -> str:
        subject = next((str(value) for value in flow_run.parameters.values() if value), "")
        return for_log(f"{name} {subject}".rstrip())

    made = flow(name=name, flow_run_name=named, persist_result=False)
    return cast(Callable[[Callable[P, Awaitable[State[Any]]]], Flow[P, Any]], made)


async def decide(
    act: Callable[[Workplace, str], D],
    by: str,
    foresee: Callable[[Workplace], Sequence[str]] | None = None,
    follow: Callable[[D], Awaitable[Sequence[str]]] | None = None,
) -> State[Any]:
    """Make a decision in the warehouse, and show in an artifact what it changed.

    The run ends `Decided`, `Decided before` where it had been made already, or, red and with one line that says why,
    `Refused`.

    Args:
        act: makes it in one transaction, given the warehouse and who decides; it can be made twice.
        by: who decides, as the form says. Where the server knows who started the run, that is recorded too.
        foresee: what it would change, in lines, which are shown before it is made.
        follow: what follows of it in Prefect, done even where it had been decided before; gives lines that say so.
    """
    if foresee:
        foreseen = await _in_a_thread(lambda workplace, _: foresee(workplace), by)
        if isinstance(foreseen, str):
            return await _refused(foreseen)
        await show_lines(f"{flow_run.flow_name}-changes", "What it would change", foreseen)
    decided = await _in_a_thread(act, who(by, await _started_by()))
    if isinstance(decided, str):
        return await _refused(decided)
    followed = await follow(decided) if follow else ()
    unchanged = [] if decided.is_new or followed else [f"{_NOTHING_CHANGED}."]
    await _show([*decided.sentences, *followed, *decided.warnings, *unchanged])
    await _show_quarters(decided.periods)
    for sentence in decided.warnings:
        get_run_logger().warning("%s", sentence)
    name = "Decided" if decided.is_new else "Decided before"
    return Completed(name=name, message=" ".join(decided.sentences))


def who(by: str, started_by: str) -> str:
    """Who decided: the name in the form, and in brackets what the server knows, if that is another."""
    by = by.strip()
    if not by or not started_by or by == started_by:
        return by or started_by
    return f"{by} (started by {started_by})"


async def show_lines(key: str, description: str, lines: Sequence[str]) -> None:
    """Show lines as an artifact of the run."""
    markdown = "\n".join(f"- {for_markdown(line)}" for line in lines)
    await cast(Any, acreate_markdown_artifact)(key=key, markdown=markdown, description=description)


async def _show_quarters(periods: Sequence[Period]) -> None:
    """Show periods as they are now: who has returned what, and which queries are open."""
    if periods:
        workplace = open_to_read(read_settings())
        for period in periods:
            await show_quarter(workplace, period)
        workplace.engine.dispose()


async def _refused(why: str) -> State[Any]:
    await _show([f"{_NOTHING_CHANGED}: {why}."])
    return Failed(name=REFUSED, message=why)


@retried_task("decide")
async def _in_a_thread(act: Callable[[Workplace, str], Any], by: str) -> Any:
    """What came of it, or a text that says why it was refused: an exception would fill the log with where it was."""
    try:
        return await asyncio.to_thread(_in_warehouse, act, by)
    except (ValueError, WarehouseStateError) as refused:
        return str(refused)


def _in_warehouse(act: Callable[[Workplace, str], Any], by: str) -> Any:
    workplace = open_to_write(read_settings())
    try:
        return act(workplace, by)
    finally:
        workplace.engine.dispose()


async def _show(lines: Sequence[str]) -> None:
    await show_lines(str(flow_run.flow_name), lines[0], lines)


async def _started_by() -> str:
    """Who started this run, as far as Prefect's server knows: somebody signed in at a proxy, or an Automation."""
    async with get_client() as client:
        created_by = (await client.read_flow_run(UUID(str(flow_run.id)))).created_by
    if created_by is None or created_by.type != "AUTOMATION" or not created_by.display_value:
        return ""
    name = created_by.display_value
    return name if is_signed_in(created_by.id, name) else f"the Automation {name}"
