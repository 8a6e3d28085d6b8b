"""Prefect's blocks and automations in a backup: what messages need is there again after a restore."""

import asyncio
import json
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from flows.backup.manifest import PREFECT
from flows.backup.prefect_objects import read_objects, write_objects
from flows.settings import Settings

pytestmark = pytest.mark.server
AUTOMATION = Path(__file__).parents[3] / "docs" / "automations" / "rejected-to-chat.yaml"
HOOK = "https://chat.example.org/a-secret-hook"


def test_where_prefect_was_never_used_there_is_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert read_objects(settings) is None
    assert write_objects(settings, settings.home) == []


@pytest.mark.usefixtures("prefect_server")
def test_they_are_restored_and_belong_together_again(settings: Settings, tmp_path: Path) -> None:
    from prefect import get_client
    from prefect.blocks.notifications import CustomWebhookNotificationBlock
    from prefect.events.schemas.automations import Automation, AutomationCore

    async def make() -> str:
        block = CustomWebhookNotificationBlock(name="chat", url=HOOK, json_data={"text": "{{body}}"})
        number = str(await block.save("chat", overwrite=True))
        words = yaml.safe_load(AUTOMATION.read_text("utf-8").replace("CHAT", number))
        async with get_client() as client:
            await client.create_automation(AutomationCore.model_validate(words))
        return number

    async def lose(block: str) -> None:
        async with get_client() as client:
            for automation in await client.read_automations():
                await client.delete_automation(automation.id)
            await client.delete_block_document(UUID(block))

    async def found() -> tuple[str, str, list[Automation]]:
        async with get_client() as client:
            (block,) = await client.read_block_documents()
            return str(block.id), block.data["url"], await client.read_automations()

    assert read_objects(settings) is None, "nothing was made there yet"
    was = asyncio.run(make())
    kept = read_objects(settings)
    assert kept is not None
    (tmp_path / PREFECT).write_bytes(kept)
    asyncio.run(lose(was))

    # A second time, they take the place of those of their names.
    for _ in range(2):
        assert write_objects(settings, tmp_path) == ["Prefect's blocks: 1, automations: 1."]
        block, url, automations = asyncio.run(found())
        assert (block != was, url) == (True, HOOK)
        assert [[str(action.block_document_id) for action in one.actions] for one in automations] == [[block]]

    words = json.loads(kept)
    words["blocks"][0]["schema"]["block_type"] = {"name": "Gone", "slug": "gone"}
    words["blocks"][0]["type"] = "gone"
    (tmp_path / PREFECT).write_text(json.dumps(words))
    assert "gone/chat was not restored" in write_objects(settings, tmp_path)[0]
