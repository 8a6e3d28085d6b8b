"""What the site shows besides the pages of docs/: the decisions, and the files elsewhere that a page links to.

Pages link to files by their paths in the repository, so that the links work there too. A file outside docs/ becomes a
page below `source/`: Markdown as it is, anything else as code.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

_ROOT = Path(__file__).resolve().parents[1]
_DOCS = _ROOT / "docs"
_ENTRANCES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
_LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> None:
    """Fills the entries of `nav` that name a folder with its pages."""
    config.nav = _filled(config.nav)


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Adds the files outside docs/ that pages link to, and those that these link to."""
    waiting = [*sorted(_DOCS.rglob("*.md")), *(_ROOT / name for name in _ENTRANCES)]
    seen = set(waiting)
    while waiting:
        file = waiting.pop()
        if not file.is_relative_to(_DOCS):
            files.append(_as_page(file, config))
        if file.suffix == ".md":
            new = set(_targets(file)) - seen
            seen |= new
            waiting += sorted(file for file in new if not file.is_relative_to(_DOCS))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links to files of the repository into links to the pages that show them."""
    here = _ROOT / page.file.src_uri.removeprefix("source/") if _is_outside(page.file) else _DOCS / page.file.src_uri

    def turned(link: re.Match[str]) -> str:
        target = _target(here, link[1])
        if target is None:
            return link[1]
        return posixpath.relpath(_uri(target), posixpath.dirname(page.file.src_uri) or ".")

    return _LINK.sub(turned, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Lets the keyboard reach each table: one that is wider than the page is scrolled, which takes the focus."""
    return html.replace("<table>", '<table tabindex="0">')


def _filled(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_filled(part) for part in entry]
    if isinstance(entry, dict):
        return {title: _filled(part) for title, part in entry.items()}
    if entry.endswith("/"):
        return [page.relative_to(_DOCS).as_posix() for page in sorted((_DOCS / entry).glob("*.md"), key=_order)]
    return entry


def _order(page: Path) -> tuple[bool, str]:
    return page.name != "README.md", page.name


def _as_page(file: Path, config: MkDocsConfig) -> File:
    text = file.read_text("utf-8")
    if file.suffix != ".md":
        text = f"# {file.relative_to(_ROOT).as_posix()}\n\n````{file.suffix.removeprefix('.')}\n{text}\n````\n"
    return File.generated(config, _uri(file), content=text, inclusion=InclusionLevel.NOT_IN_NAV)


def _is_outside(file: File) -> bool:
    return file.generated_by is not None


def _uri(file: Path) -> str:
    if file.is_relative_to(_DOCS):
        return file.relative_to(_DOCS).as_posix()
    uri = "source/" + file.relative_to(_ROOT).as_posix()
    return uri if file.suffix == ".md" else uri + ".md"


def _targets(page: Path) -> Iterator[Path]:
    for link in _LINK.findall(page.read_text("utf-8")):
        target = _target(page, link)
        if target is not None:
            yield target


def _target(page: Path, link: str) -> Path | None:
    target = (page.parent / link).resolve()
    if target.is_dir():
        target /= "README.md"
    return target if target.is_file() and target.is_relative_to(_ROOT) else None
