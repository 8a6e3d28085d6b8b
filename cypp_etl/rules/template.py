"""The form that a return was made from: by which plan, what it did not ask, and whether anybody filled it in."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.tables import find_sheet, read_labels
from cypp_etl.intake.values import read_text
from cypp_etl.layout import INDICATORS, MILESTONES, Layout
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.workbook.model import Cell, Workbook


def judge_template(workbook: Workbook, layout: Layout, plan: Plan) -> Iterator[Finding]:
    """Note a form that was made from another plan; a workbook without our hidden sheet is nobody's fault."""
    fingerprint = _read(workbook, layout, "plan_fingerprint")
    if fingerprint and not plan.is_known_as(fingerprint):
        yield find("template-differs")


def judge_entries(parsed: ParsedReturn, layout: Layout) -> Iterator[Finding]:
    """A form as it was sent is no return: nothing that a partner fills in is filled in, on no sheet."""
    figures, milestones = _entries(layout, INDICATORS), _entries(layout, MILESTONES)
    asked = [(row.source, figures) for row in parsed.indicator_rows if figures]
    asked += [(report.source, milestones) for report in parsed.milestone_rows if milestones]
    is_signed = parsed.prepared_by or parsed.email or parsed.dated
    if asked and not is_signed and not any(source.first_filled(*columns) for source, columns in asked):
        yield find("form-not-filled-in")


def judge_form_period(
    differences_from: Callable[[Period], Iterable[Finding]], parsed: ParsedReturn, workbook: Workbook, layout: Layout
) -> Iterator[Finding]:
    """Targets and earlier figures that are not those of the return's period; in the form for another, that it is it.

    `differences_from` gives those that are not a period's. What is right by the form's own period nobody has typed
    over: the period was, or the wrong form was taken. What is not, somebody has, in whichever form. A form in which
    nothing is stale is nobody's fault. Forms that were made before they said their period say nothing of it.
    """
    if parsed.period is None or not (found := list(differences_from(parsed.period))):
        return
    made_for = _form_period(workbook, layout)
    if made_for is not None and made_for != parsed.period:
        changed = {(finding.code, finding.sheet, finding.cell) for finding in differences_from(made_for)}
        typed_over = [finding for finding in found if (finding.code, finding.sheet, finding.cell) in changed]
        if len(typed_over) < len(found):
            (sheet, cell), period = parsed.period_cell, parsed.period.label
            yield find("form-of-other-period", sheet=sheet, cell=cell, value=period, form_period=made_for.label)
        found = typed_over
    yield from found


def _form_period(workbook: Workbook, layout: Layout) -> Period | None:
    """The period that a form was made for, as it says itself; None where it says none."""
    try:
        return parse_period(_read(workbook, layout, "form_period"))
    except ValueError:
        return None


def _entries(layout: Layout, part: str) -> list[str]:
    sheet = layout.find_part(part)
    return [column.column for column in sheet.columns if column.is_entry] if sheet else []


def milestones_not_asked(workbook: Workbook, layout: Layout) -> Collection[str]:
    """The milestones that a form left out, as it says itself: they had been achieved or withdrawn."""
    return _read(workbook, layout, "settled_milestones").split()


def _read(workbook: Workbook, layout: Layout, label: str) -> str:
    """What our hidden sheet says under a label; nothing where there is no such sheet."""
    meta = layout.find_part("meta")
    sheet = find_sheet(workbook, meta) if meta else None
    labels: Mapping[str, Cell] = read_labels(sheet, meta.columns) if meta and sheet else {}
    return read_text(labels.get(label))
