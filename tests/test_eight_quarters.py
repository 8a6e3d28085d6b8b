"""Six partners, eight quarters: the warehouse gives the same results as an independent calculation.

The calculation below shares nothing with the program except the figures: it uses decimals, its own rounding, and works
row by row.
"""

import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openpyxl
import pytest

from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.templates.workbook import write_template
from schemas.codes import SubmissionStatus
from tests.support.plans import plan_with
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.history import read_history
from warehouse.queries.views import performance
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

YEARS = (2010, 2011)
AT = datetime(2012, 5, 1, tzinfo=UTC)
Figures = dict[tuple[str, Period], Decimal]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The built-in plan, but that it asks for everything in every quarter."""
    return plan_with({})


@pytest.fixture(scope="module")
def figures(plan: Plan) -> Figures:
    """Invented figures, in the indicator's unit and with its decimals, so that each can be typed."""
    chance = random.Random(20100401)
    made: Figures = {}
    for leaf in plan.indicators.values():
        for year in YEARS:
            for period in Period(year).quarters:
                step = Decimal(1).scaleb(-leaf.decimals)
                made[leaf.indicator, period] = chance.randrange(1, 900) * step * chance.choice((1, 1, 1, 10))
                made[leaf.indicator, period] = min(made[leaf.indicator, period], Decimal(100) - step)
    return made


@pytest.fixture(scope="module")
def judged(plan: Plan, figures: Figures, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict]:
    """Every return through template, check and load, in the order of time; the rows of bi_performance."""
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('eight') / 'warehouse.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, AT)
    for year in YEARS:
        for period in Period(year).quarters:
            for partner_code in plan.partners:
                data = _filled(write_template(plan, partner_code, period), figures, period)
                with reading(engine) as connection:
                    history = read_history(connection, [partner_code])
                file = f"{partner_code} {period}.xlsx"
                checked = Checker(plan, history, AT.date()).check(Received(file, data, partner_code))
                assert checked.is_accepted, [finding for finding in checked.findings if finding.severity == "ERROR"]
                recorded = record(engine, checked, plan, AT)
                assert recorded.status in (SubmissionStatus.ACCEPTED, SubmissionStatus.ACCEPTED_WITH_QUERIES)
    with reading(engine) as connection:
        return {(row["indicator"], row["period"]): dict(row) for row in performance(connection)}


def _filled(template: bytes, figures: Figures, period: Period) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(template))
    sheet = workbook["Indicators"]
    for row in range(2, sheet.max_row + 1):
        value = figures[f"{sheet.cell(row, 1).value}{sheet.cell(row, 2).value or ''}", period]
        is_percent = "%" in sheet.cell(row, 9).number_format
        sheet.cell(row, 9).value = float(value / 100 if is_percent else value)
    filled = io.BytesIO()
    workbook.save(filled)
    return filled.getvalue()


def test_every_leaf_and_quarter_has_its_row(plan: Plan, judged: dict) -> None:
    quarters = [period.code for year in YEARS for period in Period(year).quarters]
    assert set(judged) == {(indicator, quarter) for indicator in plan.indicators for quarter in quarters}


def _rows(plan: Plan, judged: dict) -> Iterator[tuple[object, Period, dict]]:
    for (indicator, code), row in judged.items():
        yield plan.indicators[indicator], Period(int(code[:4]), int(code[-1])), row


def _gain(polarity: str, ours: Decimal, other: Decimal) -> Decimal:
    return ours - other if polarity == "HIGH" else other - ours


def _round(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def test_direction_of_travel(plan: Plan, judged: dict, figures: Figures) -> None:
    for leaf, period, row in _rows(plan, judged):
        now, before = figures[leaf.indicator, period], figures.get((leaf.indicator, period.years_later(-1)))
        basis = "same quarter last year"
        if before is None:
            # The year before the first is in the plan, as the source document's outturns.
            outturn = {} if leaf.accumulation == "sum" else OUTTURNS_2009
            before, basis = outturn.get(leaf.indicator), "last year's outturn"
        if before is None:
            assert row["direction"] == "no data"
            continue
        gain = _gain(leaf.polarity, now, before)
        assert row["direction"] == ("improving" if gain > 0 else "declining" if gain < 0 else "no change")
        assert row["direction_symbol"] == {"improving": "↑", "declining": "↓", "no change": "→"}[row["direction"]]
        assert row["direction_basis"] == basis
        assert Decimal(repr(row["change"])) == now - before


OUTTURNS_2009 = {
    indicator: Decimal(value)
    for indicator, value in {
        "NI 19": "0.28",
        "NI 43": "7.1",
        "NI 45": "71.0",
        "NI 46": "98.6",
        "NI 110": "60.0",
        "NI 112": "-1.1",
        "NI 113a": "25.0",
        "NI 114": "0.00",
        "NI 115": "12.9",
    }.items()
}
TARGETS = {
    ("NI 19", 2010): "0.97",
    ("NI 43", 2010): "5.0",
    ("NI 45", 2010): "78.0",
    ("NI 46", 2010): "98.0",
    ("NI 111a", 2010): "514",
    ("NI 111b", 2010): "1900",
    ("NI 113a", 2010): "35.0",
    ("NI 114", 2010): "0",
    ("NI 114", 2011): "0",
}


def test_year_to_date_target_and_band(plan: Plan, judged: dict, figures: Figures) -> None:
    for leaf, period, row in _rows(plan, judged):
        quarters = [figures[leaf.indicator, quarter] for quarter in period.quarters if quarter <= period]
        to_date = sum(quarters) if leaf.accumulation == "sum" else quarters[-1]
        assert Decimal(repr(row["year_to_date"])) == to_date
        stated = TARGETS.get((leaf.indicator, period.start_year))
        if stated is None:
            assert (row["on_target"], row["target_band"]) == ("no data", "no data")
            continue
        share = Decimal(period.quarter) / 4 if leaf.accumulation == "sum" else Decimal(1)
        target = _round(Decimal(stated) * share, leaf.decimals)
        gain = _gain(leaf.polarity, to_date, target)
        assert row["on_target"] == ("yes" if gain >= 0 else "no")
        is_better = gain > abs(target) / 10 and gain > Decimal(1).scaleb(-leaf.decimals)
        assert row["target_band"] == ("worse" if gain < 0 else "better" if is_better else "within")


def test_every_figure_leads_back_to_its_cell(judged: dict) -> None:
    for (_, code), row in judged.items():
        assert row["source_file"].endswith(f"{code}.xlsx")
        assert row["source_sheet"] == "Indicators"
        assert row["source_cell"].startswith("I")
        assert Path(row["source_file"]).stem.split()[0] == row["partner_code"]
