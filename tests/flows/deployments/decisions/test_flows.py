"""Each decision through a real Prefect server, by its deployment's parameters, does what its command does."""

import asyncio
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cypp_etl.checked_return import Waiver, WithheldText
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from flows.cli.app import app
from flows.deployments.catalogue import CATALOGUE
from flows.deployments.decisions.decision import who
from flows.prefect_server.signed_in import SignedIn
from flows.settings import read_settings
from schemas.codes import Severity
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.recording.administration import add_waiver, close_period
from warehouse.recording.publications import Publication, record_publication
from warehouse.recording.record import record
from warehouse.schema.tables import (
    clinic_note,
    decision,
    erasure,
    held_decision,
    period_closing,
    query_answer,
    submission,
    text_release,
    waiver,
    withdrawal,
    withheld_text,
)
from warehouse.schema.tables import (
    observation as observation_table,
)
from warehouse.upgrade import upgrade
from warehouse.views.definitions import view_statements
from warehouse.views.selectable import view

SHIPPED = Path(__file__).parents[4] / "cypp_etl" / "plan" / "data"
WHO = ("--by", "A. Officer")
WHY = ("--why", "Agreed in July")
TOLD = {"by": "A. Officer", "why": "Agreed in July"}
BEFORE = 3
"""How many decisions the home begins with: the plan, a period closed, a waiver."""

# Of what decisions write, views do not show all.
TABLES = (
    *(decision, period_closing, query_answer, waiver, text_release, clinic_note, held_decision, withdrawal, erasure),
    *(withheld_text, submission, observation_table),
)
MARK = "[withheld: may hold personal data; see Indicators!M7 of the workbook]"


@dataclass(frozen=True)
class Case:
    """A decision as it is typed, and as the form sends it; `{harder}` is the folder of a plan."""

    typed: tuple[str, ...]
    name: str
    parameters: Mapping[str, Any]


