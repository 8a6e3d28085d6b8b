"""The partner's workbook as an editable package: unchanged parts are copied byte for byte."""

from collections.abc import Mapping
from posixpath import dirname
from xml.sax.saxutils import quoteattr

from cypp_etl.receipts.ooxml.xml_edit import Markup
from cypp_etl.receipts.ooxml.zip_copy import Repacked
from cypp_etl.workbook.limits import DEFAULT_LIMITS, MIB, damaged, not_excel, too_large
from cypp_etl.workbook.package import Relationship, part_name
from cypp_etl.workbook.sniff import Encoding, sniff, workbook_part

# A part is read into memory to be marked; a return's largest is a hundred kilobytes.
_LARGEST_PART = 48 * MIB
_TYPES = "[Content_Types].xml"
_STRICT = "http://purl.oclc.org/ooxml/"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_SUFFIXES = (
    ("template.macroEnabled", ".xltm"),
    ("sheet.macroEnabled", ".xlsm"),
    ("addin.macroEnabled", ".xlam"),
    ("template.main", ".xltx"),
)
_SKELETON = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Relationships xmlns="{_RELATIONSHIPS}"></Relationships>'
)


class Parts:
    """An Office Open XML workbook, opened for editing.

    Raises UnreadableWorkbook if it is not one, is broken, or is malicious: it is checked like any workbook first.
    """

    def __init__(self, data: bytes) -> None:
        encoding, package = sniff(data, DEFAULT_LIMITS)
        if encoding is not Encoding.XLSX or package is None:
            raise not_excel("a workbook of an older or another kind, which cannot be marked")
        self.data = data
        self._package = package
        self._entries = {part_name(info.filename): info for info in package.entries()}
        self._markups: dict[str, Markup] = {}
        self._written: dict[str, tuple[str, bytes]] = {}
        self._dropped: set[str] = set()
        self._extensions: set[str] = set()
        self._identities: dict[str, set[str]] = {}
        self._links: dict[str, Mapping[str, Relationship]] = {}
        found = workbook_part(package)
        if found is None:
            raise damaged("the part that lists its sheets is missing")
        self.workbook = found
        self.types = self.markup(_TYPES)
        self.is_strict = self.markup(self.workbook).namespace.startswith(_STRICT)

    @property
    def office(self) -> str:
        """The namespace of relationship ids, which is also the prefix of the types of relationships."""
        return _STRICT_OFFICE if self.is_strict else _OFFICE

    @property
    def suffix(self) -> str:
        """The file name's suffix for Excel, which refuses one that does not fit the package's content type."""
        kinds = {
            part_name(node.attributes.get("PartName", "")): node.attributes.get("ContentType", "")
            for node in self.types.root.named("Override")
        }
        said = kinds.get(part_name(self.workbook), "")
        return next((suffix for words, suffix in _SUFFIXES if words in said), ".xlsx")

    def __contains__(self, part: str) -> bool:
        return part_name(part) in self._entries or part_name(part) in self._written

    def read(self, part: str) -> bytes:
        """A part's original bytes."""
        entry = self._entries.get(part_name(part))
        if entry is not None and entry.file_size > _LARGEST_PART:
            raise too_large("it has a sheet that is too large to be marked")
        return b"".join(self._package.chunks(part))

    def head(self, part: str) -> bytes:
        """The first bytes of a part, for elements at its beginning."""
        return next(self._package.chunks(part), b"")

    def markup(self, part: str) -> Markup:
        """A part for editing; its changes are written with the package."""
        key = part_name(part)
        if key not in self._markups:
            self._markups[key] = Markup(self.read(part))
        return self._markups[key]

    def open(self, part: str, markup: Markup) -> None:
        """Start a new part with some markup, for editing."""
        self._markups[part_name(part)] = markup

    def named(self, ending: str) -> list[str]:
        """The parts whose names have a suffix."""
        return [part for part in self._entries if part.endswith(ending)]

    def put(self, part: str, content: bytes) -> None:
        """Write a part, new or replacing an old one."""
        entry = self._entries.get(part_name(part))
        self._written[part_name(part)] = (entry.filename if entry else part, content)

    def free_name(self, pattern: str) -> str:
        """An unused name for a part, with a number in the pattern's `{}`."""
        number = 1
        while pattern.format(number) in self:
            number += 1
        return pattern.format(number)

    def drop(self, part: str) -> None:
        """Remove a part, with its relationships and its content type."""
        self._dropped |= {part_name(part), part_name(_listing(part))}
        for node in self.types.root.named("Override"):
            if part_name(node.attributes.get("PartName", "")) == part_name(part):
                self.types.remove(node)

    def relationships(self, part: str) -> Mapping[str, Relationship]:
        """The original targets of a part's relationships, by id."""
        if part not in self._links:
            self._links[part] = self._package.relationships(part)
        return self._links[part]

    def relate(self, part: str, kind: str, target: str) -> str:
        """Add a relationship from a part to another, and return its id."""
        entry = self._entries.get(part_name(part))
        listing = _listing(entry.filename.replace("\\", "/") if entry else part)
        if listing not in self:
            self._markups[part_name(listing)] = Markup(_SKELETON.encode())
            self.put(listing, b"")
        given = self._identities.setdefault(listing, set(self.relationships(part)))
        number = 1
        while (identity := f"cypp{number}") in given:
            number += 1
        given.add(identity)
        xml = f'<Relationship Id="{identity}" Type="{self.office}/{kind}" Target={quoteattr("/" + target)}/>'
        listed = self.markup(listing)
        listed.append(listed.root, xml)
        return identity

    def unrelate(self, part: str, identity: str) -> None:
        """Remove a part's relationship by its id."""
        listed = self.markup(_listing(part))
        for node in listed.root.named("Relationship"):
            if node.attributes.get("Id") == identity:
                listed.remove(node)

    def declare(self, part: str, content_type: str) -> None:
        """Set the content type of a new part."""
        self.types.append(self.types.root, f'<Override PartName={quoteattr("/" + part)} ContentType="{content_type}"/>')

    def declare_extension(self, extension: str, content_type: str) -> None:
        """Set the content type of all parts with an extension, unless it is already set."""
        known = {node.attributes.get("Extension", "").lower() for node in self.types.root.named("Default")}
        if extension not in known | self._extensions:
            self._extensions.add(extension)
            xml = f'<Default Extension="{extension}" ContentType="{content_type}"/>'
            self.types.append(self.types.root, xml)

    def to_bytes(self) -> bytes:
        """The package with its changes; the entries keep their order, and new ones come last."""
        for key, markup in self._markups.items():
            if markup.is_changed:
                entry = self._entries.get(key)
                name = entry.filename if entry else self._written[key][0]
                self._written[key] = (name, markup.result())
        repacked = Repacked()
        for key, entry in self._entries.items():
            if key in self._dropped:
                continue
            if key in self._written:
                repacked.add(*self._written.pop(key))
            else:
                repacked.copy(self.data, entry)
        for name, content in self._written.values():
            repacked.add(name, content)
        return repacked.to_bytes()


def _listing(part: str) -> str:
    folder, file = dirname(part), part.rpartition("/")[2]
    return f"{folder}/_rels/{file}.rels".lstrip("/")
