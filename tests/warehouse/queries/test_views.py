"""What one partner owes and has returned is asked without going through what all owe, and is what the view says."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Severity
from tests.warehouse.builders import checked, finding, later, observation
from warehouse.engine import reading
from warehouse.queries.views import calendar_of, return_status
from warehouse.recording.record import record


def test_the_calendar_of_a_partner_is_what_the_view_says(engine: Engine, plan: Plan) -> None:
    for number, period in enumerate(("2010-11Q1", "2010-11Q3", "2010-11Q1")):
        returned = checked(f"{number}", observation("NI 111a", f"9{number}", period))
        record(engine, replace(returned, period=parse_period(period)), plan, later(number))
    rejected = checked("wrong", observation("NI 111a", "80", "2010-11Q2"), findings=(finding(Severity.ERROR),))
    record(engine, replace(rejected, period=parse_period("2010-11Q2")), plan, datetime(2011, 1, 3, tzinfo=UTC))
    with reading(engine) as connection:
        for code in ("police", "yos", "nobody"):
            rows = calendar_of(connection, code)
            seen = [(row.period, row.due_on, row.submission_id) for row in rows if row.is_owed]
            told = return_status(connection, partner_code=code)
            assert seen == [(row["period"], row["due_on"], row["submission_id"]) for row in told], code
            assert [row.period for row in rows] == [row.period for row in calendar_of(connection, "police")]
        returned_by_police = {row.period for row in calendar_of(connection, "police") if row.submission_id is not None}
        assert returned_by_police == {"2010-11Q1", "2010-11Q3"}
