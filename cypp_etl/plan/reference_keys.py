"""References however they are written: what is alike in them, by which they are looked up."""

import re
import unicodedata

from cypp_etl.caching import remembered


@remembered
def reference_key(text: str) -> str:
    """A reference without case and spacing: `ni111 A` is `NI 111a`."""
    return "".join(text.split()).casefold()


# What is longer is no reference.
_LONGEST_REFERENCE = 200
_RUNS = re.compile(r"[^\W\d_]+|\d+")


@remembered
def loose_key(text: str) -> str:
    """A reference without all that people change in it without meaning another: `N.I. 045`, `NI-45` are `ni45`.

    Beside case and spacing these are punctuation, leading zeros and the width of letters. What parts two numbers stays
    as a point, so that 4.5 is not 45. Empty where the text is too long to be a reference.
    """
    if len(text) > _LONGEST_REFERENCE:
        return ""
    runs = _RUNS.findall(unicodedata.normalize("NFKC", text).casefold())
    parts = [run.lstrip("0") or "0" if run.isdecimal() else run for run in runs]
    # Two numbers side by side had something between them.
    return "".join(
        f".{part}" if place and part.isdecimal() and parts[place - 1].isdecimal() else part
        for place, part in enumerate(parts)
    )
