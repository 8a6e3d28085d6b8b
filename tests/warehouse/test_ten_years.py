"""Ten years of a plan's life: what every view says before and after each change of the plan and each odd return."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.report.html import render_html
from cypp_etl.report.model import BoardData
from cypp_etl.samples.returns import Answers, IndicatorAnswer, MilestoneAnswer, fill_template
from cypp_etl.templates.workbook import write_template
from schemas.codes import MilestoneStatus
from tests.cypp_etl.checking.test_years import dated
from tests.support.plan_edits import PlanEdits
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.queries.history import read_history
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record

# How each view's rows are told, and what is looked at in them.
VIEWS = {
    "bi_performance": "partner_code indicator period polarity unit direction quarter_direction on_target edition",
    "bi_performance_history": "partner_code indicator period direction on_target target_band edition",
    "bi_submissions": "partner_code period version status",
    "bi_findings": "code cell",
    "bi_return_status": "partner_code period",
    "bi_milestones": "milestone period status",
    "bi_clinics": "clinic_id status diagnosis",
    "bi_symbol_changes": "partner_code indicator period judgement was became",
    "bi_decisions": "kind why",
    "bi_period": "period",
}
Rows = Mapping[str, Counter[tuple[object, ...]]]
LAST_YEAR = 2018


@dataclass
class Life:
    """A warehouse, the plan in force, and what each event removed from the views and added to them."""

    engine: Engine
    edits: PlanEdits
    gone: dict[str, Rows] = field(default_factory=dict)
    come: dict[str, Rows] = field(default_factory=dict)
    checked: dict[str, CheckedReturn] = field(default_factory=dict)
    now: datetime = datetime(2008, 4, 1, 12, tzinfo=UTC)

    def views(self) -> Rows:
        with self.engine.connect() as connection:
            return {
                name: Counter(
                    tuple(row)
                    for row in connection.exec_driver_sql(f"SELECT {', '.join(names.split())} FROM {name}")  # noqa: S608
                )
                for name, names in VIEWS.items()
            }

    def happens(self, event: str, do: Callable[[], object]) -> None:
        before = self.views()
        do()
        after = self.views()
        self.gone[event] = {name: before[name] - after[name] for name in VIEWS}
        self.come[event] = {name: after[name] - before[name] for name in VIEWS}

    def adopt(self, why: str) -> None:
        """Adopt what the edits have made of the plan."""
        plan = self.edits.read()
        self.now += timedelta(minutes=1)
        with writing(self.engine) as connection:
            record_plan(connection, plan, self.now, by="A. Officer", why=why)

    def returned(self, partner_code: str, period: str, figures: Mapping[str, str], form_of: str = "") -> CheckedReturn:
        """Return the form of a period, or of another with this one on its cover; what is not said is 40."""
        plan, of = self.edits.read(), parse_period(period)
        data = filled_form(plan, partner_code, parse_period(form_of or period), figures)
        self.now = max(self.now + timedelta(minutes=1), datetime.combine(plan.calendar[of].due_on, time(9), UTC))
        with reading(self.engine) as connection:
            checker = Checker(plan, read_history(connection, [partner_code]), self.now.date())
            file = Received(f"{partner_code}/{period}.xlsx", dated(data, of) if form_of else data, partner_code)
            checked = checker.check(file)
        record(self.engine, checked, plan, self.now)
        return checked

    def rows(self, indicator: str, *columns: str) -> dict[str, tuple[object, ...]]:
        """Columns of an indicator's rows of `bi_performance`, by period."""
        query = f"SELECT period, {', '.join(columns)} FROM bi_performance WHERE indicator = '{indicator}'"  # noqa: S608
        with self.engine.connect() as connection:
            return {row[0]: tuple(row[1:]) for row in connection.exec_driver_sql(query)}


