"""The history for the rules: waivers, and the submissions in force."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Engine

from cypp_etl.checked_return import KnownContent, Waiver
from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Marker, Severity
from tests.warehouse.builders import checked, finding, later, observation
from warehouse.engine import reading, writing
from warehouse.queries.history import read_history
from warehouse.recording.administration import add_waiver
from warehouse.recording.record import record

QUARTER = parse_period("2010-11Q1")


def test_waivers_come_back_as_they_were_given_and_only_the_partners_own(engine: Engine) -> None:
    given = [
        Waiver("large-change", "police", "NI 111a", QUARTER, "A new station.", "A. Person", date(2011, 3, 31)),
        Waiver("large-change", "police", "", None, "Recorded again.", "A. Person", date(2010, 12, 31)),
    ]
    with writing(engine) as connection:
        for waiver in given:
            add_waiver(connection, waiver, later(0))
        add_waiver(connection, Waiver("unchanged", "yos", "", None, "", "", date(2011, 3, 31)), later(0))
    with reading(engine) as connection:
        assert read_history(connection, ["police"]).waivers == tuple(given)


def test_the_content_in_force_is_the_last_accepted_one(engine: Engine, plan: Plan) -> None:
    record(engine, checked("a", observation("NI 111a", "120")), plan, later(0))
    second = record(engine, checked("b", observation("NI 111a", "121")), plan, later(1))
    record(engine, checked("c", findings=(finding(Severity.ERROR),)), plan, later(2))
    with reading(engine) as connection:
        contents = read_history(connection, ["police"]).contents
    assert contents == {("police", QUARTER): KnownContent(second.submission_id, "b" * 8)}


def test_the_actuals_of_a_period_are_those_of_its_figures_with_a_value(engine: Engine, plan: Plan) -> None:
    figures = observation("NI 111a", "120.5"), observation("NI 111b", Marker.NOT_AVAILABLE)
    record(engine, checked("a", *figures), plan, later(0))
    with reading(engine) as connection:
        history = read_history(connection, ["police"])
    assert {key.indicator: figure.value for key, figure in history.figures.items()} == {
        "NI 111a": Decimal("120.5"),
        "NI 111b": None,
    }
    assert len(history.figures) == 2
    for known in (history, replace(history, figures=dict(history.figures))):
        assert known.actuals("police", QUARTER) == {"NI 111a": Decimal("120.5")}
        assert known.actuals("police", QUARTER.previous) == known.actuals("yos", QUARTER) == {}
