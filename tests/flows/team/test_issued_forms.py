"""Forms in the partners' folders: for whom, of which periods, and with what they returned before."""

import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from cypp_etl.checked_return import History, status_of
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import fill_template, sample_answers, sample_return
from cypp_etl.templates.workbook import write_template
from flows.cli.app import app
from flows.ingestion.context import Workplace, open_to_write
from flows.settings import Settings
from flows.team.issued_forms import form_of, issue_forms, issue_summary, open_periods
from schemas.codes import SubmissionStatus
from tests.support.plans import plan_with
from warehouse.engine import reading
from warehouse.queries.history import read_history
from warehouse.recording.record import record

PLAN = read_plan()
Q1, Q2 = parse_period("2010-11Q1"), parse_period("2010-11Q2")
OPENS, DUE = PLAN.calendar[Q1].opens_on, PLAN.calendar[Q1].due_on


@pytest.fixture
def workplace(begun: Settings) -> Workplace:
    return open_to_write(begun)


def returned(workplace: Workplace, partner_code: str, period: Period) -> None:
    """Record a sample return."""
    plan, at = workplace.plan, datetime(2010, 10, 1, tzinfo=UTC)
    checker = Checker(plan, History(), at.date())
    checked = checker.check(Received("r.xlsx", sample_return(plan, partner_code, period), partner_code))
    record(workplace.engine, checked, plan, at)


def forms(workplace: Workplace) -> list[str]:
    return sorted(
        path.relative_to(workplace.settings.inbox).as_posix() for path in workplace.settings.inbox.rglob("*.xlsx")
    )


def test_whoever_owes_a_return_gets_its_form(workplace: Workplace) -> None:
    issued = issue_forms(workplace, Q1, today=OPENS)
    assert issue_summary(issued) == "6 forms issued."
    assert forms(workplace) == sorted(f"{code}/forms/{code} 2010-11Q1.xlsx" for code in PLAN.partners)
    assert issue_summary(issue_forms(workplace, Q1, today=OPENS)) == "0 forms issued."


def test_only_some_partners_get_theirs(workplace: Workplace) -> None:
    issue_forms(workplace, Q1, ["yos", "nhs"], today=OPENS)
    assert forms(workplace) == ["nhs/forms/nhs 2010-11Q1.xlsx", "yos/forms/yos 2010-11Q1.xlsx"]