def filled_form(plan: Plan, partner_code: str, period: Period, figures: Mapping[str, str]) -> bytes:
    then = plan.at(period)
    answers = {code: IndicatorAnswer(Decimal(figures.get(code, "40"))) for code in then.owed_by[partner_code]}
    said = {
        each.milestone: MilestoneAnswer(MilestoneStatus.ACHIEVED, "", None) for each in then.milestones_of[partner_code]
    }
    filled = Answers("A. Officer", "a@example.org", period.last_day, answers, said)
    return fill_template(write_template(plan, partner_code, period), filled)


def long_calendar() -> PlanEdits:
    edits = PlanEdits()
    for year in range(2013, LAST_YEAR + 1):
        for period in (*Period(year).quarters, Period(year)):
            opens, due = period.last_day + timedelta(days=1), period.last_day + timedelta(days=20)
            edits.add("calendar", period=period.code, opens_on=opens.isoformat(), due_on=due.isoformat())
    return edits


def split_43(edits: PlanEdits) -> None:
    values = (
        *("unit", "decimals", "minimum", "maximum", "accumulation", "multiplier", "number_indicator"),
        *("frequency", "asked_in", "year_type", "reports_on", "unit_label", "currency", "aspirations"),
    )
    leaf = dict(edits.tables["indicators"][[row["indicator"] for row in edits.tables["indicators"]].index("NI 43")])
    edits.change("indicators", "NI 43", last_period="2009-10Q4")
    edits.add("indicators", **leaf | dict.fromkeys(values, "") | {"first_period": "2010-11Q1", "last_period": ""})
    for sub in ("a", "b"):
        cells = leaf | {"indicator": f"NI 43{sub}", "sub": sub, "definition": f"Part {sub}", "polarity": ""}
        edits.add("indicators", **cells | {"first_period": "2010-11Q1", "last_period": ""})
        edits.add("owed_by", partner_code="yos", indicator=f"NI 43{sub}", first_period="2010-11Q1")
    edits.change("owed_by", "NI 43", last_period="2009-10Q4")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Life]:
    path = tmp_path_factory.mktemp("life") / "warehouse.sqlite"
    shutil.copy(upgraded_file, path)
    engine = open_warehouse(f"sqlite:///{path}")
    live(lived := Life(engine, long_calendar()))
    yield lived
    engine.dispose()


