"""The first sheet of a receipt: the facts, and below them every finding with a link to its cell."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from cypp_etl.findings import Finding
from cypp_etl.layout import read_layouts
from cypp_etl.receipts import wording
from cypp_etl.receipts.ooxml.xml_edit import escape_text
from cypp_etl.receipts.receipt_styles import Looks
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.receipts.wording import Cause, plain
from cypp_etl.workbook.model import column_letters
from schemas.codes import SubmissionStatus

_LINE_HEIGHT = 13.5
# A column's width is in digits, which are wider than letters on average; lines break between words.
_LETTERS_PER_DIGIT = 1.15
_HIGHEST = 400.0
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\n")
_TAB_COLOURS = {
    SubmissionStatus.REJECTED: "FFB00A21",
    SubmissionStatus.REFUSED: "FFB00A21",
    SubmissionStatus.HELD: "FF8F5E02",
    SubmissionStatus.ACCEPTED_WITH_QUERIES: "FF8F5E02",
}
_ACCEPTED_COLOUR = "FF1E6B3A"
_COLUMNS = len(read_layouts()["receipt"].part("receipt").columns)
_LETTERS = tuple(map(column_letters, range(1, _COLUMNS + 1)))


class _Cell(NamedTuple):
    """A text of the sheet; `location` is the cell of another sheet that it links to."""

    text: str
    style: int
    location: str = ""


class ReceiptSheet:
    """Writes the sheet row by row; texts are inline strings, so that none of them can become a formula.

    `sheets` are the real names of the sheets that findings can link to, by their displayed names.
    """

    def __init__(self, looks: Looks, sheets: Mapping[str, str]) -> None:
        self._looks = looks
        self._sheets = sheets
        self._columns = read_layouts()["receipt"].part("receipt").columns
        self._rows: list[str] = []
        self._links: list[str] = []
        self.title_row = 1

    def write(self, summary: ReceiptSummary, findings: Sequence[Finding]) -> None:
        """Write the contents of a receipt."""
        looks = self._looks
        self._line(wording.title(summary), looks.title, height=26)
        banner, *advice = wording.verdict(summary, findings)
        self._across(banner, looks.banner, height=24)
        for sentence in (*advice, *wording.how_to_send_again(summary)):
            self._line(sentence, looks.advice, height=18)
        self._line()
        for label, text in wording.proof(summary):
            self._row([_Cell(label, looks.label), self._text(text, looks.value, looks.quoted_value)])
        self._list(wording.STILL_DUE, summary.still_due)
        self._write_findings(findings)
        self._list(wording.CHANGED_CELLS, wording.changed_cells(summary))
        self._list(wording.CHANGED_JUDGEMENTS, wording.changed_judgements(summary))
        self._list(wording.LOADED, wording.loaded(summary))

    def _write_findings(self, findings: Sequence[Finding]) -> None:
        self._line()
        self._line(wording.counts(findings) or wording.NOTHING_FOUND, self._looks.section, height=20)
        if not findings:
            return
        self._row([_Cell(column.heading, self._looks.heading) for column in self._columns], height=20)
        self.title_row = len(self._rows)
        for cause in wording.causes_of(findings):
            self._write_cause(cause)

    def _write_cause(self, cause: Cause) -> None:
        self._across(cause.heading, self._looks.group, height=20)
        for finding in cause.findings:
            looks = self._looks
            texts = (plain(finding.value), plain(finding.message), plain(finding.fix))
            kind = _Cell(finding.severity.value, looks.kinds[finding.severity])
            cells = [self._where(finding), kind, *(self._text(text, looks.text, looks.quoted_text) for text in texts)]
            self._row(cells, is_fitted=True)

    def _where(self, finding: Finding) -> _Cell:
        text = wording.place(finding)
        if finding.sheet not in self._sheets:
            return self._text(text, self._looks.text, self._looks.quoted_text)
        quoted = self._sheets[finding.sheet].replace("'", "''")
        return _Cell(text, self._looks.link, f"'{quoted}'!{finding.cell or 'A1'}")

    def _list(self, heading: str, texts: Sequence[str]) -> None:
        if not texts:
            return
        self._line()
        self._line(heading, self._looks.section, height=20)
        for text in texts:
            self._row([self._text(plain(text).replace("\n", " "), self._looks.value, self._looks.quoted_value)])

    def _text(self, text: str, style: int, quoted: int) -> _Cell:
        return _Cell(text, quoted if text.startswith(_FORMULA_SIGNS) else style)

    def _line(self, text: str = "", style: int = 0, height: float = 0) -> None:
        self._row([_Cell(text, style)] if text else [], height=height)

    def _across(self, text: str, style: int, height: float) -> None:
        self._row([_Cell(text, style), *[_Cell("", style)] * (_COLUMNS - 1)], height=height)

    def _row(self, cells: Sequence[_Cell], *, height: float = 0, is_fitted: bool = False) -> None:
        number = len(self._rows) + 1
        pieces: list[str] = []
        for letters, (text, style, location) in zip(_LETTERS, cells, strict=False):
            address = f"{letters}{number}"
            written = f'<is><t xml:space="preserve">{escape_text(text)}</t></is>' if text else ""
            kind = f' t="inlineStr">{written}</c>' if text else "/>"
            pieces.append(f'<c r="{address}" s="{style}"{kind}')
            if location:
                self._links.append(f'<hyperlink ref="{address}" location={quoteattr(location)}/>')
        high = self._fitted(cells) if is_fitted else height
        size = f' ht="{high:g}" customHeight="1"' if high else ""
        self._rows.append(f'<row r="{number}"{size}>{"".join(pieces)}</row>')

    def _fitted(self, cells: Sequence[_Cell]) -> float:
        lines = [
            sum(max(1, ceil(len(line) / (column.width * _LETTERS_PER_DIGIT))) for line in cell.text.split("\n"))
            for cell, column in zip(cells, self._columns, strict=True)
        ]
        return min(_LINE_HEIGHT * max(lines) + 4, _HIGHEST)

    def to_bytes(self, namespace: str, summary: ReceiptSummary) -> bytes:
        """The part."""
        widths = "".join(
            f'<col min="{number}" max="{number}" width="{column.width:g}" customWidth="1"/>'
            for number, column in enumerate(self._columns, start=1)
        )
        links = f"<hyperlinks>{''.join(self._links)}</hyperlinks>" if self._links else ""
        tab = _TAB_COLOURS.get(summary.status, _ACCEPTED_COLOUR)
        header = escape_text(
            plain(f"&L{_fixed(wording.title(summary))}: {_fixed(summary.partner)} {_fixed(summary.period_label)}")
        )
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<worksheet xmlns="{namespace}"><sheetPr><tabColor rgb="{tab}"/><pageSetUpPr fitToPage="1"/></sheetPr>'
            '<sheetViews><sheetView showGridLines="0" tabSelected="1" workbookViewId="0"/></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData>{"".join(self._rows)}</sheetData>'
            f'{links}<pageMargins left="0.4" right="0.4" top="0.7" bottom="0.6" header="0.3" footer="0.3"/>'
            '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>'
            f"<headerFooter><oddHeader>{header}</oddHeader><oddFooter>&amp;CPage &amp;P of &amp;N</oddFooter>"
            "</headerFooter></worksheet>"
        ).encode()


def _fixed(text: str) -> str:
    """A text without header codes, shortened to leave room for the others."""
    return plain(text)[:80].replace("&", "&&")
