"""Withholds free text that may hold personal data: a mark is loaded instead, and the text is stored separately.

A text is checked in full, before anything is shortened. Until the data team releases it, it is not shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cypp_etl.checked_return import WithheldText
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.tables import TableRow
from cypp_etl.personal import MARK, is_personal_name, kinds_in

MARK_BEGINS = "[withheld: "
"""The beginning of every mark that replaces a text."""

_SHEET_MARK = "[sheet name withheld{}]"
# The cover asks who prepared a return, and for an address for questions.
_CONTACT = frozenset({"an e-mail address", "a telephone number"})


def mark_at(sheet: str, cell: str) -> str:
    """The mark that replaces a withheld text, with the text's cell in the workbook."""
    return f"{MARK_BEGINS}may hold personal data; see {sheet}!{cell} of the workbook]"


def contact(text: str) -> str:
    """A contact from the cover; the mark, if it contains more than that."""
    return MARK if set(kinds_in(text)) - _CONTACT else text


@dataclass(slots=True)
class Withholding:
    """The withheld texts of one workbook.

    `sheet_names` are the names of its sheets that may hold personal data, by the unique names displayed instead;
    `texts` are those withheld so far.
    """

    sheet_names: Mapping[str, str]
    texts: dict[tuple[str, str], WithheldText] = field(default_factory=dict)

    @classmethod
    def of(cls, parsed: ParsedReturn) -> "Withholding":
        """Check the names of the sheets of a return's findings and rows; nothing else is withheld yet."""
        named = [finding.sheet for finding in parsed.findings] + list(parsed.parts_by_sheet)
        personal = [name for name in dict.fromkeys(named) if is_personal_name(name)]
        numbers = ("", *(f" {number}" for number in range(2, len(personal) + 1)))
        return cls({_SHEET_MARK.format(number): name for number, name in zip(numbers, personal, strict=False)})

    def sheet(self, name: str) -> str:
        """The displayed name of a sheet."""
        if not self.sheet_names:
            return name
        return next((shown for shown, one in self.sheet_names.items() if one == name), name)

    def text(self, source: TableRow, column: str, text: str) -> str:
        """A row's text as it may be loaded: if it may hold personal data, it is stored, and the mark is returned."""
        if not text or not kinds_in(text):
            return text
        sheet, cell = self.sheet(source.sheet), source.address(column)
        mark = mark_at(sheet, cell)
        self.texts[sheet, cell] = WithheldText(sheet, cell, mark, text)
        return mark

    def findings(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """The findings, without the names of withheld sheets."""
        if not self.sheet_names:
            return findings
        return [replace(finding, sheet=self.sheet(finding.sheet)) for finding in findings]
