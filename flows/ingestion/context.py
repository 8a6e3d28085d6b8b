"""Dependencies of an ingestion (settings, plan, warehouse) and its steps as plain functions, without Prefect."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.ingestion.archive import READ_BYTES, Kept, keep
from flows.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from cypp_etl.checked_return import CheckedReturn, History
    from cypp_etl.findings import Finding
    from cypp_etl.periods import Period
    from cypp_etl.plan.model import Plan
    from warehouse.recording.plan import RecordedPlan
    from warehouse.recording.record import Recorded


@dataclass(frozen=True)
class Workplace:
    """What the steps depend on: the settings, the plan in force, and the warehouse."""

    settings: Settings
    plan: "Plan"
    engine: "Engine"

    @property
    def notice(self) -> str:
        """A message if CYPP_PLAN names a different plan from the one in force, which is used; otherwise empty."""
        from cypp_etl.plan.reader import has_fingerprint

        if self.settings.plan is None or has_fingerprint(self.settings.plan, self.plan.fingerprint):
            return ""
        return (
            f"CYPP_PLAN names {self.settings.plan}, but another plan is in force and is used: "
            "to change it, run cypp upgrade"
        )

    def keep(self, path: Path, *, follow_links: bool = False) -> Kept:
        """Archive a workbook's bytes before anything else happens to them."""
        return keep(path, self.settings.archive, follow_links=follow_links)

    def check(self, file: str, kept: Kept, folder_partner: str, received_at: datetime) -> "CheckedReturn":
        """Read and check the archived bytes, with what the warehouse knows, in a process that can be killed."""
        from cypp_etl.checking.confined import shared_checker
        from cypp_etl.checking.opening import Received
        from warehouse.engine import reading
        from warehouse.queries.history import read_history

        received = Received(file, read(kept), folder_partner, kept.size)
        with ExitStack() as open_meanwhile:

            def past(partner_codes: "frozenset[str]", periods: "frozenset[Period] | None") -> "History":
                connection = open_meanwhile.enter_context(reading(self.engine))
                return read_history(connection, partner_codes, periods)

            return shared_checker().check(self.plan, received, received_at.date(), past)

    def set_aside(self, file: str, kept: Kept, folder_partner: str) -> "CheckedReturn":
        """Set the archived bytes aside, without opening them."""
        from cypp_etl.checking.confined import SET_ASIDE, refused
        from cypp_etl.checking.opening import Received

        return replace(refused(Received(file, b"", folder_partner), SET_ASIDE), sha256=kept.sha256)

    def load(self, checked: "CheckedReturn", received_at: datetime, delivery: str | None = None) -> "Recorded":
        """Record the submission, and what follows from it, in one transaction."""
        from warehouse.recording.record import record

        return record(self.engine, checked, self.plan, received_at, datetime.now(UTC), delivery=delivery)

    def findings_of(self, submission_id: int) -> "tuple[Finding, ...]":
        """The findings that a submission was recorded with."""
        from warehouse.engine import reading
        from warehouse.queries.views import outcomes

        with reading(self.engine) as connection:
            return tuple(outcomes(connection, [submission_id])[submission_id].findings)


def read(kept: Kept) -> bytes:
    """The archived bytes, or enough of them to be refused for their size."""
    with kept.path.open("rb") as copy:
        # Python allocates as much as it is asked to read.
        return copy.read(min(READ_BYTES, os.fstat(copy.fileno()).st_size))


def open_to_read(settings: Settings) -> Workplace:
    """Open the warehouse read-only, with the plan in force: writes nothing, and does not wait for writers.

    Raises:
        warehouse.upgrade.WarehouseStateError: it is missing, or older or newer than the program.
        warehouse.recording.plan.NoStoredPlanError: its plan cannot be read from it.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    from warehouse.engine import open_for_reading, place_of
    from warehouse.upgrade import NoWarehouseError

    try:
        engine = open_for_reading(settings.warehouse_url)
    except FileNotFoundError as fault:
        place = place_of(settings.warehouse_url)
        raise NoWarehouseError(f"{place}: there is no warehouse yet: run cypp upgrade, or ingest a return") from fault
    try:
        return Workplace(settings, _plan_in_force(engine), engine)
    except BaseException:
        engine.dispose()
        raise


def open_existing(settings: Settings) -> Workplace:
    """Open the warehouse to write to it later, with the plan in force; opening writes and creates nothing.

    Raises:
        as `open_to_read`.
    """
    from warehouse.engine import open_warehouse

    seen = open_to_read(settings)
    seen.engine.dispose()
    return Workplace(settings, seen.plan, open_warehouse(settings.warehouse_url))


def open_to_write(settings: Settings) -> Workplace:
    """Open the warehouse to write to it; create it, with the plan of the settings, or upgrade it if necessary.

    The plan in force stays in force, whatever the settings say: only `upgrade_workplace` puts another in force.

    Raises:
        cypp_etl.plan.reader.PlanError: the plan of a new warehouse has faults.
        warehouse.upgrade.WarehouseTooNewError: a newer version of the program has upgraded the warehouse.
        warehouse.recording.plan.NoStoredPlanError: the plan in force is not that of the settings, and its files are
            not in the warehouse.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    from warehouse.recording.plan import NoStoredPlanError, begin_plan
    from warehouse.upgrade import NoWarehouseError, WarehouseTooOldError

    try:
        return open_existing(settings)
    except (NoWarehouseError, WarehouseTooOldError, NoStoredPlanError):
        return _upgraded(settings, begin_plan)


def upgrade_workplace(settings: Settings) -> tuple[Workplace, "RecordedPlan"]:
    """Create or upgrade the warehouse, and put the plan of the settings in force.

    Raises:
        cypp_etl.plan.reader.PlanError: the plan has faults.
        warehouse.upgrade.WarehouseTooNewError: a newer version of the program has upgraded the warehouse.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    recorded: list[RecordedPlan] = []

    def adopt(connection: "Connection", plan: "Plan", at: datetime) -> "Plan":
        from warehouse.recording.plan import record_plan

        recorded.append(record_plan(connection, plan, at))
        return plan

    return _upgraded(settings, adopt), recorded[0]


def _upgraded(settings: Settings, put_in_force: "Callable[[Connection, Plan, datetime], Plan]") -> Workplace:
    from cypp_etl.plan.reader import read_plan
    from warehouse.engine import open_warehouse, writing
    from warehouse.upgrade import upgrade

    # Before anything is created: a plan with faults leaves nothing behind.
    plan = read_plan(settings.plan)
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = open_warehouse(settings.warehouse_url)
    try:
        upgrade(engine)
        with writing(engine) as connection:
            in_force = put_in_force(connection, plan, datetime.now(UTC))
    except BaseException:
        engine.dispose()
        raise
    return Workplace(settings, in_force, engine)


def _plan_in_force(engine: "Engine") -> "Plan":
    from warehouse.engine import reading
    from warehouse.recording.plan import plan_in_force
    from warehouse.upgrade import NoWarehouseError, require_current

    with reading(engine) as connection:
        require_current(connection)
        plan = plan_in_force(connection)
    if plan is None:
        raise NoWarehouseError("There is no plan in the warehouse yet: run cypp upgrade, or ingest a return")
    return plan
