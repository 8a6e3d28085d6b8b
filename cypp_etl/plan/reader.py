"""Makes the plan from its CSV files, or lists all their faults."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from cypp_etl.gc_control import collection_paused
from cypp_etl.plan.checks.all_tables import check_tables
from cypp_etl.plan.figure_lines import lines_about, lines_apart
from cypp_etl.plan.fingerprint import fingerprint_of
from cypp_etl.plan.layout_files import check_layouts
from cypp_etl.plan.model import Plan
from cypp_etl.plan.partner_figures import Figures, LazyMapping, PartnerFigures
from cypp_etl.plan.records import plan_from
from cypp_etl.plan.tables import PlanError, PlanFault, PlanTables, TableRows, read_files, sound_rows, tables_of
from schemas.plan import SCHEMAS

__all__ = [
    "PlanError",
    "PlanFault",
    "faults_of",
    "place_of",
    "plan_about",
    "plan_known_as",
    "plan_of",
    "plans_apart",
    "read_plan",
]

FIGURES = "figures.csv"


def read_plan(folder: Path | None = None) -> Plan:
    """Read the plan in a folder, whose figures are plain numbers, or the built-in plan.

    `cypp_etl/plan_source.py` reads a plan as people keep it: in a workbook too, and with figures typed as amounts.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
    """
    return plan_of(read_files(folder))


@collection_paused()
def plan_of(files: Mapping[str, bytes]) -> Plan:
    """The plan from its CSV files, given by name.

    Raises:
        PlanError: the plan has faults; all that could be found are in its `faults`.
    """
    tables = _sound_tables(files)
    figures = PartnerFigures(tables.rows[FIGURES])
    return plan_from(tables, fingerprint_of(tables.rows), figures.of_every_partner, figures)


@collection_paused()
def plan_known_as(fingerprint: str, files: Mapping[str, bytes]) -> Plan:
    """The plan from CSV files whose fingerprint is known: its figures are only read, and checked, once they are needed.

    Most commands need none, and a plan of many bodies has hundreds of thousands: reading them takes half a second.

    Raises:
        PlanError: the plan has faults but for its figures, whose faults are raised when they are needed.
    """
    figures = _LazyFigures(files)
    tables = _sound_tables(files, but_for=(FIGURES,))
    return plan_from(tables, fingerprint, LazyMapping(figures.of_every_partner), LazyMapping(figures.of_each))


def _sound_tables(files: Mapping[str, bytes], but_for: Collection[str] = ()) -> PlanTables:
    tables = tables_of(files, but_for)
    if faults := faults_of(tables):
        raise PlanError(*sorted(faults, key=place_of))
    return tables


class _LazyFigures:
    """The figures of a plan's files, read once; of a copy in another process once more, which is faster than to send.

    Raises:
        PlanError: when they are read, the plan has faults.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def __reduce__(self) -> tuple[object, ...]:
        return _LazyFigures, (self._files,)

    @cached_property
    def _read(self) -> PartnerFigures:
        with collection_paused():
            return PartnerFigures(_sound_tables(self._files).rows[FIGURES])

    def of_every_partner(self) -> Figures:
        return self._read.of_every_partner

    def of_each(self) -> PartnerFigures:
        return self._read


def plan_about(plan: Plan, indicator: str) -> Plan:
    """A plan with the figures of one indicator alone; if it has not read its figures yet, the others stay unread.

    Raises:
        PlanError: the figures have faults.
    """
    lines = lines_about(plan.files[FIGURES], indicator) if _has_its_files_figures(plan) else None
    rows = _sound_few(lines)
    if rows is not None:
        figures = PartnerFigures(rows.only(lambda row: row["indicator"] == indicator))
        return replace(plan, figures=figures.of_every_partner, partner_figures=figures)
    every, *of_each = (
        {key: figure for key, figure in of_whom.items() if key[1] == indicator}
        for of_whom in (plan.figures, *plan.partner_figures.values())
    )
    return replace(plan, figures=every, partner_figures=dict(zip(plan.partner_figures, of_each, strict=True)))


def plans_apart(before: Plan, after: Plan) -> tuple[Plan, Plan]:
    """Two plans without the figures that stand alike in the files of both, which need not be read to be compared."""
    if not (_has_its_files_figures(before) and _has_its_files_figures(after)):
        return before, after
    lines = lines_apart(before.files[FIGURES], after.files[FIGURES])
    rows = [_sound_few(each) for each in lines or (None,)]
    figures = [PartnerFigures(each) for each in rows if each is not None]
    if len(figures) < len((before, after)):
        return before, after
    then, now = (
        replace(plan, figures=each.of_every_partner, partner_figures=each)
        for plan, each in zip((before, after), figures, strict=True)
    )
    return then, now


def _has_its_files_figures(plan: Plan) -> bool:
    """Whether a plan's figures are those of its files, and were not replaced by others."""
    every, of_each = plan.figures, plan.partner_figures
    is_read = isinstance(of_each, PartnerFigures) and every is of_each.of_every_partner
    return is_read or (isinstance(every, LazyMapping) and isinstance(of_each, LazyMapping))


def _sound_few(lines: bytes | None) -> TableRows | None:
    """Some rows of the figures, if they are sound; the faults of others are found in all, where they have their row."""
    try:
        return None if lines is None else sound_rows(FIGURES, lines)
    except PlanError:
        return None


def faults_of(tables: PlanTables) -> tuple[PlanFault, ...]:
    """Every fault of a plan: of its cells, and between its rows and files."""
    return (*tables.faults, *check_tables(tables), *check_layouts(tables))


def place_of(fault: PlanFault) -> tuple[int, str, int]:
    """Where a fault is among those of a plan's files, which are told in this order."""
    order = list(SCHEMAS)
    return order.index(fault.file) if fault.file in SCHEMAS else len(order), fault.file, fault.row or 0
