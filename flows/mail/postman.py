"""Sends the receipts that wait in the outbox, beside the watcher: a mail server that fails holds up nothing else."""

import hashlib
import os
import smtplib
import ssl
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from mimetypes import guess_type
from pathlib import Path, PurePath
from threading import Event

from cypp_etl.personal import shown_file_name
from cypp_etl.receipts.wording import plain
from flows.inbox.own_files import open_folder
from flows.inbox.partner_folder import REPLIES
from flows.mail.outbox import Letter, Outbox
from flows.mail.recipients import address_in, domain_of
from flows.mail.settings import MailSettings, Tls
from flows.service_log import about, log
from flows.storage.files import path_from_text

PAUSES = (60.0, 300.0, 1_800.0, 7_200.0, 21_600.0, 43_200.0, 86_400.0)
"""How many seconds after each failed attempt the next is made; after the last, a letter is given up."""

MOST_IN_AN_HOUR = 30
"""How many letters one address is sent in an hour: no partner corrects more often, but programs might."""

_HOUR = 3_600.0
_LOOK_SECONDS = 1.0
_ANSWER_SECONDS = 15.0
_PERMANENT = 500
_CLOSING = (
    "This message was sent by a program. If you did not send this return, somebody gave your address on its cover: "
    "answer this message to say so."
)


