"""Writes the return workbook of a partner and a period, from the plan, the layouts and what was returned before."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook.protection import WorkbookProtection
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.layout import (
    RETURN,
    TEMPLATE_VERSION,
    SheetLayout,
)
from cypp_etl.periods import Period
from cypp_etl.plan.model import Figure, Indicator, Milestone, Plan, refuse_outside, refuse_unknown_partner
from cypp_etl.templates import validation
from cypp_etl.templates.cover import write_cover
from cypp_etl.templates.openpyxl_styles import (
    DATE_FORMAT,
    Content,
    cell_number,
    describe,
    fit_row,
    number_format,
    put,
    set_up_page,
    style_content,
    style_heading,
    to_bytes,
)
from cypp_etl.templates.past import Past
from cypp_etl.workbook.model import column_letters
from schemas.codes import Unit
from schemas.markers import marker_text

_PROPERTY_PREFIX = "cypp_"
_DATE_OF_YEAR_FORMAT = '"by "d mmm yyyy'
# Space for a short comment.
_ENTRY_LINES = 2
_FRACTION = ("numerator", "denominator")


def write_template(plan: Plan, partner_code: str, period: Period, history: History | None = None) -> bytes:
    """The return workbook, ready to be filled in.

    `history` is what the partner returned before, if there is a warehouse: its figures stand beside those that are
    asked, and milestones that were achieved or withdrawn are left out.

    Raises:
        ValueError: the plan has no such partner at that time, or its calendar no such period.
    """
    _refuse_unless_owed(plan, partner_code, period)
    everything, plan = plan, plan.at(period)
    past = Past(everything, partner_code, period, history)
    layout = plan.layouts[RETURN]
    title = f"{plan.partners[partner_code].partner}: return for {period.label}"
    workbook = Workbook()
    workbook.remove(workbook.active)
    sheets = {part.part: workbook.create_sheet(part.sheet) for part in layout.sheets}
    for part in layout.sheets:
        if part.is_hidden:
            sheets[part.part].sheet_state = "hidden"
        set_up_page(sheets[part.part], f"{title}. {part.sheet}")
    write_cover(sheets["cover"], layout, plan, partner_code, period)
    _write_indicators(sheets["indicators"], layout.part("indicators"), plan, past)
    milestones = plan.milestones_of[partner_code]
    settled = [one.milestone for one in milestones if past.is_settled(one)]
    asked = [one for one in milestones if one.milestone not in settled]
    _write_milestones(sheets["milestones"], layout.part("milestones"), plan, asked, past)
    identity = {"template_version": TEMPLATE_VERSION, "plan_fingerprint": plan.fingerprint}
    about = {"settled_milestones": " ".join(settled), "form_period": period.code}
    _write_identity(workbook, sheets["meta"], layout.part("meta"), identity, about)
    for sheet in sheets.values():
        _lock(sheet)
    # Renamed or removed sheets could not be read back.
    workbook.security = WorkbookProtection(lockStructure=True)
    describe(workbook, title)
    return to_bytes(workbook, datetime.combine(plan.calendar[period].opens_on, time()))


def _refuse_unless_owed(plan: Plan, partner_code: str, period: Period) -> None:
    refuse_unknown_partner(plan.partners, partner_code)
    refuse_outside(plan.calendar, period)
    if not (partner := plan.partners[partner_code]).span.covers(period):
        first, last = partner.span.first_period, partner.span.last_period
        when = " and ".join([*([f"begins with {first}"] if first else []), *([f"ends with {last}"] if last else [])])
        raise ValueError(f"{partner.partner} returns nothing for {period}: in the plan it {when}.")


def _write_indicators(sheet: Worksheet, layout: SheetLayout, plan: Plan, past: Past) -> None:
    _write_headings(sheet, layout, frozen_at="C2")
    period, partner_code = past.period, past.partner_code
    owed = [plan.indicators[indicator] for indicator in plan.owed_by.get(partner_code, ())]
    for row, indicator in enumerate(owed, start=2):
        asked = indicator.rhythm.period_in(period)
        target = plan.target(indicator.indicator, asked, partner_code)
        has_fraction = indicator.multiplier != 0
        # A figure of the return's own period needs no words.
        year = indicator.rhythm.label(asked) if asked != period else ""
        content = _describe_indicator(indicator, target, year) | _recall(indicator, past)
        _write_row(sheet, layout, row, content, has_fraction=has_fraction)
        for column in ("target", "last_year", "last_quarter", "actual"):
            cell = sheet.cell(row, layout.position(column))
            cell.number_format = number_format(indicator.unit, indicator.decimals, indicator.currency)
        if past.is_outturn(indicator):
            # The figure stays a number, and says that it is of a whole year.
            sheet.cell(row, layout.position("last_year")).number_format += '" (year)"'
        actual = sheet.cell(row, layout.position("actual"))
        sheet.add_data_validation(validation.guard_actual(indicator, actual.coordinate))
    if not owed:
        return
    last = len(owed) + 1
    for column in _FRACTION:
        guard = validation.guard_part_of_fraction(column, _cells(layout, column, last))
        sheet.add_data_validation(guard)
    sheet.add_data_validation(validation.guard_marker(_cells(layout, "marker", last)))
    sheet.add_data_validation(validation.prompt_only("indicators", "comment", _cells(layout, "comment", last)))


def _describe_indicator(indicator: Indicator, target: Figure | None, year: str) -> dict[str, Content]:
    """The plan's words; `year` is that of the figure, empty where it is the return's own period."""
    definition = indicator.full_definition
    return {
        "ref": indicator.indicator_ref,
        "sub": indicator.sub,
        "definition": f"{definition} ({year})" if year else definition,
        "good_performance": indicator.polarity.value,
        "unit": indicator.unit_text,
        "target": _figure_content(target, indicator.unit),
    }


def _recall(indicator: Indicator, past: Past) -> dict[str, Content]:
    """What was returned before for the same indicator."""
    return {
        "last_year": _figure_content(past.last_year(indicator), indicator.unit),
        "last_quarter": _figure_content(past.last_quarter(indicator), indicator.unit),
    }


def _figure_content(figure: Figure | KnownFigure | None, unit: Unit) -> Content:
    if figure is None:
        return None
    if figure.value is not None:
        return cell_number(figure.value, unit)
    return marker_text(figure.marker) or None if figure.marker else None


def _write_milestones(
    sheet: Worksheet, layout: SheetLayout, plan: Plan, milestones: Sequence[Milestone], past: Past
) -> None:
    _write_headings(sheet, layout, frozen_at="B2")
    for row, milestone in enumerate(milestones, start=2):
        reported = past.last_status(milestone)
        known: dict[str, Content] = {"last_status": reported.value if reported else None}
        _write_row(sheet, layout, row, _describe_milestone(plan, milestone) | known)
        due = sheet.cell(row, layout.position("due"))
        due.number_format = DATE_FORMAT if milestone.is_due_stated else _DATE_OF_YEAR_FORMAT
    if not milestones:
        return
    last = len(milestones) + 1
    sheet.add_data_validation(validation.guard_status(_cells(layout, "status", last)))
    sheet.add_data_validation(validation.guard_review(_cells(layout, "review", last)))
    for column in ("evidence", "reason"):
        sheet.add_data_validation(validation.prompt_only("milestones", column, _cells(layout, column, last)))


def _describe_milestone(plan: Plan, milestone: Milestone) -> dict[str, Content]:
    action = plan.actions[milestone.action_id]
    return {
        "milestone": milestone.milestone,
        "aspiration": action.aspiration,
        "action": action.action,
        "description": milestone.description,
        "due": milestone.due,
    }


def _write_headings(sheet: Worksheet, layout: SheetLayout, *, frozen_at: str) -> None:
    for position, column in enumerate(layout.columns, start=1):
        put(sheet.cell(1, position), column.heading)
        style_heading(sheet.cell(1, position), is_entry=column.is_entry)
        sheet.column_dimensions[column_letters(position)].width = column.width
    fit_row(sheet, 1, [(column.heading, column.width - 2) for column in layout.columns])
    sheet.freeze_panes = frozen_at
    sheet.print_title_rows = "1:1"


def _write_row(
    sheet: Worksheet, layout: SheetLayout, row: int, content: Mapping[str, Content], *, has_fraction: bool = True
) -> None:
    """Write a row; only an indicator that is a fraction has entry cells for numerator and denominator."""
    for position, column in enumerate(layout.columns, start=1):
        put(sheet.cell(row, position), content.get(column.column))
        is_entry = column.is_entry and (has_fraction or column.column not in _FRACTION)
        style_content(sheet.cell(row, position), is_entry=is_entry)
    texts = [(str(content.get(column.column) or ""), column.width) for column in layout.columns]
    fit_row(sheet, row, texts, least_lines=_ENTRY_LINES)


def _cells(layout: SheetLayout, column: str, last_row: int) -> str:
    letters = column_letters(layout.position(column))
    return f"{letters}2:{letters}{last_row}"


def _write_identity(
    workbook: Workbook, sheet: Worksheet, layout: SheetLayout, identity: Mapping[str, str], about: Mapping[str, str]
) -> None:
    """Write the versions of template and plan, in a sheet and as properties, which a copied sheet does not keep.

    The sheet also says for which period the form was made, and which milestones are not asked; a form that asks for
    all of them says nothing of it.
    """
    for row, label in enumerate(layout.columns, start=1):
        if content := {**identity, **about}.get(label.column):
            put(sheet.cell(row, 1), label.heading)
            put(sheet.cell(row, 2), content)
    for name, value in identity.items():
        workbook.custom_doc_props.append(StringProperty(name=f"{_PROPERTY_PREFIX}{name}", value=value))


def _lock(sheet: Worksheet) -> None:
    """Lock all cells except entry cells, without a password; columns and rows can still be resized.

    Cell formats are not locked: pasting destroys them, and findings ask partners to correct them.
    """
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = sheet.protection.formatCells = False
