"""Recorded files are removed from the inbox; a replacement dropped meanwhile is not, even after any kill."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from flows.inbox import moves
from flows.inbox.moves import finish_taking, take_away
from flows.inbox.partner_folder import ASIDE
from flows.storage.archive import Kept, keep


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    path = tmp_path / "yos" / "return.xlsx"
    path.parent.mkdir()
    path.write_bytes(b"a workbook" * 1000)
    return path


@pytest.fixture
def kept(dropped: Path, tmp_path: Path) -> Kept:
    return keep(dropped, tmp_path / "archive")


def replace(path: Path, content: bytes) -> None:
    newer = path.with_name(".newer")
    newer.write_bytes(content)
    newer.replace(path)


def lying(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_was_recorded_is_removed(dropped: Path, kept: Kept) -> None:
    assert take_away(dropped, kept)
    assert lying(dropped.parent) == {}
    assert take_away(dropped, kept), "gone already is as good"


def test_nothing_of_ours_is_left_behind(dropped: Path, kept: Kept) -> None:
    (dropped.parent / ASIDE / f"{kept.sha256}.killed").mkdir(parents=True)
    take_away(dropped, kept)
    assert list(dropped.parent.iterdir()) == []


def test_what_another_sweep_tidies_away_is_made_again(
    dropped: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.mkdtemp
    tidied: list[str] = []

    def make_and_lose(**arguments: Any) -> str:
        made = make(**arguments)
        if not tidied:
            finish_taking(dropped.parent)
            tidied.append(made)
        return made

    monkeypatch.setattr(moves.tempfile, "mkdtemp", make_and_lose)
    assert take_away(dropped, kept)
    assert tidied
    assert list(dropped.parent.iterdir()) == []


def test_a_replacement_stays(dropped: Path, kept: Kept) -> None:
    replace(dropped, b"a newer workbook")
    assert not take_away(dropped, kept)
    assert lying(dropped.parent) == {"return.xlsx": b"a newer workbook"}


@pytest.mark.parametrize("without_links", [False, True])
def test_a_third_that_comes_meanwhile_is_not_overwritten(
    dropped: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch, without_links: bool
) -> None:
    replace(dropped, b"a second workbook")
    look = moves.identity_of

    def look_late(status: os.stat_result) -> tuple[int, int, int]:
        dropped.write_bytes(b"a third workbook")
        return look(status)

    def refuse(*_arguments: object) -> None:
        raise PermissionError("no links on this share")

    monkeypatch.setattr(moves, "identity_of", look_late)
    if without_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert not take_away(dropped, kept)
    assert lying(dropped.parent) == {"return.xlsx": b"a third workbook", "2 return.xlsx": b"a second workbook"}


@pytest.mark.parametrize(("content", "left"), [(None, {}), (b"newer", {"return.xlsx": b"newer"})])
def test_what_was_begun_is_finished(dropped: Path, kept: Kept, content: bytes | None, left: dict[str, bytes]) -> None:
    if content:
        replace(dropped, content)
    holder = dropped.parent / ASIDE / f"{kept.sha256}.killed"
    holder.mkdir(parents=True)
    dropped.rename(holder / dropped.name)
    finish_taking(dropped.parent)
    assert lying(dropped.parent) == left
    assert not (dropped.parent / ASIDE).exists()


def test_a_link_lends_nobody_anothers_files(dropped: Path, kept: Kept, tmp_path: Path) -> None:
    others = tmp_path / "police" / "x.y"
    others.mkdir(parents=True)
    (others / "secret.xlsx").write_bytes(b"secret")
    (dropped.parent / ASIDE).symlink_to(others.parent)
    finish_taking(dropped.parent)
    assert lying(others) == {"secret.xlsx": b"secret"}
    with pytest.raises(NotADirectoryError):
        take_away(dropped, kept)
    assert dropped.exists()
