"""Cells that are blank because they are merged into others, in which nobody can type what is missing."""

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.layout import COVER, Layout
from cypp_etl.workbook.addresses import parse_address
from cypp_etl.workbook.limits import DEFAULT_LIMITS
from cypp_etl.workbook.model import Sheet, Workbook, column_letters
from schemas.codes import SheetKind

# The findings about a cell in which something must stand, and nothing does.
_BLANK_LABELS = frozenset({"partner-code-missing", "period-missing"})
_BLANKS = _BLANK_LABELS | {
    *("value-missing", "row-without-ref", "row-without-milestone", "ratio-part-missing", "good-performance-unknown"),
    *("status-missing", "status-not-given", "review-without-reason"),
}
# The findings about a cell that says something else than the plan, which a blank does too.
_DIFFERENCES = frozenset({"unit-differs"})


def blame_merges(workbook: Workbook, parsed: ParsedReturn, layout: Layout) -> None:
    """Where a cell is blank because it is merged into another, say that, and not what nobody can type there.

    Of a figure that is missing, the cell of its marker may be the merged one.
    """
    sheets = {sheet.name: sheet for sheet in workbook.sheets if sheet.merges}
    if not sheets or not any(map(_is_of_blank, parsed.findings)):
        return
    cover = layout.find_part(COVER)
    has_loose_labels = cover is not None and cover.kind is SheetKind.ANYWHERE
    markers = {
        (figure.source.sheet, figure.cell): figure.source.address("marker")
        for figure in parsed.figures
        if "marker" in figure.source.columns
    }

    def blame(finding: Finding) -> Finding:
        sheet = sheets.get(finding.sheet)
        if sheet is None or not _is_of_blank(finding):
            return finding
        marker = markers.get((finding.sheet, finding.cell), "") if finding.code == "value-missing" else ""
        is_beside_label = has_loose_labels and finding.code in _BLANK_LABELS
        for cell in filter(None, (finding.cell, marker)):
            merge = _merge_over(sheet, cell, is_beside_label=is_beside_label)
            first = merge.partition(":")[0]
            # A marker that is merged into its own figure is no reason not to type the figure.
            if merge and first != finding.cell:
                return find("cell-merged", sheet=finding.sheet, cell=cell, merge=merge, first=first)
        return finding

    parsed.findings = [blame(finding) for finding in parsed.findings]


def _is_of_blank(finding: Finding) -> bool:
    return finding.code in _BLANKS or (finding.code in _DIFFERENCES and not finding.value)


def _merge_over(sheet: Sheet, address: str, *, is_beside_label: bool) -> str:
    """The merge that a cell is in without being its first; empty if there is none.

    A label that may stand anywhere is often as wide as some columns: what stands beside it is then in none of them.
    """
    row, column = parse_address(address, DEFAULT_LIMITS)
    for top, left, bottom, right in sheet.merges:
        is_in = top <= row <= bottom and left <= column <= right
        if is_in and (top < row or (left < column and not is_beside_label)):
            return f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"
    return ""
