"""A return that is held, from the inbox to the second receipt, and the commands that say so and decide it."""

import io
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from cypp_etl.periods import parse_period
from flows.cli.app import app
from flows.deployments.due_returns import read_outstanding
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.job import Steps
from flows.mail.outbox import Outbox
from flows.settings import Settings, read_settings
from flows.storage.archive import archive_path
from flows.team import held_verdicts
from flows.team.held_verdicts import decide_held
from flows.team.periods import close_period
from tests.support.samples import sample_of
from warehouse.engine import reading
from warehouse.queries.views import submissions

Q1 = parse_period("2010-11Q1")
WHO = ("--by", "A. Officer", "--why", "They rang")
HELD = (
    "Submission 2 (yos, 2010/11 Q1) is held: 2010/11 Q1 is closed, and this changes what was returned before: 1 figure."
)


def ingest(workplace: Workplace, name: str, workbook: bytes) -> Path:
    """Ingest a workbook that its partner drops; give its receipt."""
    drop = workplace.settings.inbox / "yos" / name
    drop.parent.mkdir(parents=True, exist_ok=True)
    drop.write_bytes(workbook)
    steps = Steps(workplace, drop, "yos", datetime.now(UTC))
    steps.check()
    answer = steps.reply()
    steps.take_away()
    assert answer is not None and not drop.exists()
    return answer.receipt


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a closed period, a return in force and a correction of it that is held."""
    home = tmp_path_factory.mktemp("made") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
            patch.delenv(name, raising=False)
        patch.setenv("CYPP_HOME", str(home))
        workplace = open_to_write(read_settings())
        workbook = sample_of("yos", Q1)
        ingest(workplace, "return.xlsx", workbook)
        close_period(workplace, Q1, by="A. Officer", why="The Board has met")
        Outbox(workplace.settings.outbox).open()
        edited = openpyxl.load_workbook(io.BytesIO(workbook))
        for address, value in (("I5", 0.985), ("K5", None), ("L5", None), ("O5", "Counted again.")):
            edited["Indicators"][address] = value
        saved = io.BytesIO()
        edited.save(saved)
        receipt = ingest(workplace, "correction.xlsx", saved.getvalue())
        assert receipt.name == "correction - held.xlsx"
        workplace.engine.dispose()
    return home


@pytest.fixture
def workplace(made: Path, settings: Settings) -> Workplace:
    shutil.copytree(made, settings.home)
    return open_to_write(settings)


def texts_of(receipt: Path) -> str:
    sheet = openpyxl.load_workbook(receipt).worksheets[0]
    return "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


def statuses(workplace: Workplace) -> list[str]:
    with reading(workplace.engine) as connection:
        return [row["status"] for row in submissions(connection)]


def test_the_receipt_says_that_it_is_held_and_why(workplace: Workplace) -> None:
    said = texts_of(workplace.settings.inbox / "yos" / "replies" / "correction - held.xlsx")
    assert "HELD: the data team has to decide on this return." in said
    assert "what you returned before stays" in said
    assert "2010/11 Q1 is closed, and this changes what was returned before: 1 figure." in said
    assert "None" not in said and "listed below" not in said, "nothing was loaded"
    (letter,) = Outbox(workplace.settings.outbox).due(2**40)
    assert letter.subject.endswith("2010/11 Q1: held")


def test_what_is_accepted_has_a_second_receipt_with_a_word(workplace: Workplace) -> None:
    done = decide_held(workplace, 2, is_accepted=True, by="A. Officer", why="They rang", word="Thank you for ringing.")
    receipt = workplace.settings.inbox / "yos" / "replies" / "correction - accepted with queries.xlsx"
    assert done.sentences == (
        "Submission 2 (yos, 2010/11 Q1) is accepted. It is in force as submission 3.",
        "1 judgement has changed.",
        f"The partner's receipt is {receipt.as_posix()}.",
    )
    assert (done.is_new, done.warnings, done.periods) == (True, (), (Q1,))
    assert statuses(workplace) == ["superseded", "superseded", "accepted with queries"]
    said = texts_of(receipt)
    assert "It was held, and the data team has accepted it." in said
    assert "The data team says: Thank you for ringing." in said
    assert "There is 1 query to explain." in said
    assert "Submission 1" in said and "version 3" in said
    assert "Indicators, I5: was 97.9%, is 98.5%" in said
    assert "NI 46, 2010-11Q1, On Target: was ✗, is ✓" in said
    assert "The data team has to decide" not in said
    letters = list(Outbox(workplace.settings.outbox).due(2**40))
    assert [letter.subject.rpartition(": ")[2] for letter in letters] == ["held", "accepted with queries"]
    assert "The data team says: Thank you for ringing." in letters[1].text
    receipt.unlink()
    again = decide_held(workplace, 2, is_accepted=True, by="B. Officer", why="Again", word="Another word")
    assert (again.is_new, receipt.exists()) == (False, True), "a process killed before the receipt is finished"
    assert (
        again.sentences[0]
        == "Submission 2 (yos, 2010/11 Q1) was already decided on, by decision 3: accepted, as submission 3."
    )
    assert "Thank you for ringing." in texts_of(receipt)
    assert len(list(Outbox(workplace.settings.outbox).due(2**40))) == 2, "the partner has one letter"


def test_what_is_refused_goes_back_with_a_word(workplace: Workplace) -> None:
    archived = archive_path(workplace.settings.archive, held_sha256(workplace))
    archived.unlink()
    done = decide_held(workplace, 2, is_accepted=False, by="A. Officer", why="Not agreed", word="Ring us first.")
    receipt = workplace.settings.inbox / "yos" / "replies" / "correction.xlsx - refused.html"
    assert done.sentences == (
        "Submission 2 (yos, 2010/11 Q1) is refused. What was in force stays.",
        f"The partner's receipt is {receipt.as_posix()}.",
    )
    assert statuses(workplace) == ["accepted", "refused"]
    said = receipt.read_text("utf-8")
    assert "REFUSED: the data team has not accepted this return." in said
    assert "The data team says: Ring us first." in said


def held_sha256(workplace: Workplace) -> str:
    with reading(workplace.engine) as connection:
        return str(submissions(connection)[1]["sha256"])


def test_a_receipt_that_cannot_be_written_does_not_undo_the_decision(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(held_verdicts, "answer_held", full)
        done = decide_held(workplace, 2, is_accepted=True, by="A. Officer", why="They rang")
    assert "decide the same again to write it" in done.warnings[0]
    assert statuses(workplace)[-1] == "accepted with queries"
    decide_held(workplace, 2, is_accepted=True, by="A. Officer", why="They rang")
    assert (workplace.settings.inbox / "yos" / "replies" / "correction - accepted with queries.xlsx").exists()


def test_a_decision_that_is_cut_off_is_not_there(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the transaction ends, the whole of it does; the trials kill processes."""
    from warehouse.recording.submissions import held as recording

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for step in ("record_decided", "rejudge", "rejudge_groups"):
        with monkeypatch.context() as broken:
            broken.setattr(recording, step, killed)
            with pytest.raises(KeyboardInterrupt):
                decide_held(workplace, 2, is_accepted=True, by="A. Officer", why="They rang")
        assert statuses(workplace) == ["accepted", "held"]
        with reading(workplace.engine) as connection:
            kinds = connection.exec_driver_sql("SELECT kind FROM bi_decisions").scalars().all()
        assert "decide-held" not in kinds


