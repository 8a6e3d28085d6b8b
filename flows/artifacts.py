"""What a run shows in the Prefect UI: what became of the workbook, and its findings as a table."""

from collections.abc import Sequence
from typing import Any, cast

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from cypp_etl.findings import count_by_severity
from cypp_etl.receipts.summary import ChangedJudgement
from cypp_etl.submission import CheckedReturn
from flows.answering import Answer
from schemas.codes import Severity
from warehouse.load import Recorded

# A table in the UI is for reading; all findings are in the warehouse.
_SHOWN_FINDINGS = 500
_LOGGED_FINDINGS = 20


async def show_summary(checked: CheckedReturn, recorded: Recorded, answer: Answer | None) -> None:
    """Say in a few lines what came in, what became of it, and where the partner's answer is, if there is one."""
    counts = count_by_severity(checked.findings)
    period = checked.period.label if checked.period else "unknown"
    lines = [
        f"## {_plain(checked.file_name)}: {recorded.status.value}",
        "",
        "| | |",
        "|---|---|",
        f"| Partner | {checked.partner_code or 'unknown'} |",
        f"| Period | {period} |",
        f"| Submission | {recorded.submission_id}, version {recorded.version or '-'} |",
        f"| SHA-256 | `{checked.sha256}` |",
        *(f"| {severity.value.title()} findings | {counts[severity]} |" for severity in Severity),
        f"| Figures loaded | {len(checked.observations)} |",
        f"| Judgements changed | {recorded.changed_judgements} |",
    ]
    if answer:
        # A browser follows no link from a page to a file.
        lines.append(f"| Receipt | `{answer.receipt.as_posix().replace('`', ' ')}` |")
        lines += _changed_judgements(answer.summary.changed_judgements)
    await cast(Any, acreate_markdown_artifact)(key=_key(checked, "summary"), markdown="\n".join(lines))


def _changed_judgements(changes: Sequence[ChangedJudgement]) -> list[str]:
    if not changes:
        return []
    rows = [f"| {_plain(one.indicator)} | {one.column} | {one.was} | {one.now} |" for one in changes]
    return ["", "### Judgements that changed", "", "| indicator | judgement | was | is |", "|---|---|---|---|", *rows]


async def show_findings(checked: CheckedReturn) -> None:
    """List the findings, errors first."""
    rows = [
        {
            "severity": finding.severity.value,
            "sheet": finding.sheet,
            "cell": finding.cell,
            "value": finding.value,
            "message": finding.message,
            "fix": finding.fix,
            "code": finding.code,
        }
        for finding in checked.findings[:_SHOWN_FINDINGS]
    ]
    for row in rows[:_LOGGED_FINDINGS]:
        where = f"{row['sheet']}!{row['cell']}" if row["cell"] else row["sheet"] or checked.file_name
        get_run_logger().info("%s, %s: %s %s", row["severity"], where, row["message"], row["fix"])
    more = len(checked.findings) - len(rows)
    description = f"{more} more findings are in the warehouse." if more > 0 else "All findings."
    await cast(Any, acreate_table_artifact)(key=_key(checked, "findings"), table=rows, description=description)


def _key(checked: CheckedReturn, what: str) -> str:
    """One key a partner, so that the UI shows a timeline of each partner's submissions."""
    return f"{(checked.partner_code or 'unknown').replace('_', '-')}-{what}"


def _plain(text: str) -> str:
    """A partner's text without what Markdown would act on."""
    return "".join(character if character.isalnum() or character in " ,.-_()" else " " for character in text)
