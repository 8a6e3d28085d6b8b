"""Findings: what is wrong or worth knowing at one cell of a workbook, in words that say what to do."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from cypp_etl.personal import MARK, is_personal_name, without_personal
from cypp_etl.phrases import LONGEST_REPEATED, shorten
from schemas.codes import Severity

# Zero-width ones too.
_SPACE = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]")
# How much of what was typed a finding stores: a cell can hold 32,767 characters, and there may be hundreds of such
# findings.
_LONGEST_VALUE = 2_000
# How many findings of one code on one sheet are listed singly; the rest is one finding, with its range.
_MOST_OF_ONE_CAUSE = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One error, query or note.

    `sheet` and `cell` are empty if the finding is about the file as a whole; `value` is what was typed.
    """

    code: str
    severity: Severity
    sheet: str
    cell: str
    value: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Advice:
    """The words for one code: templates with `{names}` that `find` fills in, and its section of the manual.

    `about` is what a query of this code can be waived for: "indicator", "milestone", "any row" or "no row". A return
    with a finding that `holds` is held until the data team decides on it.
    """

    code: str
    severity: Severity
    message: str
    fix: str
    meaning: str
    example: str
    about: str = "indicator"
    holds: bool = False


@cache
def catalogue() -> dict[str, Advice]:
    """Every code that a finding can have, in the order of the manual."""
    entries = tomllib.loads(files("cypp_etl").joinpath("findings.toml").read_text("utf-8"))
    return {code: Advice(code, Severity(entry.pop("severity")), **entry) for code, entry in entries.items()}


def holds(finding: Finding) -> bool:
    """Whether a return with this finding is held until the data team decides on it."""
    advice = catalogue().get(finding.code)
    return advice is not None and advice.holds


def find(code: str, *, sheet: str = "", cell: str = "", value: object = "", **words: object) -> Finding:
    """Make a finding of a code in the catalogue, with `words` filled into its message and fix.

    `{value}` in a message is what was typed; `{said}` the same in quotation marks, or `nothing` if it is blank;
    `{spaced}` the same with each space shown as an open box. A text that may hold personal data is never repeated:
    each is checked in full, before it is shortened, and replaced by a mark.

    Raises:
        KeyError: the catalogue has no such code, or a template names a word that was not given.
    """
    advice = catalogue()[code]
    typed = without_personal(str(value))
    if len(typed) > _LONGEST_VALUE:
        typed = typed[: _LONGEST_VALUE - 1] + "…"
    brief = shorten(typed)
    words = {name: without_personal(word) if isinstance(word, str) else word for name, word in words.items()}
    words |= {"sheet": _shown_name(sheet), "cell": cell, "value": brief, "said": f'"{brief}"' if brief else "nothing"}
    if "{spaced}" in advice.message + advice.fix:
        words["spaced"] = shorten(_SPACE.sub("␣", typed[: LONGEST_REPEATED + 1]))
    message, fix = advice.message.format_map(words), advice.fix.format_map(words)
    return Finding(code, advice.severity, sheet, cell, typed, message, fix)


def _shown_name(sheet: str) -> str:
    return MARK if is_personal_name(sheet) else sheet


def bounded(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, at most 500 of one code on one sheet, then one that counts the rest and gives their range.

    A column that was filled down by accident has one cause and a hundred thousand cells. Findings without a cell are
    at most one per item of the plan, and are all kept.
    """
    counts: Counter[tuple[str, str]] = Counter()
    rest: dict[tuple[str, str], tuple[Finding, Finding]] = {}
    for finding in findings:
        cause = finding.code, finding.sheet
        if finding.cell:
            counts[cause] += 1
        if counts[cause] <= _MOST_OF_ONE_CAUSE or not finding.cell:
            yield finding
        else:
            rest[cause] = rest.get(cause, (finding, finding))[0], finding
    for cause, (first, last) in rest.items():
        more = counts[cause] - _MOST_OF_ONE_CAUSE
        yield first if more == 1 else _counted(first, last, more)


def _counted(first: Finding, last: Finding, more: int) -> Finding:
    where = f"{more:,} more cells have the same fault, from {first.cell} to {last.cell}. The first:"
    return replace(first, message=f"{where} {first.message}")


def most_important_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by severity, those about the whole file first, otherwise in the order in which they were made."""
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    return tuple(sorted(findings, key=lambda finding: (ranks[finding.severity], bool(finding.sheet))))


def count_by_severity(findings: Iterable[Finding]) -> Counter[Severity]:
    """How many findings there are of each severity."""
    return Counter(finding.severity for finding in findings)