def test_a_return_from_no_inbox_has_no_receipt(workplace: Workplace) -> None:
    folder = workplace.settings.inbox / "yos"
    shutil.rmtree(folder)
    done = decide_held(workplace, 2, is_accepted=True, by="A. Officer", why="They rang")
    assert len(done.sentences) == 2
    assert not folder.exists()


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (lambda place: decide_held(place, 2, is_accepted=True, by=" ", why="x"), "say who decides it"),
        (lambda place: decide_held(place, 2, is_accepted=True, by="A", why=" "), "say why it is decided"),
        (
            lambda place: decide_held(place, 2, is_accepted=False, by="A", why="x", word=" "),
            "what the partner is to know",
        ),
        (lambda place: decide_held(place, 1, is_accepted=True, by="A", why="x"), "submission 1 is not held"),
        (lambda place: decide_held(place, 9, is_accepted=True, by="A", why="x"), "there is no submission 9"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_a_line(
    workplace: Workplace, decide: Callable[[Workplace], object], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        decide(workplace)
    assert "\n" not in str(refused.value)
    assert statuses(workplace) == ["accepted", "held"]


def type_(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


def test_status_and_reminder_say_what_is_held(workplace: Workplace) -> None:
    assert any(line.startswith(HELD) for line in type_("status", "2010-11Q1")[1].splitlines())
    assert HELD in type_("remind", "--since", "2010-01-01")[1]
    assert "held" not in type_("status", "2010-11Q2")[1]
    with reading(workplace.engine) as connection:
        found = read_outstanding(connection, Q1.last_day, 30)
    assert [line.startswith(HELD) for line in found.held] == [True]


def test_nobody_is_chased_for_what_is_held(workplace: Workplace) -> None:
    assert type_("withdraw", 1, *WHO)[0] != 0, "its period is closed"
    assert type_("reopen", "2010-11Q1", *WHO)[0] == 0
    assert type_("withdraw", 1, *WHO)[0] == 0
    with reading(workplace.engine) as connection:
        day = datetime(2010, 8, 1, tzinfo=UTC).date()
        found = read_outstanding(connection, day, 7)
    assert [("police" in line, "yos" in line) for line in found.lines if line.startswith("2010-11Q1")] == [
        (True, False)
    ]
    assert [line.startswith(HELD) for line in found.held] == [True]


def test_the_commands_decide_as_the_function_does(workplace: Workplace) -> None:
    assert type_("accept", 1, *WHO) == (2, "cypp: submission 1 is not held: there is nothing to decide about it\n")
    assert type_("refuse", 2, *WHO)[0] == 2, "the partner has to be told something"
    status, said = type_("refuse", 2, "--word", "Ring us first.", *WHO)
    assert (status, said.splitlines()[0]) == (0, "Submission 2 (yos, 2010/11 Q1) is refused. What was in force stays.")
    assert "decide-held: submission 2, version 2 of yos for 2010/11 Q1: refused" in type_("decisions")[1]
    status, said = type_("accept", 2, *WHO)
    assert (status, "was refused, by decision 3" in said) == (2, True)
    assert "is held" not in type_("status", "2010-11Q1")[1]
