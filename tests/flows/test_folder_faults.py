"""An error in one partner's folder only affects that partner: others' files are found, and names can be any bytes."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.inbox.sweep import sweep
from flows.storage.files import open_regular, path_as_text, path_from_text

PARTNERS = ("police", "yos")


def _file(place: Path) -> None:
    place.write_bytes(b"x")


def _dangling(place: Path) -> None:
    place.symlink_to(place.parent / "nowhere")


def _loop(place: Path) -> None:
    place.symlink_to(place)


def _link(place: Path) -> None:
    place.symlink_to("/")


OBSTACLES = [_file, _dangling, _loop, _link, os.mkfifo]


@pytest.mark.parametrize("name", ["", ".taken", "replies"])
@pytest.mark.parametrize("obstruct", OBSTACLES)
def test_an_obstacle_stops_no_other_folder(tmp_path: Path, name: str, obstruct: Callable[[Path], None]) -> None:
    for code in ("police", *(["yos"] if name else [])):
        (tmp_path / code).mkdir()
        (tmp_path / code / "a.xlsx").write_bytes(b"x")
    obstruct(tmp_path / "yos" / name)
    first, skipped = sweep(tmp_path, PARTNERS, time.time() + 1)
    assert (first.path, first.reason) == (tmp_path / "police" / "a.xlsx", "")
    assert (skipped.path, skipped.is_folder, bool(skipped.reason)) == (tmp_path / "yos", True, True)


@pytest.mark.parametrize("name", ["yos", "yos/.taken", "yos/replies"])
@pytest.mark.skipif(not hasattr(os, "fork") or os.geteuid() != 0, reason="only root can become somebody else")
def test_what_may_not_be_read_stops_no_other_folder(name: str) -> None:
    # The folders above tmp_path are root's alone.
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder)
        for code in PARTNERS:
            (inbox / code).mkdir()
            (inbox / code / "a.xlsx").write_bytes(b"x")
        (inbox / name).mkdir(exist_ok=True)
        inbox.chmod(0o755)
        (inbox / name).chmod(0)
        os.seteuid(65534)
        try:
            first, skipped = sweep(inbox, PARTNERS, time.time() + 1)
        finally:
            os.seteuid(0)
        assert (first.path, skipped.path, skipped.is_folder) == (inbox / "police" / "a.xlsx", inbox / "yos", True)


@pytest.mark.parametrize("name", [b"caf\xe9.xlsx", b"\xff\xfe", b"50%\xe9.xlsx", b"a\nb.xlsx", "été.xlsx".encode()])
def test_a_name_of_any_bytes_is_text_and_comes_back(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"x")
    text = path_as_text(path)
    assert text.encode().decode() == text
    assert path_from_text(text) == path


def test_only_an_ordinary_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    for name in ("pipe", "link", ""):
        with pytest.raises(OSError):
            open_regular(tmp_path / name)
    for name, follow_links in (("file", False), ("link", True)):
        with open_regular(tmp_path / name, follow_links=follow_links) as stream:
            assert stream.read() == b"x"
