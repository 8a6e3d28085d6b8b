"""The requests that the guard in front of Prefect's server accepts, without a server."""

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from flows.prefect_server.origin_guard import OriginGuard, OwnAddressOnly

OURS = "http://127.0.0.1:4200"


def answer(
    host: str | None, origin: str | None, *, at: str = "127.0.0.1", allowed: str = OURS, kind: str = "http"
) -> int | str:
    """The status of the response to a request, or the type of the message to a refused web socket."""
    headers = [(b"host", host.encode())] if host is not None else []
    headers += [(b"origin", origin.encode())] if origin is not None else []
    scope: dict[str, Any] = {"type": kind, "method": "POST", "path": "/api/flows/", "headers": headers}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": f"{kind}.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    guard = OriginGuard(PlainTextResponse("answered"), at, allowed.split(","))
    asyncio.run(guard(scope, receive, send))
    status: int | str = sent[0].get("status", sent[0]["type"])
    return status


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4200", "localhost:4200", "LOCALHOST:8080", "[::1]:4200", "127.0.0.1", None]
)
def test_programs_and_names_of_this_machine_are_answered(host: str | None) -> None:
    assert answer(host, None) == 200


@pytest.mark.parametrize(
    "host", ["evil.example:4200", "evil.example", "localhost.evil.example", "127.0.0.1.evil", "[::1"]
)
def test_other_names_that_point_to_this_machine_are_not(host: str) -> None:
    assert answer(host, None) == 403
    assert answer(host, f"http://{host}") == 403


@pytest.mark.parametrize("origin", [OURS, "http://127.0.0.1:4200", "https://127.0.0.1:4200"])
def test_own_pages_are_answered(origin: str) -> None:
    assert answer("127.0.0.1:4200", origin) == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:4201",
        "http://localhost:4200",
        "http://127.0.0.1:4200.evil.example",
        "http://evil.example",
        "null",
        "file://",
        "http://127.0.0.1",
    ],
)
def test_pages_of_other_origins_are_refused(origin: str) -> None:
    assert answer("127.0.0.1:4200", origin, allowed="https://runs.example") == 403
    # The server turns a web socket's close before its acceptance into status 403.
    assert answer("127.0.0.1:4200", origin, kind="websocket") == "websocket.close"


def test_an_allowed_origin_is_answered_whether_or_not_the_proxy_keeps_the_name() -> None:
    allowed = "https://runs.example/, http://other.example:81"
    assert answer("127.0.0.1:4200", "https://runs.example", allowed=allowed) == 200
    assert answer("runs.example", "https://runs.example", allowed=allowed) == 200
    assert answer("127.0.0.1:4200", "http://other.example:81", allowed=allowed) == 200
    assert answer("127.0.0.1:4200", "http://other.example", allowed=allowed) == 403
    assert answer("evil.example", "http://evil.example", allowed=allowed) == 403
    assert answer("evil.example", "http://evil.example", allowed="*") == 200


def test_a_server_for_other_machines_may_have_any_name_but_only_pages_of_its_own() -> None:
    assert answer("runs.example:4200", None, at="0.0.0.0") == 200  # noqa: S104
    assert answer("runs.example:4200", "http://runs.example:4200", at="0.0.0.0") == 200  # noqa: S104
    assert answer("runs.example:4200", "http://evil.example", at="0.0.0.0") == 403  # noqa: S104


def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(OriginGuard(app, "127.0.0.1", [])({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    ("api_url", "policy"),
    [
        ("", "connect-src 'self'"),
        ("/api", "connect-src 'self'"),
        (
            "https://runs.example/api",
            "connect-src 'self' http://runs.example https://runs.example ws://runs.example wss://runs.example",
        ),
    ],
)
def test_pages_are_told_to_ask_nobody_but_the_server(api_url: str, policy: str) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/runs", "headers": []}
    asyncio.run(OwnAddressOnly(PlainTextResponse("a page"), api_url)(scope, receive, send))
    assert dict(sent[0]["headers"])[b"content-security-policy"].decode() == policy