def live(life: Life) -> None:
    edits = life.edits
    life.adopt("The first")
    for period, value in (("2008-09Q1", "30"), ("2008-09Q2", "31"), ("2009-10Q1", "35")):
        life.returned("yos", period, dict.fromkeys(("NI 19", "NI 43", "NI 45", "NI 46"), value))
    edits.change("indicators", "NI 19", last_period="2009-10Q4")
    life.happens("retire", lambda: life.adopt("NI 19 is retired"))
    split_43(edits)
    life.happens("split", lambda: life.adopt("NI 43 is split"))
    life.returned("yos", "2010-11Q1", {"NI 45": "36"})
    edits.renew("NI 45", "2011-12Q1", "2010-11Q4", polarity="LOW")
    life.happens("polarity", lambda: life.adopt("NI 45 is low"))
    life.returned("yos", "2011-12Q1", {"NI 45": "38"})
    number = {"unit": "number", "decimals": "0", "maximum": "", "multiplier": "0"}
    edits.renew("NI 46", "2012-13Q1", "2011-12Q4", **number)
    life.happens("unit", lambda: life.adopt("NI 46 is counted"))
    life.returned("yos", "2012-13Q1", {"NI 45": "37", "NI 46": "500"})
    edits.add("figures", measure="target", indicator="NI 46", period="2013-14", value="480", source="Board")
    life.adopt("A target for 2013/14")
    life.returned("yos", "2013-14Q1", {"NI 45": "37", "NI 46": "520"})
    edits.change("banding", "", last_period="2013-14Q4")
    edits.add(
        "banding",
        "",
        **edits.tables["banding"][0] | {"target_margin_percent": "5", "first_period": "2014-15Q1", "last_period": ""},
    )
    life.happens("margin", lambda: life.adopt("Narrower margins from 2014/15"))
    edits.change("figures", "NI 46", value="530")
    life.happens("target", lambda: life.adopt("The target was mistyped"))
    life.returned("vcs", "2013-14Q1", {})
    edits.change("owed_by", "NI 110", last_period="2013-14Q4")
    edits.add("owed_by", partner_code="cyps", indicator="NI 110", first_period="2014-15Q1")
    life.happens("move", lambda: life.adopt("NI 110 moves"))
    life.returned("cyps", "2014-15Q1", {})
    life.returned("police", "2014-15Q1", {"NI 111a": "100", "NI 111b": "900"})
    edits.change("partners", "police", last_period="2014-15Q4", successor="nhs")
    for code in ("NI 111a", "NI 111b"):
        edits.change("owed_by", code, last_period="2014-15Q4")
        edits.add("owed_by", partner_code="nhs", indicator=code, first_period="2015-16Q1")
    life.happens("merge", lambda: life.adopt("The police merge"))
    life.returned("nhs", "2015-16Q1", {"NI 111a": "90", "NI 111b": "800", "NI 112": "-5"})
    life.returned("nhs", "2016-17Q1", {"NI 111a": "80", "NI 111b": "700", "NI 112": "-5"})
    action = edits.read().milestones["PC1-A1-M1"].action_id
    edits.change("actions", action, last_period="2016-17Q4")
    edits.add("actions", action, action_id="PC1-A9", action="A new action", first_period="2017-18Q1")
    step = {"milestone": "PC1-A9-M1", "action_id": "PC1-A9", "financial_year": "2017-18", "description": "New"}
    edits.add("milestones", **step, due="2018-03-31", is_due_stated="yes")
    life.happens("milestones", lambda: life.adopt("Next year's milestones"))

    def returned(event: str, *what: object, **more: str) -> None:
        life.happens(event, lambda: life.checked.update({event: life.returned(*what, **more)}))  # type: ignore[arg-type]

    returned("late", "yos", "2009-10Q2", dict.fromkeys(("NI 19", "NI 43", "NI 45", "NI 46"), "33"))
    returned("last form", "yos", "2017-18Q1", {}, form_of="2011-12Q1")
    returned("revised", "yos", "2010-11Q1", {"NI 45": "34"})
    returned("abolished", "police", "2013-14Q1", {"NI 111a": "110", "NI 111b": "950"})


ADOPTIONS = {
    "retire": "NI 19 is retired",
    "split": "NI 43 is split",
    "polarity": "NI 45 is low",
    "unit": "NI 46 is counted",
    "margin": "Narrower margins from 2014/15",
    "move": "NI 110 moves",
    "merge": "The police merge",
    "milestones": "Next year's milestones",
}
QUARTERS = [period.code for year in range(2008, LAST_YEAR + 1) for period in Period(year).quarters]


def expected_besides(life: Life, event: str, *others: str) -> None:
    """Nothing has gone from or come to the views that are not named."""
    for name in VIEWS.keys() - set(others):
        assert life.gone[event][name] == Counter(), (event, name)
        assert life.come[event][name] == Counter(), (event, name)


@pytest.mark.parametrize(
    ("event", "closed"), [("retire", "NI 19"), ("split", "NI 43"), ("polarity", ""), ("unit", ""), ("margin", "")]
)
def test_what_changes_from_a_period_on_changes_nothing_before(life, event, closed):
    expected_besides(life, event, "bi_decisions", "bi_clinics")
    # A clinic on what is not collected any more is closed.
    clinic = {f"yos {closed} 2009-10Q1"} if closed else set()
    assert {row[:2] for row in life.gone[event]["bi_clinics"]} == {(one, "open") for one in clinic}
    assert {row[:2] for row in life.come[event]["bi_clinics"]} == {(one, "closed") for one in clinic}
    assert life.come[event]["bi_decisions"] == Counter([("adopt-plan", ADOPTIONS[event])])


def test_a_retired_indicator_and_a_split_one_keep_their_rows(life):
    assert list(life.rows("NI 19", "edition")) == ["2008-09Q1", "2008-09Q2", "2009-10Q1", "2009-10Q2"]
    assert list(life.rows("NI 43", "edition")) == ["2008-09Q1", "2008-09Q2", "2009-10Q1", "2009-10Q2"]
    first = life.rows("NI 43a", "definition", "direction", "sub")["2010-11Q1"]
    assert (first[0].endswith(" – Part a"), *first[1:]) == (True, "no data", "a")


