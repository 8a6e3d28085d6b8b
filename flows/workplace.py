"""The steps of an ingestion as plain functions, and the place where they happen; flows only call them in turn."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.archive import READ_BYTES, Kept, keep
from flows.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cypp_etl.findings import Finding
    from cypp_etl.periods import Period
    from cypp_etl.plan_model import Plan
    from cypp_etl.submission import CheckedReturn, History
    from warehouse.load import Recorded


@dataclass(frozen=True)
class Workplace:
    """What the steps depend on: the settings, the plan as it is now, and the warehouse."""

    settings: Settings
    plan: "Plan"
    engine: "Engine"

    def keep(self, path: Path, *, follow_links: bool = False) -> Kept:
        """Keep a workbook's bytes before anything else happens to them."""
        return keep(path, self.settings.archive, follow_links=follow_links)

    def check(self, file: str, kept: Kept, folder_partner: str, received_at: datetime) -> "CheckedReturn":
        """Read and check the bytes that were kept, beside what the warehouse knows, in a process that may be killed."""
        from cypp_etl.confined import shared_checker
        from cypp_etl.opening import Received
        from warehouse.engine import reading
        from warehouse.history import read_history

        received = Received(file, read(kept), folder_partner)
        with ExitStack() as open_meanwhile:

            def past(partner_codes: "frozenset[str]", periods: "frozenset[Period] | None") -> "History":
                connection = open_meanwhile.enter_context(reading(self.engine))
                return read_history(connection, partner_codes, periods)

            return shared_checker().check(self.plan, received, received_at.date(), past)

    def set_aside(self, file: str, kept: Kept, folder_partner: str) -> "CheckedReturn":
        """Set aside the bytes that were kept, without opening them."""
        from cypp_etl.confined import SET_ASIDE, refused
        from cypp_etl.opening import Received

        return replace(refused(Received(file, b"", folder_partner), SET_ASIDE), sha256=kept.sha256)

    def load(self, checked: "CheckedReturn", received_at: datetime, delivery: str | None = None) -> "Recorded":
        """Record the submission, and what follows from it, in one transaction."""
        from warehouse.load import record

        return record(self.engine, checked, self.plan, received_at, datetime.now(UTC), delivery=delivery)

    def findings_of(self, submission_id: int) -> "tuple[Finding, ...]":
        """The findings that a submission was recorded with."""
        from warehouse.engine import reading
        from warehouse.read import outcomes

        with reading(self.engine) as connection:
            return tuple(outcomes(connection, [submission_id])[submission_id].findings)


def read(kept: Kept) -> bytes:
    """The bytes that were kept, or so many of them that they are refused for their size."""
    with kept.path.open("rb") as copy:
        # Python sets aside as much as it is told to read.
        return copy.read(min(READ_BYTES, os.fstat(copy.fileno()).st_size))


def open_workplace(settings: Settings) -> Workplace:
    """Read the plan and open the warehouse, which is brought up to date if need be.

    Raises:
        cypp_etl.plan_reader.PlanError: the plan has faults.
        warehouse.revisions.WarehouseTooNewError: a newer version of the program has been here.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    from cypp_etl.plan_reader import read_plan
    from warehouse.engine import open_warehouse, writing
    from warehouse.plans import record_plan
    from warehouse.revisions import upgrade

    plan = read_plan(settings.plan)
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = open_warehouse(settings.warehouse_url)
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, datetime.now(UTC))
    return Workplace(settings, plan, engine)
