"""The flow `publish-report`: the board report as permanent files, with its contents shown in the Prefect UI."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.states import Completed

from cypp_etl.escapes import for_markdown
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import refuse_outside
from flows.deployments.retries import retried_task
from flows.ingestion.context import Workplace, open_to_write
from flows.settings import read_settings

if TYPE_CHECKING:
    from cypp_etl.plan.model import Plan
    from cypp_etl.report.model import BoardData


@dataclass(frozen=True)
class Published:
    """A published report: its files and its data."""

    paths: tuple[Path, ...]
    data: "BoardData"


@retried_task("write-report")
async def write_publication(workplace: Workplace, period: Period, at: datetime, published_at: datetime) -> Published:
    """Write both editions into a new folder, and record the publication in the warehouse."""
    from flows.deployments.report_files import write_editions
    from warehouse.engine import reading, writing
    from warehouse.queries.board import read_board
    from warehouse.recording.publications import Publication, record_publication

    with reading(workplace.engine) as connection:
        data = read_board(connection, period, at)
    folder = workplace.settings.reports / period.code / f"{published_at:%Y-%m-%d %H%M%S.%f}"
    paths = write_editions(data, folder, published_at.date())
    sha256 = hashlib.sha256(paths[0].read_bytes()).hexdigest()
    with writing(workplace.engine) as connection:
        record_publication(connection, Publication(period, at, sha256, published_at))
    return Published(tuple(paths), data)


@flow(name="publish-report", flow_run_name="report-{period}", persist_result=False)
async def publish_report(period: str = "", as_of: date | None = None) -> Published:
    """Publish the board report on a period, and show its contents and what has changed since the last one.

    Args:
        period: such as 2010-11Q3; if not given, the last quarter whose returns were due.
        as_of: publish what was known at the end of this date, not what is known now.
    """
    workplace, now = open_to_write(read_settings()), datetime.now(UTC)
    wanted = parse_period(period) if period else last_due(workplace.plan, now.date())
    refuse_outside(workplace.plan.calendar, wanted)
    at = datetime.combine(as_of, time.max, UTC) if as_of else now
    published = await write_publication(workplace, wanted, at, now)
    await _show(published)
    said = f"{wanted.label}: {published.paths[0]}"
    return cast(Published, Completed(name="Published", message=said, data=published))


def last_due(plan: "Plan", today: date) -> Period:
    """The last quarter whose returns were due by a date.

    Raises:
        ValueError: none was.
    """
    due = [period for period, entry in plan.calendar.items() if period.quarter and entry.due_on <= today]
    if not due:
        raise ValueError("no returns have been due yet; say which period the report is on")
    return max(due)


async def _show(published: Published) -> None:
    data, key = published.data, published.data.period.code.lower()
    await cast(Any, acreate_markdown_artifact)(key=f"report-{key}", markdown=summary(published))
    for what, table in (("judgements", judgement_rows(data)), ("clinics", clinic_rows(data))):
        await cast(Any, acreate_table_artifact)(key=f"{what}-{key}", table=table, description=data.period.label)


def summary(published: Published) -> str:
    """A summary of the report, and what has changed since the last one, as Markdown."""
    from cypp_etl.judgement.columns import BOARD_TITLES
    from cypp_etl.report.table import changes, counts

    data = published.data
    changed = changes(data)
    after = f" after {data.since:%d %B %Y}" if data.since else ""
    lines = [f"## Board report on {data.period.label}", ""]
    for column, found in counts(data).items():
        said = ", ".join(f"{count} {word}" for word, count in found)
        lines.append(f"- {BOARD_TITLES[column]}: {said or 'nothing returned'}")
    lines += ["", f"### Changed since {data.period.previous.label}: {len(changed)}", ""]
    lines += [
        f"- {for_markdown(row['indicator'])}, {name.lower()}: {then.word} → {now.word}"
        for row, name, then, now in changed
    ]
    lines += ["", f"### Corrected{after}: {len(data.turned)}", ""]
    for row in data.turned:
        cause = (
            f"submission {row['submission_id']}, {for_markdown(row['source_cell'])}"
            if row["submission_id"]
            else "the plan"
        )
        turned = f"{row['period']}, {row['judgement']}: {row['was']} → {row['became']} ({cause})"
        lines.append(f"- {for_markdown(row['indicator'])}, {turned}")
    return "\n".join([*lines, "", *(f"`{path}`" for path in published.paths)])


def judgement_rows(data: "BoardData") -> list[dict[str, str]]:
    """One row per indicator, as in the Board's table, for a table in the Prefect UI."""
    from cypp_etl.judgement.columns import BOARD_TITLES
    from cypp_etl.report.figures import figure_text
    from cypp_etl.report.symbols import sign

    rows = []
    for row in data.of_period(data.period):
        signs = {name: sign(row, column) for column, name in BOARD_TITLES.items()}
        figures = {"indicator": row["indicator"], "partner": row["partner_code"]}
        figures["actual"] = for_markdown(figure_text(row, "actual", data.texts))
        rows.append(figures | {name: f"{one.symbol} {one.word}".strip() for name, one in signs.items()})
    return rows


def clinic_rows(data: "BoardData") -> list[dict[str, str]]:
    """One row per clinic that is open, or was closed in the period."""
    from cypp_etl.report.pages import clinic_pages

    return [
        {
            "clinic": for_markdown(page.clinic_id),
            "now": for_markdown(page.happening),
            "reason": for_markdown(page.reason),
            "diagnosis": for_markdown(page.diagnosis),
        }
        for page in clinic_pages(data)
    ]