def test_each_year_has_the_polarity_of_its_edition(life):
    assert life.rows("NI 45", "polarity", "actual", "direction", "edition") == {
        "2008-09Q1": ("HIGH", 30.0, "no data", 1),
        "2008-09Q2": ("HIGH", 31.0, "no data", 1),
        "2009-10Q1": ("HIGH", 35.0, "improving", 1),
        "2009-10Q2": ("HIGH", 33.0, "improving", 1),
        "2010-11Q1": ("HIGH", 34.0, "declining", 1),
        "2011-12Q1": ("LOW", 38.0, "not applicable", 2),
        "2012-13Q1": ("LOW", 37.0, "improving", 2),
        "2013-14Q1": ("LOW", 37.0, "no change", 2),
    }


def test_each_year_has_the_unit_of_its_edition(life):
    rows = life.rows("NI 46", "unit", "decimals", "direction", "previous_actual")
    assert rows["2011-12Q1"] == ("percent", 1, "no change", 40.0)
    assert rows["2012-13Q1"] == ("number", 0, "not applicable", None)
    assert rows["2013-14Q1"][2:] == ("improving", 500.0)


def test_another_target_turns_the_symbols_of_its_year(life):
    event = "target"
    expected_besides(
        life, event, "bi_decisions", "bi_performance", "bi_performance_history", "bi_symbol_changes", "bi_clinics"
    )
    assert {row[1:3] for row in life.gone[event]["bi_performance"]} == {("NI 46", "2013-14Q1")}
    assert life.come[event]["bi_symbol_changes"] == Counter(
        [
            ("yos", "NI 46", "2013-14Q1", "on_target", "yes", "no"),
            ("yos", "NI 46", "2013-14Q1", "target_band", "within", "worse"),
        ]
    )
    assert life.gone[event]["bi_performance_history"] == Counter()


def test_an_indicator_moves_to_another_partner(life):
    event = "move"
    expected_besides(life, event, "bi_decisions", "bi_return_status", "bi_clinics")
    # Nothing is left for the old one to return, but for its milestones.
    assert {row[0] for row in life.gone[event]["bi_return_status"]} <= {"vcs"}
    assert life.come[event]["bi_return_status"] == Counter()
    owners = {period: owner for period, (owner,) in life.rows("NI 110", "partner_code").items()}
    assert owners == {"2013-14Q1": "vcs", "2014-15Q1": "cyps"}
    assert life.rows("NI 110", "direction")["2014-15Q1"] == ("no data",)


def test_a_body_that_was_merged_owes_nothing_and_keeps_its_rows(life):
    event = "merge"
    expected_besides(life, event, "bi_decisions", "bi_return_status", "bi_clinics")
    later = QUARTERS[QUARTERS.index("2015-16Q1") :]
    assert life.gone[event]["bi_return_status"] == Counter(("police", period) for period in later)
    assert life.come[event]["bi_return_status"] == Counter()
    assert life.rows("NI 111a", "partner_code", "direction") == {
        "2013-14Q1": ("police", "no data"),
        "2014-15Q1": ("police", "improving"),
        "2015-16Q1": ("nhs", "not applicable"),
        "2016-17Q1": ("nhs", "improving"),
    }


def test_new_milestones_come_and_old_ones_stay(life):
    event = "milestones"
    expected_besides(life, event, "bi_decisions", "bi_milestones")
    assert life.gone[event]["bi_milestones"] == Counter()
    assert life.come[event]["bi_milestones"] == Counter([("PC1-A9-M1", None, None)])


