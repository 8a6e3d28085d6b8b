"""The artifacts of a run in the Prefect UI: a summary of the submission, and its findings as a table."""

import json
import logging
from collections.abc import Sequence
from typing import Any, cast

from prefect import get_client, get_run_logger
from prefect.artifacts import Artifact, acreate_markdown_artifact, acreate_table_artifact
from prefect.client.schemas.actions import ArtifactCreate
from prefect.runtime import flow_run

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.escapes import for_log, for_markdown, visible
from cypp_etl.findings import Finding, count_by_severity
from cypp_etl.personal import shown_path
from cypp_etl.receipts.summary import ChangedJudgement
from flows.deployments.events import SKIPPED, Concern, emit
from flows.inbox.sweep import Waiting
from flows.ingestion.receipt import Answer
from flows.storage.files import path_as_text
from schemas.codes import Severity, SubmissionStatus
from warehouse.recording.record import Recorded

# The table in the UI is an overview; all findings are in the warehouse.
_SHOWN_FINDINGS = 500
_LOGGED_FINDINGS = 20
_SKIPPED_KEY = "inbox-skipped"
_KINDS = {Severity.ERROR: "errors", Severity.QUERY: "queries", Severity.NOTE: "notes"}
_LEVELS = {Severity.ERROR: logging.ERROR, Severity.QUERY: logging.WARNING, Severity.NOTE: logging.INFO}


async def show_summary(checked: CheckedReturn, recorded: Recorded, answer: Answer | None) -> None:
    """Show the submission, its status and the path of the receipt, if there is one."""
    markdown = summary_markdown(checked, recorded, answer)
    description = f"{for_markdown(checked.file_name)}: {findings_summary(checked)}."
    await cast(Any, acreate_markdown_artifact)(key=_key(checked, "summary"), markdown=markdown, description=description)


def summary_markdown(checked: CheckedReturn, recorded: Recorded, answer: Answer | None) -> str:
    """The summary of a submission as Markdown."""
    counts = count_by_severity(checked.findings)
    period = checked.period.label if checked.period else "unknown"
    held = "held" if recorded.status is SubmissionStatus.HELD else ""
    lines = [
        f"## {for_markdown(checked.file_name)}: {recorded.status.value}",
        "",
        "| | |",
        "|---|---|",
        f"| Partner | {checked.partner_code or 'unknown'} |",
        f"| Period | {period} |",
        f"| Submission | {recorded.submission_id}, version {recorded.version or '-'} |",
        f"| SHA-256 | `{checked.sha256}` |",
        *(f"| {severity.value.title()} findings | {counts[severity]} |" for severity in Severity),
        f"| Figures {held or 'loaded'} | {len(checked.observations)} |",
        f"| Judgements changed | {recorded.changed_judgements} |",
    ]
    if answer:
        # Browsers do not follow links from a page to a file.
        lines.append(
            f"| Receipt | `{visible(shown_path(answer.receipt.as_posix())).replace('`', ' ').replace('|', ' ')}` |"
        )
        lines += _changed_judgements(answer.summary.changed_judgements)
    return "\n".join(lines)


def _changed_judgements(changes: Sequence[ChangedJudgement]) -> list[str]:
    if not changes:
        return []
    rows = [f"| {for_markdown(one.indicator)} | {one.column} | {one.was} | {one.now} |" for one in changes]
    return ["", "### Judgements that changed", "", "| indicator | judgement | was | is |", "|---|---|---|---|", *rows]


async def show_findings(checked: CheckedReturn) -> None:
    """List the findings, errors first."""
    rows = findings_table(checked)
    for finding in checked.findings[:_LOGGED_FINDINGS]:
        where = finding_place(finding) or checked.file_name
        line = f"{finding.severity.value}, {where}: {finding.message} {finding.fix}"
        get_run_logger().log(_LEVELS[finding.severity], "%s", for_log(line))
    more = len(checked.findings) - len(rows)
    description = f"{for_markdown(checked.file_name)}: {findings_summary(checked)}."
    description += f" {more} more findings are in the warehouse." if more > 0 else ""
    await cast(Any, acreate_table_artifact)(key=_key(checked, "findings"), table=rows, description=description)


def finding_place(finding: Finding) -> str:
    """Where a finding is, as a formula would name it; empty for the whole file."""
    return f"{finding.sheet}!{finding.cell}" if finding.cell else finding.sheet


def findings_summary(checked: CheckedReturn) -> str:
    """Whose return it is, for which period, and how many findings it has of each kind."""
    counts = count_by_severity(checked.findings)
    period = checked.period.label if checked.period else "period unknown"
    found = [f"{_KINDS[severity]}: {counts[severity]}" for severity in Severity if counts[severity]]
    return ", ".join([checked.partner_code or "partner unknown", period, *(found or ["no findings"])])


def findings_table(checked: CheckedReturn) -> list[dict[str, str]]:
    """The first findings as rows of a table, whose cells the UI renders as Markdown."""
    return [
        {
            "severity": finding.severity.value,
            "sheet": for_markdown(finding.sheet),
            "cell": finding.cell,
            "value": for_markdown(finding.value),
            "message": for_markdown(finding.message),
            "fix": for_markdown(finding.fix),
            "code": finding.code,
        }
        for finding in checked.findings[:_SHOWN_FINDINGS]
    ]


async def show_skipped(skipped: Sequence[Waiting]) -> None:
    """List what lies in the inbox and is not ingested, with the reason, if the list is another than the last one shown.

    Whoever showed that: the watcher, or a sweep on any machine. What is new in it is sent as events. An empty list
    says that nothing is skipped.
    """
    last = await Artifact.aget(_SKIPPED_KEY)
    listed = json.loads(str(last.data)) if last else []
    table = skipped_table(skipped)
    if table == listed:
        return
    description = f"Skipped in the inbox: {len(skipped)}." if skipped else "Nothing in the inbox was skipped."
    # The watcher shows it outside of any run, for which Prefect's own functions are deprecated.
    shown = ArtifactCreate(
        key=_SKIPPED_KEY, type="table", description=description, data=json.dumps(table), flow_run_id=flow_run.id
    )
    async with get_client() as client:
        await client.create_artifact(shown)
    for waiting, row in zip(skipped, table, strict=False):
        if row not in listed:
            file = path_as_text(waiting.path)
            emit(SKIPPED, Concern(partner=waiting.partner_code, file=file, reason=waiting.reason))


def skipped_table(skipped: Sequence[Waiting]) -> list[dict[str, str]]:
    """A row for each file or folder that is not ingested."""
    return [
        {
            "partner": waiting.partner_code,
            "what": "folder" if waiting.is_folder else "file",
            "where": for_markdown(path_as_text(waiting.path)),
            "reason": for_markdown(waiting.reason),
        }
        for waiting in skipped[:_SHOWN_FINDINGS]
    ]


def _key(checked: CheckedReturn, what: str) -> str:
    """One key per partner, so that the UI shows a timeline of each partner's submissions."""
    return f"{(checked.partner_code or 'unknown').replace('_', '-')}-{what}"
