"""`cypp check`: the findings of workbooks, without a server or a warehouse, and their receipts if asked for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cypp_etl.checked_return import CheckedReturn, History, status_of
from cypp_etl.checking.confined import ConfinedChecker, shared_checker
from cypp_etl.checking.opening import Received
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import PlanError
from cypp_etl.plan_source import read_plan_at
from cypp_etl.receipts.reply import distinct_name
from cypp_etl.receipts.summary import ReceiptSummary
from flows.cli.arguments import AsJson
from flows.cli.errors import stop
from flows.cli.layout_table import show_layouts
from flows.cli.output import as_result, show_results
from flows.settings import read_settings
from flows.storage.archive import READ_BYTES
from flows.storage.files import open_regular, path_as_text


def check(
    files: Annotated[list[Path], typer.Argument(help="Workbooks to check.")],
    reply: Annotated[
        Path | None, typer.Option("--reply", help="Write the receipts (the marked workbooks) to this folder.")
    ] = None,
    is_layout_explained: Annotated[
        bool, typer.Option("--explain-layout", help="Say which layout each has, and which cell became what.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check workbooks and load nothing.

    It needs neither a server nor a warehouse.
    """
    # There is a plan to read meanwhile.
    shared_checker().prepare()
    try:
        plan = read_plan_at(read_settings().plan)
        checked = rehearse(plan, files, reply, datetime.now(UTC), is_explained=is_layout_explained)
    except (PlanError, OSError) as fault:
        stop(fault)
    if is_layout_explained:
        show_layouts(checked, as_json)
        raise typer.Exit(int(not all(one.explanation and one.explanation.layout for one in checked)))
    results = [as_result(one) for one in checked]
    show_results(results, as_json)
    raise typer.Exit(int(not all(one.is_accepted for one in checked)))


def rehearse(
    plan: Plan, files: Sequence[Path], replies: Path | None, at: datetime, *, is_explained: bool = False
) -> list[CheckedReturn]:
    """Check files, and write a receipt for each into the folder `replies`, if there is one.

    With `is_explained` each says how it was read.
    Files of several folders may have the same name: the second receipt gets a number, so that none is overwritten.

    Raises:
        OSError: a file is missing or no ordinary file, or the folder cannot be written to.
    """
    checker = shared_checker()
    written: set[str] = set()
    received = [replace(one, is_explained=is_explained) for file in files for one in _received(checker, plan, file)]
    return [_rehearse(checker, plan, one, replies, written, at) for one in received]


def _received(checker: ConfinedChecker, plan: Plan, file: Path) -> list[Received]:
    """A file as it came; a collection as the returns in it."""
    whole = Received(path_as_text(file), _read(file))
    pieces = checker.take_apart(plan, whole)
    return [Received(path_as_text(file.with_name(one.file_name)), one.data) for one in pieces] or [whole]


def _rehearse(
    checker: ConfinedChecker,
    plan: Plan,
    received: Received,
    replies: Path | None,
    written: set[str],
    at: datetime,
) -> CheckedReturn:
    checked = checker.check(plan, received, at.date(), lambda *_: History())
    if replies is not None:
        reply = checker.reply(checked, received.data, _summarise(plan, checked, at))
        replies.mkdir(parents=True, exist_ok=True)
        name = distinct_name(reply.file_name, written)
        (replies / name).write_bytes(reply.content)
        written.add(name)
    return checked


def _read(file: Path) -> bytes:
    # Opening a pipe would wait until something writes to it.
    if file.exists() and not file.is_file():
        raise OSError(f"{file} is a folder or a device; name the workbooks in it")
    with open_regular(file, follow_links=True) as stream:
        return stream.read(READ_BYTES)


def _summarise(plan: Plan, checked: CheckedReturn, at: datetime) -> ReceiptSummary:
    partner = plan.partners.get(checked.partner_code)
    return ReceiptSummary(
        partner=partner.partner if partner else checked.partner_code,
        period_label=checked.period.label if checked.period else "",
        version=None,
        received_at=at,
        file_name=checked.file_name,
        sha256=checked.sha256,
        status=status_of(checked),
        is_rehearsal=True,
    )