CASES = {
    "close": Case(("close", "2010-11Q1", *WHO, *WHY), "close-period", {"period": "2010-11Q1", **TOLD}),
    "waive": Case(
        ("waive", "large-change", "police", "--only", "NI 111a", "--until", "2999-03-31", *WHO, *WHY),
        "waive-query",
        {"code": "large-change", "partner": "police", "only": "NI 111a", "until": "2999-03-31", **TOLD},
    ),
    "reopen": Case(("reopen", "2008-09Q1", *WHO, *WHY), "reopen-period", {"period": "2008-09Q1", **TOLD}),
    "end": Case(
        ("end-waiver", "3", *WHO, *WHY),
        "end-waiver",
        {"waiver": "3 large-change NI 43 (yos, every period), until 31 March 2999", **TOLD},
    ),
    "withdraw": Case(
        ("withdraw", "2", *WHO, *WHY), "withdraw-return", {"submission": "2 police, 2010/11 Q1, version 2", **TOLD}
    ),
    "erase": Case(
        ("erase", "1", "--cell", "Indicators!G2", *WHO, *WHY),
        "erase-content",
        {"submission": 1, "cells": ["Indicators!G2"], **TOLD},
    ),
    "erase all": Case(("erase", "2", *WHO, *WHY), "erase-content", {"submission": 2, **TOLD}),
    "answer": Case(
        ("answer", "1", "Counted twice before", "--by", "A. Officer"),
        "answer-query",
        {"query": "1 large-change NI 111a (police, 2010/11 Q1)", "answer": "Counted twice before", "by": "A. Officer"},
    ),
    "accept": Case(
        ("accept", "3", "--word", "Thank you", *WHO, *WHY),
        "decide-held",
        {"submission": "3 (police, 2010/11 Q1)", "verdict": "accept", "word": "Thank you", **TOLD},
    ),
    "refuse": Case(
        ("refuse", "3", "--word", "Ring us", *WHO, *WHY),
        "decide-held",
        {"submission": "3 (police, 2010/11 Q1)", "verdict": "refuse", "word": "Ring us", **TOLD},
    ),
    "release": Case(("release", "1", "m7", *WHO, *WHY), "release-text", {"submission": 1, "cell": "m7", **TOLD}),
    "note": Case(
        ("note", "NI 111a", "--issue", "Few diversions", "--decision", "Meet weekly", *WHO),
        "note-at-clinic",
        {
            "clinic": "police NI 111a 2010-11Q1",
            "issue": "Few diversions",
            "decided": "Meet weekly",
            "by": "A. Officer",
        },
    ),
    "adopt": Case(
        ("plan", "adopt", "{harder}", "--yes", *WHO, *WHY),
        "adopt-plan",
        {"folder": "{harder}", "confirm": True, **TOLD},
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three submissions, of which the first has a withheld text and the last is held, and a clinic.

    It has a published period, a closed one and a waiver. Beside it is a plan that would change what was published.
    """
    home = tmp_path_factory.mktemp("made")
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    upgrade(engine)
    figures = [observation("NI 111a", "60", "2009-10Q1"), observation("NI 111a", "90")]
    withheld = WithheldText("Indicators", "M7", MARK, "943 476 5919")
    asked = Finding("large-change", Severity.QUERY, "Indicators", "G2", "90", "This changed.", "Explain it.")
    content = checked("a", *figures, withheld=(withheld,), findings=(asked,))
    record(engine, content, read_plan(), later(0))
    commented = [figures[0], observation("NI 111a", "91", comment="Counted twice")]
    record(engine, checked("b", *commented, findings=(asked,)), read_plan(), later(1))
    hold = Finding("held-closed-period", Severity.NOTE, "", "", "", "It is closed.", "Nothing now.")
    record(engine, checked("c", observation("NI 111a", "95"), findings=(hold,)), read_plan(), later(2))
    with writing(engine) as connection:
        now = datetime.now(UTC)
        record_publication(connection, Publication(parse_period("2010-11Q1"), now, "0" * 64, now))
        close_period(connection, parse_period("2008-09Q1"), "A. Officer", later(2))
        waived = Waiver("large-change", "yos", "NI 43", None, "New", "A. Officer", date(2999, 3, 31))
        add_waiver(connection, waived, later(2))
    engine.dispose()
    shutil.copytree(SHIPPED, home / "harder")
    figures_csv = home / "harder" / "figures.csv"
    before, after = "target,NI 111a,2010-11,514", "target,NI 111a,2010-11,200"
    text = figures_csv.read_text("utf-8")
    assert before in text
    figures_csv.write_text(text.replace(before, after, 1), "utf-8")
    return home


@pytest.fixture
def harder(made: Path) -> str:
    return str(made / "harder")


def go_to(home: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the home, to which commands and flows go from now on."""
    for name in ("CYPP_INBOX", "CYPP_WAREHOUSE_URL", "CYPP_PLAN"):
        monkeypatch.delenv(name, raising=False)
    home.mkdir()
    shutil.copy(made / "warehouse.db", home)
    monkeypatch.setenv("CYPP_HOME", str(home))


def rows() -> dict[str, list[dict[str, Any]]]:
    """What decisions have written, and what every view makes of it, without moments."""
    engine = open_warehouse(read_settings().warehouse_url)
    names = sorted(view_statements(engine.dialect.name))
    with reading(engine) as connection:
        found = {
            one.name: [dict(row) for row in connection.execute(select(one)).mappings()]
            for one in (*map(view, names), *TABLES)
        }
    engine.dispose()
    return {
        name: [{key: value for key, value in row.items() if not isinstance(value, datetime)} for row in each]
        for name, each in found.items()
    }


def typed(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(app, arguments)
    return ended.exit_code, ended.output


def start(
    name: str, parameters: Mapping[str, Any], user: str = "", has_old_lists: bool = False
) -> tuple[Any, list[Any], list[str]]:
    """Run a decision by its deployment, as the form starts it; its final state, its artifacts and its log.

    The form's lists are those of the warehouse now, or as they were when it was last started.
    """
    from prefect import get_client
    from prefect.client.schemas.filters import ArtifactFilter, LogFilter, LogFilterFlowRunId
    from prefect.deployments.runner import RunnerDeployment
    from prefect.flow_engine import run_flow
    from prefect.flows import load_flow_from_entrypoint

    from flows.deployments.decisions.choices import stored_choices
    from flows.deployments.parameter_forms import lists_of
    from flows.service.deployment_runner import deployment_of

    (deployed,) = [one for one in CATALOGUE if one.flow.name == name]

    async def apply() -> Any:
        async with get_client() as client:
            if has_old_lists:
                known = await client.read_deployment_by_name(f"{name}/{name}")
                return known.id, known.entrypoint
            now, engine = datetime.now(UTC), open_warehouse(read_settings().warehouse_url)
            with reading(engine) as connection:
                lists = lists_of(read_plan(), now.date(), stored_choices(connection, now))
            engine.dispose()
            made: RunnerDeployment = await deployment_of(client, deployed, lists)
            number = await made.aapply()
            return number, (await client.read_deployment(number)).entrypoint

    number, entrypoint = asyncio.run(apply())
    address = f"{os.environ['PREFECT_API_URL']}/deployments/{number}/create_flow_run"
    for _ in range(20):
        headers = headers_for(user) if user else {}
        sent = httpx.post(address, json={"parameters": parameters}, headers=headers, timeout=60)
        # Its SQLite has one writer: it may have to be sent again.
        if sent.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
            break
        time.sleep(0.5)
    sent.raise_for_status()

    async def read() -> Any:
        async with get_client() as client:
            return await client.read_flow_run(sent.json()["id"])

    run = asyncio.run(read())
    state = asyncio.run(
        _ended(run_flow(load_flow_from_entrypoint(entrypoint), run, run.parameters, return_type="state"))
    )

    async def shown() -> tuple[list[Any], list[str]]:
        async with get_client() as client:
            artifacts = await client.read_artifacts(
                artifact_filter=ArtifactFilter.model_validate({"flow_run_id": {"any_": [str(run.id)]}})
            )
            logs = await client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])))
            return artifacts, [one.message for one in logs]

    return (state, *asyncio.run(shown()))


