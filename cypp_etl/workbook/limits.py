"""Limits on how much of an untrusted file is read, so that no file can exhaust the machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from sys import getsizeof

from cypp_etl.workbook.model import UnreadableWorkbook

MIB = 1 << 20
_DAMAGED = "workbook-damaged"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for a file. Each is far above what a return needs, and is Excel's own limit if it has one.

    A file that unpacks to more than `apart_from_bytes` is read in a child process, limited to `memory` (bytes) and
    `seconds` of CPU time; other libraries get `foreign_seconds`. By the clock a child may take three times that,
    because a busy machine is not the file's fault. `docs/decisions/0009-large-files-apart.md` has the reasons.
    """

    file_bytes: int = 20 * MIB
    entries: int = 2_000
    archived_bytes: int = 400 * MIB
    inflated_bytes: int = 160 * MIB
    listing_bytes: int = 16 * MIB
    ratio: int = 200
    ratio_from_bytes: int = 4 * MIB
    token_bytes: int = 1 * MIB
    depth: int = 64
    names: int = 10_000
    elements: int = 5_200_000
    attributes: int = 8_000_000
    idle_elements: int = 1_600_000
    listed_elements: int = 100_000
    sheets: int = 256
    row_elements: int = 1_100_000
    filled_rows: int = 300_000
    rows: int = 1_048_576
    columns: int = 16_384
    cells: int = 1_250_000
    strings: int = 1_250_000
    text_length: int = 2 * 32_767
    text_bytes: int = 100 * MIB
    merges: int = 100_000
    apart_from_bytes: int = 8 * MIB
    memory: int = 400 * MIB
    seconds: int = 12
    foreign_seconds: int = 3


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Spent:
    """What reading one workbook has used so far, over all its parts: a part that is used twice counts twice."""

    limits: Limits = DEFAULT_LIMITS
    inflated_bytes: int = 0
    elements: int = 0
    row_elements: int = 0
    cells: int = 0
    filled_rows: int = 0
    texts: int = 0
    text_bytes: int = 0
    merges: int = 0

    def inflate(self, count: int) -> None:
        """Count bytes that were unpacked from the archive."""
        self.inflated_bytes += count
        if self.inflated_bytes > self.limits.inflated_bytes:
            raise unsafe("it unpacks to far more than a workbook holds")

    def add_elements(self, count: int) -> None:
        """Count XML elements, which cost time even if they are empty."""
        self.elements += count
        if self.elements > self.limits.elements:
            raise too_many_elements(self.limits)
        # A cell needs two elements, and so does a text; the others have no content.
        if self.elements - 4 * (self.cells + self.texts) > self.limits.idle_elements:
            raise too_many_idle(self.limits)

    def add_row_element(self) -> None:
        """Count a row, even if it is empty."""
        self.row_elements += 1
        if self.row_elements > self.limits.row_elements:
            raise too_large(f"it has more than {self.limits.row_elements:,} rows")

    def add_cells(self, count: int) -> None:
        """Count the filled cells of a row."""
        self.filled_rows += 1
        if self.filled_rows > self.limits.filled_rows:
            raise too_many_rows(self.limits)
        self.cells += count
        if self.cells > self.limits.cells:
            raise too_many_cells(self.limits)

    def add_text(self, text: str) -> None:
        """Count a text that is stored, and refuse one that is too long for a cell."""
        self._add_texts(1, len(text), getsizeof(text))

    def add_texts(self, texts: Sequence[str]) -> None:
        """Count several texts, like `add_text`."""
        self._add_texts(len(texts), max(map(len, texts), default=0), sum(map(getsizeof, texts)))

    def _add_texts(self, count: int, longest: int, size: int) -> None:
        if longest > self.limits.text_length:
            raise text_too_long(self.limits)
        self.texts += count
        self.text_bytes += size
        if self.text_bytes > self.limits.text_bytes:
            raise too_large(f"it holds more than {self.limits.text_bytes // MIB} MB of text")

    def add_merge(self) -> None:
        """Count a merged area."""
        self.merges += 1
        if self.merges > self.limits.merges:
            raise too_large(f"it has more than {self.limits.merges:,} merged areas")


def refuse_size(size: int, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse a file that is too large for a return.

    Raises:
        UnreadableWorkbook: it is larger than the limit.
    """
    if size > limits.file_bytes:
        raise too_large(f"the file is larger than {limits.file_bytes // MIB} MB")


def damaged(reason: str) -> UnreadableWorkbook:
    """The file is damaged: it was cut short, or its contents are inconsistent."""
    return UnreadableWorkbook(_DAMAGED, reason=reason)


@contextmanager
def unless_damaged() -> Iterator[None]:
    """Ignore damage in what is attached to cells: Excel opens such a file, and the figures are complete."""
    try:
        yield
    except UnreadableWorkbook as fault:
        if fault.code != _DAMAGED:
            raise


def too_large(reason: str) -> UnreadableWorkbook:
    """The file may be valid, but has more content than is read."""
    return UnreadableWorkbook("workbook-too-large", reason=reason)


def unsafe(reason: str) -> UnreadableWorkbook:
    """The file was not made by a spreadsheet program."""
    return UnreadableWorkbook("workbook-unsafe", reason=reason)


def too_complex(reason: str) -> UnreadableWorkbook:
    """Reading the file was stopped."""
    return UnreadableWorkbook("workbook-too-complex", reason=reason)


def not_excel(kind: str) -> UnreadableWorkbook:
    """The file is valid, but is not a workbook."""
    return UnreadableWorkbook("workbook-not-excel", kind=kind)


def too_many_elements(limits: Limits) -> UnreadableWorkbook:
    """There is more markup than is read."""
    return too_large(f"it is made of more than {limits.elements:,} pieces")


def too_many_attributes(limits: Limits) -> UnreadableWorkbook:
    """There are more attributes than all the cells that are read could have."""
    return too_large(f"its pieces have more than {limits.attributes:,} properties")


def too_many_idle(limits: Limits) -> UnreadableWorkbook:
    """There is more markup without content than is read."""
    return too_large(f"it has more than {limits.idle_elements:,} cells or rows that are empty or only coloured")


def too_many_cells(limits: Limits) -> UnreadableWorkbook:
    """There are more filled cells than are read."""
    return too_large(f"it has more than {limits.cells:,} cells")


def too_many_rows(limits: Limits) -> UnreadableWorkbook:
    """There are more filled rows than are read."""
    return too_large(f"it has more than {limits.filled_rows:,} filled rows")


def text_too_long(limits: Limits) -> UnreadableWorkbook:
    """A text is too long for a cell."""
    return too_large(f"a cell holds more than {limits.text_length:,} characters")
