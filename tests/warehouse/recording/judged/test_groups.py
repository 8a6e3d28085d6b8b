"""The figures of groups follow what their partners return, and are judged as everything is."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from cypp_etl.findings import Finding
from cypp_etl.judgement.reach.differences import EVERYTHING
from cypp_etl.periods import Period
from cypp_etl.plan.model import Group, Obligation, Plan
from cypp_etl.plan.spans import Span
from schemas.codes import Accumulation, Severity, YearType
from tests.warehouse.builders import Rows, checked, later, observation
from warehouse.engine import reading, writing
from warehouse.queries.as_of import group_performance
from warehouse.recording.judged.groups import rejudge_groups_by_plan
from warehouse.recording.plan import record_plan, require_plan
from warehouse.recording.record import Arrival, record, record_batch
from warehouse.recording.submissions.held import decide_held
from warehouse.recording.submissions.withdrawals import withdraw_submission
from warehouse.schema.tables import group_judgement

GROUP_OF = {"police": "south", "yos": "east", "nhs": "south"}
QUERY = (
    'SELECT group_code, "group", period, actual, direction, on_target, partners_owing, partners_returned, note '
    "FROM bi_group_performance WHERE indicator = 'NI 111a' AND group_code = 'south' ORDER BY period"
)


@pytest.fixture(scope="module")
def grouped(plan: Plan) -> Plan:
    """The police, the yos and the nhs owe everything; the south is part of the whole, and so is the east."""
    partners = {code: replace(each, group_code=GROUP_OF.get(code, "")) for code, each in plan.partners.items()}
    groups = [Group("all", "All", ""), Group("south", "The South", "all"), Group("east", "The East", "all")]
    return replace(
        plan,
        fingerprint="grouped",
        partners=partners,
        groups={each.group_code: each for each in groups},
        owed_by=dict.fromkeys(GROUP_OF, tuple(plan.indicators)),
        obligations=tuple(Obligation(code, indicator) for code in GROUP_OF for indicator in plan.indicators),
    )


def returned(engine: Engine, plan: Plan, partner: str, day: int, **values: str) -> None:
    periods = {"y2009": "2009-10Q1", "y2010": "2010-11Q1"}
    rows = [observation("NI 111a", value, periods[year], partner_code=partner) for year, value in values.items()]
    record(engine, checked(f"{partner} {day}", *rows, partner_code=partner), plan, later(day))


def test_a_groups_figure_follows_its_partners(engine: Engine, grouped: Plan, rows: Rows) -> None:
    returned(engine, grouped, "police", 0, y2009="100", y2010="110")
    assert [(row["period"], row["actual"], row["direction"], row["note"]) for row in rows(QUERY)] == [
        (period, actual, "no data", "not judged: 1 of 2 partners have returned it")
        for period, actual in (("2009-10Q1", 100), ("2010-11Q1", 110))
    ]
    returned(engine, grouped, "nhs", 1, y2009="50", y2010="30")
    (before, now) = rows(QUERY)
    assert (before["actual"], now["actual"], now["direction"]) == (150, 140, "improving")
    assert (now["group"], now["partners_owing"], now["partners_returned"], now["note"]) == ("The South", 2, 2, None)
    # A correction of last year turns this year's direction.
    returned(engine, grouped, "nhs", 2, y2009="30", y2010="30")
    assert [row["direction"] for row in rows(QUERY)] == ["no data", "declining"]
    everyone = QUERY.replace("'south'", "'all'")
    assert [{name: row[name] for name in ("actual", "partners_owing")} for row in rows(everyone)][1:] == [
        {"actual": 140, "partners_owing": 3}
    ]


def test_a_groups_figure_is_known_as_of_then(engine: Engine, grouped: Plan) -> None:
    returned(engine, grouped, "police", 0, y2010="110")
    returned(engine, grouped, "nhs", 1, y2010="30")
    returned(engine, grouped, "nhs", 2, y2010="50")
    found = []
    for day in (-1, 0, 1, 2):
        with reading(engine) as connection:
            rows = group_performance(connection, Period(2010, 1), later(day))
        found.append([(row["actual"], row["partners_returned"]) for row in rows if row["group_code"] == "south"])
    assert found == [[], [(110, 1)], [(140, 2)], [(160, 2)]]


def test_a_groups_figure_follows_what_is_accepted_and_what_is_withdrawn(
    engine: Engine, grouped: Plan, rows: Rows
) -> None:
    returned(engine, grouped, "police", 0, y2010="110")
    returned(engine, grouped, "nhs", 0, y2010="30")
    hold = Finding("held-closed-period", Severity.NOTE, "", "", "", "It is closed.", "Nothing now.")
    figure = observation("NI 111a", "50", partner_code="nhs")
    waits = record(engine, checked("b", figure, partner_code="nhs", findings=(hold,)), grouped, later(1))
    said: dict[str, Any] = {"by": "A. Person", "why": "They rang"}
    actual = [rows(QUERY)[0]["actual"]]
    with writing(engine) as connection:
        number = waits.submission_id
        done = decide_held(connection, grouped, number, is_accepted=True, word="", at=later(2), **said)
    actual.append(rows(QUERY)[0]["actual"])
    with writing(engine) as connection:
        withdraw_submission(connection, grouped, done.recorded.submission_id, at=later(3), **said)
    actual.append(rows(QUERY)[0]["actual"])
    assert actual == [140, 160, 140]


def test_a_group_is_described_by_the_edition_of_the_period(engine: Engine, grouped: Plan, rows: Rows) -> None:
    latest = grouped.indicators["NI 111a"]
    first = replace(latest, definition="Children", span=Span(None, Period(2009)))
    second = replace(latest, definition="Young people", edition=2, span=Span(Period(2010)), year_type=YearType.CALENDAR)
    plan = replace(
        grouped,
        fingerprint="editions",
        indicators={**grouped.indicators, "NI 111a": second},
        editions={**grouped.editions, "NI 111a": (first, second)},
    )
    figures = [observation("NI 111a", "1", period, partner_code="police") for period in ("2009-10", "2010-11")]
    record(engine, checked("a", *figures, partner_code="police"), plan, later(0))
    said = "SELECT period_label, definition, direction FROM {} WHERE indicator = 'NI 111a' {} ORDER BY period"
    of_partner = rows(said.format("bi_performance", ""))
    of_group = rows(said.format("bi_group_performance", "AND group_code = 'south'"))
    words = [(row["period_label"], row["definition"].rpartition(" ")[2]) for row in of_group]
    assert words == [("2009/10", "Children"), ("calendar year 2010", "people")]
    assert [{**row, "direction": ""} for row in of_group] == [{**row, "direction": ""} for row in of_partner]


def test_a_percentage_is_added_up_by_its_parts(engine: Engine, grouped: Plan, rows: Rows) -> None:
    for day, (partner, parts) in enumerate({"police": (1, 2), "nhs": (1, 4)}.items()):
        row = observation(
            "NI 45", str(100 * parts[0] / parts[1]), partner_code=partner, numerator=parts[0], denominator=parts[1]
        )
        record(engine, checked(partner, row, partner_code=partner), grouped, later(day))
    query = "SELECT group_code, actual FROM bi_group_performance WHERE indicator = 'NI 45' ORDER BY group_code"
    assert rows(query) == [{"group_code": "all", "actual": 33.3}, {"group_code": "south", "actual": 33.3}]


@pytest.fixture(scope="module")
def with_ratio(grouped: Plan) -> Plan:
    """NI 45 is a ratio over the year, asked in each quarter."""
    ratio = replace(grouped.indicators["NI 45"], accumulation=Accumulation.RATIO)
    return replace(
        grouped,
        fingerprint="ratio",
        indicators={**grouped.indicators, "NI 45": ratio},
        editions={**grouped.editions, "NI 45": (ratio,)},
    )


def test_the_year_so_far_of_a_groups_ratio_follows_each_quarter(engine: Engine, with_ratio: Plan, rows: Rows) -> None:
    def returns(day: int, period: str, partner: str, *parts: int) -> None:
        text = str(100 * parts[0] / parts[1])
        row = observation("NI 45", text, period, partner_code=partner, numerator=parts[0], denominator=parts[1])
        record(
            engine, checked(f"{partner} {day}", row, partner_code=partner, period=row.period), with_ratio, later(day)
        )

    query = (
        "SELECT year_to_date, on_target, note FROM bi_group_performance "
        "WHERE indicator = 'NI 45' AND group_code = 'south' ORDER BY period"
    )
    returns(0, "2010-11Q1", "police", 30, 40)
    returns(1, "2010-11Q2", "police", 20, 160)
    returns(2, "2010-11Q2", "nhs", 10, 10)
    lead = "no year to date: not all partners' figures are known for "
    missing = {"year_to_date": None, "on_target": "no data", "note": f"{lead}2010/11 Q1"}
    assert rows(query) == [missing, missing]
    # Another partner's first quarter: every quarter's year so far has it, and needs no note any more.
    returns(3, "2010-11Q1", "nhs", 10, 40)
    assert [(row["year_to_date"], row["note"]) for row in rows(query)] == [(50, None), (28, None)]
    returns(4, "2010-11Q3", "nhs", 1, 10)
    assert rows(query)[2] == {**missing, "note": f"{lead}2010/11 Q3"}


def test_groups_that_a_plan_no_longer_has_leave_no_rows(engine: Engine, grouped: Plan, plan: Plan, rows: Rows) -> None:
    returned(engine, grouped, "police", 0, y2010="110")
    assert rows(QUERY)
    with writing(engine) as connection:
        record_plan(connection, plan, later(1))
    assert rows("SELECT 1 FROM group_judgement WHERE superseded_at IS NULL") == []
    with writing(engine) as connection:
        record_plan(connection, grouped, later(2))
    assert rows(QUERY)


def test_what_a_changed_figure_reaches_is_all_that_has_to_be_added_up_again(engine: Engine, with_ratio: Plan) -> None:
    grouped, chance = with_ratio, Random(11)
    periods = [period for year in (2009, 2010) for period in (Period(year), *Period(year).quarters)]
    with writing(engine) as connection:
        plan_id = require_plan(connection, grouped, later(0))
        for day in range(10):
            partner, period = chance.choice([*GROUP_OF]), chance.choice(periods)
            some = [
                observation(
                    name, str(chance.randint(1, 60)), one.code, partner_code=partner, numerator=1, denominator=2
                )
                for name in ("NI 111a", "NI 112", "NI 45")
                for one in chance.sample(periods, 4)
            ]
            one = checked(f"content {day}", *some, partner_code=partner, period=period)
            record_batch(connection, [Arrival(one, later(day))], grouped, later(day))
            before = in_force(connection)
            rejudge_groups_by_plan(connection, grouped, plan_id, EVERYTHING, later(day))
            assert in_force(connection) == before
    assert before


def in_force(connection: Connection) -> list[Any]:
    columns = group_judgement.c
    query = select(group_judgement).where(columns.superseded_at.is_(None)).order_by(columns.group_judgement_id)
    return list(connection.execute(query))
