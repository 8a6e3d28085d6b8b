"""Pages of other origins, opened in a browser of the data team, can neither read nor change runs."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from flows.prefect_server.addresses import free_port
from flows.prefect_server.server import PrefectServer
from tests.test_pages import CHROMIUM

# A name that its owner points to this machine.
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP rebound.example 127.0.0.1"]
_READ = """async url => {
    try { return (await fetch(url + '/api/flows/filter', {method: 'POST', headers: {'Content-Type': 'application/json'},
        body: '{}'})).status } catch (fault) { return 'refused' }
}"""
# Such requests are sent without a preflight.
_CHANGE = """async ([url, type]) => {
    try { await fetch(url + '/api/flows/', {method: 'POST', mode: 'no-cors', headers: {'Content-Type': type},
        body: '{"name": "forged"}'}) } catch (fault) { return 'refused' }
    return 'sent'
}"""
# Without a type the server treats it as JSON.
_CHANGE_WITHOUT_TYPE = """async url => {
    try { await fetch(url + '/api/flows/', {method: 'POST', mode: 'no-cors', body: new Blob(['{"name": "forged"}'])}) }
    catch (fault) { return 'refused' }
    return 'sent'
}"""
# Browsers do not restrict the origins of web sockets: only the server can refuse them.
_LISTEN = """url => new Promise(answered => {
    const socket = new WebSocket(url.replace('http', 'ws'), 'prefect')
    socket.onopen = () => socket.send(JSON.stringify({type: 'auth', token: null}))
    socket.onmessage = message => answered(JSON.parse(message.data).type)
    socket.onclose = () => answered('refused')
})"""
_SOCKETS = ("/api/logs/out", "/api/events/out", "/api/events/in")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        for name in ("PREFECT_API_URL", "PREFECT_UI_API_URL", "PREFECT_SERVER_CORS_ALLOWED_ORIGINS"):
            # Set and deleted, so that it is restored, whatever the server sets.
            patch.setenv(name, "")
            patch.delenv(name)
        started = PrefectServer("127.0.0.1", free_port())
        started.prepare()
        started.start()
        yield started
        started.stop()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser.new_page()
        browser.close()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A page of another origin: the same machine, another port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def flows_of(server: PrefectServer) -> list[str]:
    return [flow["name"] for flow in httpx.post(f"{server.address}/api/flows/filter", json={}).json()]


@pytest.mark.server
@pytest.mark.trial
def test_pages_of_other_origins_can_neither_read_nor_change(server: PrefectServer, page: Page, elsewhere: str) -> None:
    page.goto(elsewhere)
    assert page.evaluate(_READ, server.address) == "refused"
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        page.evaluate(_CHANGE, [server.address, kind])
    page.evaluate(_CHANGE_WITHOUT_TYPE, server.address)
    assert flows_of(server) == []
    assert {page.evaluate(_LISTEN, server.address + path) for path in _SOCKETS} == {"refused"}


@pytest.mark.server
@pytest.mark.trial
def test_a_name_of_others_that_points_here_can_neither(server: PrefectServer, page: Page) -> None:
    rebound = f"http://rebound.example:{server.port}"
    answer = page.goto(f"{rebound}/runs")
    assert answer is not None
    assert answer.status == 403
    assert page.evaluate(_READ, rebound) == 403
    page.evaluate(_CHANGE, [rebound, "application/json"])
    assert flows_of(server) == []
    assert page.evaluate(_LISTEN, f"{rebound}/api/logs/out") == "refused"


@pytest.mark.server
@pytest.mark.trial
def test_the_servers_own_pages_can(server: PrefectServer, page: Page) -> None:
    page.goto(f"{server.address}/runs")
    page.get_by_text("Run a task or flow to get started").wait_for()
    assert page.evaluate(_READ, server.address) == 200
    assert {page.evaluate(_LISTEN, server.address + path) for path in _SOCKETS} == {"auth_success"}