async def _ended(running: Any) -> Any:
    return await running


def headers_for(user: str) -> dict[str, str]:
    """What our server makes of the header of a proxy before Prefect sees it."""
    passed: dict[str, str] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.update(
            {name.decode(): value.decode() for name, value in scope["headers"] if name.startswith(b"prefect")}
        )

    scope = {"type": "http", "headers": [(b"x-forwarded-user", user.encode())]}
    asyncio.run(SignedIn(app, "X-Forwarded-User")(scope, None, None))  # type: ignore[arg-type]
    return passed


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_form_and_a_command_write_the_same_once(
    case: Case, made: Path, harder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(tmp_path / "typed", made, monkeypatch)
    arguments = [one.format(harder=harder) for one in case.typed]
    assert typed(*arguments)[0] == 0
    expected = rows()
    assert [row["kind"] for row in expected["bi_decisions"][BEFORE:]] == [case.name]
    assert typed(*arguments)[0] == 0
    assert rows() == expected, "what is decided again is recorded once"

    go_to(tmp_path / "started", made, monkeypatch)
    parameters = {
        name: value.format(harder=harder) if isinstance(value, str) else value
        for name, value in case.parameters.items()
    }
    state, artifacts, _ = start(case.name, parameters)
    assert (state.name, rows()) == ("Decided", expected)
    assert [one.key for one in artifacts if one.key == case.name], "an artifact says what it changed"
    again, _, _ = start(case.name, parameters, has_old_lists=True)
    assert (again.name, rows()) == ("Decided before", expected)


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_a_refusal_is_red_and_one_line_and_changes_nothing(
    made: Path, harder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(tmp_path / "started", made, monkeypatch)
    before = rows()
    refused = [
        start("adopt-plan", {"folder": harder, **TOLD}),
        start("release-text", {"submission": 7, "cell": "M7", **TOLD}),
        start("close-period", {"period": "2010-11Q1", "by": " "}),
        start("answer-query", {"query": "large-change", "answer": "x", "by": "A. Officer"}),
        start("decide-held", {"submission": "3 (police, 2010/11 Q1)", "verdict": "refuse", **TOLD}),
    ]
    assert [(state.type.value, state.name, state.message) for state, _, _ in refused] == [
        (
            "FAILED",
            "Refused",
            "the plan was not adopted: closed or published periods would change (2010/11 Q1); tick the field that "
            "lets them change to adopt it",
        ),
        ("FAILED", "Refused", "there is no submission 7"),
        ("FAILED", "Refused", "say who decides it"),
        ("FAILED", "Refused", "'large-change' does not begin with the number of a query, such as 12"),
        ("FAILED", "Refused", "say what the partner is to know, since a refusal goes back to them"),
    ]
    assert rows() == before
    assert not any("Traceback" in line for _, _, log in refused for line in log)
    # What the plan would change is shown although it is refused.
    (changes,) = [one for one in refused[0][1] if one.key == "adopt-plan-changes"]
    assert "NI 111a (police), 2010/11 Q1, on target\\: yes -\\> no" in changes.data


@pytest.mark.server
@pytest.mark.usefixtures("prefect_server")
def test_a_decision_says_who_was_signed_in(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_to(tmp_path / "started", made, monkeypatch)
    start("close-period", {"period": "2010-11Q1"}, user="zoë")
    start("close-period", {"period": "2009-10Q1", "by": "A. Officer"}, user="b.officer")
    assert [row["decided_by"] for row in rows()["bi_decisions"][BEFORE:]] == [
        "zoë",
        "A. Officer (started by b.officer)",
    ]


@pytest.mark.parametrize(
    ("by", "started_by", "said"),
    [
        ("A. Officer", "", "A. Officer"),
        (" ", "a.officer", "a.officer"),
        ("a.officer ", "a.officer", "a.officer"),
        ("A. Officer", "the Automation closing", "A. Officer (started by the Automation closing)"),
        ("", "", ""),
    ],
)
def test_who_decided(by: str, started_by: str, said: str) -> None:
    assert who(by, started_by) == said


@pytest.mark.parametrize("header", ["", "X-Forwarded-User"])
def test_nobody_outside_can_say_who_created_a_run(header: str) -> None:
    passed: list[tuple[bytes, bytes]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.extend(scope["headers"])

    given = [(b"prefect-automation-id", b"x"), (b"prefect-automation-name", b"eA=="), (b"host", b"h")]
    asyncio.run(SignedIn(app, header)({"type": "http", "headers": given}, None, None))  # type: ignore[arg-type]
    assert passed == [(b"host", b"h")]
