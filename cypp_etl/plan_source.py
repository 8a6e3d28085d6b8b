"""A plan wherever it is kept: in a folder of CSV files, or in a workbook."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cypp_etl.plan.fingerprint import fingerprint_of
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import FIGURES, PlanError, place_of, plan_of, read_plan
from cypp_etl.plan.tables import PlanFault, read_files, tables_of

# In some countries, a thousand: 1.406.
_LIKE_THOUSANDS = re.compile(rb"\.\d{3}(?!\d)")


def read_plan_at(place: Path | None) -> Plan:
    """Read the plan in a folder or a workbook, or the built-in plan.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
        OSError: it cannot be read.
    """
    if place is None:
        return read_plan()
    if not is_workbook(place):
        return read_plan_with_notes(place)[0]
    # Commands that read CSV files start without what reads workbooks.
    from cypp_etl.plan_workbook.sheets import must_be_plan, read_plan_workbook  # noqa: PLC0415

    return must_be_plan(read_plan_workbook(place.read_bytes(), place.name))


def read_plan_with_notes(folder: Path) -> tuple[Plan, tuple[PlanFault, ...]]:
    """Read the plan in a folder of CSV files, with notes on figures that were typed as amounts or in words.

    Its `files` have them as plain numbers.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
        OSError: it cannot be read.
    """
    files = read_files(folder)
    plan, faults = _plan_or_faults(files)
    if not _may_have_amounts(files, faults):
        return _must_be_plan(plan, faults), ()
    # A plan of plain numbers is read without what reads amounts.
    from cypp_etl.plan_workbook.figures import typed_figures  # noqa: PLC0415

    typed = typed_figures(files)
    if typed.content != files.get(FIGURES):
        plan, faults = _plan_or_faults({**files, FIGURES: typed.content})
    own = {(fault.file, fault.row, fault.column) for fault in typed.faults}
    others = (fault for fault in faults if (fault.file, fault.row, fault.column) not in own)
    return _must_be_plan(plan, sorted((*others, *typed.faults), key=place_of)), typed.notes


def _plan_or_faults(files: Mapping[str, bytes]) -> tuple[Plan | None, tuple[PlanFault, ...]]:
    try:
        return plan_of(files), ()
    except PlanError as error:
        return None, error.faults


def _must_be_plan(plan: Plan | None, faults: Sequence[PlanFault]) -> Plan:
    if faults or plan is None:
        raise PlanError(*faults)
    return plan


def _may_have_amounts(files: Mapping[str, bytes], faults: Sequence[PlanFault]) -> bool:
    """Whether figures have to be read one by one: some are no plain numbers, or may have a point between thousands.

    `faults` are those of the plan as it was typed.
    """
    is_odd = any((fault.file, fault.column) == (FIGURES, "value") for fault in faults)
    return is_odd or _LIKE_THOUSANDS.search(files.get(FIGURES, b"")) is not None


def is_plan_at(place: Path, plan: Plan) -> bool:
    """Whether a folder or a workbook holds a plan, however it is written there."""
    try:
        if is_workbook(place):
            return read_plan_at(place).fingerprint == plan.fingerprint
        files = read_files(place)
        if files == plan.files:
            return True
        # Every command asks: the checks between files are left out, unless figures may have to be read one by one.
        tables = tables_of(files)
        found = read_plan_with_notes(place)[0].fingerprint if tables.faults else fingerprint_of(tables.rows)
        return found == plan.fingerprint
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