def test_a_late_return_for_an_old_year_is_taken_by_the_plan_of_then(life):
    event = "late"
    assert life.checked[event].is_accepted
    expected_besides(
        life,
        event,
        "bi_performance",
        "bi_performance_history",
        "bi_submissions",
        "bi_findings",
        "bi_milestones",
        "bi_clinics",
    )
    came = {row[1]: row[3:6] for row in life.come[event]["bi_performance"] if row[2] == "2009-10Q2"}
    assert {name: row[0] for name, row in came.items()} == {
        "NI 19": "LOW",
        "NI 43": "LOW",
        "NI 45": "HIGH",
        "NI 46": "HIGH",
    }
    assert (came["NI 19"][2], came["NI 45"][2]) == ("declining", "improving")
    assert {row[2] for row in life.gone[event]["bi_performance"]} <= {"2010-11Q1", "2009-10Q3"}


def test_last_years_form_is_refused_with_what_has_changed(life):
    event = "last form"
    expected_besides(life, event, "bi_submissions", "bi_findings")
    assert life.come[event]["bi_submissions"] == Counter([("yos", "2017-18Q1", 1, "rejected")])
    assert {code for code, _ in life.come[event]["bi_findings"]} >= {"unit-differs"}
    assert not life.checked[event].is_accepted


def test_a_revised_outturn_turns_its_own_edition_alone(life):
    event = "revised"
    assert life.checked[event].is_accepted
    turned = {row[1:] for row in life.come[event]["bi_symbol_changes"] if row[1] == "NI 45"}
    assert ("NI 45", "2010-11Q1", "direction", "improving", "declining") in turned
    assert {row[1] for row in turned} == {"2010-11Q1"}
    assert life.gone[event]["bi_performance_history"] == Counter()


def test_the_late_return_of_a_body_that_is_no_more_is_taken(life):
    event = "abolished"
    assert life.checked[event].is_accepted
    assert ("police", "2013-14Q1") not in life.gone[event]["bi_return_status"]
    came = {row[:3] for row in life.come[event]["bi_performance"]}
    assert {("police", "NI 111a", "2013-14Q1"), ("police", "NI 111a", "2014-15Q1")} <= came


def board(life: Life, period: str) -> BoardData:
    with reading(life.engine) as connection:
        return read_board(connection, parse_period(period), life.now + timedelta(days=1))


def test_a_report_describes_its_own_period(life):
    early, late = board(life, "2011-12Q1"), board(life, "2013-14Q1")
    assert (early.indicators["NI 46"]["unit"], late.indicators["NI 46"]["unit"]) == ("percent", "number")
    row = next(row for row in late.of_period(late.period) if row["indicator"] == "NI 46")
    assert [one["actual"] if one else None for _, one in late.course(row, 8)] == [500.0, None, None, None, 520.0]
    assert ("yos", "NI 46", "2012-13Q1") in late.breaks
    assert b"NI 46" in render_html(late, life.now.date())
    assert {key for key in board(life, "2016-17Q1").breaks if key[0] == "nhs"} == {
        ("nhs", indicator, "2015-16Q1") for indicator in ("NI 111a", "NI 111b")
    }


def test_a_report_has_what_was_owed_and_promised_then(life):
    owed = {
        period: {(row["partner_code"], row["indicator"]) for row in board(life, period).owed}
        for period in QUARTERS[4::12]
    }
    assert {period: ("yos", "NI 19") in those for period, those in owed.items()} == {
        "2009-10Q1": True,
        "2012-13Q1": False,
        "2015-16Q1": False,
        "2018-19Q1": False,
    }
    assert [partner for partner, indicator in sorted(owed["2015-16Q1"]) if indicator == "NI 111a"] == ["nhs"]
    promised = [{row["milestone"] for row in board(life, period).milestones} for period in ("2016-17Q4", "2017-18Q1")]
    assert [("PC1-A1-M1" in those, "PC1-A9-M1" in those) for those in promised] == [(True, False), (False, True)]


def test_what_was_owed_before_a_change_is_judged_as_not_applicable(life):
    (row,) = (row for row in board(life, "2015-16Q2").owed if row["indicator"] == "NI 111a")
    assert (row["partner_code"], row["direction"], row["marker"]) == ("nhs", "not applicable", "not returned")
