"""Turns a query that the data team has waived into a note that says by whom, until when, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from cypp_etl.checked_return import Waiver
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.phrases import date_text
from schemas.codes import Severity

# The sheet and row of a finding, from the digits of its cell.
_Place = tuple[str, str]


def waive(parsed: ParsedReturn, waivers: Sequence[Waiver], today: date) -> Iterator[Finding]:
    """The findings of a return, its waived queries turned into notes; errors cannot be waived.

    Of several waivers of the same query the last one counts: it may end an earlier one, or give another reason.
    """
    last = {(one.code, one.partner_code, one.subject, one.period): one for one in waivers}
    in_force = [waiver for waiver in last.values() if today <= waiver.until and _is_about(waiver, parsed)]
    subjects = _subjects(parsed) if in_force else {}
    for finding in parsed.findings:
        subject = subjects.get(_place(finding.sheet, finding.cell), "")
        waiver = next((one for one in in_force if _covers(one, finding, subject)), None)
        yield finding if waiver is None else _as_note(finding, waiver)


def _is_about(waiver: Waiver, parsed: ParsedReturn) -> bool:
    return waiver.partner_code == parsed.partner_code and waiver.period in (None, parsed.period)


def _covers(waiver: Waiver, finding: Finding, subject: str) -> bool:
    is_query = finding.severity is Severity.QUERY
    return is_query and waiver.code == finding.code and waiver.subject in ("", subject)


def _as_note(finding: Finding, waiver: Waiver) -> Finding:
    waived = f"Waived by {waiver.waived_by} until {date_text(waiver.until)}: {waiver.reason}"
    return replace(finding, severity=Severity.NOTE, message=f"{finding.message} {waived}", fix="Nothing.")


def _subjects(parsed: ParsedReturn) -> dict[_Place, str]:
    """The indicator or milestone of each row."""
    subjects = {_place(row.source.sheet, str(row.source.row)): row.leaf.indicator for row in parsed.figures}
    for report in parsed.milestone_rows:
        if report.known:
            subjects[_place(report.source.sheet, str(report.source.row))] = report.known.milestone
    return subjects


def _place(sheet: str, cell: str) -> _Place:
    return sheet, "".join(character for character in cell if character.isdigit())
