"""When a file counts as complete: it has not changed for a time, and a zip has its end record."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from flows.inbox.settling import Patience, Settling, has_zip_end

PATIENCE = Patience(whole=1, unknown=5, unfinished=50)


def zipped(comment: bytes = b"") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        package.writestr("xl/workbook.xml", "<workbook/>" * 1000)
        package.comment = comment
    return written.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "return.xlsx"


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (zipped(), 1),
        (zipped(b"a comment"), 1),
        (zipped()[:-1], 50),
        # A share's client reserves space with zeros before it writes.
        (zipped()[:-100] + bytes(100), 50),
        (b"", 50),
        (b"\xd0\xcf\x11\xe0 an old workbook", 5),
    ],
)
def test_the_less_sure_the_longer_it_is_left_alone(path: Path, content: bytes, seconds: float) -> None:
    settling = Settling(PATIENCE)
    path.write_bytes(content)
    assert settling.seconds_left(path, 100) == 1, "seen for the first time"
    assert settling.seconds_left(path, 101) == seconds - 1
    assert settling.seconds_left(path, 100 + seconds) == 0


def test_a_change_starts_the_wait_again(path: Path) -> None:
    settling = Settling(PATIENCE)
    path.write_bytes(zipped())
    settling.seconds_left(path, 100)
    os.utime(path, (1, 1))
    assert settling.seconds_left(path, 101) == 1
    path.write_bytes(zipped(b"longer"))
    assert settling.seconds_left(path, 102) == 1
    assert settling.seconds_left(path, 103) == 0


def test_what_has_left_is_forgotten(path: Path) -> None:
    settling = Settling(PATIENCE)
    path.write_bytes(zipped())
    settling.seconds_left(path, 100)
    settling.forget_all_but(set())
    assert settling.seconds_left(path, 101) == 1


def test_the_longest_comment_hides_no_end() -> None:
    assert has_zip_end(io.BytesIO(zipped(b"x" * 65_535)))
    assert not has_zip_end(io.BytesIO(b"PK"))
