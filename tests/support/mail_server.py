"""A real mail server for tests, which takes messages or fails in a chosen way, with or without TLS and a password."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = "cypp", "a long password"


@dataclass
class MailServer:
    """Messages that came, and what the server answers instead of taking one."""

    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    connections: int = 0
    answer_to_recipient: str = "250 OK"
    answer_to_data: str = "250 OK"
    # Takes the message, and says nothing until the client is gone.
    hangs: bool = False
    port: int = 0

    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer_to_data.startswith("250"):
            self.messages.append(BytesParser(policy=default).parsebytes(envelope.content))  # type: ignore[arg-type]
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
            if session.auth_data:
                self.users.append(session.auth_data.login.decode())
        if self.hangs:
            await asyncio.sleep(60)
        return self.answer_to_data


@contextmanager
def running(mail: MailServer, certificate: Path | None = None) -> Iterator[MailServer]:
    """Serve on a free port of this machine; with a certificate, only after STARTTLS and with the password."""

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        is_known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_known, handled=False, auth_data=data)

    secure: dict[str, Any] = {}
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        secure = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": check}
    controller = Controller(mail, hostname="127.0.0.1", port=mail.port or _free_port(), **secure)
    controller.start()
    mail.port = controller.port
    try:
        yield mail
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
