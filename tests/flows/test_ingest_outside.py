"""A path outside a partner's folder does not belong to that partner, however it is written."""

from pathlib import Path

import pytest

from flows.inbox.sweep import partner_of


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    for name in ("yos", "police"):
        (tmp_path / "inbox" / name).mkdir(parents=True)
        (tmp_path / "inbox" / name / "a.xlsx").write_bytes(b"x")
    (tmp_path / "warehouse.db").write_bytes(b"x")
    (tmp_path / "inbox" / "yos" / "link").symlink_to(tmp_path)
    (tmp_path / "inbox" / "yos" / "other").symlink_to(tmp_path / "inbox" / "police")
    return tmp_path / "inbox"


@pytest.mark.parametrize(
    ("path", "partner"),
    [
        ("yos/a.xlsx", "yos"),
        ("police/../yos/a.xlsx", "yos"),
        ("yos/../police/a.xlsx", "police"),
        ("yos", ""),
        ("yos/..", ""),
        ("yos/../../warehouse.db", ""),
        ("../warehouse.db", ""),
        ("yos/link/warehouse.db", ""),
        ("yos/link/../a.xlsx", ""),
        ("yos/other/a.xlsx", ""),
    ],
)
def test_a_path_belongs_to_the_folder_it_really_lies_in(inbox: Path, path: str, partner: str) -> None:
    assert partner_of(inbox / path, inbox, ("yos", "police")) == partner
