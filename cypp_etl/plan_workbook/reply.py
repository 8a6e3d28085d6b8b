"""Hands a plan's workbook back as a return is: every fault in its cell, and all of them on a first sheet."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from cypp_etl.checked_return import CheckedReturn, status_of
from cypp_etl.findings import Finding, bounded, find
from cypp_etl.plan_workbook.sheets import PlanReading
from cypp_etl.receipts.reply import Reply, reply_for
from cypp_etl.receipts.summary import ReceiptSummary


def reply_to(reading: PlanReading, data: bytes, name: str, at: datetime) -> Reply:
    """The marked workbook of a plan; a page, if it cannot be marked.

    Args:
        reading: what was found in the workbook.
        data: its bytes.
        name: the file's name.
        at: when it was checked, with a time zone.
    """
    checked = CheckedReturn(
        file=name,
        file_name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        layout="",
        partner_code="",
        period=None,
        prepared_by="",
        email="",
        findings=tuple(bounded(_findings(reading))),
        observations=(),
        milestone_reports=(),
    )
    summary = ReceiptSummary(
        partner="",
        period_label="",
        version=None,
        received_at=at,
        file_name=name,
        sha256=checked.sha256,
        status=status_of(checked),
        is_rehearsal=True,
        is_plan=True,
    )
    return reply_for(checked, data, summary)


def _findings(reading: PlanReading) -> Iterator[Finding]:
    for fault in reading.faults:
        sheet = fault.file if fault.cell is not None else ""
        yield find("plan-fault", sheet=sheet, cell=fault.cell or "", fault=_sentence(fault.message))
    for note in reading.notes:
        yield find("plan-cell-read", sheet=note.file, cell=note.cell or "", note=_sentence(note.message))


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
