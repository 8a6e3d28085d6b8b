"""Reads the return workbook: cover, indicators and milestones, as tidy rows with their cells."""

from cypp_etl.findings import find
from cypp_etl.intake.figures import FigureReader
from cypp_etl.intake.rows import FigureRow, IndicatorRow, MilestoneRow, ParsedReturn, PlanIndex, reference_key
from cypp_etl.intake.tables import Table, TableRow, find_sheet, read_labels, read_table
from cypp_etl.intake.values import Reading, read_figure, read_text
from cypp_etl.layout import Layout
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan_model import Indicator, Plan
from cypp_etl.workbook.model import Cell, Workbook
from schemas.codes import Measure


def read_return(
    workbook: Workbook, layout: Layout, plan: Plan, index: PlanIndex, figures: FigureReader, parsed: ParsedReturn
) -> None:
    """Read a return workbook into `parsed`. A fault of one sheet does not keep the others from being read."""
    _read_cover(workbook, layout, plan, index, parsed)
    indicators = _read_part(workbook, layout, "indicators", parsed)
    if indicators is not None:
        for row in indicators.rows:
            _read_indicator_row(row, index, figures, parsed)
    # Whether a partner who cannot be told owes milestones cannot be told either: what is there is read.
    if plan.milestones_of.get(parsed.partner_code) or find_sheet(workbook, layout.part("milestones")):
        milestones = _read_part(workbook, layout, "milestones", parsed)
        for row in milestones.rows if milestones is not None else ():
            _read_milestone_row(row, index, parsed)


def _read_cover(workbook: Workbook, layout: Layout, plan: Plan, index: PlanIndex, parsed: ParsedReturn) -> None:
    cover = layout.part("cover")
    sheet = find_sheet(workbook, cover)
    if sheet is None:
        parsed.findings.append(find("sheet-missing", sheet=cover.sheet, expected=cover.sheet))
        return
    labels = read_labels(sheet, cover.columns)
    texts = {name: read_text(cell) for name, cell in labels.items()}
    parsed.prepared_by, parsed.email = texts.get("prepared_by", ""), texts.get("email", "")
    for name in ("partner_code", "period", "prepared_by"):
        if not texts.get(name):
            cell = labels[name].address if name in labels else ""
            parsed.findings.append(
                find(f"{name.replace('_', '-')}-missing", sheet=sheet.name, cell=cell, label=cover.column(name).heading)
            )
    if texts.get("partner_code"):
        _read_partner(labels["partner_code"], sheet.name, plan, index, parsed)
    if texts.get("period"):
        _read_period(labels["period"], sheet.name, plan, parsed)


def _read_partner(cell: Cell, sheet: str, plan: Plan, index: PlanIndex, parsed: ParsedReturn) -> None:
    typed = read_text(cell)
    partner_code = index.partners.get(reference_key(typed), "")
    if not partner_code:
        known = ", ".join(plan.partners)
        parsed.findings.append(find("partner-unknown", sheet=sheet, cell=cell.address, value=typed, known=known))
    elif not parsed.partner_code:
        parsed.partner_code = partner_code
    elif parsed.partner_code != partner_code:
        words = {"folder": parsed.partner_code, "value": typed}
        parsed.findings.append(find("partner-not-folder", sheet=sheet, cell=cell.address, **words))


def _read_period(cell: Cell, sheet: str, plan: Plan, parsed: ParsedReturn) -> None:
    typed = read_text(cell)
    period = _period_or_none(typed)
    if period is None:
        parsed.findings.append(find("period-unreadable", sheet=sheet, cell=cell.address, value=typed))
    elif period not in plan.calendar:
        parsed.findings.append(find("period-unknown", sheet=sheet, cell=cell.address, value=typed))
    else:
        parsed.period = period


def _period_or_none(text: str) -> Period | None:
    try:
        return parse_period(text)
    except ValueError:
        return None


def _read_part(workbook: Workbook, layout: Layout, part: str, parsed: ParsedReturn) -> Table | None:
    sheet_layout = layout.part(part)
    sheet = find_sheet(workbook, sheet_layout)
    if sheet is None:
        parsed.findings.append(find("sheet-missing", sheet=sheet_layout.sheet, expected=sheet_layout.sheet))
        return None
    table = read_table(sheet, sheet_layout)
    if table is None:
        headings = ", ".join(column.heading for column in sheet_layout.columns)
        parsed.findings.append(find("headings-not-found", sheet=sheet.name, expected=headings))
        return None
    parsed.findings += table.findings
    return table


def _read_indicator_row(row: TableRow, index: PlanIndex, figures: FigureReader, parsed: ParsedReturn) -> None:
    ref, sub = row.text("ref"), row.text("sub")
    if not ref:
        parsed.findings.append(find("row-without-ref", sheet=row.sheet, cell=row.address("ref")))
        return
    leaf = index.leaves.get(reference_key(ref) + reference_key(sub))
    actual, beside = read_figure(row.cells.get("actual")), read_figure(row.cells.get("marker"))
    parsed.indicator_rows.append(
        IndicatorRow(
            file=parsed.file,
            source=row,
            indicator_ref=ref,
            sub=sub,
            leaf=leaf,
            is_parent=not sub and reference_key(ref) in index.parents,
            good_performance=row.text("good_performance"),
            unit=row.text("unit") if "unit" in row.columns else None,
            has_figure=not actual.is_blank or not beside.is_blank,
        )
    )
    if leaf is not None and "actual" in row.columns:
        parsed.figures.append(_read_actual(row, leaf, figures, parsed, beside))


def _read_actual(
    row: TableRow, leaf: Indicator, figures: FigureReader, parsed: ParsedReturn, beside: Reading
) -> FigureRow:
    figure = figures.read(row, leaf, parsed.partner_code, "actual", Measure.ACTUAL, parsed.period, beside)
    figure.numerator = figures.read_plain(figure, "numerator")
    figure.denominator = figures.read_plain(figure, "denominator")
    figure.comment = row.text("comment")
    _judge_marker(figure, beside, parsed)
    return figure


def _judge_marker(figure: FigureRow, beside: Reading, parsed: ParsedReturn) -> None:
    """What the marker's cell says must be a marker, and must not speak against the figure's cell."""
    if beside.trouble or beside.value is not None:
        parsed.findings.append(figure.find("marker-unknown", column="marker", value=beside.typed))
    elif beside.marker and figure.reading.value is not None:
        parsed.findings.append(figure.find("value-and-marker", column="marker", actual=figure.reading.typed))
    elif beside.marker and figure.reading.marker and beside.marker is not figure.reading.marker:
        parsed.findings.append(figure.find("value-and-marker", column="marker", actual=figure.reading.typed))
    elif figure.reading.is_blank and beside.marker is None:
        parsed.findings.append(figure.find("value-missing"))


def _read_milestone_row(row: TableRow, index: PlanIndex, parsed: ParsedReturn) -> None:
    milestone = row.text("milestone")
    parsed.milestone_rows.append(
        MilestoneRow(
            file=parsed.file,
            source=row,
            milestone=milestone,
            known=index.milestones.get(reference_key(milestone)),
            partner_code=parsed.partner_code,
            period=parsed.period,
            status=row.text("status"),
            evidence=row.text("evidence"),
            review=row.text("review"),
            reason=row.text("reason"),
        )
    )
