"""Personal data where none belongs: what can be told with confidence is asked about, and never repeated.

A name cannot be told from other words, so names are not looked for; numbers that carry a check digit can. The patterns
take time that grows with the length of a text and no faster: each has bounded repeats, or ones that never give back
what they took. They are made to stay silent on what returns are full of: dates of meetings, counts, references,
postcodes of areas.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cypp_etl.findings import Finding, find, in_list
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.values import read_text
from cypp_etl.receipts.recognise import without_receipt_notes
from cypp_etl.remembering import remembered
from cypp_etl.workbook.model import Cell, CellKind, Sheet, Workbook

_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def is_nhs_number(text: str) -> bool:
    """Whether ten digits are an NHS number: the last one follows from the others, modulo 11."""
    digits = [int(character) for character in text if character.isdigit()]
    check = -sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return len(digits) == 10 and len(set(digits)) > 1 and check == digits[9]


def is_upn(text: str) -> bool:
    """Whether a letter and twelve characters are a unique pupil number: the letter follows from them, modulo 23."""
    letter, rest = text[0].upper(), text[1:].upper()
    values = [int(character) if character.isdigit() else _UPN_LETTERS.index(character) for character in rest]
    return _UPN_LETTERS[sum(value * weight for weight, value in enumerate(values, start=2)) % 23] == letter


def is_telephone_number(text: str) -> bool:
    """Whether a text has as many digits as a telephone number in this country, the 0 in front counted."""
    national = re.sub(r"^\+44\s?(\(0\))?", "0", text)
    return sum(map(str.isdigit, national)) in (10, 11)


def _always(_text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of personal data: what messages call it, how it looks, and what else must hold."""

    name: str
    look: re.Pattern[str]
    holds: Callable[[str], bool] = _always

    def is_in(self, text: str) -> bool:
        return any(self.holds(match[0]) for match in self.look.finditer(text))


def _verbose(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE | re.IGNORECASE)


_KINDS = (
    _Kind("an e-mail address", _verbose(r"(?<![\w.+-]) [\w.+-]++ @ [\w-]++ (?:\.[\w-]++)++")),
    _Kind(
        "a telephone number",
        _verbose(
            r"""(?<![\w.,/-]) (?: \+44\s?(?:\(0\)\s?)? | \(?0 ) [1-37]\d{1,4} \)?
            [\s-]?\d{3,4} [\s-]?\d{3,4} (?! \w | / | [.,-]\d )"""
        ),
        is_telephone_number,
    ),
    _Kind(
        "an NHS number", _verbose(r"(?<![\w.,/-]) \d{3} ([ -]?) \d{3} \1 \d{4} (?! \w | [/-] | [.,]\d )"), is_nhs_number
    ),
    _Kind("a unique pupil number (UPN)", _verbose(r"\b [A-HJ-NP-RT-Z] \d{11} [\dA-HJ-NP-RT-Z] \b"), is_upn),
    _Kind(
        "a National Insurance number",
        _verbose(r"\b [A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ([ ]?) \d\d \1 \d\d \1 \d\d \1 [A-D] \b"),
    ),
    _Kind(
        "a date of birth",
        _verbose(
            r"""\b (?: born | d\.?o\.?b\.? | date\ of\ birth | birthday )
            (?:\s{1,9}(?:on|is|was))? \s{0,9}[:=,-]?\s{0,9}
            (?: \d{1,2}\s?[/.-]\s?\d{1,2}\s?[/.-]\s?\d{2,4} | \d{4}-\d\d-\d\d
              | \d{1,2}(?:st|nd|rd|th)?\s{1,9}
                (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,9}\.?,?\s{1,9}\d{2,4} )
            (?! \d | \s{0,9}(?:to|and|until|[-–])\s{0,9}\d )"""
        ),
    ),
    _Kind(
        "a home address",
        _verbose(
            r"""\b \d{1,4}[a-z]? ,?\s{1,9} (?:[a-z'’-]{1,40}\s{1,9}){1,4}
            (?: street | st | road | rd | avenue | ave | lane | close | drive | way | court | crescent | grove
              | terrace | place | gardens | walk | row ) \b
            .{0,60}? \b [A-Z]{1,2}\d[A-Z\d]? \s? \d[ABD-HJLNP-UW-Z]{2} \b"""
        ),
    ),
)

# Every kind has an at sign or digits in it.
_WORTH_A_LOOK = re.compile(r"@|\d.*\d", re.DOTALL)

# A list of people has headings, and its names, dates and numbers below them.
_HEADING = re.compile(
    r"nhs n(?:o\.?|umber)|upn|d\.?o\.?b\.?|date of birth|surname|forenames?|(?:first|last|family|full) name"
    r"|(?:child|pupil|client|patient|young person)(?:['’]?s)? name|home address",
    re.IGNORECASE,
)


@remembered
def kinds_in(text: str) -> tuple[str, ...]:
    """What personal data a text holds, as messages call it."""
    if not _WORTH_A_LOOK.search(text):
        return ()
    return tuple(kind.name for kind in _KINDS if kind.is_in(text))


def judge_personal(workbook: Workbook, parsed: ParsedReturn) -> Iterator[Finding]:
    """Ask about personal data in each cell of the sheets that are read, and once for every other sheet.

    The first sheet of a return is left out: it says who prepared it, and where to ask.
    """
    parts = {name: part for part, name in parsed.sheets.items()}
    for sheet in workbook.sheets:
        if sheet.name not in parts:
            yield from _judge_other_sheet(sheet)
        elif parts[sheet.name] != "cover":
            for address, kinds in _kinds_by_cell(sheet):
                yield find("personal-data", sheet=sheet.name, cell=address, kinds=in_list(kinds))


def _judge_other_sheet(sheet: Sheet) -> Iterator[Finding]:
    for cell in _texts(sheet):
        kinds = kinds_in(str(cell.value))
        if not kinds and _HEADING.fullmatch(read_text(cell)) and _holds_below(sheet, cell):
            kinds = ("a list of people",)
        if kinds:
            yield find("personal-data-sheet", sheet=sheet.name, cell=cell.address, kinds=in_list(kinds))
            return


def _kinds_by_cell(sheet: Sheet) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The cells in which personal data is written, or in the comment on them, by address."""
    if not sheet.comments:
        # As in most sheets: an address is put together only where there is something to say of it.
        for cell in _texts(sheet):
            if kinds := kinds_in(str(cell.value)):
                yield cell.address, kinds
        return
    texts = {cell.address: str(cell.value) for cell in _texts(sheet)}
    for address, comment in sheet.comments.items():
        texts[address] = f"{texts.get(address, '')}\n{without_receipt_notes(comment)}"
    yield from ((address, kinds) for address, text in texts.items() if (kinds := kinds_in(text)))


def _texts(sheet: Sheet) -> Iterator[Cell]:
    for cells in sheet.rows.values():
        yield from [cell for cell in cells.values() if cell.kind is CellKind.TEXT]


def _holds_below(sheet: Sheet, heading: Cell) -> bool:
    return bool(read_text(sheet.cell(heading.row + 1, heading.column)))
