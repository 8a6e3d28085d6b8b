"""Receipts are sent by e-mail through a real mail server, once, to whom they may be sent, and in nobody's way."""

import io
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event

import openpyxl
import pytest

from cypp_etl.periods import parse_period
from cypp_etl.samples.returns import fill_template, sample_answers
from cypp_etl.templates.workbook import write_template
from flows.ingestion.context import Workplace, open_to_write
from flows.ingestion.job import Steps
from flows.mail.outbox import Letter, Outbox
from flows.mail.postman import MOST_IN_AN_HOUR, PAUSES, Postman
from flows.mail.settings import MailSettings, read_mail_settings
from flows.settings import Settings
from tests.support.certificates import write_certificate
from tests.support.mail_server import PASSWORD, USER, MailServer, running
from tests.support.samples import sample_of

AT = datetime(2010, 7, 12, 9, tzinfo=UTC)
PERIOD = parse_period("2010-11Q1")


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with running(MailServer()) as server:
        yield server


@pytest.fixture
def workplace(begun: Settings) -> Workplace:
    (begun.inbox / "yos").mkdir(parents=True)
    return open_to_write(begun)


@pytest.fixture
def outbox(workplace: Workplace) -> Outbox:
    outbox = Outbox(workplace.settings.outbox)
    outbox.open()
    return outbox


