"""Keeps web pages of other origins from Prefect's server, and its own pages from other hosts (docs/decisions/0020).

The header that allows origins only hides responses. A page can send a POST without a preflight, and open a web socket
to any address; and a name of its own that it points to this machine is its own origin.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from flows.prefect_server.addresses import is_loopback

ANY_ORIGIN = "*"


class OriginGuard:
    """Responds 403 to pages of other origins; programs other than browsers send no `Origin`, and pass."""

    def __init__(self, app: ASGIApp, host: str, allowed_origins: Collection[str]) -> None:
        """Guard an application.

        Args:
            app: the application to guard.
            host: the address where it listens. On loopback, only names of this machine and of allowed origins are
                accepted; elsewhere any name is accepted, and a password protects it.
            allowed_origins: such as `https://runs.example`, besides its own; `*` allows every origin.
        """
        self._app = app
        self._has_any_name = not is_loopback(host)
        self._allowed = frozenset(origin.strip().rstrip("/").lower() for origin in allowed_origins)
        self._allowed_places = frozenset(place for origin in self._allowed if (place := urlsplit(origin).netloc))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or self._passes(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Before the web socket is accepted, this sends the browser status 403.
            await WebSocketClose()(scope, receive, send)
        else:
            refusal = "This server answers pages of its own address only: see PREFECT_SERVER_CORS_ALLOWED_ORIGINS\n"
            await PlainTextResponse(refusal, 403)(scope, receive, send)

    def _passes(self, request: HTTPConnection) -> bool:
        if ANY_ORIGIN in self._allowed:
            return True
        place, origin = request.headers.get("host", "").lower(), request.headers.get("origin", "").lower()
        return self._is_name_of_ours(place) and (
            not origin or origin in self._allowed or origin in (f"http://{place}", f"https://{place}")
        )

    def _is_name_of_ours(self, place: str) -> bool:
        if self._has_any_name or not place or place in self._allowed_places:
            return True
        try:
            return is_loopback(urlsplit(f"//{place}").hostname or "")
        except ValueError:
            return False


class OwnAddressOnly:
    """Tells browsers that the server's pages may ask nobody but the server: some would ask for settings elsewhere."""

    def __init__(self, app: ASGIApp, api_url: str) -> None:
        """Tell the browsers of an application's pages.

        Args:
            app: whose pages.
            api_url: where the pages find the server: a path, or an address that may be another than their own.
        """
        self._app = app
        place = urlsplit(api_url).netloc
        schemes = ("http", "https", "ws", "wss") if place else ()
        self._policy = " ".join(["connect-src 'self'", *(f"{scheme}://{place}" for scheme in schemes)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and say in the answer whom its page may ask."""

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["content-security-policy"] = self._policy
            await send(message)

        await self._app(scope, receive, send_with_policy)
