"""Bytes are kept before anything else, once, and what has been replaced meanwhile is not removed."""

import hashlib
import os
from pathlib import Path

import pytest

from flows.archive import archive_path, keep, remove_original


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    path = tmp_path / "return.xlsx"
    path.write_bytes(b"a workbook" * 200_000)
    return path


def test_bytes_are_kept_under_their_sha256(dropped: Path, tmp_path: Path) -> None:
    kept = keep(dropped, tmp_path / "archive")
    assert kept.sha256 == hashlib.sha256(dropped.read_bytes()).hexdigest()
    assert kept.path == archive_path(tmp_path / "archive", kept.sha256)
    assert kept.path.read_bytes() == dropped.read_bytes()


def test_the_same_bytes_are_kept_once(dropped: Path, tmp_path: Path) -> None:
    keep(dropped, tmp_path / "archive")
    keep(dropped, tmp_path / "archive")
    assert len([path for path in (tmp_path / "archive").rglob("*") if path.is_file()]) == 1


def test_an_original_that_was_recorded_is_removed(dropped: Path, tmp_path: Path) -> None:
    kept = keep(dropped, tmp_path / "archive")
    assert remove_original(dropped, kept)
    assert not dropped.exists()
    assert remove_original(dropped, kept), "gone already is as good"


def test_an_original_that_was_replaced_stays(dropped: Path, tmp_path: Path) -> None:
    kept = keep(dropped, tmp_path / "archive")
    replacement = tmp_path / "newer.xlsx"
    replacement.write_bytes(b"a newer workbook")
    replacement.replace(dropped)
    assert not remove_original(dropped, kept)
    assert dropped.read_bytes() == b"a newer workbook"


def test_a_copy_that_fails_leaves_nothing(dropped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space"):
        keep(dropped, tmp_path / "archive")
    assert list((tmp_path / "archive").rglob("*.xlsx")) == []
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == []
    assert dropped.exists()
