"""The documentation site: every page is in it, its links work, and it needs nothing from the network."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(DOCS) for page in DOCS.rglob("*.md"))


class Tags(HTMLParser):
    """The addresses that a page loads and links to, the anchors in it, and the tags of its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads, self.links, self.anchors, self.text = list[str](), list[str](), set[str](), Counter[str]()
        self._is_text = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "img", "iframe") and "src" in given:
            self.loads.append(given["src"])
        if tag == "link":
            self.loads.append(given["href"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.anchors.add(given.get("id", ""))
        self._is_text |= tag == "article"
        if self._is_text:
            self.text[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        self._is_text &= tag != "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Tags]:
    return {page: Tags(page.read_text("utf-8")) for page in site.rglob("*.html") if page.name != "404.html"}


def built(site: Path, page: Path) -> Path:
    return site / (page.parent / "index.html" if page.name == "README.md" else page.with_suffix(".html"))


def inside(page: Path, address: str) -> tuple[Path, str] | None:
    """The file and the anchor that an address leads to, or nothing if it leads out of the site."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    return (page.parent / unquote(parts.path)).resolve() if parts.path else page, parts.fragment


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_page_is_in_the_site_and_in_its_navigation(site: Path, pages: dict[Path, Tags], page: Path) -> None:
    start = site / "index.html"
    assert (built(site, page), "") in [inside(start, link) for link in pages[start].links]


def test_every_link_leads_to_a_page_and_a_place_in_it(pages: dict[Path, Tags]) -> None:
    astray = []
    for page, tags in pages.items():
        for address in tags.links + tags.loads:
            if (led := inside(page, address)) is not None:
                file, anchor = led
                if not file.is_file() or (anchor and file in pages and anchor not in pages[file].anchors):
                    astray.append((page.name, address))
    assert astray == []


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("index.html", "source/CONTRIBUTING.html"),
        ("operate.html", "source/prefect.yaml.html"),
        ("data-team.html", "source/cypp_etl/plan/data/index.html"),
        ("source/index.html", "../partners.html"),
        ("source/index.html", "../decisions/index.html"),
        ("source/CHANGELOG.html", "CONTRIBUTING.html"),
    ],
)
def test_links_across_the_border_of_docs_are_followed(
    site: Path, pages: dict[Path, Tags], page: str, link: str
) -> None:
    assert link in pages[site / page].links


def test_a_file_that_is_no_page_is_shown_as_code(site: Path) -> None:
    shown = re.sub(r"<[^>]+>", "", (site / "source/prefect.yaml.html").read_text("utf-8"))
    assert (ROOT / "prefect.yaml").read_text("utf-8").splitlines()[-1].strip() in shown


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_has_the_lists_and_tables_that_it_has_in_the_repository(
    site: Path, pages: dict[Path, Tags], page: Path
) -> None:
    """MkDocs nests by four spaces, where GitHub needs two, and shows a list with fewer as plain text."""
    text = MarkdownIt("gfm-like", {"linkify": False}).render((DOCS / page).read_text("utf-8"))
    wanted = Tags("<article>" + text).text
    found = pages[built(site, page)].text
    for tag in ("li", "ul", "ol", "tr", "h2", "h3", "img"):
        assert (tag, found[tag]) == (tag, wanted[tag])


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Tags]) -> None:
    assert [address for page, tags in pages.items() for address in tags.loads if inside(page, address) is None] == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_search_works_from_a_folder_without_a_network(site: Path, browser: Browser) -> None:
    browsed, asked = browser.new_context(offline=True).new_page(), list[str]()
    browsed.on("request", lambda request: asked.append(request.url))
    browsed.goto((site / "index.html").as_uri() + "?q=direction+of+travel")
    browsed.locator(".md-search-result__link[href*='judgements.html']").first.wait_for()
    assert {urlsplit(url).scheme for url in asked} == {"file"}


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "page",
    [
        *("index", "source/prefect.yaml"),
        *(pytest.param(page, marks=pytest.mark.trial) for page in ("architecture", "operate", "performance")),
        pytest.param("findings", marks=pytest.mark.trial),
    ],
)
def test_axe_finds_nothing_in_a_page(site: Path, browser: Browser, page: str, scheme: Literal["light", "dark"]) -> None:
    browsed = browser.new_context(offline=True, color_scheme=scheme).new_page()
    browsed.goto((site / f"{page}.html").as_uri())
    # The theme gives its own search box no name.
    found = Axe().run(browsed, options={"rules": {"aria-dialog-name": {"enabled": False}}})
    assert found.violations_count == 0, found.generate_report()
