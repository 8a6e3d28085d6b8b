"""The proxy of deploy/nginx.conf, in front of a real server: named users see the UI by TLS, and nobody else does."""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from flows.prefect_server.addresses import free_port
from flows.prefect_server.server import PrefectServer
from tests.flows.test_other_origins import _LISTEN, _READ, elsewhere  # noqa: F401 - the fixture
from tests.support.certificates import write_certificate
from tests.test_pages import CHROMIUM

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
# "a long password", by `openssl passwd -6`.
USERS = "ann:$6$CvP1xkQz$UbiK0TfySlf4Cv404LhhKH1bzYfXCLDJogAhhe09LlgCd8YWtFQXAni8HtYBlJi01Xxu9c7SYXyRTdR8N/Bv60\n"
ANN = ("ann", "a long password")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def write_settings(folder: Path, server_port: int, port: int) -> Path:
    """The documented settings, with this machine's ports and files, in a whole configuration."""
    certificate = write_certificate(folder / "runs.pem")
    (folder / "runs.htpasswd").write_text(USERS, "utf-8")
    runs = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    for documented, here in (
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("127.0.0.1:4200", f"127.0.0.1:{server_port}"),
        ("/etc/ssl/certs/runs.example.org.pem", str(certificate)),
        ("/etc/ssl/private/runs.example.org.key", str(certificate)),
        ("/etc/nginx/runs.htpasswd;", f"{folder}/runs.htpasswd;"),
        ("/var/log/nginx/runs.log", f"{folder}/runs.log"),
    ):
        assert documented in runs
        runs = runs.replace(documented, here)
    (folder / "runs.conf").write_text(runs, "utf-8")
    kept = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(
        f"user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ {kept} include {folder}/runs.conf; }}\n",
        "utf-8",
    )
    return whole


def test_nginx_takes_the_settings(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, 4200, free_port())
    checked = subprocess.run([str(NGINX), "-t", "-c", settings], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a proxy, with a Prefect server behind it as docs/deploy.md sets it up."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    monkeypatch.setenv("PREFECT_SERVER_UI_V2_ENABLED", "false")
    for name in ("PREFECT_API_URL", "PREFECT_UI_API_URL"):
        # Set and deleted, so that it is restored, whatever the server sets.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    port = free_port()
    address = f"https://localhost:{port}"
    monkeypatch.setenv("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", address)
    monkeypatch.setenv("CYPP_USER_HEADER", "X-Forwarded-User")
    server = PrefectServer("127.0.0.1", free_port())
    server.prepare()
    server.start()
    try:
        with running_nginx(write_settings(tmp_path, server.port, port), address):
            yield address
    finally:
        server.stop()


@contextmanager
def running_nginx(settings: Path, address: str) -> Iterator[None]:
    """A proxy that answers at its address."""
    nginx = subprocess.Popen([str(NGINX), "-c", settings])
    try:
        give_up = time.monotonic() + 10
        while True:
            try:
                httpx.get(address, verify=False)  # noqa: S501 - its certificate is its own
                break
            except httpx.ConnectError:
                assert time.monotonic() < give_up
                time.sleep(0.05)
        yield
    finally:
        nginx.terminate()
        nginx.wait()


def test_the_proxy_alone_says_who_asks(tmp_path: Path) -> None:
    names: list[str | None] = []

    class Behind(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            names.append(self.headers["X-Forwarded-User"])
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

    behind, port = HTTPServer(("127.0.0.1", 0), Behind), free_port()
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    address = f"https://localhost:{port}"
    with running_nginx(write_settings(tmp_path, behind.server_port, port), address):
        forged = {"X-Forwarded-User": "bob"}
        assert httpx.get(address, verify=False, headers=forged).status_code == HTTPStatus.UNAUTHORIZED  # noqa: S501
        assert httpx.get(address, verify=False, headers=forged, auth=ANN).status_code == HTTPStatus.NO_CONTENT  # noqa: S501
    behind.shutdown()
    behind.server_close()
    assert names == ["ann"]
    assert "CYPP_USER_HEADER=X-Forwarded-User cypp serve" in (ROOT / "docs" / "deploy.md").read_text("utf-8")


def page_of(user: tuple[str, str], visit: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        name, password = user
        context = browser.new_context(
            ignore_https_errors=True, http_credentials={"username": name, "password": password}
        )
        page = context.new_page()
        page.goto(visit)
        yield page
        browser.close()


@pytest.mark.server
@pytest.mark.trial
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_named_users_see_runs_and_events_and_nobody_else_does(
    proxy: str,
    elsewhere: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    asked = {"url": f"{proxy}/api/flows/filter", "json": {}}
    with httpx.Client(verify=False) as client:  # noqa: S501
        assert client.post(**asked).status_code == 401  # type: ignore[arg-type]
        assert client.post(**asked, auth=("ann", "another")).status_code == 401  # type: ignore[arg-type]
        assert client.post(**asked, auth=ANN).status_code == 200  # type: ignore[arg-type]
        # The proxy knows the user; the page that asks is another's all the same.
        forged = client.post(**asked, auth=ANN, headers={"Origin": elsewhere})  # type: ignore[arg-type]
        assert forged.status_code == 403
        # Who starts a run is on record, whatever name the browser sends.
        named = {"auth": ANN, "headers": {"X-Forwarded-User": "somebody else"}}
        flow = client.post(f"{proxy}/api/flows/", json={"name": "close-period"}, auth=ANN).json()
        run = client.post(f"{proxy}/api/flow_runs/", json={"flow_id": flow["id"]}, **named).json()  # type: ignore[arg-type]
        assert run["created_by"]["display_value"] == "ann"
    for page in page_of(ANN, f"{proxy}/runs"):
        page.get_by_text("Runs", exact=True).first.wait_for(timeout=30_000)
        assert page.evaluate(_READ, proxy) == 200
        assert page.evaluate(_LISTEN, f"{proxy}/api/events/out") == "auth_success"
        page.goto(elsewhere)
        assert page.evaluate(_READ, proxy) == "refused"
    users = {line.partition(" ")[0] for line in (tmp_path / "runs.log").read_text("utf-8").splitlines()}
    assert re.findall(r"/api/\w+", (tmp_path / "runs.log").read_text("utf-8"))
    assert users == {"-", "ann"}
