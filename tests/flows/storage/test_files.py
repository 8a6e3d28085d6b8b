"""Files that are written whole or not at all."""

import os
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from flows.storage.files import write_whole


def test_a_file_takes_the_place_of_another_and_is_its_owners(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"a longer one than the new one")
    (tmp_path / "note").chmod(0o644)
    write_whole(tmp_path / "note", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]
    assert stat.S_IMODE((tmp_path / "note").stat().st_mode) == 0o600


def test_what_cannot_be_written_leaves_the_other_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    (tmp_path / "note").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "note", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
