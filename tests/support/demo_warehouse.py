"""The warehouse that `cypp demo` makes, without Prefect: the published table, three quarters of returns, an error."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time

from sqlalchemy import Engine

from cypp_etl.checking.checker import Checker, Received
from cypp_etl.plan.model import Plan
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from cypp_etl.samples.returns import fill_template, sample_answers, sample_periods, sample_return
from cypp_etl.templates.workbook import write_template
from warehouse.engine import reading
from warehouse.queries.history import read_history
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

# After all that the table and the returns are about, so that nothing is in the future.
_RECORDED_AT = datetime(2012, 1, 1, tzinfo=UTC)


def fill_as_the_demo_does(engine: Engine, plan: Plan) -> None:
    """Record what the demo ingests, in an empty database."""
    upgrade(engine)
    for received, at in _received(plan):
        partners = [received.folder_partner] if received.folder_partner else list(plan.partners)
        with reading(engine) as connection:
            history = read_history(connection, partners)
        record(engine, Checker(plan, history, at.date()).check(received), plan, at, _RECORDED_AT)


def _received(plan: Plan) -> Iterator[tuple[Received, datetime]]:
    periods = sample_periods()
    yield Received("published table 2009-10.xlsx", write_published_table(read_sample_table(), "text"), ""), _RECORDED_AT
    for period in periods:
        at = datetime.combine(plan.calendar[period].due_on, time(10), UTC)
        for partner in plan.partners:
            yield Received(f"{partner} {period.code}.xlsx", sample_return(plan, partner, period), partner), at
    answers = sample_answers(plan, "yos", periods[-1])
    first = next(iter(answers.indicators))
    faulty = replace(answers, indicators={first: replace(answers.indicators[first], actual="<1")})
    data = fill_template(write_template(plan, "yos", periods[-1]), faulty)
    yield Received("yos corrected.xlsx", data, "yos"), at
