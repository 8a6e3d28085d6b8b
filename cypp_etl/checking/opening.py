"""Opens workbooks: the part of reading that needs no history, and which partners' history checking needs."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath

from cypp_etl.checked_return import TriedLayout
from cypp_etl.checking.recognition import recognise
from cypp_etl.findings import find
from cypp_etl.intake.cover import asks_for, find_cover, said_partner, said_period
from cypp_etl.intake.flat import flat_rows
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.tables import Table, find_sheets, read_table
from cypp_etl.intake.values import read_text
from cypp_etl.layout import COVER, INDICATORS, Layout, SheetLayout
from cypp_etl.periods import Period
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reference_keys import reference_key
from cypp_etl.plan.rhythm import recalled_periods
from cypp_etl.receipts.recognise import is_receipt
from cypp_etl.workbook.limits import refuse_size
from cypp_etl.workbook.model import UnreadableWorkbook, Workbook
from cypp_etl.workbook.reader import content_sha256, read_workbook


@dataclass(frozen=True, slots=True)
class Received:
    """A workbook as received: its path as given, its bytes, and the partner whose folder it was in, if any.

    `size` is the size of the file in bytes, if `data` is only its beginning. `is_explained` asks how it is read.
    """

    file: str
    data: bytes
    folder_partner: str = ""
    size: int = 0
    is_explained: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A workbook that was read but not yet checked.

    `workbook` is None if the bytes are not a workbook, which `parsed` then reports; `layout` is empty if it matches no
    known layout; `table` is the published table in it. `partner_codes` are those whose figures, statuses and
    submissions the checks look back on, and which it may change: two workbooks without a common one may be checked in
    any order. `periods` are those whose figures they look back on, None if any. `tried` are the plan's layouts that it
    was held against, if it has to be explained how it is read.
    """

    parsed: ParsedReturn
    workbook: Workbook | None
    layout: str
    table: Table | None
    partner_codes: frozenset[str]
    periods: frozenset[Period] | None = frozenset()
    tried: tuple[TriedLayout, ...] | None = None


def open_return(received: Received, plan: Plan, index: PlanIndex) -> Opened:
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
    recognised = recognise(workbook, plan.layouts, folder_partner)
    layout, table = recognised.layout, recognised.table
    everybody = frozenset(index.partners.values())
    tried = tuple(TriedLayout(one.layout.layout, one.found, one.missing) for one in recognised.resemblances)
    asked = tried if received.is_explained else None
    if layout is None:
        return Opened(parsed, workbook, "", None, own, tried=asked)
    if table is not None:
        return Opened(parsed, workbook, layout.layout, table, own or everybody, None, asked)
    partner_codes, periods = _look_back(workbook, layout, index)
    return Opened(parsed, workbook, layout.layout, None, own | partner_codes or everybody, periods, asked)


def _look_back(workbook: Workbook, layout: Layout, index: PlanIndex) -> tuple[frozenset[str], frozenset[Period] | None]:
    """The partner and the periods whose figures a return looks back on, as far as its cover says."""
    if layout.is_flat:
        return _look_back_flat(workbook, layout.part(INDICATORS), index)
    part, cover = layout.find_part(COVER), find_cover(workbook, layout)
    if part is None or cover is None:
        return frozenset([layout.partner_code] if layout.partner_code else []), frozenset()
    labels = cover[1]
    typed = read_text(said_partner(labels, part))
    is_code = asks_for(part, "partner_code")
    named = index.partners.get(reference_key(typed)) if is_code else index.partner_named(typed)
    partner_codes = frozenset(code for code in (named, layout.partner_code) if code)
    # Beside the return's own figures there are those of any period that its headings name.
    if any(sheet.is_dated for sheet in layout.sheets):
        return partner_codes, None
    period = said_period(labels, part).reading.period
    return partner_codes, recalled_periods(period, index.rhythms) if period else frozenset()


def _look_back_flat(
    workbook: Workbook, part: SheetLayout, index: PlanIndex
) -> tuple[frozenset[str], frozenset[Period] | None]:
    """The partner and the periods as the first row says them; a workbook with others too is an error anyway."""
    tables = [table for sheet in find_sheets(workbook, part) if (table := read_table(sheet, part))]
    first = next(flat_rows(tables, part, index), None)
    if first is None:
        return frozenset(), frozenset()
    period = first.period.period
    partner_codes = frozenset([first.partner_code] if first.partner_code else [])
    return partner_codes, recalled_periods(period, index.rhythms) if period else frozenset()