@pytest.mark.parametrize(
    ("period", "partners", "said"),
    [
        (parse_period("2030-31Q1"), [], "is not in the plan's calendar"),
        (Q1, ["parks"], "there is no partner 'parks'; the plan has yos, police"),
        (parse_period("2010-11"), ["yos"], "yos owes no return for 2010/11; nobody does"),
    ],
)
def test_what_cannot_be_issued_is_refused_in_a_line(
    workplace: Workplace, period: Period, partners: list[str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        issue_forms(workplace, period, partners, today=OPENS)
    assert not workplace.settings.inbox.exists()


def test_by_itself_it_issues_what_opens_that_day_and_once(workplace: Workplace) -> None:
    before = {one.period for one in issue_forms(workplace, today=date.fromordinal(OPENS.toordinal() - 1))}
    assert Q1 not in before
    opened = issue_forms(workplace, today=OPENS)
    assert {one.partner_code for one in opened if one.period == Q1} == set(PLAN.partners)
    # Whoever moved the form away to fill it in is not given another one each morning.
    (workplace.settings.inbox / "yos" / "forms" / "yos 2010-11Q1.xlsx").unlink()
    assert issue_summary(issue_forms(workplace, today=DUE)) == "0 forms issued."
    assert issue_summary(issue_forms(workplace, Q1, today=DUE)) == "1 form issued."


@pytest.mark.parametrize(("day", "is_open"), [(OPENS, True), (DUE, True)])
def test_a_period_is_open_from_its_first_day_to_the_day_it_is_due(day: date, is_open: bool) -> None:
    assert (Q1 in open_periods(PLAN, day)) is is_open
    outside = OPENS.toordinal() - 1 if day == OPENS else DUE.toordinal() + 1
    assert Q1 not in open_periods(PLAN, date.fromordinal(outside))


def test_one_folder_out_of_reach_stops_no_other(workplace: Workplace) -> None:
    inbox = workplace.settings.inbox
    inbox.mkdir(parents=True)
    (inbox / "police").write_text("no folder")
    issued = issue_forms(workplace, Q1, today=OPENS)
    assert issue_summary(issued) == "5 forms issued, 1 not."
    (failed,) = [one for one in issued if one.is_trouble]
    assert str(failed).endswith("police/forms/police 2010-11Q1.xlsx: it cannot be put there: Not a directory")


def test_last_quarters_figures_and_statuses_stand_on_it(workplace: Workplace) -> None:
    returned(workplace, "yos", Q1)
    issue_forms(workplace, Q2, ["yos"], today=OPENS)
    book = load_workbook(workplace.settings.inbox / "yos" / "forms" / "yos 2010-11Q2.xlsx")
    answers = sample_answers(PLAN, "yos", Q1)
    sheet = book["Indicators"]
    shown = {f"{one[0].value}{one[1].value or ''}": one[7] for one in sheet.iter_rows(min_row=2)}
    for code, answer in answers.indicators.items():
        cell = shown[code]
        expected = float(answer.actual or 0) / (100 if cell.number_format.endswith("%") else 1)
        assert cell.value == pytest.approx(expected)
        assert cell.protection.locked
    statuses = {one[0]: one[5] for one in book["Milestones"].iter_rows(min_row=2, values_only=True)}
    assert statuses == {code: answer.status for code, answer in answers.milestones.items()}


def test_a_form_that_libreoffice_saved_again_is_accepted_once_it_is_filled_in(
    workplace: Workplace, tmp_path: Path
) -> None:
    if (soffice := shutil.which("soffice")) is None:
        pytest.skip("LibreOffice is not there")
    returned(workplace, "yos", Q1)
    with reading(workplace.engine) as connection:
        filled = fill_template(form_of(connection, PLAN, "yos", Q2), sample_answers(PLAN, "yos", Q2))
        (tmp_path / "in.xlsx").write_bytes(filled)
        profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
        convert = ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", "out", "in.xlsx"]
        command = [soffice, profile, "--headless", *convert]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=180)
        history = read_history(connection, ["yos"])
    data = (tmp_path / "out" / "in.xlsx").read_bytes()
    checked = Checker(PLAN, history, date(2010, 10, 15)).check(Received("r.xlsx", data, "yos"))
    assert status_of(checked) in (SubmissionStatus.ACCEPTED, SubmissionStatus.ACCEPTED_WITH_QUERIES)
    assert len(checked.observations) == len(PLAN.at(Q2).owed_by["yos"])


def test_a_plan_that_asks_something_else_renews_the_forms_that_it_concerns(workplace: Workplace) -> None:
    issue_forms(workplace, Q1, today=OPENS)
    changed = plan_with({"NI 19": "quarterly,Q2 Q4"})
    later = Workplace(workplace.settings, changed, workplace.engine)
    renewed = {one.partner_code for one in issue_forms(later, Q1, today=OPENS) if one.put and one.put.is_new}
    asked = {code for code in PLAN.partners if changed.at(Q1).owed_by[code] != PLAN.at(Q1).owed_by[code]}
    assert "yos" in asked
    assert renewed == asked
    kept = workplace.settings.inbox / "yos" / "forms" / f"yos 2010-11Q1 (until {OPENS}).xlsx"
    assert kept.read_bytes() == write_template(PLAN, "yos", Q1, History())


def test_the_command_says_what_became_of_each(settings: Settings) -> None:
    ended = CliRunner().invoke(app, ["issue", "2010-11Q1", "--partner", "yos"])
    path = settings.inbox / "yos" / "forms" / "yos 2010-11Q1.xlsx"
    assert (ended.exit_code, ended.stdout) == (0, f"{path}: issued\n1 form issued.\n")
    ended = CliRunner().invoke(app, ["issue", "2010-11Q1", "--partner", "parks"])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("cypp: there is no partner 'parks'")


def test_one_form_has_what_was_returned_before_too(workplace: Workplace, tmp_path: Path) -> None:
    returned(workplace, "yos", Q1)
    ended = CliRunner().invoke(app, ["template", "YOS", "2010-11Q2", "-o", str(tmp_path / "out")])
    assert ended.exit_code == 0, ended.output
    sheet = load_workbook(tmp_path / "out" / "yos 2010-11Q2.xlsx")["Indicators"]
    assert sheet["H2"].value is not None
