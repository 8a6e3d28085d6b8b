"""The commands of the data team's decisions: what they say, what they record, and what they refuse in one line."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cypp_etl.checked_return import Waiver
from cypp_etl.periods import parse_period
from cypp_etl.phrases import date_text
from cypp_etl.plan.reader import read_plan
from flows.cli.app import app
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.decisions import waivers
from warehouse.queries.history import closed_periods, read_history
from warehouse.recording.administration import add_waiver, close_period
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

Type = Callable[..., tuple[int, str, str]]
Q1 = parse_period("2010-11Q1")
WHO = ("--by", "A. Officer", "--why", "Agreed by telephone")
NEXT_YEAR = datetime.now(UTC).date() + timedelta(days=365)


@pytest.fixture(scope="module")
def recorded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two returns of the police for 2010/11 Q1, a closed period and a waiver."""
    home, plan = tmp_path_factory.mktemp("decided"), read_plan()
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
        close_period(connection, parse_period("2009-10Q1"), "A. Officer", later(0))
        waived = Waiver("large-change", "yos", "NI 43", Q1, "New recording", "A. Officer", NEXT_YEAR)
        add_waiver(connection, waived, later(0))
    record(engine, checked("a", observation("NI 111a", "300")), plan, later(1))
    record(engine, checked("b", observation("NI 111a", "400")), plan, later(2))
    engine.dispose()
    return home


@pytest.fixture
def home(recorded_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(recorded_home, tmp_path / "home")
    monkeypatch.setenv("CYPP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USER", "")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return tmp_path / "home"


def type_(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_withdraw_says_what_is_in_force_instead(home: Path) -> None:
    assert type_("withdraw", 2, *WHO) == (
        0,
        "Submission 2 (police, 2010/11 Q1) is withdrawn. Submission 1 is in force again.\n1 judgement has changed.\n",
        "",
    )
    said = type_("withdraw", 2, *WHO)[1]
    assert said == "Submission 2 (police, 2010/11 Q1) was already withdrawn, by decision 4.\n"
    assert "No submission of this return is in force." in type_("withdraw", 1, *WHO)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("withdraw", 7, *WHO), "cypp: there is no submission 7; bi_submissions lists them"),
        (("withdraw", 1, *WHO), "cypp: submission 1 is superseded, so not in force: submission 2 is"),
        (("withdraw", 2, "--why", "Wrong"), "cypp: say who decides it, with --by NAME\n"),
        (("withdraw", 2, "--by", "A", "--why", " "), "cypp: say why it is decided, with --why TEXT\n"),
        (("reopen", "1999-00Q1", *WHO), "cypp: "),
        (("erase", 7, *WHO), "cypp: there is no submission 7; bi_submissions lists them"),
        (("erase", 2, "--cell", "M7", *WHO), "cypp: 'M7' is not a cell of a sheet: type it like Indicators!M7"),
        (("end-waiver", 1, *WHO), "cypp: decision 1 waives nothing; cypp waivers lists the waivers in force"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_one_line(home: Path, words: tuple[object, ...], said: str) -> None:
    before = (home / "warehouse.db").read_bytes()
    code, shown, told = type_(*words)
    assert (code, shown, told.count("\n")) == (2, "", 1)
    assert told.startswith(said)
    assert (home / "warehouse.db").read_bytes() == before


def test_erase_says_what_it_did(home: Path) -> None:
    assert type_("erase", 2, "--cell", "Indicators!G2", *WHO) == (
        0,
        "Submission 2: texts erased in the warehouse: 1.\nThe workbook is not in the archive.\nReceipts removed: 0.\n",
        "Other files came of the same return, and are not erased: submission 1.\n",
    )
    assert type_("erase", 2, "--cell", "Indicators!$G$2", *WHO)[1].startswith(
        "Submission 2: already erased, by decision 4.\n"
    )
    about = json.loads(type_("decisions", "--kind", "erase-content", "--json")[1])["about"]
    assert about == "submission 2, Indicators!G2"


def test_a_period_is_reopened_once_and_may_be_closed_again(home: Path) -> None:
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    assert type_("reopen", "2009-10Q1", *WHO)[:2] == (0, "2009/10 Q1 is open again.\n")
    assert type_("reopen", "2009-10Q1", *WHO)[:2] == (0, "2009/10 Q1 is not closed.\n")
    with reading(engine) as connection:
        assert closed_periods(connection) == set()
    assert "2009/10 Q1 is closed." in type_("close", "2009-10Q1", "--by", "A. Officer")[1]
    with reading(engine) as connection:
        assert closed_periods(connection) == {parse_period("2009-10Q1")}
    engine.dispose()
    kinds = [json.loads(line)["kind"] for line in type_("decisions", "2009-10Q1", "--json")[1].splitlines()]
    assert kinds == ["close-period", "reopen-period", "close-period"]


def test_a_waiver_that_is_ended_waives_nothing_more(home: Path) -> None:
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    code, said, _ = type_("waivers")
    assert (code, said.splitlines()) == (
        0,
        [f"   3  large-change: yos, NI 43, 2010/11 Q1, until {NEXT_YEAR}", "      A. Officer: New recording"],
    )
    (row,) = map(json.loads, type_("waivers", "--json")[1].splitlines())
    assert (row["decision_id"], row["until"], row["waived_by"]) == (3, NEXT_YEAR.isoformat(), "A. Officer")
    ended = "The waiver of large-change for yos, NI 43, 2010/11 Q1"
    assert type_("end-waiver", 3, *WHO)[:2] == (0, f"{ended} has ended.\n")
    assert type_("waivers")[:2] == (0, "Nothing is waived.\n")
    assert type_("end-waiver", 3, *WHO)[:2] == (0, f"{ended} had already ended.\n")
    with reading(engine) as connection:
        last = read_history(connection, ["yos"]).waivers[-1]
    assert last.until == datetime.now(UTC).date() - timedelta(days=1)
    engine.dispose()


def test_a_waiver_whose_place_another_took_is_not_ended(home: Path) -> None:
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.db'}")
    with writing(engine) as connection:
        later_one = Waiver("large-change", "yos", "NI 43", Q1, "Another reason", "B. Officer", NEXT_YEAR)
        add_waiver(connection, later_one, later(3))
    assert type_("end-waiver", 3, *WHO)[2] == "cypp: decision 4 took the place of waiver 3: end that one\n"
    with reading(engine) as connection:
        assert [row["decision_id"] for row in waivers(connection, NEXT_YEAR)] == [4]
        assert waivers(connection, NEXT_YEAR + timedelta(days=1)) == []
    engine.dispose()


def test_decisions_are_listed_with_who_and_why(home: Path) -> None:
    type_("withdraw", 2, *WHO)
    lines = type_("decisions", "--kind", "withdraw-return")[1].splitlines()
    assert re.match(rf"   4  [0-9]{{2}}:[0-9]{{2}} UTC on {date_text(datetime.now(UTC).date())}  ", lines[0])
    assert lines[0].endswith("withdraw-return: submission 2, version 2 of police for 2010/11 Q1")
    assert lines[1] == "      A. Officer: Agreed by telephone"
    assert len(type_("decisions")[1].splitlines()) == 8
    assert type_("decisions", "--partner", "nobody")[1] == "Nothing has been decided.\n"
