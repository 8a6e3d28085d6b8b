"""The process in which Prefect's server runs: `python -m flows.prefect_server.child HOST PORT`.

It ends with its parent: no server is left behind that holds the port and the database.
"""

import os
import signal
import sys

from cypp_etl.gc_control import imported_for_good
from flows.prefect_server.parent_pipe import when_parent_ends

FOR_A_COMMAND = "--for-a-command"
"""The argument that leaves out the UI and the background services."""


def _run(host: str, port: int, is_for_command: bool) -> None:
    when_parent_ends(_end)
    with imported_for_good():
        # What the child is for; its parent, which starts it, has no use for it.
        import uvicorn  # noqa: PLC0415
        from prefect.server.api.server import create_app  # noqa: PLC0415
        from prefect.settings import PREFECT_SERVER_CORS_ALLOWED_ORIGINS  # noqa: PLC0415

        from flows.prefect_server.origin_guard import OriginGuard, OwnAddressOnly  # noqa: PLC0415
        from flows.prefect_server.signed_in import USER_HEADER, SignedIn  # noqa: PLC0415

    allowed_origins = str(PREFECT_SERVER_CORS_ALLOWED_ORIGINS.value()).split(",")
    pages = OwnAddressOnly(create_app(ephemeral=is_for_command, final=True), os.environ.get("PREFECT_UI_API_URL", ""))
    server = OriginGuard(SignedIn(pages, os.environ.get(USER_HEADER, "")), host, allowed_origins)
    uvicorn.run(server, host=host, port=port, log_level="error", timeout_graceful_shutdown=3)


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    _run(sys.argv[1], int(sys.argv[2]), FOR_A_COMMAND in sys.argv[3:])
