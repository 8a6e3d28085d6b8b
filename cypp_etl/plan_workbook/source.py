"""A plan wherever it is kept: in a folder of CSV files, or in a workbook."""

from pathlib import Path

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import PlanError, read_plan, says_the_same
from cypp_etl.plan.tables import PlanFault, read_files


def read_plan_at(place: Path | None) -> Plan:
    """Read the plan in a folder or a workbook, or the built-in plan.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
        OSError: it cannot be read.
    """
    if not is_workbook(place):
        return read_plan(place)
    # Commands that read CSV files start without what reads workbooks.
    from cypp_etl.plan_workbook.sheets import must_be_plan, read_plan_workbook  # noqa: PLC0415

    assert place is not None  # noqa: S101
    return must_be_plan(read_plan_workbook(place.read_bytes(), place.name))


def is_plan_at(place: Path, plan: Plan) -> bool:
    """Whether a folder or a workbook holds a plan, however it is written there."""
    try:
        if is_workbook(place):
            return read_plan_at(place).fingerprint == plan.fingerprint
        return says_the_same(read_files(place), plan)
    except (PlanError, OSError):
        return False


def is_workbook(place: Path | None) -> bool:
    """Whether a plan is in a workbook.

    Raises:
        PlanError: it is one of the CSV files of a plan.
    """
    if place is None or not place.is_file():
        return False
    if place.suffix.lower() == ".csv":
        raise PlanError(PlanFault(str(place), None, None, "is one file of a plan: name its folder, or a workbook"))
    return True
