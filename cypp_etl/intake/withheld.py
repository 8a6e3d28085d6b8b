"""Withholds free text that may hold personal data: what is loaded has a mark in its place, and the text is kept apart.

A text is looked at whole, before anything is shortened. The data team may release it; until then nobody is shown it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cypp_etl.checked_return import WithheldText
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.tables import TableRow
from cypp_etl.personal import MARK, is_personal_name, kinds_in

MARK_BEGINS = "[withheld: "
"""How every mark begins that stands in the place of a text."""

_SHEET_MARK = "[sheet name withheld{}]"
# Who prepared a return, and where to ask, is what the cover is for.
_CONTACT = frozenset({"an e-mail address", "a telephone number"})


def mark_at(sheet: str, cell: str) -> str:
    """What stands in the place of a withheld text: that it is withheld, and where it stands in the workbook."""
    return f"{MARK_BEGINS}may hold personal data; see {sheet}!{cell} of the workbook]"


def contact(text: str) -> str:
    """A text of the cover that says whom to ask; the mark, where it holds more than that."""
    return MARK if set(kinds_in(text)) - _CONTACT else text


@dataclass(slots=True)
class Withholding:
    """What is withheld of one workbook.

    `sheet_names` are the names of its sheets that may hold personal data, by the names that stand for them, of which
    no two are the same; `texts` are what was withheld so far.
    """

    sheet_names: Mapping[str, str]
    texts: dict[tuple[str, str], WithheldText] = field(default_factory=dict)

    @classmethod
    def of(cls, parsed: ParsedReturn) -> "Withholding":
        """Look at the names of the sheets that a return's findings and rows speak of; nothing else is withheld yet."""
        named = [finding.sheet for finding in parsed.findings] + list(parsed.sheets.values())
        personal = [name for name in dict.fromkeys(named) if is_personal_name(name)]
        numbers = ("", *(f" {number}" for number in range(2, len(personal) + 1)))
        return cls({_SHEET_MARK.format(number): name for number, name in zip(numbers, personal, strict=False)})

    def sheet(self, name: str) -> str:
        """The name that a sheet goes by."""
        return next((shown for shown, one in self.sheet_names.items() if one == name), name)

    def text(self, source: TableRow, column: str, text: str) -> str:
        """A row's text as it may be loaded; where it may hold personal data, it is kept, and the mark is given."""
        if not kinds_in(text):
            return text
        sheet, cell = self.sheet(source.sheet), source.address(column)
        mark = mark_at(sheet, cell)
        self.texts[sheet, cell] = WithheldText(sheet, cell, mark, text)
        return mark

    def findings(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """The findings, none of which has the name of a sheet that is withheld."""
        if not self.sheet_names:
            return findings
        return [replace(finding, sheet=self.sheet(finding.sheet)) for finding in findings]
