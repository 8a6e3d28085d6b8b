"""Marks one sheet: its cells, its comments and the boxes of its comments."""

from collections.abc import Mapping, Sequence

from cypp_etl.findings import Finding
from cypp_etl.receipts.comments import AUTHOR, Comments, Note, new_comments
from cypp_etl.receipts.ooxml.cells import Place, SheetCells
from cypp_etl.receipts.ooxml.package import Parts
from cypp_etl.receipts.ooxml.styles import StyleBook
from cypp_etl.receipts.ooxml.vml import Balloon, draw, measure_balloon, new_drawing
from cypp_etl.receipts.ooxml.xml_edit import Markup
from cypp_etl.receipts.recognise import SIGNATURE
from cypp_etl.receipts.wording import plain
from cypp_etl.workbook.addresses import parse_address
from cypp_etl.workbook.limits import DEFAULT_LIMITS
from cypp_etl.workbook.model import UnreadableWorkbook, column_letters

_ORDER = (
    *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection"),
    *("protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews", "mergeCells"),
    *("phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins"),
    *("pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors"),
    *("smartTags", "drawing", "legacyDrawing"),
)
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_TRUE = frozenset({"1", "true"})


class SheetMarks:
    """One sheet of a workbook, with the findings in its cells."""

    def __init__(self, parts: Parts, styles: StyleBook, part: str, findings: Mapping[Place, Sequence[Finding]]) -> None:
        self._parts = parts
        self._styles = styles
        self._part = part
        self._findings = findings
        self._links = parts.relationships(part)
        self._comments = next((link.target for link in self._links.values() if link.kind == "comments"), "")

    def write(self, block: int) -> None:
        """Make the changes, if there are any; `block` is the thousand of shape numbers for a new drawing."""
        has_notes = bool(self._findings) or self._has_our_comments()
        if not has_notes and b"tabSelected" not in self._parts.head(self._part):
            return
        cells = SheetCells(self._parts.read(self._part), set(self._findings))
        cells.restyle(lambda place, style: self._styles.mark(style, self._findings[place][0].severity))
        if has_notes:
            self._write_notes(cells, block)
        _deselect(cells.markup)
        if cells.markup.is_changed:
            self._parts.put(self._part, cells.markup.result())

    def _has_our_comments(self) -> bool:
        if self._comments not in self._parts:
            return False
        comments = self._parts.read(self._comments)
        return AUTHOR.encode() in comments or SIGNATURE.encode() in comments

    def _write_notes(self, cells: SheetCells, block: int) -> None:
        notes = {_address(place): _note(findings) for place, findings in self._findings.items()}
        comments = Comments(self._open_comments(cells.markup.namespace))
        comments.rewrite(notes)
        balloons = [
            measure_balloon(cells, place, comments.kept.get(_address(place), "") + _text(notes[_address(place)]))
            for place in self._findings
        ]
        self._parts.put(self._comments, comments.markup.result())
        vanished = {parse_address(ref, DEFAULT_LIMITS) for ref in comments.vanished if _is_address(ref)}
        self._draw(cells.markup, balloons, vanished, block)

    def _open_comments(self, namespace: str) -> Markup:
        if self._comments and self._comments in self._parts:
            return Markup(self._parts.read(self._comments))
        if not self._comments:
            self._comments = self._parts.free_name("xl/cyppComments{}.xml")
            self._parts.relate(self._part, "comments", self._comments)
        self._parts.declare(self._comments, _COMMENTS_TYPE)
        return Markup(new_comments(namespace))

    def _draw(self, sheet: Markup, balloons: list[Balloon], vanished: set[Place], block: int) -> None:
        listed = sheet.root.child("legacyDrawing")
        link = self._links.get(listed.link) if listed else None
        if link is not None and link.target in self._parts:
            drawing = link.target
            before = self._parts.read(drawing)
        else:
            drawing, before = self._parts.free_name("xl/drawings/cyppDrawing{}.vml"), new_drawing(block)
            self._parts.declare_extension("vml", _DRAWING_TYPE)
            if listed is not None:
                sheet.remove(listed)
            identity = self._parts.relate(self._part, "vmlDrawing", drawing)
            sheet.insert_child(f'<legacyDrawing xmlns:r="{self._parts.office}" r:id="{identity}"/>', _ORDER)
        self._parts.put(drawing, draw(before, balloons, vanished))


def _deselect(sheet: Markup) -> None:
    """Deselect the sheet: two selected sheets are a group in Excel, and typing in one changes both."""
    views = sheet.root.child("sheetViews")
    for view in views.named("sheetView") if views else ():
        if view.attributes.get("tabSelected") in _TRUE:
            sheet.change(view, {"tabSelected": None})


def _note(findings: Sequence[Finding]) -> Note:
    return [
        (finding.severity.value, f": {plain(finding.message)}\nWhat to do: {plain(finding.fix)}")
        for finding in findings
    ]


def _text(note: Note) -> str:
    return "\n\n".join(f"{word}{rest}" for word, rest in note) + f"\n\n{SIGNATURE}"


def _address(place: Place) -> str:
    return f"{column_letters(place[1])}{place[0]}"


def _is_address(ref: str) -> bool:
    try:
        return bool(parse_address(ref, DEFAULT_LIMITS))
    except UnreadableWorkbook:
        return False
