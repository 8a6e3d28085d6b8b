"""What the archive notes beside the bytes: whole or not at all, for its owner alone, and the first word stays."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.storage.archive import keep, name_together
from flows.storage.drop_notes import DROPS, Drop, GivenNumbers, Unanswered, note_of_drops, noted_hashes, read_drops

AT = datetime(2010, 7, 12, 9, tzinfo=UTC)
DROP = Drop("a" * 64, "b" * 64, 1200, "/inbox/yos/our return.xlsx", "yos", AT, is_answered=True)
NEXT = replace(DROP, delivery="c" * 64, sha256="d" * 64)


def note_drops(archive: Path, drops: list[Drop]) -> None:
    name_together(note_of_drops(archive, drops))


def test_no_note_has_its_name_before_its_bytes_are_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stops between the two would otherwise have a note of bytes that are not there."""
    dropped, archive = tmp_path / "return.xlsx", tmp_path / "archive"
    dropped.write_bytes(b"a workbook")
    flushed: list[tuple[str, int]] = []

    def look(folder: Path) -> None:
        flushed.append((folder.relative_to(archive).parts[0], len(noted_hashes(archive))))

    monkeypatch.setattr("flows.storage.archive.flush_folder", look)
    keep(dropped, archive, beside=lambda kept: note_of_drops(archive, [replace(DROP, sha256=kept[0].sha256)]))
    (bytes_folder, notes_then), (notes_folder, notes_at_last) = flushed
    assert (notes_then, notes_folder, notes_at_last) == (0, DROPS, 1)
    assert bytes_folder != DROPS


@pytest.mark.parametrize("drops", [[DROP], [DROP, NEXT]], ids=["alone", "together"])
def test_what_is_noted_is_read_but_for_what_is_known(tmp_path: Path, drops: list[Drop]) -> None:
    note_drops(tmp_path, drops)
    assert list(read_drops(tmp_path, lambda _: ()).drops.values()) == drops
    assert DROP.delivery not in read_drops(tmp_path, lambda asked: {DROP.delivery} & set(asked)).drops
    assert noted_hashes(tmp_path) == {drop.sha256 for drop in drops}


def test_the_first_word_of_a_drop_stays(tmp_path: Path) -> None:
    """A workbook that cannot be recorded is kept again at each try, and came when it came."""
    note_drops(tmp_path, [DROP])
    note_drops(tmp_path, [replace(DROP, received_at=AT.replace(hour=10))])
    note_drops(tmp_path, [replace(DROP, received_at=AT.replace(hour=11)), NEXT])
    assert read_drops(tmp_path, lambda _: ()).drops[DROP.delivery].received_at == AT


def test_a_damaged_note_is_named_and_hides_no_other(tmp_path: Path) -> None:
    note_drops(tmp_path, [DROP])
    note_drops(tmp_path, [NEXT])
    damaged = tmp_path / DROPS / "aa" / DROP.delivery
    damaged.write_text('{"delivery":')
    noted = read_drops(tmp_path, lambda _: ())
    assert noted.unreadable == (damaged,)
    assert [*noted.drops] == [NEXT.delivery]


def test_notes_are_for_their_owner_alone(tmp_path: Path) -> None:
    """A file's name may be personal data, and is withheld everywhere else."""
    note_drops(tmp_path / "archive", [DROP])
    GivenNumbers(tmp_path / "archive").note([(1, DROP.delivery)])
    Unanswered(tmp_path / "archive").add(DROP.delivery)
    made = list((tmp_path / "archive").rglob("*"))
    assert len(made) == 6
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_the_highest_number_is_known_after_thousands(tmp_path: Path) -> None:
    numbers = GivenNumbers(tmp_path)
    assert numbers.highest() == 0
    numbers.note((number, DROP.delivery) for number in range(1, 3001))
    numbers.note([(3001, NEXT.delivery), (3002, None)])
    assert GivenNumbers(tmp_path).highest() == 3002
    assert GivenNumbers(tmp_path).by_delivery() == {DROP.delivery: 3000, NEXT.delivery: 3001, "-": 3002}


@pytest.mark.parametrize("torn", [b"3", b"3 ccc", b"3 " + b"c" * 64, b"\0" * 40])
def test_a_line_that_was_cut_short_gives_no_number(tmp_path: Path, torn: bytes) -> None:
    """Its transaction was not committed; what is noted after it counts."""
    numbers = GivenNumbers(tmp_path)
    numbers.note([(1, DROP.delivery), (2, NEXT.delivery)])
    with (tmp_path / DROPS / "numbers").open("ab") as stream:
        stream.write(torn)
    assert numbers.highest() == 2
    numbers.note([(4, DROP.delivery)])
    assert numbers.highest() == 4
    assert numbers.by_delivery()[DROP.delivery] == 4


def test_only_cut_lines_at_the_end_do_not_hide_the_numbers_before(tmp_path: Path) -> None:
    numbers = GivenNumbers(tmp_path)
    numbers.note([(7, DROP.delivery)])
    with (tmp_path / DROPS / "numbers").open("ab") as stream:
        stream.write(b"\0" * 20_000)
    assert numbers.highest() == 7
