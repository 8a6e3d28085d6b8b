"""Prefect's blocks and automations, as a backup holds them: what people made there, and nobody else has.

Runs, their logs and artifacts are a display, and deployments come from `prefect.yaml`: they are not kept. A block is
kept with its secrets. Prefect is imported where it is asked: it reads its settings as it is imported, and need not be
installed where nobody uses it.
"""

import json
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from flows.backup.manifest import PREFECT
from flows.prefect_server.client import is_used, run_with_server
from flows.settings import Settings

_AT_ONCE = 200
_OBJECTS = "blocks and automations"


def read_objects(settings: Settings) -> bytes | None:
    """Read the blocks and automations of a home's Prefect; None where there are none.

    Raises:
        flows.prefect_server.server.ServerError: it was used and is not installed, or its server does not start or
            refuses.
    """
    if not is_used(settings):
        return None
    found = run_with_server(settings, _read, _OBJECTS)
    return json.dumps(found, indent=1).encode() if any(found.values()) else None


def write_objects(settings: Settings, backup: Path) -> list[str]:
    """Save the blocks and automations of a backup in a home's Prefect, in the place of others of the same names.

    Returns:
        What people should know, as sentences.

    Raises:
        flows.prefect_server.server.ServerError: the backup has some, and Prefect is not installed, or its server does
            not start or take them.
    """
    if not (backup / PREFECT).exists():
        return []
    found = json.loads((backup / PREFECT).read_bytes())
    return run_with_server(settings, partial(_write, found), _OBJECTS)


async def _read() -> dict[str, list[dict[str, Any]]]:
    from prefect import get_client  # noqa: PLC0415

    blocks: list[dict[str, Any]] = []
    async with get_client() as client:
        while page := await client.read_block_documents(offset=len(blocks), limit=_AT_ONCE, include_secrets=True):
            blocks += [
                {
                    "id": str(block.id),
                    "name": block.name,
                    "type": block.block_type.slug if block.block_type else block.block_type_name,
                    "schema": block.block_schema.model_dump(mode="json") if block.block_schema else None,
                    "data": block.data,
                }
                for block in page
            ]
        automations = [one.model_dump(mode="json") for one in await client.read_automations()]
    return {"blocks": blocks, "automations": automations}


async def _write(found: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    from prefect import get_client  # noqa: PLC0415
    from prefect.blocks.core import Block, UnknownBlockType  # noqa: PLC0415
    from prefect.client.schemas.objects import BlockSchema  # noqa: PLC0415
    from prefect.events.schemas.automations import AutomationCore  # noqa: PLC0415

    # A type of block is known once its module is imported.
    import_module("prefect.blocks.notifications")
    notes: list[str] = []
    numbers: dict[str, str] = {}
    for kept in found["blocks"]:
        try:
            schema = BlockSchema.model_validate(kept["schema"])
            block = Block.get_block_class_from_schema(schema).model_validate(kept["data"])
        except (UnknownBlockType, ValueError):
            notes.append(f"Prefect's block {kept['type']}/{kept['name']} was not restored: its type is not installed.")
            continue
        numbers[kept["id"]] = str(await block.save(kept["name"], overwrite=True))
    async with get_client() as client:
        there = {one.name: one.id for one in await client.read_automations()}
        for kept in found["automations"]:
            # What is of the server's own making is not taken by it.
            words = json.dumps(
                {
                    name: value
                    for name, value in kept.items()
                    if name in AutomationCore.model_fields and value is not None
                }
            )
            # Actions name blocks by their numbers, which are others here.
            for was, is_now in numbers.items():
                words = words.replace(was, is_now)
            automation = AutomationCore.model_validate_json(words)
            if automation.name in there:
                await client.update_automation(there[automation.name], automation)
            else:
                await client.create_automation(automation)
    notes.append(f"Prefect's blocks: {len(numbers)}, automations: {len(found['automations'])}.")
    return notes
