"""The settings, read from the environment once and passed on."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

# The delays before the retries of a temporary failure, such as a database that restarts.
RETRY_DELAYS_SECONDS = (1.0, 5.0, 20.0)
# A return that was due longer ago than this is counted, and not chased by itself.
CHASED_FOR = timedelta(days=365)
# How long Prefect shows a run after its end: so long that last quarter's are there when this quarter's come in.
RUNS_KEPT_FOR = timedelta(days=100)
EVENTS_KEPT_FOR = timedelta(days=30)
# The checkout, or site-packages where the project was installed from a wheel.
_ROOT = Path(__file__).resolve().parent.parent
_PROJECT = "cypp-etl"


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders and the database of one installation.

    `plan` is a folder of CSV files or a workbook, None for the built-in plan. `contact` says to partners whom to ask:
    an e-mail address, a telephone number or both.
    """

    home: Path
    inbox: Path
    archive: Path
    warehouse_url: str
    plan: Path | None
    contact: str = ""

    @property
    def in_hand(self) -> Path:
        """The folder of the notes about the workbooks being processed."""
        return self.home / ".in-hand"

    @property
    def receipts(self) -> Path:
        """Where it is noted which receipts were written."""
        return self.home / ".receipts"

    @property
    def forms(self) -> Path:
        """Where it is noted which forms were put into the partners' folders."""
        return self.home / ".forms"

    @property
    def outbox(self) -> Path:
        """Where receipts wait to be sent by e-mail, if they are."""
        return self.home / ".outbox"

    @property
    def reports(self) -> Path:
        """The folder of published reports."""
        return self.home / "reports"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `CYPP_HOME`, `CYPP_INBOX`, `CYPP_WAREHOUSE_URL`, `CYPP_PLAN` and `CYPP_CONTACT`; an empty one is not set.

    Home is the checkout by default, and the current folder where the program was installed without one.
    """
    home = Path(environment.get("CYPP_HOME") or default_home(_ROOT)).expanduser().absolute()
    inbox = Path(environment.get("CYPP_INBOX") or home / "inbox").expanduser().absolute()
    plan = environment.get("CYPP_PLAN")
    return Settings(
        home=home,
        inbox=inbox,
        archive=home / "archive",
        warehouse_url=environment.get("CYPP_WAREHOUSE_URL") or f"sqlite:///{home / 'warehouse.db'}",
        plan=Path(plan).expanduser().absolute() if plan else None,
        contact=" ".join((environment.get("CYPP_CONTACT") or "").split()),
    )


def default_home(root: Path) -> Path:
    """The folder that holds the packages, if it is a checkout of this project; otherwise the current folder."""
    try:
        with (root / "pyproject.toml").open("rb") as stream:
            is_checkout = tomllib.load(stream).get("project", {}).get("name") == _PROJECT
    except (FileNotFoundError, tomllib.TOMLDecodeError):
        is_checkout = False
    return root if is_checkout else Path.cwd()


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
        # Prefect copies its pages before it shows them, by default into the installation, which is another user's.
        "PREFECT_UI_STATIC_DIRECTORY": str(home / ".prefect" / "pages"),
        # The pages of its second version ask a host of others for settings, whatever the lines above say.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": f"{RUNS_KEPT_FOR.total_seconds():.0f}",
        # Seconds for runs, and an ISO 8601 duration for events: so Prefect reads them.
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{EVENTS_KEPT_FOR.days}D",
        # The command line prints each workbook's outcome; Prefect's own log goes to its server.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
