"""Erased is erased: no file of the home has the words any more, and no restore brings them back."""

import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import RowMapping, select, text

from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import Answers, fill_template, sample_answers
from cypp_etl.templates.workbook import write_template
from flows.backup.backup import make_backup
from flows.backup.restoration import restore_backup
from flows.inbox.sweep import make_folders
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.job import Steps
from flows.ingestion.reconciliation import reconcile
from flows.ingestion.status_pages import refresh_status_pages
from flows.settings import Settings
from flows.storage import erasures
from flows.storage.archive import archive_path
from flows.storage.erasures import noted_erasures
from flows.team.decided import Decided
from flows.team.submissions import erase_content
from schemas.codes import Severity, SubmissionStatus
from tests.warehouse.builders import checked
from tests.warehouse.builders import observation as figure
from warehouse.engine import reading
from warehouse.queries.board.reader import read_board
from warehouse.recording.record import record
from warehouse.recording.submissions.erasures import parse_cell
from warehouse.schema.tables import observation
from warehouse.views.selectable import view

PLAN = read_plan()
Q1 = parse_period("2010-11Q1")
AT = datetime(2010, 7, 12, 9, tzinfo=UTC)
WORDS = {
    "comment": "Quagmire",
    "evidence": "Bandersnatch",
    "reason": "Jabberwock",
    "prepared_by": "Tulgey",
    "email": "borogove",
    "withheld": "943 476 5919",
}


def answers_of(**words: str) -> Answers:
    """The sample answers of the youth offending service, with words of our own in every free text."""
    answers = sample_answers(PLAN, "yos", Q1)
    first, second, *_ = answers.indicators
    indicators = {
        **answers.indicators,
        first: replace(answers.indicators[first], comment=f"A {words['comment']} was met."),
        second: replace(answers.indicators[second], comment=f"Child {words['withheld']} moved."),
    }
    milestone = next(iter(answers.milestones))
    reported = replace(
        answers.milestones[milestone], evidence=f"The {words['evidence']} came.", reason=f"A {words['reason']}."
    )
    return replace(
        answers,
        prepared_by=f"{words['prepared_by']} Wood",
        email=f"{words['email']}@example.org",
        indicators=indicators,
        milestones={**answers.milestones, milestone: reported},
    )


def workbook(**words: str) -> bytes:
    return fill_template(write_template(PLAN, "yos", Q1), answers_of(**(WORDS | words)))


def ingest(workplace: Workplace, name: str, content: bytes, minutes: int = 0) -> int:
    path = workplace.settings.inbox / "yos" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    steps = Steps(workplace, path, "yos", AT + timedelta(minutes=minutes))
    number = steps.load().submission_id
    steps.reply()
    steps.take_away()
    return number


def erase(workplace: Workplace, number: int, *cells: str) -> Decided:
    return erase_content(workplace, number, cells, by="A. Officer", why="Asked for by a parent")


def holders(home: Path, words: Iterable[str]) -> dict[str, list[str]]:
    """The files below a folder that have each word, in whatever encoding and in packages too."""
    wanted = {word: [word.encode(), word.encode("utf-16-le")] for word in words}
    found: dict[str, list[str]] = {}
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as package:
                contents += [package.read(name) for name in package.namelist()]
        for word, forms in wanted.items():
            if any(form in content for form in forms for content in contents):
                found.setdefault(word, []).append(path.relative_to(home).as_posix())
    return found


def test_what_a_query_quotes_leaves_the_partners_folder_too(workplace: Workplace) -> None:
    make_folders(workplace.settings.inbox, PLAN.partners)
    quoted = Finding(
        "large-change", Severity.QUERY, "Indicators", "M2", "Ask Alice", "'Ask Alice' is no reason.", "Say."
    )
    recorded = record(workplace.engine, checked("a", figure("NI 111a", "90"), findings=(quoted,)), PLAN, AT)
    refresh_status_pages(workplace, PLAN.partners, AT.date())
    page = workplace.settings.inbox / "police" / "status.html"
    assert "Ask Alice" in page.read_text("utf-8")
    erase(workplace, recorded.submission_id)
    assert "Ask Alice" not in page.read_text("utf-8")


def shown(workplace: Workplace, name: str) -> list[RowMapping]:
    with reading(workplace.engine) as connection:
        return list(connection.execute(select(view(name))).mappings())


