"""The settings of receipts by e-mail, read from the environment; without `CYPP_SMTP_HOST` nothing is sent."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flows.mail.recipients import Recipients, address_in

_MOST_PORT = 65_535
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Tls(StrEnum):
    """How the connection to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


_PORTS = {Tls.STARTTLS: 587, Tls.TLS: 465, Tls.NONE: 25}


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server, whom messages are from, and who may be written to; `most_attached` is in bytes."""

    host: str
    port: int
    tls: Tls
    sender: str
    recipients: Recipients
    user: str = ""
    password: str = field(default="", repr=False)
    most_attached: int = 5 << 20


def read_mail_settings(environment: Mapping[str, str] = os.environ) -> MailSettings | None:
    """Read `CYPP_SMTP_HOST` and the other names in docs/deploy.md; None without a host. An empty one counts as not set.

    Raises:
        ValueError: a setting is missing or wrong; the message says which, and what to type.
    """
    host = environment.get("CYPP_SMTP_HOST") or ""
    if not host:
        return None
    tls = _tls(environment.get("CYPP_SMTP_TLS") or Tls.STARTTLS)
    user, password = environment.get("CYPP_SMTP_USER") or "", environment.get("CYPP_SMTP_PASSWORD") or ""
    if bool(user) != bool(password):
        raise ValueError("CYPP_SMTP_USER and CYPP_SMTP_PASSWORD belong together: set both, or neither")
    if user and tls is Tls.NONE and host not in _LOOPBACK:
        raise ValueError("CYPP_SMTP_TLS=none would send the password unencrypted: type starttls or tls")
    sender = address_in(environment.get("CYPP_MAIL_FROM") or "")
    if not sender:
        raise ValueError("CYPP_MAIL_FROM must be one e-mail address, such as returns@example.org")
    return MailSettings(
        host=host,
        port=_number(environment, "CYPP_SMTP_PORT", _PORTS[tls], 1, _MOST_PORT),
        tls=tls,
        sender=sender,
        recipients=Recipients.read(environment.get("CYPP_MAIL_ALLOWED") or ""),
        user=user,
        password=password,
        most_attached=_number(environment, "CYPP_MAIL_ATTACH_MIB", 5, 0, 100) << 20,
    )


def _tls(typed: str) -> Tls:
    try:
        return Tls(typed)
    except ValueError:
        raise ValueError(f"CYPP_SMTP_TLS is {typed!r}: type starttls, tls or none") from None


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    typed = environment.get(name) or str(default)
    if not (typed.isascii() and typed.isdigit() and least <= int(typed) <= most):
        raise ValueError(f"{name} is {typed!r}: type a whole number from {least} to {most}")
    return int(typed)
