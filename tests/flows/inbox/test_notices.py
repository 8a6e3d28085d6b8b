"""README.txt and status.html: ours are kept up to date, and a partner's own stay."""

from pathlib import Path

import pytest

from cypp_etl.receipts.status_page import MARK
from flows.inbox.notices import readme, write_readme, write_status
from flows.inbox.sweep import sweep

FIRST, SECOND = f"<!DOCTYPE html>\n{MARK}\nfirst", f"<!DOCTYPE html>\n{MARK}\nsecond"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_readme_says_in_five_lines_what_the_folder_is_for() -> None:
    lines = readme("Youth Offending Service", "yos", "returns@example.org").split("\r\n")
    assert len(lines) == 6
    assert lines[-1] == ""
    assert lines[0] == "This is the folder for the returns of Youth Offending Service (yos)."
    assert lines[4] == "If you need help, ask the data team: returns@example.org."
    assert max(map(len, lines)) <= 120
    assert readme("A\r\nB", "ab", "").count("\r\n") == 5


def test_it_is_written_once(tmp_path: Path) -> None:
    assert write_readme(tmp_path, "Police", "police", "")
    (tmp_path / "README.txt").write_text("with a note of the partner's")
    assert not write_readme(tmp_path, "Police", "police", "returns@example.org")
    assert (tmp_path / "README.txt").read_text() == "with a note of the partner's"
    assert names_in(tmp_path) == ["README.txt"]


def test_the_status_is_written_over_where_it_changes(tmp_path: Path) -> None:
    assert write_status(tmp_path, FIRST)
    before = (tmp_path / "status.html").stat()
    assert not write_status(tmp_path, FIRST)
    assert (tmp_path / "status.html").stat().st_ino == before.st_ino
    assert write_status(tmp_path, SECOND)
    assert (tmp_path / "status.html").read_text() == SECOND
    assert names_in(tmp_path) == ["status.html"]


def test_what_a_partner_put_in_its_place_stays(tmp_path: Path) -> None:
    (tmp_path / "status.html").write_text("<p>ours</p>")
    assert not write_status(tmp_path, FIRST)
    assert (tmp_path / "status.html").read_text() == "<p>ours</p>"


@pytest.mark.parametrize("name", ["README.txt", "status.html"])
def test_no_link_leads_either_elsewhere(tmp_path: Path, name: str) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "yos"
    victim.write_text(f"<!DOCTYPE html>\n{MARK}\ntheirs")
    folder.mkdir()
    (folder / name).symlink_to(victim)
    write_readme(folder, "Police", "police", "")
    write_status(folder, FIRST)
    assert victim.read_text().endswith("theirs")
    assert (folder / name).is_symlink()


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "yos").symlink_to(tmp_path / "elsewhere")
    for write in (lambda place: write_status(place, FIRST), lambda place: write_readme(place, "P", "p", "")):
        with pytest.raises(OSError, match="yos"):
            write(tmp_path / "yos")
    assert names_in(tmp_path / "elsewhere") == []


def test_neither_is_a_return_or_reported(tmp_path: Path) -> None:
    folder = tmp_path / "yos"
    folder.mkdir()
    write_readme(folder, "Police", "police", "")
    write_status(folder, FIRST)
    (folder / "return.xlsx").write_bytes(b"PK")
    assert [waiting.path.name for waiting in sweep(tmp_path, ["yos"], 2e9)] == ["return.xlsx"]
