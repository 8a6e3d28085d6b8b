"""The settings, read from the environment once and passed on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

# The delays before the retries of a temporary failure, such as a database that restarts.
RETRY_DELAYS_SECONDS = (1.0, 5.0, 20.0)
# A return that was due longer ago than this is no longer chased.
CHASED_FOR = timedelta(days=365)
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders and the database of one installation; `plan` is None for the built-in plan."""

    home: Path
    inbox: Path
    archive: Path
    warehouse_url: str
    plan: Path | None

    @property
    def in_hand(self) -> Path:
        """The folder of the notes about the workbooks being processed."""
        return self.home / ".in-hand"

    @property
    def reports(self) -> Path:
        """The folder of published reports."""
        return self.home / "reports"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `CYPP_HOME`, `CYPP_INBOX`, `CYPP_WAREHOUSE_URL` and `CYPP_PLAN`; an empty one counts as not set."""
    home = Path(environment.get("CYPP_HOME") or CHECKOUT).expanduser().absolute()
    inbox = Path(environment.get("CYPP_INBOX") or home / "inbox").expanduser().absolute()
    plan = environment.get("CYPP_PLAN")
    return Settings(
        home=home,
        inbox=inbox,
        archive=home / "archive",
        warehouse_url=environment.get("CYPP_WAREHOUSE_URL") or f"sqlite:///{home / 'warehouse.db'}",
        plan=Path(plan).expanduser().absolute() if plan else None,
    )


def prepare_prefect(home: Path) -> None:
    """Set what Prefect needs before it is imported; existing environment variables are left alone.

    If no server is running, flows start one for the command. Its SQLite allows one writer, and by
    default each task run and each event is recorded in its own transaction: these lock out the flows' calls for two
    seconds at a time. In batches they do not (docs/decisions/0005).
    """
    defaults = {
        "PREFECT_HOME": str(home / ".prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "50",
        # The command line prints each workbook's outcome; Prefect's own log goes to its server.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
