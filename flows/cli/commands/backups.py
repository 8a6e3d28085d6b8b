"""`cypp backup`, `cypp restore` and `cypp reconcile`: nothing that came is lost with a machine."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.backup.backup import make_backup
from flows.backup.prefect_objects import read_objects, write_objects
from flows.backup.restoration import restore_backup
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.terminal import say
from flows.cli.warehouse_access import say_notice
from flows.ingestion.context import open_to_write
from flows.ingestion.reconciliation import reconcile as take_lost
from flows.ingestion.reconciliation import without_note
from flows.service.home_lock import AlreadyServedError, home_alone
from flows.settings import read_settings


def reconcile() -> None:
    """Ingest archived workbooks that the warehouse lacks.

    After an older warehouse is restored, drops that came since are taken in their order, once.
    cypp serve does the same when it starts.
    """
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        done = take_lost(workplace, say)
        strangers = without_note(workplace)
    except FAULTS as fault:
        stop_at(fault)
    for sentence in done.left:
        say(sentence, err=True)
    for path in strangers:
        say(f"{path}: no note says who dropped it. To have it: cypp ingest {path}", err=True)
    say(f"Drops taken from the archive: {len(done.taken)}. Left: {len(done.left) + len(strangers)}.")
    raise typer.Exit(int(bool(done.left or strangers)))


def backup(
    folder: Annotated[Path, typer.Argument(help="The folder to make; nothing may be there.")],
) -> None:
    """Make a backup, and check it.

    It may be made while cypp serve is at work: of the warehouse, the archive, reports, the inbox, the plan's folder,
    and Prefect's blocks and automations.
    """
    settings = read_settings()
    try:
        manifest = make_backup(settings, folder, datetime.now(UTC), lambda: read_objects(settings))
    except FAULTS as fault:
        stop_at(fault)
    for path in manifest.damaged:
        say(f"archive/{path}: its bytes are not those that were kept; restore it from an older backup.", err=True)
    for sentence in manifest.skipped:
        say(f"Not in the backup: {sentence}.", err=True)
    say(f"{folder}: submissions: {manifest.warehouse.rows.get('submission', 0)}. {_counted(manifest.files)} Checked.")
    raise typer.Exit(int(bool(manifest.damaged or manifest.skipped)))


def restore(
    folder: Annotated[Path, typer.Argument(help="The backup.")],
    over: Annotated[
        bool, typer.Option("--over", help="Restore into a home that is not empty, whose files stay.")
    ] = False,
) -> None:
    """Restore a backup into an empty home.

    All of it is checked before anything is changed. Stop cypp serve first.
    """
    settings = read_settings()
    try:
        with home_alone(settings):
            done = restore_backup(settings, folder, over=over)
            done.notes += write_objects(settings, folder)
    except AlreadyServedError as fault:
        stop(f"{fault}: stop it first")
    except FAULTS as fault:
        stop_at(fault)
    for sentence in done.notes:
        say(sentence)
    number = done.manifest.warehouse.rows.get("submission", 0)
    say(f"Restored the backup of {done.manifest.made_at}: submissions: {number}. {_counted(done.added)}")
    say("Next: cypp reconcile, which ingests archived workbooks that the warehouse lacks; cypp serve begins with it.")


def _counted(files: Mapping[str, int]) -> str:
    return "Files: " + ", ".join(f"{part} {number}" for part, number in files.items()) + "."
