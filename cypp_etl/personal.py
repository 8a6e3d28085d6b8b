"""Recognises personal data in a text, and replaces a text that may hold it by a mark.

Names cannot be distinguished from other words, so they are not searched for; numbers with a check digit can. The time
of the patterns grows linearly with the length of a text: each has bounded repeats, or possessive ones, which never
backtrack. They are made to ignore what returns are full of: dates of meetings, counts, references,
postcodes of areas.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import unquote

from cypp_etl.caching import remembered

MARK = "[withheld: may hold personal data]"
"""What messages show instead of a text in which personal data was recognised."""

_FILE_MARK = "[file name withheld]"
# In the name of a file or a sheet these separate words.
_PARTING = str.maketrans("_", " ")

_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def is_nhs_number(text: str) -> bool:
    """Whether ten digits are an NHS number: the last one is a check digit, modulo 11."""
    digits = [int(character) for character in text if character.isdigit()]
    check = -sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return len(digits) == 10 and len(set(digits)) > 1 and check == digits[9]


def is_upn(text: str) -> bool:
    """Whether a letter and twelve characters are a unique pupil number: the letter is a check letter, modulo 23."""
    letter, rest = text[0].upper(), text[1:].upper()
    values = [int(character) if character.isdigit() else _UPN_LETTERS.index(character) for character in rest]
    return _UPN_LETTERS[sum(value * weight for weight, value in enumerate(values, start=2)) % 23] == letter


def is_telephone_number(text: str) -> bool:
    """Whether a text has as many digits as a UK telephone number, including the leading 0."""
    national = re.sub(r"^\+44\s?(\(0\))?", "0", text)
    return sum(map(str.isdigit, national)) in (10, 11)


def _always(_text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of personal data: its name in messages, its pattern, and a further condition."""

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

# Every kind contains an at sign or digits.
_WORTH_A_LOOK = re.compile(r"@|\d.*\d", re.DOTALL)
# Nine characters without a letter are no kind, and most texts with digits are figures and years.
_SHORT_NUMBER = re.compile(r"[\d.,%£/ +-]{0,9}")


@remembered
def kinds_in(text: str) -> tuple[str, ...]:
    """The kinds of personal data in a text, by their names in messages."""
    if _SHORT_NUMBER.fullmatch(text) or not _WORTH_A_LOOK.search(text):
        return ()
    return tuple(kind.name for kind in _KINDS if kind.is_in(text))


def without_personal(text: str) -> str:
    """A text as messages may repeat it: the mark, if it may hold personal data."""
    return MARK if kinds_in(text) else text


@remembered
def is_personal_name(name: str) -> bool:
    """Whether the name of a file or a sheet may hold personal data; spaces, `_`, `-` and dots separate its words."""
    parted = name.translate(_PARTING)
    # A hyphen may separate words, or be part of a number.
    return any(kinds_in(form) for form in (name, parted, re.sub(r"[-.]", " ", parted)))


def shown_file_name(name: str) -> str:
    """The name of a file for display; its suffix stays if the rest is withheld."""
    path = PurePath(name)
    return f"{_FILE_MARK}{path.suffix}" if is_personal_name(path.stem) or is_personal_name(name) else name


def shown_path(path: str) -> str:
    """A path for display: its folders show whose file it is, and its name may be withheld."""
    folder, parting, name = path.rpartition("/")
    # A path whose bytes are not UTF-8 is written as a URI.
    shown = shown_file_name(unquote(name) if path.startswith("file://") else name)
    return f"{folder}{parting}{shown}" if shown.startswith(_FILE_MARK) else path