@pytest.fixture
def workplace(begun: Settings) -> Workplace:
    return open_to_write(begun)


def test_no_file_of_the_home_has_the_words(workplace: Workplace) -> None:
    home = workplace.settings.home
    number = ingest(workplace, "return.xlsx", workbook())
    before = holders(home, WORDS.values())
    assert set(before) == set(WORDS.values()), "else the search would find nothing in any case"
    figures = [(row["indicator"], row["actual"]) for row in shown(workplace, "bi_performance")]
    done = erase(workplace, number)
    assert done.is_new
    assert holders(home, WORDS.values()) == {}
    assert not list((home / "inbox" / "yos" / "replies").iterdir())
    # What stays: figures, hash, and the decision.
    assert [(row["indicator"], row["actual"]) for row in shown(workplace, "bi_performance")] == figures
    (submission,) = shown(workplace, "bi_submissions")
    assert submission["status"] == SubmissionStatus.ACCEPTED_WITH_QUERIES
    assert not archive_path(workplace.settings.archive, submission["sha256"]).exists()
    decision = shown(workplace, "bi_decisions")[-1]
    assert (decision["kind"], decision["about"], decision["partner_code"], decision["why"]) == (
        "erase-content",
        f"submission {number}, all free text",
        "yos",
        "Asked for by a parent",
    )


def test_views_and_reports_say_that_it_was_erased(workplace: Workplace) -> None:
    number = ingest(workplace, "return.xlsx", workbook())
    before = datetime.now(UTC)
    erase(workplace, number)
    assert {row["value"] for row in shown(workplace, "bi_findings")} <= {"[erased]", ""}
    evidence = {row["evidence"] for row in shown(workplace, "bi_milestones")}
    assert "[erased]" in evidence
    with reading(workplace.engine) as connection:
        assert {row["comment"] for row in read_board(connection, Q1, before).comments} == {"[erased]"}


def test_a_rejected_return_keeps_its_codes_alone(workplace: Workplace) -> None:
    answers = answers_of(**WORDS)
    first = next(iter(answers.indicators))
    answers = replace(
        answers,
        indicators={**answers.indicators, first: replace(answers.indicators[first], actual="Frumious 12")},
    )
    number = ingest(workplace, "return.xlsx", fill_template(write_template(PLAN, "yos", Q1), answers))
    assert "Frumious" in holders(workplace.settings.home, ["Frumious"])
    codes = [row["code"] for row in shown(workplace, "bi_findings")]
    erase(workplace, number)
    assert holders(workplace.settings.home, ["Frumious", *WORDS.values()]) == {}
    assert [row["code"] for row in shown(workplace, "bi_findings")] == codes


def test_named_cells_alone_are_erased_in_the_warehouse(workplace: Workplace) -> None:
    number = ingest(workplace, "return.xlsx", workbook())
    with reading(workplace.engine) as connection:
        query = select(observation.c.sheet, observation.c.cell).where(observation.c.comment.contains("Quagmire"))
        sheet, cell = connection.execute(query).one()
    erase(workplace, number, f"{sheet.lower()}!M{cell[1:]}")
    left = holders(workplace.settings.home, WORDS.values())
    assert "Quagmire" not in left
    # The workbook is gone as a whole; what was typed elsewhere stays in the warehouse.
    assert {word: files for word, files in left.items() if "warehouse.db" not in files} == {}
    assert set(left) == set(WORDS.values()) - {"Quagmire"}
    # A withheld text is named by its mark.
    with reading(workplace.engine) as connection:
        (place,) = connection.execute(text("SELECT sheet || '!' || cell FROM withheld_text")).scalars()
    assert erase(workplace, number, place).is_new
    assert erase(workplace, number, "Return!B5").is_new
    assert set(holders(workplace.settings.home, WORDS.values())) == {"Bandersnatch", "Jabberwock"}


def test_the_cell_of_a_figure_keeps_the_figure(workplace: Workplace) -> None:
    number = ingest(workplace, "return.xlsx", workbook())
    before = shown(workplace, "bi_performance")[0]
    erase(workplace, number, f"{before['source_sheet']}!{before['source_cell']}")
    after = next(row for row in shown(workplace, "bi_performance") if row["indicator"] == before["indicator"])
    assert (after["actual"], after["actual_text"]) == (before["actual"], "[erased]")