@pytest.fixture(autouse=True)
def caught_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test before these may have sent the log to the terminal alone."""
    monkeypatch.setattr(logging.getLogger("cypp.serve"), "propagate", True)


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """The events that were logged, each with its reason."""
    caplog.set_level(logging.INFO, "cypp.serve")
    return lambda: [
        (record.cypp_event, record.cypp_concern.get("reason", ""))  # type: ignore[attr-defined]
        for record in caplog.records
        if hasattr(record, "cypp_event")
    ]


def settings_for(port: int, **others: str) -> MailSettings:
    settings = read_mail_settings(
        {
            "CYPP_SMTP_HOST": "127.0.0.1",
            "CYPP_SMTP_PORT": str(port),
            "CYPP_SMTP_TLS": "none",
            "CYPP_MAIL_FROM": "returns@board.example",
            "CYPP_MAIL_ALLOWED": "example.org",
        }
        | others
    )
    assert settings is not None
    return settings


def drop(workplace: Workplace, data: bytes, name: str = "ours.xlsx") -> Steps:
    """Answer a workbook, as the watcher does."""
    path = workplace.settings.inbox / "yos" / name
    path.write_bytes(data)
    steps = Steps(workplace, path, "yos", AT)
    steps.reply()
    return steps


def a_return(**cells: str) -> bytes:
    """A return of the youth offending service, with other contents in some cells of its table."""
    book = openpyxl.load_workbook(io.BytesIO(sample_of("yos", PERIOD)))
    for cell, value in cells.items():
        book["Indicators"][cell] = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def a_letter(outbox: Outbox, **others: object) -> Letter:
    """One that is queued by hand: its receipt is nowhere."""
    fields = {
        "delivery": "d" * 64,
        "address": "ann@example.org",
        "receipt": "/nowhere/replies/x.xlsx",
        "queued_at": 1.0,
    }
    same = {"partner_code": "yos", "period": "2010-11Q1", "file": "inbox/yos/x.xlsx", "sha256": "", "subject": "S"}
    letter = Letter(**{**same, "text": "T", "may_be_attached": True, **fields, **others})  # type: ignore[arg-type]
    outbox.add(letter)
    return letter


def test_a_rejected_return_is_answered_with_its_errors_and_the_receipt(
    workplace: Workplace, outbox: Outbox, mail: MailServer
) -> None:
    steps = drop(workplace, a_return(I2="<1", I3="about 7%"))
    answer = steps.reply()
    assert answer is not None
    postman = Postman(settings_for(mail.port), outbox)
    postman.send_due(Event())
    postman.send_due(Event())
    (message,) = mail.messages
    assert mail.envelopes == [("returns@board.example", ["yos@example.org"])]
    partner = workplace.plan.partners["yos"].partner
    assert message["Subject"] == f"{partner}, 2010/11 Q1: rejected"
    assert (message["From"], message["To"]) == ("returns@board.example", "yos@example.org")
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert message["Message-ID"].endswith("@board.example>")
    body = message.get_body()
    assert body is not None
    text = body.get_content()
    assert "REJECTED: nothing was loaded." in text
    assert "There are 2 errors to correct." in text
    assert "1. ERROR · Indicators, I2" in text
    assert (
        'The receipt is attached. It is also in the folder "replies" of your folder, as "ours - rejected.xlsx".' in text
    )
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "ours - rejected.xlsx"
    assert attached.get_content() == answer.receipt.read_bytes()


def test_nothing_is_queued_where_receipts_are_not_sent(workplace: Workplace) -> None:
    drop(workplace, a_return())
    assert not workplace.settings.outbox.exists()


def test_a_cover_without_an_address_is_answered_in_the_folder_alone(workplace: Workplace, outbox: Outbox) -> None:
    answers = replace(sample_answers(workplace.plan, "yos", PERIOD), email=None)
    drop(workplace, fill_template(write_template(workplace.plan, "yos", PERIOD), answers))
    assert list(outbox.due(1e12)) == []


def test_a_drop_is_answered_once_across_a_kill(workplace: Workplace, outbox: Outbox, mail: MailServer) -> None:
    postman = Postman(settings_for(mail.port), outbox)
    data = a_return()
    path = workplace.settings.inbox / "yos" / "ours.xlsx"
    path.write_bytes(data)
    for _ in range(2):
        # The first process was killed before it took the workbook away.
        Steps(workplace, path, "yos", AT).reply()
        postman.send_due(Event())
    assert len(mail.messages) == 1


@pytest.mark.parametrize("cells", [{}, {"I2": "<1"}], ids=["accepted", "rejected"])
def test_an_attachment_that_comes_back_is_not_answered_for_ever(
    cells: dict[str, str], workplace: Workplace, outbox: Outbox, mail: MailServer
) -> None:
    """A mailbox may put every attachment into the inbox."""
    postman = Postman(settings_for(mail.port), outbox)
    data = a_return(**cells)
    for number in range(4):
        drop(workplace, data, f"attached {number}.xlsx").take_away()
        postman.send_due(Event())
        (attached,) = mail.messages[-1].iter_attachments()
        data = attached.get_content()
    assert len(mail.messages) == 1


def test_an_address_gets_so_many_in_an_hour(
    workplace: Workplace, outbox: Outbox, mail: MailServer, events: Callable[[], list[tuple[str, str]]]
) -> None:
    now = [10_000.0]
    postman = Postman(settings_for(mail.port), outbox, lambda: now[0])
    for number in range(MOST_IN_AN_HOUR + 1):
        a_letter(outbox, delivery=f"{number:064}", queued_at=float(number))
        postman.send_due(Event())
    assert len(mail.messages) == MOST_IN_AN_HOUR
    assert [event for event, _ in events()] == ["cypp.mail.not-sent"]
    assert "30 receipts within an hour" in events()[0][1]
    a_letter(outbox, delivery="e" * 64, address="bob@example.org")
    now[0] += 3_600
    a_letter(outbox, delivery="f" * 64)
    postman.send_due(Event())
    assert len(mail.messages) == MOST_IN_AN_HOUR + 2


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ann@elsewhere.example", "CYPP_MAIL_ALLOWED has neither elsewhere.example"),
        ("ann@example.org\r\nBcc: all@elsewhere.example", "is not an e-mail address"),
        ("ann@example.org,all@elsewhere.example", "is not an e-mail address"),
        ("see below", "is not an e-mail address"),
        ("Returns@Board.example", "the address that receipts are sent from"),
    ],
)
def test_who_may_not_be_written_to_is_not(
    address: str, said: str, outbox: Outbox, mail: MailServer, events: Callable[[], list[tuple[str, str]]]
) -> None:
    postman = Postman(settings_for(mail.port, CYPP_MAIL_ALLOWED="example.org board.example"), outbox)
    a_letter(outbox, address=address)
    postman.send_due(Event())
    assert (mail.messages, mail.connections) == ([], 0)
    ((event, reason),) = events()
    assert event == "cypp.mail.not-sent"
    assert said in reason
    assert list(outbox.due(1e12)) == [], "it is done with"


def test_no_text_of_a_partner_becomes_a_header(outbox: Outbox, mail: MailServer) -> None:
    encoded = "=?utf-8?q?x=0D=0ABcc:_all=40elsewhere.example=0D=0A?="
    for number, text in enumerate((encoded, "x\r\nBcc: all@elsewhere.example", "x\u2028Bcc: a@elsewhere.example")):
        name = text.replace("/", "_")
        receipt = outbox_home(outbox) / name
        receipt.write_bytes(b"receipt")
        a_letter(
            outbox,
            delivery=f"{number:064}",
            subject=text,
            text=f"{text}\n.\n",
            receipt=str(receipt),
            sha256=sha256(b"receipt").hexdigest(),
        )
    Postman(settings_for(mail.port), outbox).send_due(Event())
    assert len(mail.messages) == 3
    for message in mail.messages:
        assert "Bcc" not in message
        assert not message.defects
        assert {part["Bcc"] for part in message.walk()} == {None}
        assert len(list(message.iter_attachments())) == 1
    assert {tuple(recipients) for _, recipients in mail.envelopes} == {("ann@example.org",)}


def outbox_home(outbox: Outbox) -> Path:
    folder = outbox._folder.parent / "replies"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize(
    "replaced", ["by another file", "by a link", "by a pipe", "too large", "gone", "exactly so large"]
)
def test_only_the_receipt_as_it_was_written_is_attached(replaced: str, outbox: Outbox, mail: MailServer) -> None:
    content = bytes(1 << 20)
    receipt = outbox_home(outbox) / "x - rejected.xlsx"
    match replaced:
        case "by another file":
            receipt.write_bytes(b"another")
        case "by a link":
            (outbox_home(outbox) / "kept").write_bytes(content)
            receipt.symlink_to("kept")
        case "by a pipe":
            os.mkfifo(receipt)
        case "too large":
            content += b"x"
            receipt.write_bytes(content)
        case "exactly so large":
            receipt.write_bytes(content)
    a_letter(outbox, receipt=str(receipt), sha256=sha256(content).hexdigest())
    Postman(settings_for(mail.port, CYPP_MAIL_ATTACH_MIB="1"), outbox).send_due(Event())
    (message,) = mail.messages
    is_attached = replaced == "exactly so large"
    assert len(list(message.iter_attachments())) == is_attached
    body = message.get_body()
    assert body is not None
    assert ("The receipt is attached." in body.get_content()) is is_attached


def test_a_return_that_may_hold_personal_data_is_not_attached(
    workplace: Workplace, outbox: Outbox, mail: MailServer
) -> None:
    drop(workplace, a_return(M2="Call 943 476 5919 about it"))
    Postman(settings_for(mail.port), outbox).send_due(Event())
    (message,) = mail.messages
    assert "943 476 5919" not in message.as_string()
    assert list(message.iter_attachments()) == []
    body = message.get_body()
    assert body is not None
    assert "not attached, since it may hold personal data" in body.get_content()


def test_a_server_that_is_down_is_tried_a_bounded_number_of_times(
    outbox: Outbox, events: Callable[[], list[tuple[str, str]]]
) -> None:
    with running(MailServer()) as closed:
        pass
    now = [10_000.0]
    postman = Postman(settings_for(closed.port), outbox, lambda: now[0])
    a_letter(outbox)
    for attempt, pause in enumerate(PAUSES, 1):
        postman.send_due(Event())
        assert [one.attempts for one in outbox.due(now[0] + pause)] == [attempt]
        assert list(outbox.due(now[0] + pause - 1)) == []
        now[0] += pause
    postman.send_due(Event())
    assert list(outbox.due(now[0] + 1e9)) == []
    said = events()
    assert [event for event, _ in said] == ["cypp.mail.out-of-reach", "cypp.mail.not-sent"]
    assert "Connection refused" in said[0][1]
    assert f"given up after {len(PAUSES) + 1} attempts" in said[1][1]


def test_what_waited_is_sent_once_the_server_is_back(
    outbox: Outbox, events: Callable[[], list[tuple[str, str]]]
) -> None:
    with running(MailServer()) as mail:
        pass
    now = [10_000.0]
    postman = Postman(settings_for(mail.port), outbox, lambda: now[0])
    a_letter(outbox)
    postman.send_due(Event())
    now[0] += PAUSES[0]
    with running(mail):
        # Another process than the one that failed.
        Postman(settings_for(mail.port), outbox, lambda: now[0]).send_due(Event())
        a_letter(outbox, delivery="e" * 64)
        postman.send_due(Event())
    assert len(mail.messages) == 2
    assert [event for event, _ in events()] == ["cypp.mail.out-of-reach", "cypp.mail.within-reach"]


@pytest.mark.parametrize(
    ("asked_for", "answer", "is_final"),
    [
        ("recipient", "550 No such user", True),
        ("recipient", "450 Try again", False),
        ("data", "554 Too much", True),
        ("data", "452 Full", False),
    ],
)
def test_what_the_server_refuses_for_good_is_not_tried_again(
    asked_for: str,
    answer: str,
    is_final: bool,
    outbox: Outbox,
    events: Callable[[], list[tuple[str, str]]],
) -> None:
    a_letter(outbox)
    with running(MailServer(**{f"answer_to_{asked_for}": answer})) as mail:  # type: ignore[arg-type]
        Postman(settings_for(mail.port), outbox).send_due(Event())
    assert [one.attempts for one in outbox.due(1e12)] == ([] if is_final else [1])
    reason = f"its receipt was not sent by e-mail: the mail server refused it: {answer}"
    assert events() == ([("cypp.mail.not-sent", reason)] if is_final else [])


def test_a_letter_that_was_taken_without_an_answer_is_sent_again_under_the_same_name(
    outbox: Outbox, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can know whether it was delivered: that is what Message-ID is for."""
    monkeypatch.setattr("flows.mail.postman._ANSWER_SECONDS", 0.5)
    now = [10_000.0]
    postman = Postman(settings_for(mail.port), outbox, lambda: now[0])
    a_letter(outbox)
    mail.hangs = True
    postman.send_due(Event())
    mail.hangs = False
    now[0] += PAUSES[0]
    postman.send_due(Event())
    assert [message["Message-ID"] for message in mail.messages] == [f"<{'d' * 64}@board.example>"] * 2
    assert list(outbox.due(1e12)) == []


