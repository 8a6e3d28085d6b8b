"""How much of a stranger's file is read before it is refused, so that no file can exhaust the machine."""

from dataclasses import dataclass

from cypp_etl.workbook.model import UnreadableWorkbook

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a file may hold. Each is far above what a return needs, and what Excel allows where it has a say.

    `memory` (bytes) and `seconds` bound a child process that reads a file in a library of others.
    """

    file_bytes: int = 20 * MIB
    entries: int = 2_000
    inflated_bytes: int = 400 * MIB
    ratio: int = 200
    ratio_from_bytes: int = 4 * MIB
    token_bytes: int = 1 * MIB
    depth: int = 64
    names: int = 10_000
    elements: int = 4_000_000
    listed_elements: int = 100_000
    sheets: int = 256
    row_elements: int = 1_100_000
    rows: int = 1_048_576
    columns: int = 16_384
    cells: int = 1_250_000
    strings: int = 1_250_000
    text_length: int = 2 * 32_767
    text_characters: int = 24_000_000
    merges: int = 100_000
    memory: int = 768 * MIB
    seconds: int = 20


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Spent:
    """What reading one workbook has used so far, over all its parts: a part that is named twice counts twice."""

    limits: Limits = DEFAULT_LIMITS
    inflated_bytes: int = 0
    elements: int = 0
    row_elements: int = 0
    cells: int = 0
    text_characters: int = 0
    merges: int = 0

    def inflate(self, count: int) -> None:
        """Count bytes that came out of the archive."""
        self.inflated_bytes += count
        if self.inflated_bytes > self.limits.inflated_bytes:
            raise unsafe("it unpacks to far more than a workbook holds")

    def add_elements(self, count: int) -> None:
        """Count XML elements, which cost time even where they hold nothing."""
        self.elements += count
        if self.elements > self.limits.elements:
            raise too_large(f"it has more than {self.limits.elements:,} elements, most of them empty or styling")

    def add_row_element(self) -> None:
        """Count a row, whether or not it holds anything."""
        self.row_elements += 1
        if self.row_elements > self.limits.row_elements:
            raise too_large(f"it has more than {self.limits.row_elements:,} rows")

    def add_cells(self, count: int) -> None:
        """Count cells that hold something."""
        self.cells += count
        if self.cells > self.limits.cells:
            raise too_large(f"it has more than {self.limits.cells:,} cells")

    def add_text(self, text: str) -> None:
        """Count a text that is kept, and refuse one that no cell can hold."""
        if len(text) > self.limits.text_length:
            raise text_too_long(self.limits)
        self.text_characters += len(text)
        if self.text_characters > self.limits.text_characters:
            raise too_large(f"it holds more than {self.limits.text_characters:,} characters of text")

    def add_merge(self) -> None:
        """Count a merged area."""
        self.merges += 1
        if self.merges > self.limits.merges:
            raise too_large(f"it has more than {self.limits.merges:,} merged areas")


def damaged(reason: str) -> UnreadableWorkbook:
    """The file is broken: it was cut short, or its contents do not hold together."""
    return UnreadableWorkbook("workbook-damaged", reason=reason)


def too_large(reason: str) -> UnreadableWorkbook:
    """The file may be sound, and holds more than is read."""
    return UnreadableWorkbook("workbook-too-large", reason=reason)


def unsafe(reason: str) -> UnreadableWorkbook:
    """The file is built as no spreadsheet program builds one."""
    return UnreadableWorkbook("workbook-unsafe", reason=reason)


def too_complex(reason: str) -> UnreadableWorkbook:
    """Reading the file was given up."""
    return UnreadableWorkbook("workbook-too-complex", reason=reason)


def not_excel(kind: str) -> UnreadableWorkbook:
    """The file is sound, and is something else."""
    return UnreadableWorkbook("workbook-not-excel", kind=kind)


def text_too_long(limits: Limits) -> UnreadableWorkbook:
    """One text is longer than a cell can hold."""
    return too_large(f"a cell holds more than {limits.text_length:,} characters")
