"""Reads what was typed as a figure in its indicator's unit.

A percentage is recognised by its format or sign, never by its size.
What can mean one thing only is read: a currency, the words of the unit, `£1.2m`. What can mean two is asked about.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from cypp_etl.intake.values import TOO_LARGE, Reading, read_figure
from cypp_etl.layout import normalise_heading, read_words
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Unit

# A figure agrees with an earlier one of the same sign within a factor of ten: its two readings as a percentage are a
# factor of a hundred apart, so that both agree only at the edge, where the partner is asked.
_AGREEMENT_FACTOR = 10

# A point instead of the comma between thousands, for an indicator without decimals; a suffix such as [p] may follow.
_THOUSANDS_POINT = re.compile(r"\s*[-+]?[1-9]\d{0,2}\.\d{3}(?!\d)", re.ASCII)
# An amount with fewer decimals than a group of thousands has digits can be meant either way: `£1.234`.
_DECIMALS_OF_THOUSANDS = 3

# A figure, and what may stand around it: brackets, a sign, a currency, words, and shorthand such as [p].
_FIGURE_IN_WORDS = re.compile(
    r"(?P<opened>\(?)(?P<before>[^\d.()\[\]]*)(?P<inner>\(?)(?P<digits>\d[\d.,]*|\.\d+)\s*"
    r"(?P<percent>%?)(?P<after>[^()\[\]]*)(?P<closed>\)?)(?P<beside>(?:\s*\[[^\[\]]*\])*)",
    re.ASCII,
)
# What is longer says more than a figure.
_LONGEST = 80
_SIGNS = "+-\u2212"
_CURRENCY_SYMBOLS = "Sc"


class Measured(Protocol):
    """What a figure is read by: an `Indicator`, or a row of a plan that is not read yet."""

    @property
    def unit(self) -> Unit:
        """The unit."""

    @property
    def unit_label(self) -> str:
        """What stands behind the currency or the unit, such as `thousand`."""

    @property
    def unit_text(self) -> str:
        """What people read for the unit."""

    @property
    def currency(self) -> str:
        """The symbol or the code of the currency, empty for what is no money."""

    @property
    def decimals(self) -> int:
        """The number of decimals."""

    @property
    def minimum(self) -> Decimal | None:
        """The least possible figure."""

    @property
    def maximum(self) -> Decimal | None:
        """The greatest possible figure."""


def read_in_unit(cell: Cell | None, leaf: Measured) -> Reading:
    """Read a cell as a figure of an indicator, which may have a currency and the words of its unit around it."""
    reading = read_figure(cell)
    if reading.currency and leaf.unit is Unit.MONEY and not _is_same_currency(reading.currency, leaf):
        return Reading(reading.typed, trouble="currency-differs")
    if reading.trouble != "text-with-digits" or len(reading.typed) > _LONGEST:
        return reading
    said = _FIGURE_IN_WORDS.fullmatch(unicodedata.normalize("NFKC", reading.typed).strip())
    around = _around(said, leaf) if said else None
    return _read_in_words(reading, said, around, leaf) if said and around else reading


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a figure: a minus, brackets, its currency, what it is multiplied by, a sign of percent."""

    is_negative: bool
    is_bracketed: bool
    currency: str
    scale: Decimal | None
    is_percent: bool


def _around(said: re.Match[str], leaf: Measured) -> _Around | None:
    """What stands around a figure; None where something of it is not known."""
    before, after = said["before"].strip(), said["after"].split()
    sign = next((mark for mark in (before[:1], before[-1:]) if mark and mark in _SIGNS), "")
    before = before.removeprefix(sign).strip() if before.startswith(sign) else before.removesuffix(sign).strip()
    opened = len(said["opened"]) + len(said["inner"])
    scale = None
    if leaf.unit is Unit.MONEY and after and not _names_unit(after, leaf):
        scale = _scale(after[0])
        after = after[1:] if scale else after
    currency = before
    if after and not before and _symbol(after[0], leaf):
        currency, *after = after
    is_known = (not currency or _symbol(currency, leaf)) and (not after or _names_unit(after, leaf))
    if not is_known or opened != len(said["closed"]) or (opened and (sign or leaf.unit is not Unit.MONEY)):
        return None
    is_percent = bool(said["percent"]) or read_words()["unit"].get(_key(after)) == Unit.PERCENT
    return _Around(sign not in ("", "+"), bool(opened), currency, scale, is_percent)


