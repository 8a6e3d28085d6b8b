"""Opens workbooks: the part of reading that needs no history, and which partners' history checking needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cypp_etl.findings import find
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.tables import Table, find_sheet, read_labels, read_table
from cypp_etl.intake.typed_periods import read_period
from cypp_etl.intake.values import read_text
from cypp_etl.layout import PUBLISHED, RETURN, Layout, published_table, read_layouts
from cypp_etl.periods import Period
from cypp_etl.plan.index import PlanIndex, reference_key
from cypp_etl.receipts.recognise import is_receipt
from cypp_etl.rules.lookback import recalled_periods
from cypp_etl.workbook.limits import refuse_size
from cypp_etl.workbook.model import UnreadableWorkbook, Workbook
from cypp_etl.workbook.reader import content_sha256, read_workbook


@dataclass(frozen=True, slots=True)
class Received:
    """A workbook as received: its path as given, its bytes, and the partner whose folder it was in, if any.

    `size` is the size of the file in bytes, if `data` is only its beginning.
    """

    file: str
    data: bytes
    folder_partner: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A workbook that was read but not yet checked.

    `workbook` is None if the bytes are not a workbook, which `parsed` then reports; `layout` is empty if it matches no
    known layout; `table` is the published table in it. `partner_codes` are those whose figures, statuses and
    submissions the checks look back on, and which it may change: two workbooks without a common one may be checked in
    any order. `periods` are those whose figures they look back on, None if any.
    """

    parsed: ParsedReturn
    workbook: Workbook | None
    layout: str
    table: Table | None
    partner_codes: frozenset[str]
    periods: frozenset[Period] | None = frozenset()


def open_return(received: Received, index: PlanIndex) -> Opened:
    """Read one workbook. Bad data becomes findings; nothing about the bytes makes this raise."""
    folder_partner = received.folder_partner
    parsed = ParsedReturn(received.file, hashlib.sha256(received.data).hexdigest(), "", folder_partner)
    own = frozenset([folder_partner] if folder_partner else [])
    try:
        refuse_size(max(received.size, len(received.data)))
        workbook = read_workbook(received.data, PurePath(received.file).name)
    except UnreadableWorkbook as unreadable:
        words = {name: str(word) for name, word in unreadable.words.items()}
        parsed.findings.append(find(unreadable.code, **words))
        return Opened(parsed, None, "", None, own)
    # A corrected receipt is the next return: our sheet in it is not the partner's.
    workbook.sheets = [sheet for sheet in workbook.sheets if not is_receipt(sheet)]
    parsed.content_sha256 = content_sha256(workbook)
    layouts = read_layouts()
    everybody = frozenset(index.partners.values())
    if table := _find_published_table(workbook, layouts):
        return Opened(parsed, workbook, PUBLISHED, table, own or everybody, periods=None)
    if _looks_like_return(workbook, layouts[RETURN]):
        partner_codes, periods = _look_back(workbook, layouts[RETURN], index)
        return Opened(parsed, workbook, RETURN, None, own | partner_codes or everybody, periods)
    return Opened(parsed, workbook, "", None, own)


def _looks_like_return(workbook: Workbook, layout: Layout) -> bool:
    """A return has a cover, or two of its other sheets; one missing sheet is a finding, not another layout."""
    found = {part.part for part in layout.sheets if find_sheet(workbook, part)}
    return "cover" in found or len(found) >= 2


def _find_published_table(workbook: Workbook, layouts: Mapping[str, Layout]) -> Table | None:
    """The published table, on any sheet: other people's workbooks may name it as they like.

    No other table has headings with years; a table without some columns is recognised by half of the others.
    """
    part = published_table()
    # Every return that we wrote has a hidden sheet that identifies it.
    if find_sheet(workbook, layouts[RETURN].part("meta")):
        return None
    sheets = sorted(workbook.sheets, key=lambda sheet: not part.is_named(sheet.name))
    tables = (table for sheet in sheets if (table := read_table(sheet, part)) is not None)
    return next((table for table in tables if table.year and len(table.columns) * 2 >= len(part.columns)), None)


def _look_back(workbook: Workbook, layout: Layout, index: PlanIndex) -> tuple[frozenset[str], frozenset[Period]]:
    """The partner and the periods whose figures a return looks back on, as far as its cover says."""
    cover = layout.part("cover")
    sheet = find_sheet(workbook, cover)
    labels = read_labels(sheet, cover.columns) if sheet else {}
    named = index.partners.get(reference_key(read_text(labels.get("partner_code"))))
    period = read_period(labels.get("period")).period
    return frozenset([named] if named else []), recalled_periods(period, index.rhythms) if period else frozenset()
