"""What can be started in the Prefect UI, and what runs by itself: the one list of deployments.

`cypp serve` serves it on one machine. prefect.yaml says the same for workers, and a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prefect import Flow

from flows.deployments.backfill import backfill
from flows.deployments.decisions.flows import (
    adopt_plan,
    answer_query,
    close_period,
    decide_held,
    end_waiver,
    erase_content,
    note_at_clinic,
    release_text,
    reopen_period,
    waive_query,
    withdraw_return,
)
from flows.deployments.decisions.issue_forms import issue_forms
from flows.deployments.ingest_return import ingest_return
from flows.deployments.publish_report import publish_report
from flows.deployments.remind import remind
from flows.deployments.sweep_inbox import sweep_inbox


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something runs by itself.

    `name` is how a server knows these times again: what somebody changed about them in the UI stays, until they
    have another name here.
    """

    name: str
    cron: str
    timezone: str = "Europe/London"


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """A flow that can be started in the UI, under its own name.

    `parameters` are what its runs are told unless told otherwise. Of one that `is_alone` a second run, begun while
    the first still runs, is cancelled. `extras` are what it needs beyond those of `cypp serve`.
    """

    flow: Flow[..., Any]
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    schedule: Schedule | None = None
    is_alone: bool = False
    extras: tuple[str, ...] = ()


CATALOGUE = (
    DeploymentSpec(
        sweep_inbox,
        "Ingests whatever is in the inbox, including what the watcher missed.",
        {"settle_seconds": 30},
        Schedule("every-quarter-of-an-hour", "*/15 * * * *"),
        # A second sweep would find the same files: each is recorded once, but looked at twice.
        is_alone=True,
    ),
    DeploymentSpec(ingest_return, "Ingests one workbook, by its path on the server.", {"label": ""}),
    DeploymentSpec(
        backfill,
        "Ingests all workbooks in folders on the server, such as earlier years'; the files stay where they are.",
    ),
    DeploymentSpec(
        issue_forms,
        "Puts each partner's form into its folder: of every period that is open, if none is chosen.",
        # Looks at the calendar each day: no day on which a period opens is missed, whenever a server was down.
        schedule=Schedule("every-day-at-six", "0 6 * * *"),
    ),
    DeploymentSpec(
        remind,
        "Lists which returns are missing or due within a week, and which queries are open.",
        schedule=Schedule("working-days-at-eight", "0 8 * * 1-5"),
    ),
    DeploymentSpec(
        publish_report,
        "Publishes the board report, on the last quarter of which the returns were due if none is chosen.",
        schedule=Schedule("after-each-quarter", "0 7 21 1,4,7,10 *"),
        extras=("report",),
    ),
    DeploymentSpec(close_period, "Closes a period: a later correction of its figures is held."),
    DeploymentSpec(reopen_period, "Reopens a closed period: its figures can be corrected, and its returns withdrawn."),
    DeploymentSpec(decide_held, "Accepts or refuses a return that is held, and sends its partner another receipt."),
    DeploymentSpec(waive_query, "Waives a query of a partner until a date."),
    DeploymentSpec(end_waiver, "Ends a waiver: the query is raised again for returns that come from now on."),
    DeploymentSpec(answer_query, "Answers a query for the partner, so that it is not open any more."),
    DeploymentSpec(withdraw_return, "Takes a submission out of force: the earlier one is in force again, or none."),
    DeploymentSpec(erase_content, "Erases what was typed in a return, with its workbook, receipts and runs; for good."),
    DeploymentSpec(release_text, "Releases a text that is withheld as possible personal data."),
    DeploymentSpec(note_at_clinic, "Notes an issue, a solution or a decision at a performance clinic."),
    DeploymentSpec(adopt_plan, "Puts a plan in force, and shows first what it changes."),
)
