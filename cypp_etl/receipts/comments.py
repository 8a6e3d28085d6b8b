"""Writes findings into a sheet's comments: in addition to people's own, and replacing those of an earlier receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cypp_etl.receipts.ooxml.xml_edit import Markup, Node, escape_text, whole
from cypp_etl.receipts.recognise import SEPARATOR, SIGNATURE, receipt_notes
from cypp_etl.workbook.ooxml.shared_strings import unescape

AUTHOR = "CYPP ETL"
THEIRS = "Returns officer"

_FONT = '<sz val="9"/><color indexed="81"/><rFont val="Tahoma"/><family val="2"/>'
_PLAIN = f"<rPr>{_FONT}</rPr>"
_BOLD = f"<rPr><b/>{_FONT}</rPr>"


# Pairs of the first word of a paragraph, and the rest of it.
Note = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Run:
    """A piece of a comment in one font, which is not changed."""

    font: bytes
    text: str


class Comments:
    """The comments of one sheet."""

    def __init__(self, markup: Markup) -> None:
        self.markup = markup
        authors, listed = markup.root.child("authors"), markup.root.child("commentList")
        self._authors = [_author_of(markup, node) for node in authors.named("author")] if authors else []
        self._known_authors = len(self._authors)
        self._list = listed
        self.vanished: set[str] = set()
        self.kept: dict[str, str] = {}

    def rewrite(self, notes: Mapping[str, Note]) -> None:
        """Remove the notes of an earlier receipt and write new ones, by address."""
        left = dict(notes)
        for node in list(self._list.named("comment")) if self._list else ():
            self._rewrite_one(node, left.pop(node.attributes.get("ref", ""), None))
        made = "".join(
            f'<comment ref="{ref}" authorId="{self._author(AUTHOR)}"><text>{_written_note(note)}</text></comment>'
            for ref, note in left.items()
        )
        if self._list is None:
            self.markup.append(self.markup.root, f"<commentList>{made}</commentList>")
        elif made:
            self.markup.append(self._list, made)
        self._write_authors()

    def _author(self, name: str) -> int:
        if name not in self._authors:
            self._authors.append(name)
        return self._authors.index(name)

    def _write_authors(self) -> None:
        xml = "".join(f"<author>{name}</author>" for name in self._authors[self._known_authors :])
        authors = self.markup.root.child("authors")
        if authors is None:
            self.markup.replace(self.markup.root.inside, self.markup.root.inside, f"<authors>{xml}</authors>")
        elif xml:
            self.markup.append(authors, xml)

    def _rewrite_one(self, node: Node, note: Note | None) -> None:
        ref, text = node.attributes.get("ref", ""), node.child("text")
        runs = self._runs(text) if text else []
        author = whole(node.attributes.get("authorId"), -1)
        is_ours = 0 <= author < len(self._authors) and self._authors[author] == AUTHOR
        kept = _without_ours(runs, is_ours=is_ours)
        self.kept[ref] = "".join(run.text for run in kept)
        if not kept and note is None and runs:
            self.markup.remove(node)
            self.vanished.add(ref)
        elif (kept != runs or note is not None) and text is not None:
            content = b"".join(self._written(run) for run in kept)
            if note is not None:
                separator = _run(_PLAIN, f"\n\n{SEPARATOR}\n") if kept else ""
                content += self.markup.written(separator + _written_note(note))
            opened, closed = self.markup.written("<text>"), self.markup.written("</text>")
            self.markup.replace(text.start, text.end, opened + content + closed)
            if is_ours and kept:
                # A text that was written into our note now belongs to its author.
                self.markup.change(node, {"authorId": str(self._author(THEIRS))})

    def _runs(self, text: Node) -> list[_Run]:
        runs: list[_Run] = []
        for part in text.children:
            holder = part.child("t") if part.name == "r" else part if part.name == "t" else None
            if holder is None:
                continue
            font = part.child("rPr")
            runs.append(_Run(self.markup.source(font) if font else b"", unescape(holder.text)))
        return runs

    def _written(self, run: _Run) -> bytes:
        opened, closed = self.markup.written("<r>"), self.markup.written("</r>")
        return opened + run.font + self.markup.written(_text(run.text)) + closed


def new_comments(namespace: str) -> bytes:
    """An empty comments part."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{head}<comments xmlns="{namespace}"><authors></authors><commentList></commentList></comments>'.encode()


def _author_of(markup: Markup, node: Node) -> str:
    return markup.data[node.inside : node.until].decode("utf-8", "replace")


def _without_ours(runs: list[_Run], *, is_ours: bool) -> list[_Run]:
    """The runs without those of an earlier receipt; text that someone added below our note is kept."""
    whole_text = "".join(run.text for run in runs)
    spans = receipt_notes(whole_text)
    if is_ours and not spans:
        return []
    kept: list[_Run] = []
    at = 0
    for run in runs:
        text = "".join(
            letter for place, letter in enumerate(run.text, at) if not any(start <= place < end for start, end in spans)
        )
        at += len(run.text)
        if text:
            kept.append(_Run(run.font, text))
    return kept if any(run.text.strip() for run in kept) else []


def _written_note(note: Note) -> str:
    runs = [_run(_BOLD, word) + _run(_PLAIN, f"{rest}\n\n") for word, rest in note]
    return "".join(runs) + _run(_PLAIN, SIGNATURE)


def _run(font: str, text: str) -> str:
    return f"<r>{font}{_text(text)}</r>"


def _text(text: str) -> str:
    return f'<t xml:space="preserve">{escape_text(text)}</t>'