def test_erasing_again_changes_nothing_and_finishes_what_was_left(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = ingest(workplace, "return.xlsx", workbook())

    def ends_here(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("flows.ingestion.erasure._remove_files", ends_here)
        with pytest.raises(KeyboardInterrupt):
            erase(workplace, number)
    assert holders(workplace.settings.home / "archive", ["Quagmire"])
    again = erase(workplace, number)
    assert not again.is_new
    assert again.sentences[0] == f"Submission {number}: already erased, by decision 2."
    assert holders(workplace.settings.home, WORDS.values()) == {}
    assert len(shown(workplace, "bi_decisions")) == 2
    assert len(list(noted_erasures(workplace.settings.archive))) == 1


def test_reconciling_finishes_what_a_killed_process_left(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    number = ingest(workplace, "return.xlsx", workbook())
    with monkeypatch.context() as broken:
        # Noted, and not committed.
        broken.setattr("flows.ingestion.erasure.note_erasure", noted_then_killed)
        with pytest.raises(KeyboardInterrupt):
            erase(workplace, number)
    assert holders(workplace.settings.home / "archive", ["Quagmire"])
    assert len(shown(workplace, "bi_decisions")) == 1
    done = reconcile(workplace)
    assert (done.taken, done.left) == ([], [])
    assert holders(workplace.settings.home, WORDS.values()) == {}
    assert shown(workplace, "bi_decisions")[-1]["why"] == "Asked for by a parent"


def noted_then_killed(archive: Path, note: erasures.ErasureNote) -> None:
    erasures.note_erasure(archive, note)
    raise KeyboardInterrupt


def test_an_older_backup_brings_nothing_back(workplace: Workplace, tmp_path: Path) -> None:
    settings = workplace.settings
    number = ingest(workplace, "return.xlsx", workbook())
    make_backup(settings, tmp_path / "backup", AT)
    assert holders(tmp_path / "backup", ["Quagmire"])
    erase(workplace, number)
    workplace.engine.dispose()
    restore_backup(settings, tmp_path / "backup", over=True)
    # The warehouse is as old as the backup, until it is reconciled; the one that was there is aside.
    restored = open_to_write(settings)
    assert not holders(settings.archive, WORDS.values())
    done = reconcile(restored)
    assert (done.taken, done.left) == ([], [])
    assert holders(settings.home, WORDS.values()) == {}
    # A backup of a home in which something was erased is whole.
    manifest = make_backup(settings, tmp_path / "later", AT)
    assert (manifest.damaged, manifest.skipped) == ((), ())
    restored.engine.dispose()


def test_the_same_bytes_that_come_later_are_another_submission(workplace: Workplace) -> None:
    content = workbook()
    first = ingest(workplace, "return.xlsx", content)
    erase(workplace, first)
    path = workplace.settings.inbox / "yos" / "return.xlsx"
    path.write_bytes(content)
    steps = Steps(workplace, path, "yos", datetime.now(UTC))
    assert steps.load().status is SubmissionStatus.DUPLICATE
    steps.reply()
    steps.take_away()
    reconcile(workplace)
    assert holders(workplace.settings.archive, ["Quagmire"]), "nobody has decided about what came later"
    erase(workplace, first)
    assert holders(workplace.settings.home, WORDS.values()) == {}


def test_other_files_of_the_return_are_named(workplace: Workplace) -> None:
    first = ingest(workplace, "return.xlsx", workbook())
    second = ingest(workplace, "return.xlsx", workbook(reason="Bandicoot"), 1)
    warned = erase(workplace, second).warnings
    assert warned == (f"Other files came of the same return, and are not erased: submission {first}.",)
    assert set(holders(workplace.settings.home, WORDS.values())) == set(WORDS.values())


@pytest.mark.parametrize("typed", ["M7", "Indicators!", "Indicators!7", "Indicators!M", "Indicators!M7:M9", "!M7", ""])
def test_what_is_no_cell_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"type it like Indicators!M7$"):
        parse_cell(typed)


def test_cells_are_named_as_formulas_name_them() -> None:
    assert parse_cell("'My sheet'!$m$7") == ("My sheet", "M7")
    assert parse_cell("Indicators!AB12") == ("Indicators", "AB12")