def _read_in_words(reading: Reading, said: re.Match[str], around: _Around, leaf: Measured) -> Reading:
    """Read the figure among words that are known."""
    trouble = _trouble(said["digits"], around, leaf)
    if trouble:
        return Reading(reading.typed, trouble=trouble)
    sign = "-" if around.is_negative or around.is_bracketed else ""
    percent = "%" if around.is_percent else ""
    plain = read_figure(Cell(1, 1, CellKind.TEXT, f"{sign}{said['digits']}{percent}{said['beside']}"))
    if plain.value is None:
        return replace(plain, typed=reading.typed)
    value = plain.value * (around.scale or 1)
    if abs(value) >= TOO_LARGE:
        return Reading(reading.typed, trouble="figure-too-large")
    is_assumed = around.is_bracketed or around.scale is not None
    return replace(plain, typed=reading.typed, value=value, trouble="amount-assumed" if is_assumed else plain.trouble)


def _trouble(digits: str, around: _Around, leaf: Measured) -> str:
    """The code of the finding that asks what is meant, where it can be two things."""
    if around.currency and leaf.unit is not Unit.MONEY:
        return "currency-not-expected"
    if around.currency and not _is_same_currency(around.currency, leaf):
        return "currency-differs"
    if around.is_bracketed and leaf.minimum is not None and leaf.minimum >= 0:
        return "brackets-unclear"
    if around.scale and any(map(_scale, leaf.unit_label.split())):
        return "scale-unclear"
    is_short = leaf.unit is Unit.MONEY and leaf.decimals < _DECIMALS_OF_THOUSANDS and around.scale is None
    return "thousands-point" if is_short and _THOUSANDS_POINT.match(digits) else ""


def _key(words: Sequence[str]) -> str:
    return normalise_heading(" ".join(words))


def _names_unit(words: Sequence[str], leaf: Measured) -> bool:
    """Whether words are what the form says of the indicator's unit, or another name of the unit."""
    key = _key(words)
    is_label = key in (normalise_heading(leaf.unit_label), normalise_heading(leaf.unit_text))
    return bool(key) and (is_label or read_words()["unit"].get(key) == leaf.unit)


def _scale(word: str) -> Decimal | None:
    """What a word such as `million` multiplies an amount by."""
    known = read_words()["scale"].get(normalise_heading(word))
    return Decimal(known) if known else None


def _symbol(word: str, leaf: Measured) -> str:
    """The symbol of the currency that a word names; empty if it is none that is known."""
    if known := read_words()["currency"].get(normalise_heading(word)):
        return known
    is_symbol = len(word) == 1 and unicodedata.category(word) == _CURRENCY_SYMBOLS
    return word if is_symbol or word.casefold() == leaf.currency.casefold() else ""


def _is_same_currency(word: str, leaf: Measured) -> bool:
    return _symbol(word, leaf).casefold() == _symbol(leaf.currency, leaf).casefold()


def to_unit(reading: Reading, leaf: Measured, known: Collection[Decimal]) -> tuple[Decimal | None, str]:
    """Return a reading's value in the indicator's unit (percentages in points), and the code of a finding or nothing.

    `known` has earlier figures of the indicator. A percent indicator's figure that was typed without a percent format
    or sign is read as points if only that is believable; if 0.71 and 71 both are, or only 71 is, the partner
    is asked, and the value is None.
    """
    value = reading.value
    if value is None:
        return None, ""
    is_ambiguous = leaf.decimals == 0 and "." in reading.typed and not reading.is_percent
    if is_ambiguous and _THOUSANDS_POINT.match(reading.typed):
        return None, "thousands-point"
    if leaf.unit is not Unit.PERCENT:
        return (None, "percent-not-expected") if reading.is_percent else (value, "")
    # A value that is out of range either way has another finding.
    if reading.is_percent or value == 0 or not _is_possible(value, leaf):
        return value, ""
    can_only_be_points = not _is_possible(value * 100, leaf)
    are_points_believable = _is_believable(value, known) and not _is_believable(value * 100, known)
    return (value, "percent-assumed") if can_only_be_points or are_points_believable else (None, "percent-or-points")


def _is_possible(value: Decimal, leaf: Measured) -> bool:
    return (leaf.minimum is None or value >= leaf.minimum) and (leaf.maximum is None or value <= leaf.maximum)


def _is_believable(value: Decimal, known: Collection[Decimal]) -> bool:
    """Whether a value agrees with an earlier figure, if there are any to agree with."""
    comparable = [earlier for earlier in known if earlier != 0]
    return not comparable or any(_agree(value, earlier) for earlier in comparable)


def _agree(value: Decimal, earlier: Decimal) -> bool:
    return value * earlier > 0 and abs(earlier) <= abs(value) * _AGREEMENT_FACTOR <= abs(earlier) * _AGREEMENT_FACTOR**2
