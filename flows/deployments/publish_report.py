"""The flow `publish-report`: the board report as permanent files, with its contents shown in the Prefect UI."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.runtime import flow_run
from prefect.states import Completed

from cypp_etl.escapes import for_markdown
from cypp_etl.judgement.columns import BOARD_TITLES
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan, refuse_outside
from cypp_etl.plan.selection import EVERYTHING, Selection, select_part
from cypp_etl.report.figures import figure_text
from cypp_etl.report.folder import Batch, Report
from cypp_etl.report.model import BoardData
from cypp_etl.report.moments import end_of
from cypp_etl.report.symbols import sign
from flows.deployments.parameter_forms import Choices, FormField
from flows.deployments.retries import retried_task
from flows.ingestion.context import Workplace, open_to_write
from flows.settings import read_settings
from warehouse.engine import reading, writing
from warehouse.queries.board.reader import read_report
from warehouse.recording.outstanding import judge_outstanding
from warehouse.recording.publications import Publication, record_publication

if TYPE_CHECKING:
    from cypp_etl.report.first_page.concerns import Line
    from cypp_etl.report.first_page.digest import Digest

SHOWN_ROWS = 200
"""So many rows at most are shown in a table of the Prefect UI; the report's files have all."""


@dataclass(frozen=True)
class Published:
    """A published report: the page to open and the workbook, and what is shown of it in the Prefect UI.

    `judgements` and `clinics` are rows of tables, of which there are no more than `SHOWN_ROWS`.
    """

    paths: tuple[Path, ...]
    frame: BoardData
    summary: str
    judgements: list[dict[str, str]]
    clinics: list[dict[str, str]]


@retried_task("write-report")
async def write_publication(
    workplace: Workplace, period: Period, at: datetime, published_at: datetime, part: Selection = EVERYTHING
) -> Published:
    """Write both editions into a new folder, and record the publication in the warehouse.

    One on a part of the plan is not recorded: the next report on the whole counts from the last one on the whole.
    """
    # It needs the extra "report", without which `cypp serve` may well run, and import this module.
    from flows.deployments.report_files import write_editions  # noqa: PLC0415

    folder = workplace.settings.reports / period.code / f"{published_at:%Y-%m-%d %H%M%S.%f}"
    judgements: list[dict[str, str]] = []
    clinics: list[dict[str, str]] = []

    def watched(report: Report) -> Iterator[Batch]:
        for batch in report.batches:
            judgements.extend(judgement_rows(batch.data)[: SHOWN_ROWS - len(judgements)])
            clinics.extend(clinic_rows(batch.data)[: SHOWN_ROWS - len(clinics)])
            yield batch

    with reading(workplace.engine) as connection:
        report = read_report(connection, period, at, part=part)
        written = write_editions(report, folder, published_at.date(), watch=watched)
    sha256 = hashlib.sha256()
    for page in written.pages:
        sha256.update(page.read_bytes())
    if part == EVERYTHING:
        with writing(workplace.engine) as connection:
            record_publication(connection, Publication(period, at, sha256.hexdigest(), published_at))
    markdown = summary(report.frame, written.digest, written.to_open)
    return Published(written.to_open, report.frame, markdown, judgements, clinics)


def _run_name() -> str:
    return f"board report on {flow_run.parameters['period'] or 'the last period that was due'}"


@flow(name="publish-report", flow_run_name=_run_name, persist_result=False)
async def publish_report(
    period: Annotated[str, FormField("Period", Choices.PERIODS)] = "",
    as_of: Annotated[date | None, FormField("As known on")] = None,
    partner: Annotated[str, FormField("Partner", Choices.PARTNERS)] = "",
    group: Annotated[str, FormField("Group", Choices.GROUPS)] = "",
    outcome: Annotated[str, FormField("Outcome", Choices.OUTCOMES)] = "",
) -> Published:
    """Publish the board report on a period, and show its contents and what has changed since the last one.

    Args:
        period: The period that the report is on, such as 2010-11Q3. If left empty, the last of which the returns were
            due.
        as_of: Publish what was known at the end of this day, not a day to come. What is known now, if left empty.
        partner: Publish what this partner returns alone.
        group: Publish what the partners of this group return alone.
        outcome: Publish what belongs to this outcome alone.
    """
    workplace = open_to_write(read_settings())
    # A report without the figures of a backfill that was stopped would be wrong, and look whole.
    await asyncio.to_thread(judge_outstanding, workplace.engine, workplace.plan, lambda: datetime.now(UTC))
    now = datetime.now(UTC)
    wanted = parse_period(period) if period else last_due(workplace.plan, now.date())
    refuse_outside(workplace.plan.calendar, wanted)
    at = end_of(as_of, now) if as_of else now
    part = select_part(workplace.plan, partner, group, outcome)
    published = await write_publication(workplace, wanted, at, now, part)
    await _show(published)
    message = f"{wanted.label}: {published.paths[0]}"
    return cast(Published, Completed(name="Published", message=message, data=published))


