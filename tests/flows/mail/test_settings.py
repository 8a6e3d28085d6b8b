"""Receipts by e-mail are off unless a server is named; what is named wrongly is said in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.mail.settings import MailSettings, Tls, read_mail_settings

FEWEST = {
    "CYPP_SMTP_HOST": "smtp.example.org",
    "CYPP_MAIL_FROM": "returns@example.org",
    "CYPP_MAIL_ALLOWED": "example.org",
}


def read(**others: str) -> MailSettings:
    settings = read_mail_settings(FEWEST | others)
    assert settings is not None
    return settings


@pytest.mark.parametrize("environment", [{}, {"CYPP_SMTP_HOST": ""}, {"CYPP_MAIL_FROM": "returns@example.org"}])
def test_without_a_server_nothing_is_sent(environment: dict[str, str]) -> None:
    assert read_mail_settings(environment) is None


@pytest.mark.parametrize(("typed", "tls", "port"), [("", "starttls", 587), ("tls", "tls", 465), ("none", "none", 25)])
def test_each_way_of_encryption_has_its_port(typed: str, tls: str, port: int) -> None:
    settings = read(CYPP_SMTP_TLS=typed)
    assert (settings.tls, settings.port, settings.most_attached) == (Tls(tls), port, 5 << 20)
    assert read(CYPP_SMTP_TLS=typed, CYPP_SMTP_PORT="2525", CYPP_MAIL_ATTACH_MIB="0").port == 2525


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"CYPP_MAIL_FROM": ""}, "CYPP_MAIL_FROM must be one e-mail address"),
        ({"CYPP_MAIL_FROM": "a@example.org\nBcc: b@example.org"}, "CYPP_MAIL_FROM must be one e-mail address"),
        ({"CYPP_MAIL_ALLOWED": ""}, "CYPP_MAIL_ALLOWED must name the domains"),
        ({"CYPP_SMTP_TLS": "ssl"}, "CYPP_SMTP_TLS is 'ssl': type starttls, tls or none"),
        ({"CYPP_SMTP_PORT": "smtp"}, "CYPP_SMTP_PORT is 'smtp': type a whole number from 1 to 65535"),
        ({"CYPP_SMTP_PORT": "65536"}, "CYPP_SMTP_PORT is '65536'"),
        ({"CYPP_MAIL_ATTACH_MIB": "-1"}, "CYPP_MAIL_ATTACH_MIB is '-1': type a whole number from 0 to 100"),
        ({"CYPP_SMTP_USER": "cypp"}, "belong together"),
        ({"CYPP_SMTP_PASSWORD": "secret"}, "belong together"),
        ({"CYPP_SMTP_USER": "cypp", "CYPP_SMTP_PASSWORD": "secret", "CYPP_SMTP_TLS": "none"}, "unencrypted"),
    ],
)
def test_a_wrong_setting_is_named(others: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said) as fault:
        read(**others)
    assert "secret" not in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_wrong_setting_starts_no_service(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from flows.cli.app import app; app()", "serve"]
    environment = os.environ | FEWEST | {"CYPP_HOME": str(tmp_path / "home"), "CYPP_MAIL_ALLOWED": "*"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1)
    assert ended.stderr.startswith("cypp: CYPP_MAIL_ALLOWED has '*': type a domain or an address")
    assert not (tmp_path / "home").exists()


def test_the_password_is_in_no_log() -> None:
    assert "secret" not in repr(read(**{"CYPP_SMTP_USER": "cypp", "CYPP_SMTP_PASSWORD": "secret"}))
