"""Escapes texts typed by partners for the medium that shows them, so that they have no effect there.

Data stays as typed, in the warehouse and in files for machines; it is escaped only for display.
"""

import re
import unicodedata
from functools import cache

from markupsafe import Markup, escape

# Control characters, marks that change the writing direction or have no width, lone surrogates, line separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SUSPECT = re.compile(r"[\x00-\x1f\x7f-\x9f\xad]|[^\x00-\u05ff]")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&:@#!]|(?<=\bwww)\.", re.IGNORECASE)
# What a spreadsheet reads as a formula, unless it is a plain figure, or the dash for "no data".
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!(?:[\d.,]*\d%?)?$)")

READ_AS_MISSING = frozenset(
    {
        *("NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NULL", "null", "None", "NaN", "nan", "-NaN", "-nan"),
        *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "\\N"),
    }
)
"""Texts in a CSV file, quoted or not, that pandas, Arrow, R or a database reads as missing values by default."""


def visible(text: str, keep: str = "") -> str:
    r"""A text with its invisible characters written out, such as `\u202e`; those in `keep` stay as they are."""
    return _SUSPECT.sub(lambda match: match[0] if match[0] in keep else _written(match[0]), text)


@cache
def _written(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    return character.encode("ascii", "backslashreplace").decode() if character > "\x7f" else repr(character)[1:-1]


def for_terminal(text: str) -> str:
    """A text as one line of a terminal, which would interpret control characters."""
    return visible(text)


def for_log(text: str) -> str:
    """A text as part of one line of a log: a line break in it would look like another entry."""
    return visible(text)


def for_markdown(text: str) -> str:
    """A text within a line or a table cell of Markdown, without making markup, a link, an image or HTML."""
    return _MARKDOWN.sub(lambda match: f"\\{match[0]}", visible(text))


def for_html(text: str) -> Markup:
    """A text within HTML; its lines stay lines."""
    return escape(visible(text, keep="\n\t"))


def for_csv(text: str) -> str:
    """A text in CSV, with an apostrophe if a spreadsheet would read it as a formula, or a program as missing."""
    if text in READ_AS_MISSING:
        return f"'{text}"
    # Spreadsheets skip invisible characters at the beginning, and accept full-width signs.
    bare = unicodedata.normalize("NFKC", text).lstrip(" \n\x0b\x0c\x85\xa0\u2028\u2029")
    bare = "".join(character for character in bare if unicodedata.category(character) != "Cf")
    return f"'{text}" if _FORMULA.match(bare) else text