def last_due(plan: Plan, today: date) -> Period:
    """The last period whose returns were due by a date, of those owed by anybody.

    Raises:
        ValueError: none was.
    """
    due = [period for period, entry in plan.calendar.items() if entry.due_on <= today and plan.owing(period)]
    if not due:
        raise ValueError("no returns have been due yet; say which period the report is on")
    return max(due, key=lambda period: period.order)


async def _show(published: Published) -> None:
    frame, label = published.frame, published.frame.period.label
    key = "-".join([frame.period.code, *frame.codes]).lower().replace("_", "-")
    await cast(Any, acreate_markdown_artifact)(
        key=f"report-{key}", markdown=published.summary, description=f"Board report, {label}"
    )
    for what, table in (("judgements", published.judgements), ("clinics", published.clinics)):
        description = f"{what.title()} of the board report, {label}"
        if len(table) == SHOWN_ROWS:
            description += f", the first {SHOWN_ROWS}"
        await cast(Any, acreate_table_artifact)(key=f"{what}-{key}", table=table, description=description)


def summary(frame: BoardData, digest: "Digest", paths: Sequence[Path]) -> str:
    """A summary of the report, and what has changed since the last one, as Markdown; of long lists the first ten."""
    from cypp_etl.report.changes import revisions_heading  # noqa: PLC0415 - as above
    from cypp_etl.report.first_page.concerns import SHOWN_LINES  # noqa: PLC0415 - as above
    from cypp_etl.report.first_page.digest import first_page  # noqa: PLC0415 - as above

    first = first_page(frame, digest)
    of_part = f", {for_markdown(frame.part)}" if frame.part else ""
    lines = [f"## Board report on {frame.period.label}{of_part}", ""]
    lines += [first.headline, ""] if first.headline else []
    for column, found in first.counts.items():
        counts = ", ".join(f"{count} {word}" for word, count in found)
        lines.append(f"- {BOARD_TITLES[column]}: {counts or 'no figures'}")
    for concern in first.concerns:
        lines += ["", f"### {concern.heading}{f' ({concern.count})' if concern.count else ''}", ""]
        lines += [_markdown_line(line) for line in concern.lines[:SHOWN_LINES]] or [concern.otherwise]
        more = concern.count - SHOWN_LINES
        lines += [f"- {more} more"] if more > 0 else []
    count = first.revision_count
    lines += [
        "",
        "### Corrections and late figures",
        "",
        f"{revisions_heading(frame, count)}{':' if count else '.'}",
        "",
    ]
    lines += [
        f"- {for_markdown(one.named)}, {one.period}, {one.judgement.lower()}: {one.was} → {one.became} "
        f"({for_markdown(one.because)})"
        for one in first.revisions
    ]
    lines += [f"- {count - len(first.revisions)} more"] if count > len(first.revisions) else []
    return "\n".join([*lines, "", *(f"`{path}`" for path in paths)])


def _markdown_line(line: "Line") -> str:
    judged = ", ".join(
        f"{one.name.lower()} {one.was} → {one.sign.word}" if one.was else f"{one.name.lower()} {one.sign.word}"
        for one in line.judged
    )
    owner = f" ({for_markdown(line.owner)})" if line.owner else ""
    return f"- {for_markdown(line.title)}{owner}: {for_markdown(line.text)}{f'; {judged}' if judged else ''}"


def judgement_rows(data: BoardData) -> list[dict[str, str]]:
    """One row per indicator, as in the Board's table, for a table in the Prefect UI."""
    rows = []
    for row in data.of_period(data.period):
        signs = {name: sign(row, column) for column, name in BOARD_TITLES.items()}
        figures = {"indicator": row["indicator"], "partner": row["partner_code"]}
        of = f" ({row['period_label']})" if row["period"] != data.period.code else ""
        figures["actual"] = for_markdown(f"{figure_text(row, 'actual', data.texts)}{of}")
        rows.append(figures | {name: f"{one.symbol} {one.word}".strip() for name, one in signs.items()})
    return rows


def clinic_rows(data: BoardData) -> list[dict[str, str]]:
    """One row per clinic that is open, or was closed in the period."""
    from cypp_etl.report.pages import clinic_pages  # noqa: PLC0415 - as above

    return [
        {
            "clinic": for_markdown(page.clinic_id),
            "now": for_markdown(page.happening),
            "reason": for_markdown(page.reason),
            "diagnosis": for_markdown(page.diagnosis),
        }
        for page in clinic_pages(data)
    ]
