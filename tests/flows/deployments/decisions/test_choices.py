"""What the forms of decisions offer: the numbers come first, and only what a decision can be about is there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from cypp_etl.checked_return import Waiver
from cypp_etl.findings import Finding
from cypp_etl.periods import parse_period
from cypp_etl.phrases import date_text
from cypp_etl.plan.reader import read_plan
from flows.deployments.catalogue import CATALOGUE
from flows.deployments.decisions.choices import number_of, stored_choices
from flows.deployments.parameter_forms import MOST_CHOSEN, Choices, form_of, lists_of
from flows.ingestion.context import open_to_write
from flows.settings import Settings
from flows.team.submissions import withdraw_return
from schemas.codes import Severity
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import reading, writing
from warehouse.recording.administration import add_waiver, close_period
from warehouse.recording.record import record

TODAY = datetime.now(UTC).date()


@pytest.fixture
def engine(begun: Settings) -> Iterator[Engine]:
    """A warehouse with three submissions of a return, of which the last is withdrawn, a query on each, and one held."""
    workplace = open_to_write(begun)
    asked = Finding("large-change", Severity.QUERY, "Indicators", "G2", "90", "This changed.", "Explain it.")
    for day, content in enumerate("abc"):
        figures = [observation("NI 111a", "60", "2009-10Q1"), observation("NI 111a", f"9{day}")]
        record(workplace.engine, checked(content, *figures, findings=(asked,)), read_plan(), later(day))
    withdraw_return(workplace, 3, by="A", why="x")
    hold = Finding("held-closed-period", Severity.NOTE, "", "", "", "It is closed.", "Nothing now.")
    record(workplace.engine, checked("d", observation("NI 111a", "95"), findings=(hold,)), read_plan(), later(3))
    with writing(workplace.engine) as connection:
        for code in ("2008-09Q1", "2008-09Q2"):
            close_period(connection, parse_period(code), "A", later(3))
        for until in (TODAY + timedelta(days=1), TODAY - timedelta(days=1)):
            period = parse_period("2010-11Q1") if until > TODAY else None
            add_waiver(connection, Waiver("large-change", "yos", "NI 43", period, "x", "A", until), later(3))
    yield workplace.engine
    workplace.engine.dispose()


def test_only_what_can_be_decided_on_is_offered(engine: Engine) -> None:
    with reading(engine) as connection:
        offered = stored_choices(connection, datetime.now(UTC))
    assert {name: list(each) for name, each in offered.items()} == {
        Choices.CLINICS: ["police NI 111a 2010-11Q1"],
        Choices.CLOSED_PERIODS: ["2008-09Q2", "2008-09Q1"],
        Choices.OPEN_QUERIES: ["2 large-change NI 111a (police, 2010/11 Q1)"],
        Choices.HELD: ["4 (police, 2010/11 Q1)"],
        Choices.WAIVERS: [f"5 large-change NI 43 (yos, 2010/11 Q1), until {date_text(TODAY + timedelta(days=1))}"],
        Choices.SUBMISSIONS: ["2 police, 2010/11 Q1, version 2"],
    }


@pytest.mark.parametrize(("count", "is_list"), [(0, False), (1, True), (MOST_CHOSEN, True), (MOST_CHOSEN + 1, False)])
def test_what_would_be_too_long_a_list_is_typed(count: int, is_list: bool) -> None:
    (withdraw,) = [one for one in CATALOGUE if one.flow.name == "withdraw-return"]
    stored = {Choices.SUBMISSIONS: dict.fromkeys(map(str, range(count)), "")}
    asked = form_of(withdraw.flow, lists_of(read_plan(), TODAY, stored)).properties["submission"]
    assert ("enum" in asked) is is_list


@pytest.mark.parametrize(("chosen", "number"), [("12", 12), (" 12 ", 12), ("12 large-change (yos)", 12)])
def test_a_number_is_chosen_or_typed(chosen: str, number: int) -> None:
    assert number_of(chosen, "a query") == number


@pytest.mark.parametrize("chosen", ["", "large-change", "-1", "1.5", "²"])
def test_what_begins_with_no_number_is_refused(chosen: str) -> None:
    with pytest.raises(ValueError, match=r"does not begin with the number of a waiver, such as 12$"):
        number_of(chosen, "a waiver")