class Postman:
    """Sends letters to whoever may be written to, through one mail server.

    A letter whose sending was noted is not sent again. If this process is killed, or the connection lost, after the
    server took a letter and before that is noted, it is sent once more, with the same Message-ID.
    `clock` gives seconds since 1970.
    """

    def __init__(self, mail: MailSettings, outbox: Outbox, clock: Callable[[], float] = time.time) -> None:
        """Nothing is sent yet; the outbox is open."""
        self._mail = mail
        self._outbox = outbox
        self._clock = clock
        self._sent_at: dict[str, deque[float]] = {}
        self._over: set[str] = set()
        self._is_out_of_reach = False

    def run(self, stopped: Event) -> None:
        """Send what is due, every second, until stopped."""
        mail = self._mail
        log.info("Receipts are sent by e-mail through %s:%d (%s).", mail.host, mail.port, mail.tls.value)
        while not stopped.wait(_LOOK_SECONDS):
            try:
                self.send_due(stopped)
            except OSError as fault:
                self._say_out_of_reach(fault)

    def send_due(self, stopped: Event) -> None:
        """Send the letters that are due, in the order in which they were queued; one that fails is tried again later.

        Raises:
            OSError: the outbox cannot be read or written to.
        """
        waiting = deque(letter for letter in self._outbox.due(self._clock()) if self._may_be_sent(letter))
        if not waiting:
            return
        is_connected = False
        try:
            with self._connected() as server:
                is_connected = True
                while waiting and not stopped.is_set():
                    self._send(server, waiting[0])
                    waiting.popleft()
        except OSError as fault:
            # Of the connection, `ssl` or `smtplib`. Once it is made, only the letter in hand can be at fault.
            self._say_out_of_reach(fault)
            for letter in list(waiting)[: 1 if is_connected else None]:
                self._try_later(letter, _in_words(fault))

    def _may_be_sent(self, letter: Letter) -> bool:
        """Whether a letter is to be sent; one that must not be is done with, and said to be."""
        if letter.delivery in self._over:
            # It was sent, and the disk was full when that was to be noted.
            self._outbox.end(letter)
            return False
        address = address_in(letter.address)
        if not address:
            self._leave(letter, "what the cover has as Email is not an e-mail address")
        elif not self._mail.recipients.allow(address, letter.partner_code):
            self._leave(letter, f"CYPP_MAIL_ALLOWED has neither {domain_of(address)} nor the address on the cover")
        elif address.lower() == self._mail.sender.lower():
            self._leave(letter, "the cover has the address that receipts are sent from")
        elif self._sent_lately(address) >= MOST_IN_AN_HOUR:
            self._leave(letter, f"the address on the cover was sent {MOST_IN_AN_HOUR} receipts within an hour")
        else:
            return True
        return False

    def _sent_lately(self, address: str) -> int:
        times = self._sent_at.setdefault(address.lower(), deque())
        while times and times[0] <= self._clock() - _HOUR:
            times.popleft()
        return len(times)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        mail = self._mail
        verified = ssl.create_default_context()
        if mail.tls is Tls.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=_ANSWER_SECONDS, context=verified)
        else:
            server = smtplib.SMTP(mail.host, mail.port, timeout=_ANSWER_SECONDS)
        with server:
            if mail.tls is Tls.STARTTLS:
                server.starttls(context=verified)
            if mail.user:
                server.login(mail.user, mail.password)
            yield server

    def _send(self, server: smtplib.SMTP, letter: Letter) -> None:
        address = address_in(letter.address)
        # Counted before: a server that takes a letter and then fails is not to be sent it for ever.
        self._sent_at.setdefault(address.lower(), deque()).append(self._clock())
        try:
            server.send_message(self._message(letter, address), self._mail.sender, [address])
        except smtplib.SMTPRecipientsRefused as fault:
            self._refused(letter, *fault.recipients[address])
        except smtplib.SMTPDataError as fault:
            self._refused(letter, fault.smtp_code, fault.smtp_error)
        else:
            self._over.add(letter.delivery)
            self._outbox.end(letter)
            self._over.discard(letter.delivery)
            log.info("%s: the receipt was sent by e-mail.", _named(letter))
            if self._is_out_of_reach:
                self._is_out_of_reach = False
                log.info("The mail server can be used again.", extra=about("cypp.mail.within-reach"))

    def _refused(self, letter: Letter, code: int, reply: bytes | str) -> None:
        words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        if code >= _PERMANENT:
            self._leave(letter, f"the mail server refused it: {code} {words}")
        else:
            self._try_later(letter, f"{code} {words}")

    def _try_later(self, letter: Letter, why: str) -> None:
        if letter.attempts < len(PAUSES):
            self._outbox.postpone(letter, self._clock() + PAUSES[letter.attempts])
        else:
            self._leave(letter, f"given up after {letter.attempts + 1} attempts: {why}")

    def _leave(self, letter: Letter, why: str) -> None:
        self._outbox.end(letter)
        reason = f"its receipt was not sent by e-mail: {_flat(why)}"
        concern = about(
            "cypp.mail.not-sent",
            partner=letter.partner_code,
            period=letter.period,
            file=letter.file,
            reason=reason,
        )
        log.warning("%s: %s.", _named(letter), reason, extra=concern)

    def _say_out_of_reach(self, fault: OSError) -> None:
        if not self._is_out_of_reach:
            self._is_out_of_reach = True
            reason = f"{self._mail.host}:{self._mail.port}: {_in_words(fault)}"
            concern = about("cypp.mail.out-of-reach", reason=reason)
            log.warning("No receipts can be sent by e-mail: %s. It is tried again later.", reason, extra=concern)

    def _message(self, letter: Letter, address: str) -> EmailMessage:
        message = EmailMessage(SMTP)
        message["From"] = self._mail.sender
        message["To"] = address
        message["Subject"] = _for_header(letter.subject)
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = f"<{letter.delivery}@{domain_of(self._mail.sender)}>"
        # No program should answer it: RFC 3834, and Exchange's own.
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        path = path_from_text(letter.receipt)
        name = _for_header(shown_file_name(path.name))
        content = self._receipt(letter, path)
        place = f'in the folder "{REPLIES}" of your folder, as "{name}"'
        if content is not None:
            where = f"The receipt is attached. It is also {place}."
        elif letter.may_be_attached:
            where = f"The receipt is {place}."
        else:
            where = f"The receipt is not attached, since it may hold personal data. It is {place}."
        # A server need not take lines of eight bits.
        message.set_content(f"{letter.text}\n\n{where}\n\n{_CLOSING}\n", cte="quoted-printable")
        if content is not None:
            kind, _, subkind = (guess_type(name)[0] or "application/octet-stream").partition("/")
            message.add_attachment(content, maintype=kind, subtype=subkind, filename=name)
        return message

    def _receipt(self, letter: Letter, path: Path) -> bytes | None:
        """The bytes of a receipt that is to be attached; None if it is too large or not there as it was written.

        It lies where its partner can put anything in its place.
        """
        if not letter.may_be_attached:
            return None
        try:
            place = open_folder(path.parent)
        except OSError:
            return None
        try:
            descriptor = os.open(path.name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=place)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > self._mail.most_attached:
                    return None
                content = file.read(self._mail.most_attached)
        except OSError:
            return None
        finally:
            os.close(place)
        return content if hashlib.sha256(content).hexdigest() == letter.sha256 else None


def _named(letter: Letter) -> str:
    return f"{letter.partner_code}/{shown_file_name(PurePath(letter.file).name)}"


def _flat(text: str) -> str:
    return " ".join(plain(text).split())


def _for_header(text: str) -> str:
    """A text in one line, without what would be read as the beginning of an encoded word."""
    return _flat(text).replace("=?", "= ?")


def _in_words(fault: OSError) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        reply = fault.smtp_error
        return _flat(f"{fault.smtp_code} {reply.decode('utf-8', 'replace') if isinstance(reply, bytes) else reply}")
    return _flat(fault.strerror or str(fault) or type(fault).__name__)
