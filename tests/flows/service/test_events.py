"""What is not taken is seen: `cypp serve` sends events to a real server, and the documented Automations act on them."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from cypp_etl.periods import parse_period
from tests.flows.service.test_serve import Served, served, server_of  # noqa: F401 - the fixture
from tests.support.mail_server import MailServer, running
from tests.support.samples import sample_of

ROOT = Path(__file__).parents[3]
AUTOMATIONS = ROOT / "docs" / "automations"


@pytest.fixture
def chat() -> Iterator[tuple[str, list[str]]]:
    """Where messages go: an address, and the texts that came."""
    texts: list[str] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Chat) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", texts
        server.shutdown()
        thread.join()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with running(MailServer()) as server:
        yield server


def events(api: str, prefix: str) -> list[dict[str, Any]]:
    asked = {"filter": {"event": {"prefix": [prefix]}, "order": "ASC"}, "limit": 50}
    return httpx.post(f"{api}/events/filter", json=asked, timeout=10).json()["events"]  # type: ignore[no-any-return]


def logged_errors(api: str) -> list[str]:
    """The findings that runs logged as errors."""
    asked = {"logs": {"level": {"ge_": logging.ERROR}}, "sort": "TIMESTAMP_ASC"}
    logs = httpx.post(f"{api}/logs/filter", json=asked, timeout=10).json()
    return [log["message"] for log in logs if not log["message"].startswith("Finished")]


def automate(api: str, home: Path, hook: str) -> None:
    """Set up the documented Automations, as docs/operate.md says."""
    environment = {**os.environ, "PREFECT_API_URL": api, "PREFECT_HOME": str(home / "chat")}
    block = (
        "from prefect.blocks.notifications import CustomWebhookNotificationBlock as Hook;"
        f"print(Hook(name='chat', url={hook!r}, method='POST', json_data={{'text': '{{{{subject}}}}\\n{{{{body}}}}'}})"
        ".save('chat', overwrite=True))"
    )
    command = [sys.executable, "-c", block]
    saved = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()[-1]
    for name in ("rejected-to-chat.yaml", "inbox-to-chat.yaml", "held-to-chat.yaml"):
        own = home / name
        own.write_text((AUTOMATIONS / name).read_text("utf-8").replace("CHAT", saved), "utf-8")
        prefect = [sys.executable, "-m", "prefect", "automation", "create", "--from-file", str(own)]
        subprocess.run(prefect, env=environment, check=True, capture_output=True)


def with_cells(path: Path, cells: dict[str, object]) -> dict[str, object]:
    """Save a return with other figures, and give those that it had."""
    book = openpyxl.load_workbook(path)
    had: dict[str, object] = {}
    for cell, value in cells.items():
        had[cell], book["Indicators"][cell] = book["Indicators"][cell].value, value
    book.save(path)
    return had


def write_again(path: Path, partner_code: str) -> None:
    """Write a sample return that somebody else prepared."""
    path.write_bytes(sample_of(partner_code, parse_period("2010-11Q1")))
    book = openpyxl.load_workbook(path)
    (cell,) = (row[1] for row in book["Return"].iter_rows() if row[0].value == "Prepared by")
    cell.value = "B. Officer"
    book.save(path)


def message_with(text: str, texts: list[str]) -> Callable[[], bool]:
    return lambda: any(text in one for one in texts)


@pytest.mark.server
@pytest.mark.trial
def test_what_is_not_taken_and_what_is_rejected_reach_the_chat(
    served: Served,  # noqa: F811
    chat: tuple[str, list[str]],
    mail: MailServer,
) -> None:
    hook, texts = chat
    process = served.start(
        CYPP_SMTP_HOST="127.0.0.1",
        CYPP_SMTP_PORT=str(mail.port),
        CYPP_SMTP_TLS="none",
        CYPP_MAIL_FROM="returns@board.example",
        CYPP_MAIL_ALLOWED="nhs:example.org",
    )
    api, inbox = f"http://127.0.0.1:{served.port}/api", served.home / "inbox"
    automate(api, served.home, hook)

    (inbox / "yos" / "elsewhere.xlsx").symlink_to("/etc/hostname")
    served.wait_until(lambda: bool(events(api, "cypp.inbox.skipped")))
    (skipped,) = events(api, "cypp.inbox.skipped")
    file = str(inbox / "yos" / "elsewhere.xlsx")
    assert skipped["payload"] == {"partner": "yos", "period": "", "file": file, "reason": "it is a link"}
    assert (skipped["resource"]["cypp.partner"], skipped["resource"]["cypp.file"]) == ("yos", file)
    served.wait_until(message_with("it is a link", texts))

    path = served.home / "ours.xlsx"
    path.write_bytes(sample_of("yos", parse_period("2010-11Q1")))
    good = with_cells(path, {"I2": "<1", "I3": "about 7%"})
    shutil.move(path, inbox / "yos")
    served.wait_until(message_with("Rejected: yos/ours.xlsx", texts))
    (rejected,) = (text for text in texts if "Rejected" in text)
    assert "yos, 2010/11 Q1, errors: 2" in rejected
    assert "The first: Indicators!I2: " in rejected
    assert f"http://127.0.0.1:{served.port}/runs/flow-run/" in rejected
    # Nobody who drops a file decides whom we write to.
    served.wait_until(message_with("CYPP_MAIL_ALLOWED has neither example.org", texts))
    (inbox / "nhs" / "ours.xlsx").write_bytes(sample_of("nhs", parse_period("2010-11Q1")))
    served.wait_until(lambda: bool(mail.messages))
    assert [recipients for _, recipients in mail.envelopes] == [["nhs@example.org"]]

    # The same figures once more, from another officer, look like last quarter's workbook.
    write_again(served.home / "again.xlsx", "nhs")
    shutil.move(served.home / "again.xlsx", inbox / "nhs")
    served.wait_until(message_with("Held: nhs/again.xlsx", texts))
    assert message_with("nhs 2010-11Q1\nSubmission 3: All its figures are those in force for 2010/11 Q1", texts)()

    # An error is an error in the log too.
    served.wait_until(lambda: bool(logged_errors(api)))
    assert logged_errors(api)[0].startswith("ERROR, Indicators!I2: ")

    # The receipt is mended where it lies, and that is the next return.
    with_cells(inbox / "yos" / "replies" / "ours - rejected.xlsx", good)
    served.wait_until((inbox / "yos" / "replies" / "ours - accepted.xlsx").exists)
    served.wait_until(lambda: not (inbox / "yos" / "ours.xlsx").exists())
    assert sorted(served.submissions()) == [
        ("nhs", "accepted"),
        ("nhs", "held"),
        ("yos", "accepted"),
        ("yos", "rejected"),
    ]

    # A kill forgets what was said; what is skipped still is not said twice.
    process.kill()
    process.wait()
    process = served.start()
    inbox.rename(served.home / "away")
    served.wait_until(lambda: bool(events(api, "cypp.inbox.out-of-reach")))
    (away,) = events(api, "cypp.inbox.out-of-reach")
    assert away["payload"]["reason"] == "there is no such folder"
    (served.home / "away").rename(inbox)
    served.wait_until(lambda: bool(events(api, "cypp.inbox.within-reach")))
    assert len(events(api, "cypp.inbox.skipped")) == 1
    served.wait_until(message_with("there is no such folder", texts))

    os.kill(server_of(process), signal.SIGKILL)
    served.wait_until(message_with("cypp.server.restarted", texts))
