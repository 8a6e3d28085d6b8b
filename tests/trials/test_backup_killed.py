"""A backup or a restoration that is killed: no half a backup has a name, and either can be begun again."""

import json
import random
from pathlib import Path

import pytest

from flows.backup.manifest import check_backup
from tests.trials.homes import Home, Site, contents, hashes, make_drops
from tests.trials.nursery import Nursery

KILLED = -9
DROPS = make_drops()

# A dump that PostgreSQL is reading goes on when whoever began it is killed; there an empty database is asked for.
pytestmark = [pytest.mark.trial, pytest.mark.parametrize("site", ["sqlite"], indirect=True)]


def lines_to_die_at(home: Home, nursery: Nursery, job: str, backup: Path, few: int | None) -> list[int]:
    """When an undisturbed job first comes to its lines: some of them, or all."""
    came_to = home.folder / "lines"
    assert nursery.run(job, home.environment, 0, str(backup), str(came_to)) == 0
    lines: list[int] = json.loads(came_to.read_text())
    came_to.unlink()
    return random.Random(20101120).sample(lines, few) if few else lines


@pytest.mark.parametrize("few", [8, pytest.param(None, marks=pytest.mark.slow)])
def test_a_backup_that_is_killed(site: Site, nursery: Nursery, tmp_path: Path, few: int | None) -> None:
    with site.home(DROPS) as home:
        assert nursery.run("sweep_once", home.environment) == 0
        for number, line in enumerate(lines_to_die_at(home, nursery, "backup_and_die", tmp_path / "first", few)):
            backup = tmp_path / str(number)
            assert nursery.run("backup_and_die", home.environment, line, str(backup)) == KILLED
            if not backup.exists():
                assert nursery.run("backup_once", home.environment, str(backup)) == 0
            check_backup(backup)


@pytest.mark.parametrize("few", [8, pytest.param(None, marks=pytest.mark.slow)])
def test_a_restoration_that_is_killed(site: Site, nursery: Nursery, tmp_path: Path, few: int | None) -> None:
    backup = tmp_path / "backup"
    with site.home(DROPS) as home:
        assert nursery.run("sweep_once", home.environment) == 0
        assert nursery.run("backup_once", home.environment, str(backup)) == 0
        expected, replies = contents(home.warehouse_url), home.replies()
    with site.home({}) as home:
        lines = lines_to_die_at(home, nursery, "restore_and_die", backup, few)
    for line in lines:
        with site.home({}) as home:
            assert nursery.run("restore_and_die", home.environment, line, str(backup)) == KILLED
            assert nursery.run("restore_once", home.environment, str(backup)) == 0
            assert contents(home.warehouse_url) == expected
            assert home.replies() == replies
            assert hashes(DROPS) <= home.bytes_there()
            assert nursery.run("reconcile_once", home.environment) == 0
            assert contents(home.warehouse_url) == expected
