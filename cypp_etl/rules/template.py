"""The form that a return was made from, beside the plan by which it is checked."""

from collections.abc import Iterator

from cypp_etl.findings import Finding, find
from cypp_etl.intake.tables import find_sheet, read_labels
from cypp_etl.intake.values import read_text
from cypp_etl.layout import Layout
from cypp_etl.plan.model import Plan
from cypp_etl.workbook.model import Workbook


def judge_template(workbook: Workbook, layout: Layout, plan: Plan) -> Iterator[Finding]:
    """Note a form that was made from another plan; a workbook without our hidden sheet is nobody's fault."""
    meta = layout.find_part("meta")
    sheet = find_sheet(workbook, meta) if meta else None
    labels = read_labels(sheet, meta.columns) if meta and sheet else {}
    fingerprint = read_text(labels.get("plan_fingerprint"))
    if fingerprint and not plan.is_known_as(fingerprint):
        yield find("template-differs")
