"""Text typed by a partner has no effect in any medium that shows it."""

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cypp_etl.escapes import for_csv, for_html, for_log, for_markdown, for_terminal, visible

HOSTILE = [
    "[click](https://evil.example)",
    "![seen](https://evil.example/pixel.png)",
    "<img src=https://evil.example/pixel.png>",
    "<script>alert(1)</script>",
    "https://evil.example www.evil.example a@evil.example <https://evil.example>",
    "`code` **bold** _it_ ~~gone~~ # head | cell | &lt;b&gt;",
    "\x1b[2J\x1b]0;title\x07 \x9b31m",
    "yos.xlsx\n2010-07-01 09:00:00 nhs.xlsx: accepted\r\u2028\x85again",
    "right\u202eleft\u2066in\u2069 zero\u200bwidth\u200d\ufeff half\ud800",
    "\\[click\\](https://evil.example)",
]


def _unseen(text: str) -> list[str]:
    return [one for one in text if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("escape", [for_terminal, for_log, for_markdown])
def test_nothing_unseen_reaches_a_line(escape, text):
    assert _unseen(escape(text)) == []


@given(st.text(st.characters(codec=None)))
def test_whatever_is_typed_is_one_visible_line(text):
    shown = visible(text)
    assert _unseen(shown) == []
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize("text", ["71.0%", "NI 111a", "caf\u00e9, \u2191 \u2605 \u25b2", "\u65e5\u672c", "a & b (c)"])
def test_what_is_seen_stays(text):
    assert visible(text) == text


def test_unseen_characters_are_written_out():
    assert visible("a\n\x1b\u202e\ud800") == r"a\n\x1b\u202e\ud800"


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_the_text_and_makes_nothing_of_it(text):
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render
    cell = rendered(f"| a | b |\n|---|---|\n| {for_markdown(text)} | last |\n")
    assert re.findall(r"<(\w+)", cell) == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    line = rendered(f"- {for_markdown(text)}")
    assert re.findall(r"<(\w+)", line) == ["ul", "li"]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_has_no_address_that_is_made_a_link_by_itself(text):
    assert not re.search(r"https?://|www\.|\w@\w", for_markdown(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_html_is_text(text):
    assert "<" not in for_html(text)
    assert set(_unseen(for_html(text))) <= {"\n", "\t"}


@pytest.mark.parametrize("text", ["=1", " =1", "\u200b=1", "\uff1d1", "\ufeff+cmd", "\n@x", "\uff0bcmd|x"])
def test_no_spreadsheet_takes_a_text_for_a_formula(text):
    assert for_csv(text) == f"'{text}"
    stream = io.StringIO()
    csv.writer(stream).writerow([for_csv(text)])
    assert next(csv.reader(io.StringIO(stream.getvalue()))) == [f"'{text}"]
