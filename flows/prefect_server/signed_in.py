"""Tells Prefect's server who is signed in at the proxy in front of it, so that a decision says who made it.

Prefect's server knows one password and no persons. Of a run it keeps who created it only for its Automations, which say
so in two headers. The same headers are set here for a person, from the one that the proxy sends, and never taken from
outside: a browser or a program could otherwise call itself anybody.
"""

from base64 import b64encode
from uuid import UUID, uuid5

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

USER_HEADER = "CYPP_USER_HEADER"
"""The variable that names the header in which the proxy says who is signed in, such as `X-Forwarded-User`."""

_PERSONS = UUID("8d2c2f0e-4a55-4c3c-9d6b-5f2e9a7c1b40")
_CREATOR_ID, _CREATOR_NAME = "prefect-automation-id", "prefect-automation-name"


def is_signed_in(number: UUID | None, name: str) -> bool:
    """Whether the creator of a run, as Prefect has it, is a person who was signed in at a proxy."""
    return number == uuid5(_PERSONS, name)


class SignedIn:
    """Passes each request on, with who is signed in as the creator of what it creates."""

    def __init__(self, app: ASGIApp, header: str) -> None:
        """Tell an application by a header of the proxy's; without one, no request has a creator."""
        self._app = app
        self._header = header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            headers = MutableHeaders(scope=scope)
            # Headers are bytes, and proxies send names in UTF-8.
            given = headers.get(self._header, "") if self._header else ""
            name = given.encode("latin-1").decode("utf-8", "replace").strip()
            for header in (_CREATOR_ID, _CREATOR_NAME):
                del headers[header]
            if name:
                headers[_CREATOR_ID] = str(uuid5(_PERSONS, name))
                headers[_CREATOR_NAME] = b64encode(name.encode()).decode()
        await self._app(scope, receive, send)