def test_a_letter_that_cannot_be_noted_as_sent_is_not_sent_again(
    outbox: Outbox, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    postman = Postman(settings_for(mail.port), outbox)
    a_letter(outbox)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "end", full)
        patch.setattr(outbox, "postpone", full)
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                postman.send_due(Event())
    postman.send_due(Event())
    assert len(mail.messages) == 1
    assert list(outbox.due(1e12)) == []


def test_an_outbox_that_cannot_be_written_to_fails_no_ingestion(
    workplace: Workplace, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Outbox, "add", full)
    answer = drop(workplace, a_return()).reply()
    assert answer is not None
    assert answer.receipt.exists()
    assert "its receipt cannot be sent by e-mail: [Errno 28]" in caplog.text


def test_a_server_with_tls_and_a_password(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: Callable[[], list[tuple[str, str]]]
) -> None:
    certificate = write_certificate(tmp_path / "server.pem")
    secure = {"CYPP_SMTP_HOST": "localhost", "CYPP_SMTP_TLS": "starttls", "CYPP_SMTP_USER": USER}
    now = [10_000.0]
    with running(MailServer(), certificate) as mail:
        a_letter(outbox)
        # A certificate that this machine does not trust.
        settings = settings_for(mail.port, **secure, CYPP_SMTP_PASSWORD=PASSWORD)
        Postman(settings, outbox, lambda: now[0]).send_due(Event())
        assert mail.messages == []
        assert "certificate verify failed" in events()[0][1].lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        now[0] += PAUSES[0]
        wrong = settings_for(mail.port, **secure | {"CYPP_SMTP_PASSWORD": "another"})
        Postman(wrong, outbox, lambda: now[0]).send_due(Event())
        assert mail.messages == []
        assert events()[1][1].endswith("535 5.7.8 Authentication credentials invalid")
        now[0] += PAUSES[1]
        Postman(settings, outbox, lambda: now[0]).send_due(Event())
    assert (len(mail.messages), mail.users) == (1, [USER])


def test_without_starttls_nothing_is_sent_where_it_is_asked_for(
    outbox: Outbox, mail: MailServer, events: Callable[[], list[tuple[str, str]]]
) -> None:
    a_letter(outbox)
    Postman(settings_for(mail.port, CYPP_SMTP_TLS="starttls"), outbox).send_due(Event())
    assert mail.messages == []
    assert "STARTTLS" in events()[0][1]
