"""Where receipts are written, and that no link redirects them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cypp_etl.receipts.reply import Reply
from flows.inbox.receipt_files import remove_unfinished_replies, write_reply
from flows.inbox.written_receipts import WrittenReceipts

REPLY = Reply("return - accepted.xlsx", b"new")


def written(folder: Path) -> WrittenReceipts:
    return WrittenReceipts(folder.parent / "notes", folder.name)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_reply_is_written_and_replaces_an_older_one(tmp_path: Path) -> None:
    write_reply(tmp_path, Reply(REPLY.file_name, b"old"), written(tmp_path))
    path = write_reply(tmp_path, REPLY, written(tmp_path))
    assert path == tmp_path / "replies" / REPLY.file_name
    assert path.read_bytes() == b"new"
    assert names_in(path.parent) == [REPLY.file_name]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"theirs")
    (tmp_path / "replies").mkdir()
    (tmp_path / "replies" / REPLY.file_name).symlink_to(victim)
    path = write_reply(tmp_path, REPLY, written(tmp_path))
    assert victim.read_bytes() == b"theirs"
    assert not path.is_symlink()


def test_a_folder_of_replies_that_is_a_link_is_refused(tmp_path: Path) -> None:
    elsewhere, inbox = tmp_path / "elsewhere", tmp_path / "inbox"
    elsewhere.mkdir()
    inbox.mkdir()
    (inbox / "replies").symlink_to(elsewhere)
    with pytest.raises(OSError, match="replies"):
        write_reply(inbox, REPLY, written(inbox))
    assert not names_in(elsewhere)


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "replies" / REPLY.file_name).mkdir(parents=True)
    with pytest.raises(OSError, match=REPLY.file_name):
        write_reply(tmp_path, REPLY, written(tmp_path))
    assert names_in(tmp_path / "replies") == [REPLY.file_name]


@pytest.mark.parametrize(("age_seconds", "left"), [(3599, 1), (3601, 0)])
def test_what_a_killed_process_left_is_removed_once_nobody_can_be_writing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_seconds: float, left: int
) -> None:
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(os, "fsync", _die)
        write_reply(tmp_path, REPLY, written(tmp_path))
    (unfinished,) = (tmp_path / "replies").iterdir()
    (tmp_path / "replies" / ".DS_Store").write_bytes(b"theirs")
    removed = remove_unfinished_replies(tmp_path, unfinished.stat().st_mtime + age_seconds)
    assert (removed, names_in(tmp_path / "replies")) == (1 - left, [".DS_Store"] + [unfinished.name] * left)


def test_a_link_does_not_lead_the_removal_elsewhere(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "yos"
    for place in (elsewhere, folder):
        place.mkdir()
    (elsewhere / ".unfinished-other").write_bytes(b"theirs")
    (folder / "replies").symlink_to(elsewhere)
    assert remove_unfinished_replies(folder, 1e12) == 0
    assert names_in(elsewhere) == [".unfinished-other"]


def _die(_descriptor: int) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def loose_umask() -> Iterator[None]:
    former = os.umask(0)
    yield
    os.umask(former)


@pytest.mark.parametrize(
    ("folder", "replies", "receipt"),
    [
        (0o700, 0o700, 0o600),
        (0o755, 0o700, 0o600),
        (0o750, 0o700, 0o600),
        (0o770, 0o770, 0o660),
        (0o2770, 0o2770, 0o660),
        (0o775, 0o770, 0o660),
        (0o777, 0o777, 0o666),
    ],
)
@pytest.mark.usefixtures("loose_umask")
def test_who_may_drop_may_read_the_receipt(tmp_path: Path, folder: int, replies: int, receipt: int) -> None:
    own = tmp_path / "yos"
    own.mkdir()
    own.chmod(folder)
    path = write_reply(own, REPLY, written(own))
    assert stat.S_IMODE(path.stat().st_mode) == receipt
    assert stat.S_IMODE(path.parent.stat().st_mode) == replies
    assert stat.S_IMODE(own.stat().st_mode) == folder


def test_a_folder_of_replies_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "replies").mkdir()
    (tmp_path / "replies").chmod(0o750)
    path = write_reply(tmp_path, REPLY, written(tmp_path))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_service_that_runs_as_root_gives_receipts_to_the_folders_owner(tmp_path: Path) -> None:
    own = tmp_path / "yos"
    own.mkdir()
    os.chown(own, 12345, 12346)
    path = write_reply(own, REPLY, written(own))
    assert [(one.stat().st_uid, one.stat().st_gid) for one in (path, path.parent)] == [(12345, 12346)] * 2
