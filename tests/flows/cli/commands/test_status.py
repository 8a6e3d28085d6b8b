"""Who has returned what: the quarters that are listed, and that nothing is cut off."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from flows.cli.commands.status import laid_out, open_periods, show_status
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

CALENDAR = {period: entry for period, entry in read_plan().calendar.items() if period.quarter}


@pytest.mark.parametrize(
    ("today", "begun", "told"),
    [
        # 2010-11Q2 opens on 1 October and is due on the 20th.
        (date(2010, 9, 30), "", "2010-11Q1"),
        (date(2010, 10, 1), "", "2010-11Q2"),
        (date(2010, 12, 31), "", "2010-11Q2"),
        # From the first with a return; nothing of the year before it.
        (date(2010, 10, 1), "2010-11Q1", "2010-11Q1 2010-11Q2"),
        (date(2010, 10, 1), "2009-10Q4", "2009-10Q4 2010-11Q1 2010-11Q2"),
        (date(2010, 10, 1), "2008-09Q1", "2010-11Q2"),
        # 2009-10Q2 was due on 20 October 2009.
        (date(2010, 10, 20), "2009-10Q2", "2009-10Q2 2009-10Q3 2009-10Q4 2010-11Q1 2010-11Q2"),
        (date(2010, 10, 21), "2009-10Q2", "2010-11Q2"),
        # The calendar's last quarter, a time long after it, and a day before the calendar starts.
        (date(2014, 4, 20), "", "2012-13Q4"),
        (date(2014, 4, 21), "", ""),
        (date(2008, 6, 30), "", ""),
    ],
)
def test_the_quarters_asked_for_at_present(today: date, begun: str, told: str) -> None:
    found = open_periods(CALENDAR, {parse_period(code) for code in begun.split()}, today)
    assert " ".join(period.code for period in sorted(found)) == told


def test_a_quarter_that_is_due_is_missing_though_nothing_of_it_has_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, engine = read_plan(), open_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
    with reading(engine) as connection:
        assert show_status(connection, plan, None, date(2010, 7, 21)) == 1
        assert "2010-11Q1  2010-07-20  missing" in capsys.readouterr().out
        assert show_status(connection, plan, None, date(2008, 1, 1)) == 0
        assert capsys.readouterr().out == "Nothing has been returned yet.\n"
    record(
        engine,
        checked("a", observation("NI 111a", "60", "2008-09Q1"), period=parse_period("2008-09Q1")),
        plan,
        later(0),
    )
    with reading(engine) as connection:
        show_status(connection, plan, None, date(2010, 7, 21))
    told = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert told == ["Period", "2008-09Q1", "2010-11Q1"]


def _rows(partners: int, *periods: str) -> list[dict[str, Any]]:
    return [
        {"period": period, "due_on": date(2010, 7, 20), "partner_code": f"council-{number}", "status": "missing"}
        for period in periods
        for number in range(partners)
    ]


@pytest.mark.parametrize(
    ("partners", "periods", "heading"),
    [
        # "Period" is as wide as 2010-11Q1, "Due" as 2010-07-20, and each partner takes 11 beside them.
        (5, 1, "Period     Due         council-0  council-1  council-2  council-3  council-4"),
        (6, 1, "Partner    2010-11Q1"),
        (6, 4, "Partner    2010-11Q1   2010-11Q2   2010-11Q3   2010-11Q4"),
        (30, 8, "Period     Due         Partner     Status"),
    ],
)
def test_nothing_is_cut(partners: int, periods: int, heading: str) -> None:
    codes = [f"{year}Q{quarter}" for year in ("2010-11", "2011-12") for quarter in range(1, 5)][:periods]
    lines = laid_out(_rows(partners, *codes), 79)
    assert lines[0] == heading
    assert max(map(len, lines)) <= 79
    assert sum(line.count("missing") for line in lines) == partners * periods
    assert all(f"council-{number}" in " ".join(lines) for number in range(partners))


def test_a_column_fits_to_the_last_letter() -> None:
    rows = _rows(5, "2010-11Q1")
    (width,) = {len(laid_out(rows, 999)[0])}
    assert laid_out(rows, width)[0].startswith("Period")
    assert laid_out(rows, width - 1)[0].startswith("Partner")
