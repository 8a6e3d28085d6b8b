"""Cells that are blank because they are merged into others, in which nobody can type what is missing."""

from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.workbook.addresses import parse_address
from cypp_etl.workbook.limits import DEFAULT_LIMITS
from cypp_etl.workbook.model import Sheet, Workbook, column_letters

# The findings about a cell in which something must stand, and nothing does.
_BLANK_LABELS = frozenset({"partner-code-missing", "period-missing"})
_BLANKS = _BLANK_LABELS | {
    *("value-missing", "row-without-ref", "row-without-milestone", "ratio-part-missing", "good-performance-unknown"),
    *("status-missing", "status-not-given", "review-without-reason"),
}


def blame_merges(workbook: Workbook, parsed: ParsedReturn) -> None:
    """Where a cell is blank because it is merged into another, say that, and not what nobody can type there.

    Of a figure that is missing, the cell of its marker may be the merged one.
    """
    sheets = {sheet.name: sheet for sheet in workbook.sheets if sheet.merges}
    if not sheets or not any(finding.code in _BLANKS for finding in parsed.findings):
        return
    markers = {
        (figure.source.sheet, figure.cell): figure.source.address("marker")
        for figure in parsed.figures
        if "marker" in figure.source.columns
    }

    def blame(finding: Finding) -> Finding:
        sheet = sheets.get(finding.sheet)
        if sheet is None or finding.code not in _BLANKS:
            return finding
        marker = markers.get((finding.sheet, finding.cell), "") if finding.code == "value-missing" else ""
        for cell in filter(None, (finding.cell, marker)):
            if merge := _merge_over(sheet, cell, is_label=finding.code in _BLANK_LABELS):
                return find("cell-merged", sheet=finding.sheet, cell=cell, merge=merge, first=merge.partition(":")[0])
        return finding

    parsed.findings = [blame(finding) for finding in parsed.findings]


def _merge_over(sheet: Sheet, address: str, *, is_label: bool) -> str:
    """The merge that a cell is in without being its first; empty if there is none.

    A label is often as wide as some columns: what stands beside it is then in none of them.
    """
    row, column = parse_address(address, DEFAULT_LIMITS)
    for top, left, bottom, right in sheet.merges:
        is_in = top <= row <= bottom and left <= column <= right
        if is_in and (top < row or (left < column and not is_label)):
            return f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"
    return ""
