"""Dependencies of an ingestion (settings, plan, warehouse) and its steps as plain functions, without Prefect."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.plan.model import Plan
from cypp_etl.plan_source import is_plan_at, read_plan_at
from flows.settings import Settings
from flows.storage.archive import READ_BYTES, Kept, Unnamed, keep
from flows.storage.drop_notes import GivenNumbers
from warehouse.engine import open_for_reading, open_warehouse, place_of, reading, writing
from warehouse.queries.views import outcomes
from warehouse.recording.plan import begin_plan
from warehouse.recording.rules import judge_by_newer_rules
from warehouse.stored_plans import NoStoredPlanError, plan_in_force
from warehouse.upgrade import NoWarehouseError, WarehouseTooOldError, require_current, upgrade_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Engine

    from cypp_etl.checked_return import CheckedReturn, History
    from cypp_etl.findings import Finding
    from cypp_etl.periods import Period
    from warehouse.recording.record import Recorded


@dataclass(frozen=True)
class Workplace:
    """What the steps depend on: the settings, the plan in force, and the warehouse."""

    settings: Settings
    plan: Plan
    engine: "Engine"

    @property
    def notice(self) -> str:
        """A message if CYPP_PLAN names a different plan from the one in force, which is used; otherwise empty."""
        if self.settings.plan is None or is_plan_at(self.settings.plan, self.plan):
            return ""
        return (
            f"CYPP_PLAN names {self.settings.plan}, but another plan is in force, which is used: "
            "cypp plan adopt puts that one in force"
        )

    def keep(
        self,
        path: Path,
        *,
        follow_links: bool = False,
        beside: "Callable[[list[Kept]], Iterable[Unnamed]]" = lambda _: (),
    ) -> Kept:
        """Archive a workbook's bytes before anything else happens to them."""
        return keep(path, self.settings.archive, follow_links=follow_links, beside=beside)

    def check(self, file: str, kept: Kept, folder_partner: str, received_at: datetime) -> "CheckedReturn":
        """Read and check the archived bytes, with what the warehouse knows, in a process that can be killed."""
        # Commands that only ask the warehouse start in half the time without what checks and records.
        from cypp_etl.checking.confined import shared_checker  # noqa: PLC0415
        from cypp_etl.checking.opening import Received  # noqa: PLC0415
        from warehouse.queries.history import read_history  # noqa: PLC0415

        received = Received(file, read(kept), folder_partner, kept.size)
        with ExitStack() as open_meanwhile:

            def past(partner_codes: "frozenset[str]", periods: "frozenset[Period] | None") -> "History":
                connection = open_meanwhile.enter_context(reading(self.engine))
                return read_history(connection, partner_codes, periods)

            return shared_checker().check(self.plan, received, received_at.date(), past)

    def set_aside(self, file: str, kept: Kept, folder_partner: str) -> "CheckedReturn":
        """Set the archived bytes aside, without opening them."""
        from cypp_etl.checking.confined import SET_ASIDE, refused  # noqa: PLC0415 - as above
        from cypp_etl.checking.opening import Received  # noqa: PLC0415

        return replace(refused(Received(file, b"", folder_partner), SET_ASIDE), sha256=kept.sha256)

    def load(self, checked: "CheckedReturn", received_at: datetime, delivery: str | None = None) -> "Recorded":
        """Record the submission, and what follows from it, in one transaction."""
        from warehouse.recording.record import record  # noqa: PLC0415 - as above

        return record(
            self.engine,
            checked,
            self.plan,
            received_at,
            datetime.now(UTC),
            delivery=delivery,
            numbers=GivenNumbers(self.settings.archive),
        )

    def findings_of(self, submission_id: int) -> "tuple[Finding, ...]":
        """The findings that a submission was recorded with."""
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
        warehouse.stored_plans.NoStoredPlanError: its plan cannot be read from it.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
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
    seen = open_to_read(settings)
    seen.engine.dispose()
    return Workplace(settings, seen.plan, open_warehouse(settings.warehouse_url))


def open_to_write(settings: Settings) -> Workplace:
    """Open the warehouse to write to it; create it, with the plan of the settings, or upgrade it if necessary.

    A plan that is in force stays in force, whatever the settings say: only `flows.team.plans` puts another in force.

    Raises:
        cypp_etl.plan.reader.PlanError: the plan of a new warehouse has faults.
        warehouse.upgrade.WarehouseTooNewError: a newer version of the program has upgraded the warehouse.
        warehouse.stored_plans.NoStoredPlanError: the plan in force is not that of the settings, and its files are
            not in the warehouse.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    try:
        return open_existing(settings)
    except (NoWarehouseError, WarehouseTooOldError, NoStoredPlanError):
        return upgraded(settings, begin_plan)


def upgrade_workplace(settings: Settings) -> Workplace:
    """Make or upgrade the warehouse; a new one begins with the plan of the settings.

    Raises:
        cypp_etl.plan.reader.PlanError: the plan has faults.
        warehouse.upgrade.WarehouseTooNewError: a newer version of the program has been here.
        warehouse.stored_plans.NoStoredPlanError: another plan than that of the settings is in force, and not in
            the warehouse.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    return upgraded(settings, begin_plan)


def upgraded(settings: Settings, put_in_force: "Callable[[Connection, Plan, datetime], Plan]") -> Workplace:
    """Make or upgrade the warehouse, and have a plan put in force in a transaction, given that of the settings."""
    # Before anything is created: a plan with faults leaves nothing behind.
    plan = read_plan_at(settings.plan)
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = open_warehouse(settings.warehouse_url)
    try:
        # All in one transaction: a warehouse that is up to date is never looked at again.
        with writing(engine) as connection:
            upgrade_within(connection)
            judge_by_newer_rules(connection, plan, datetime.now(UTC))
            in_force = put_in_force(connection, plan, datetime.now(UTC))
    except BaseException:
        engine.dispose()
        raise
    return Workplace(settings, in_force, engine)


def _plan_in_force(engine: "Engine") -> Plan:
    with reading(engine) as connection:
        require_current(connection)
        plan = plan_in_force(connection)
    if plan is None:
        raise NoWarehouseError("There is no plan in the warehouse yet: run cypp upgrade, or ingest a return")
    return plan
