"""What each table and column of the plan holds, in the words of the plan's README: they stand there alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

GUIDANCE_SHEET = "Guidance"
_SECTION = re.compile(r"^### (\w+\.csv)\n+(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
_FIRST_TABLE = "\n### "
_ROW = re.compile(r"^\| (`.*?`) \| (.*) \|$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class TableGuidance:
    """What a table is about, and what each of its columns holds; without markup."""

    about: str
    columns: Mapping[str, str]


@cache
def read_guidance() -> Mapping[str, TableGuidance]:
    """The guidance by file."""
    text = files("cypp_etl").joinpath("plan", "data", "README.md").read_text("utf-8")
    # Columns that several tables have are described before the first of them.
    common = _columns(text.partition(_FIRST_TABLE)[0])
    return {file: _table(section, common) for file, section in _SECTION.findall(text)}


def _table(section: str, common: Mapping[str, str]) -> TableGuidance:
    about = " ".join(section.partition("\n|")[0].split()) if not section.startswith("|") else ""
    return TableGuidance(_plain(about), {**common, **_columns(section)})


def _columns(text: str) -> dict[str, str]:
    return {name: _plain(holds) for names, holds in _ROW.findall(text) for name in re.findall(r"`(\w+)`", names)}


def _plain(markdown: str) -> str:
    """A text without the marks of Markdown; files are sheets here."""
    return re.sub(r"(\w)\.csv\b", r"\1", _LINK.sub(r"\1", markdown).replace("`", ""))
