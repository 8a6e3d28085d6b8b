"""Where forms are put, and that nothing of a partner's is written over."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from flows.inbox.form_files import Form, IssuedForms, Put, put_form
from flows.inbox.sweep import sweep

TODAY = date(2010, 7, 1)
FIRST = Form("yos 2010-11Q1.xlsx", lambda: b"first", "plan one", "these")
OTHERS_CHANGED = replace(FIRST, write=lambda: b"second", plan="plan two")
CHANGED = replace(OTHERS_CHANGED, asks="those")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "inbox" / "yos"
    made.mkdir(parents=True)
    return made


def put(folder: Path, form: Form = FIRST, *, is_asked_for: bool = True) -> Put:
    return put_form(folder, form, IssuedForms(folder.parents[1] / "notes", "yos"), TODAY, is_asked_for=is_asked_for)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "forms").iterdir())}


def test_a_form_is_put_there_once(folder: Path) -> None:
    assert put(folder) is Put.ISSUED
    assert put(folder, replace(FIRST, write=lambda: b"with newer figures")) is Put.THERE
    assert contents(folder) == {FIRST.file_name: b"first"}


def test_one_that_was_filled_in_stays_and_is_kept_beside_that_of_another_plan(folder: Path) -> None:
    put(folder)
    (folder / "forms" / FIRST.file_name).write_bytes(b"filled in")
    assert put(folder) is Put.THERE
    assert put(folder, CHANGED) is Put.RENEWED
    kept = "yos 2010-11Q1 (until 2010-07-01).xlsx"
    assert contents(folder) == {kept: b"filled in", FIRST.file_name: b"second"}
    # On the same day once more: both are kept.
    assert put(folder, replace(CHANGED, write=lambda: b"third", plan="plan three", asks="others")) is Put.RENEWED
    assert contents(folder) == {
        kept: b"filled in",
        "yos 2010-11Q1 (until 2010-07-01, 2).xlsx": b"second",
        FIRST.file_name: b"third",
    }


def test_a_plan_that_changed_for_others_alone_renews_nothing(folder: Path) -> None:
    put(folder)
    assert put(folder, OTHERS_CHANGED) is Put.THERE
    assert contents(folder) == {FIRST.file_name: b"first"}


def test_what_the_partner_moved_is_put_there_again_if_somebody_asks_for_it(folder: Path) -> None:
    put(folder)
    (folder / "forms" / FIRST.file_name).rename(folder / "my return.xlsx")
    assert put(folder, is_asked_for=False) is Put.SENT_BEFORE
    assert put(folder, CHANGED, is_asked_for=False) is Put.ISSUED
    (folder / "forms" / FIRST.file_name).unlink()
    assert put(folder, CHANGED) is Put.ISSUED


def test_what_was_there_before_any_note_stays_until_the_plan_changes(folder: Path) -> None:
    (folder / "forms").mkdir()
    (folder / "forms" / FIRST.file_name).write_bytes(b"from a backup")
    assert put(folder) is Put.THERE
    assert put(folder, CHANGED) is Put.RENEWED


@pytest.mark.parametrize("lock", ["~$yos 2010-11Q1.xlsx", ".~lock.yos 2010-11Q1.xlsx#"])
def test_one_that_is_open_is_left(folder: Path, lock: str) -> None:
    put(folder)
    (folder / "forms" / lock).touch()
    assert put(folder, CHANGED) is Put.OPEN
    assert contents(folder)[FIRST.file_name] == b"first"
    (folder / "forms" / lock).unlink()
    assert put(folder, CHANGED) is Put.RENEWED


def test_one_that_a_killed_process_had_begun_to_replace_is_issued_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder)

    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("flows.inbox.form_files.give_name", die)
        put(folder, CHANGED, is_asked_for=False)
    assert FIRST.file_name not in contents(folder)
    assert put(folder, CHANGED, is_asked_for=False) is Put.ISSUED
    assert contents(folder)[FIRST.file_name] == b"second"


def test_a_folder_of_forms_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "forms").symlink_to(elsewhere)
    with pytest.raises(OSError, match="forms"):
        put(folder)
    assert not list(elsewhere.iterdir())


def test_a_link_in_its_place_is_not_followed(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"theirs")
    (folder / "forms").mkdir()
    (folder / "forms" / FIRST.file_name).symlink_to(victim)
    put(folder)
    put(folder, CHANGED)
    assert victim.read_bytes() == b"theirs"


def test_whoever_can_drop_workbooks_can_read_it(folder: Path) -> None:
    folder.chmod(0o770)
    put(folder)
    assert (folder / "forms").stat().st_mode & 0o777 == 0o770
    assert (folder / "forms" / FIRST.file_name).stat().st_mode & 0o777 == 0o660


def test_a_form_is_never_taken_for_a_return_whatever_is_in_it(folder: Path) -> None:
    put(folder)
    (folder / "forms" / FIRST.file_name).write_bytes(b"PK filled in")
    (folder / "forms" / "drafts").mkdir()
    (folder / "forms" / "drafts" / "return.xlsx").write_bytes(b"PK")
    assert list(sweep(folder.parent, ["yos"], 2e9)) == []
