"""Bytes are archived before anything else, once, and a file that has been replaced meanwhile is not removed."""

import hashlib
import os
import shutil
import time
from pathlib import Path

import pytest

from flows.storage import archive as archive_module
from flows.storage.archive import archive_path, flush, keep, keep_together, remove_unfinished


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


def test_what_a_killed_process_left_is_removed_once_it_is_old(dropped: Path, tmp_path: Path) -> None:
    kept = keep(dropped, tmp_path / "archive")
    left = tmp_path / "archive" / ".unfinished-x"
    left.write_bytes(b"half")
    assert remove_unfinished(tmp_path / "archive", time.time()) == 0, "somebody may be at it"
    assert remove_unfinished(tmp_path / "archive", time.time() + 3700) == 1
    assert not left.exists()
    assert kept.path.exists()


def test_a_drop_is_told_from_the_next_of_the_same_bytes(dropped: Path, tmp_path: Path) -> None:
    first = keep(dropped, tmp_path / "archive")
    assert keep(dropped, tmp_path / "archive").delivery == first.delivery
    status = dropped.stat()
    again = tmp_path / "again.xlsx"
    shutil.copyfile(dropped, again)
    os.utime(again, ns=(status.st_atime_ns, status.st_mtime_ns))
    again.replace(dropped)
    second = keep(dropped, tmp_path / "archive")
    assert (second.sha256, second.delivery != first.delivery) == (first.sha256, True)


def test_a_copy_that_fails_leaves_nothing(dropped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space"):
        keep(dropped, tmp_path / "archive")
    assert list((tmp_path / "archive").rglob("*.xlsx")) == []
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == []
    assert dropped.exists()


@pytest.fixture(params=[1, 8, 9, 30])
def many(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """As many workbooks as are flushed one after the other, and more, which are flushed some at once."""
    paths = [tmp_path / f"{number}.xlsx" for number in range(request.param)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_each_of_many_is_on_disk_before_any_has_its_name_and_then_the_names_are(
    many: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive"
    seen: list[tuple[Path, int]] = []

    def look(path: Path, *flags: int) -> None:
        named = [one for one in archive.glob("*/*") if one.is_file()]
        flush(path, *flags)
        seen.append((path, len(named)))

    monkeypatch.setattr(archive_module, "flush", look)
    all_kept = keep_together(many, archive)
    assert [kept.path.read_bytes() for kept in all_kept] == [path.read_bytes() for path in many]
    folders = {kept.path.parent for kept in all_kept}
    files = [named for path, named in seen if path not in folders]
    assert files == [0] * len(many)
    assert sorted((path, named) for path, named in seen if path in folders) == [
        (folder, len(many)) for folder in sorted(folders)
    ]


def test_if_one_of_many_cannot_be_flushed_none_stays(
    many: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = len(many)

    def last_fails(_path: Path, _flags: int = 0) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive_module, "flush", last_fails)
    with pytest.raises(OSError, match="No space"):
        keep_together(many, tmp_path / "archive")
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("many", "most"), [(8, 1), (30, 20)], indirect=["many"])
def test_after_an_error_the_rest_is_not_flushed(
    many: list[Path], most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def first_fails(path: Path, _flags: int = 0) -> None:
        tried.append(path)
        if len(tried) == 1:
            raise OSError(28, "No space left on device")
        time.sleep(0.2)

    monkeypatch.setattr(archive_module, "flush", first_fails)
    with pytest.raises(OSError, match="No space"):
        keep_together(many, tmp_path / "archive")
    assert len(tried) <= most


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    with pytest.raises(OSError, match="not an ordinary file"):
        keep(tmp_path / "pipe.xlsx", tmp_path / "archive")
    assert not [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links cannot be told from files")
def test_a_link_leads_nowhere_unless_it_may(dropped: Path, tmp_path: Path) -> None:
    (tmp_path / "link.xlsx").symlink_to(dropped)
    with pytest.raises(OSError, match="symbolic links"):
        keep(tmp_path / "link.xlsx", tmp_path / "archive", follow_links=False)
    assert keep(tmp_path / "link.xlsx", tmp_path / "archive").sha256 == keep(dropped, tmp_path / "archive").sha256
