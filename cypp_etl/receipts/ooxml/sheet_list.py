"""Puts the sheet of a receipt before the other sheets of a workbook, replacing that of an earlier receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from cypp_etl.receipts.ooxml.package import Parts
from cypp_etl.receipts.ooxml.xml_edit import Node, escape_text, whole
from cypp_etl.workbook.limits import damaged

_ORDER = (
    *("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups"),
    *("externalReferences", "definedNames", "calcPr", "oleSize", "customWorkbookViews", "pivotCaches"),
    *("smartTagPr", "smartTagTypes", "webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst"),
)
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_LEFT_BEHIND = frozenset({"printerSettings", "comments", "vmlDrawing", "threadedComment"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A sheet in the workbook's list; `part` is empty if it does not exist."""

    node: Node
    name: str
    part: str


class Book:
    """The part that lists a workbook's sheets."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.markup = parts.markup(parts.workbook)
        links = parts.relationships(parts.workbook)
        listed = self.markup.root.child("sheets")
        if listed is None:
            raise damaged("it lists no sheets")
        self._listed = listed
        self.sheets = [
            Listed(node, node.attributes.get("name", ""), links[node.link].target if node.link in links else "")
            for node in listed.named("sheet")
        ]

    def add_first(self, old: Sequence[Listed], title_row: int, content: bytes) -> None:
        """Add the receipt's sheet as the first, and remove old ones; `title_row` is printed on every page."""
        name = old[0].name if old else self._free_name()
        for sheet in old:
            self._drop(sheet)
        part = self._parts.free_name("xl/worksheets/receipt{}.xml")
        self._parts.put(part, content)
        self._parts.declare(part, _SHEET_TYPE)
        identity = self._parts.relate(self._parts.workbook, "worksheet", part)
        number = 1 + max(whole(sheet.node.attributes.get("sheetId")) for sheet in self.sheets)
        xml = f'<sheet name={quoteattr(name)} sheetId="{number}" xmlns:r="{self._parts.office}" r:id="{identity}"/>'
        self.markup.replace(self._listed.inside, self._listed.inside, xml)
        self._name_title(old, name, title_row)
        self._open_first()

    def _free_name(self) -> str:
        taken = {sheet.name.casefold() for sheet in self.sheets}
        names = ["Receipt", *(f"Receipt ({number})" for number in range(2, len(taken) + 3))]
        return next(name for name in names if name.casefold() not in taken)

    def _drop(self, sheet: Listed) -> None:
        self.markup.remove(sheet.node)
        self._parts.unrelate(self._parts.workbook, sheet.node.link)
        for link in self._parts.relationships(sheet.part).values():
            if link.kind in _LEFT_BEHIND and not link.is_external:
                self._parts.drop(link.target)
        self._parts.drop(sheet.part)

    def _name_title(self, old: Sequence[Listed], name: str, row: int) -> None:
        """Define the row that is printed on every page, and adjust defined names that belong to a sheet."""
        left = [sheet for sheet in self.sheets if sheet not in old]
        places = {str(self.sheets.index(sheet)): str(number) for number, sheet in enumerate(left, start=1)}
        quoted = escape_text(name.replace("'", "''"))
        xml = f'<definedName name="_xlnm.Print_Titles" localSheetId="0">\'{quoted}\'!${row}:${row}</definedName>'
        names = self.markup.root.child("definedNames")
        if names is None:
            self.markup.insert_child(f"<definedNames>{xml}</definedNames>", _ORDER)
            return
        for node in names.named("definedName"):
            place = node.attributes.get("localSheetId")
            if place is None:
                continue
            if place in places:
                self.markup.change(node, {"localSheetId": places[place]})
            else:
                self.markup.remove(node)
        self.markup.append(names, xml)

    def _open_first(self) -> None:
        views = self.markup.root.child("bookViews")
        if views is None:
            self.markup.insert_child("<bookViews><workbookView/></bookViews>", _ORDER)
            return
        for view in views.named("workbookView"):
            self.markup.change(view, {"activeTab": "0", "firstSheet": "0"})
