"""The built-in plan is Section Five: its counts, its figures as printed, and each trap of its table."""

import shutil
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Banding, Plan
from cypp_etl.plan.reader import read_plan
from schemas.codes import Accumulation, ActionKind, Marker, Measure, Polarity, Unit

# As printed: 08/09 Actual, 09/10 Target, 09/10 Perf, Stat. Neigh., National, 10/11 Target, 11/12 Target.
# A blank cell is "" here, and has no figure in the plan.
PRINTED = {
    "NI 19": "0.69 0.48 0.28 1.1 1 0.97 -",
    "NI 43": "9.7% 7.5% 7.1% 4.40% 5.80% 5.0% -",
    "NI 45": "72.6% 75.6% 71.0% 75.60% 73.10% 78.0% -",
    "NI 46": "97.6% 97.9% 98.6% N/A N/A 98.0% -",
    "NI 110": "62.2% 66.0% 60.0% 61.20% 65.80% - -",
    "NI 111a": "374 385 212 N/A N/A 514 -",
    "NI 111b": "1,406 1425 784 N/A N/A 1,900 -",
    "NI 112": "-10.1% -39% -1.10% N/A N/A - -",
    "NI 113a": "19.7% 25.0% 25.0% 16.20% N/A 35.0% -",
    "NI 113b": "8.9% - - - N/A - -",
    "NI 114": "0.01% 0.01% 0.00% 0.10% 0.10% 0% 0%",
    "NI 115": "15.20 N/A 12.9% 12.10% 9.80% - -",
    "NI 22": "20% blank blank 23.2 29.6 blank blank",
}
COLUMNS = (
    (Measure.HISTORY, Period(2008)),
    (Measure.TARGET, Period(2009)),
    (Measure.HISTORY, Period(2009)),
    (Measure.STATISTICAL_NEIGHBOURS, Period(2009)),
    (Measure.NATIONAL, Period(2009)),
    (Measure.TARGET, Period(2010)),
    (Measure.TARGET, Period(2011)),
)
PRINTED_MARKERS = {"-": Marker.NOT_AVAILABLE, "N/A": Marker.NOT_APPLICABLE}
PRINTED_CELLS = [
    (indicator, *column, text)
    for indicator, texts in PRINTED.items()
    for column, text in zip(COLUMNS, texts.split(), strict=True)
]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture
def plan_copy(tmp_path: Path) -> Path:
    with as_file(files("cypp_etl").joinpath("plan", "data")) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "plan"))


def test_counts(plan: Plan) -> None:
    assert list(plan.outcomes) == ["BH", "SS", "EA", "PC", "EWB", "ICS"]
    assert len(plan.aspirations) == 32
    assert Counter(action.kind for action in plan.actions.values()) == {
        ActionKind.EXISTING: 10,
        ActionKind.ADDITIONAL: 11,
    }
    assert len(plan.milestones) == 38
    assert len(plan.indicators) == 13
    assert len({indicator.indicator_ref for indicator in plan.indicators.values()}) == 11
    assert list(plan.parents) == ["NI 111", "NI 113"]
    assert len(plan.partners) == 6


def test_aspirations_per_outcome(plan: Plan) -> None:
    per_outcome = Counter(aspiration.outcome_code for aspiration in plan.aspirations.values())
    assert per_outcome == {"BH": 5, "SS": 5, "EA": 6, "PC": 6, "EWB": 5, "ICS": 5}
    assert not any("*" in aspiration.text for aspiration in plan.aspirations.values())


def test_areas_of_focus(plan: Plan) -> None:
    focus = [code for code, aspiration in plan.aspirations.items() if aspiration.is_area_of_focus]
    assert focus == ["BH1", "BH2", "BH3", "BH4", "BH5", "SS3", "SS4", "SS5", "EA1", "PC4", "EWB1", "EWB2", "EWB4"]
    focus_on = {code: aspiration.focus_on for code, aspiration in plan.aspirations.items() if aspiration.focus_on}
    assert focus_on == {"BH5": "Looked After Children", "PC4": "Looked After Children"}


def test_indicators_stand_in_the_order_and_with_the_numbers_of_the_table(plan: Plan) -> None:
    assert list(plan.indicators) == list(PRINTED)
    numbers = [indicator.indicator_no for indicator in plan.indicators.values()]
    assert numbers == ["42", "43", "44", "45", "46", "47", "47", "48", "49", "49", "50", "51", ""]
    assert {indicator.outcome_code for indicator in plan.indicators.values()} == {"PC"}
    assert plan.outcomes["PC"].table_heading == "MAKING A POSITIVE CONTRIBUTION"


@pytest.mark.parametrize(("indicator", "measure", "period", "printed"), PRINTED_CELLS)
def test_figures_are_those_printed(plan: Plan, indicator: str, measure: Measure, period: Period, printed: str) -> None:
    figure = plan.figure(measure, indicator, period)
    if printed == "blank":
        assert figure is None
        return
    assert figure is not None
    assert figure.marker == PRINTED_MARKERS.get(printed)
    written = printed.replace(",", "").removesuffix("%")
    assert (str(figure.value) if figure.value is not None else None) == (None if figure.marker else written)


def test_there_is_no_figure_that_is_not_printed(plan: Plan) -> None:
    assert len(plan.figures) == sum(text != "blank" for *_, text in PRINTED_CELLS) == 87


def test_ni_111_inherits_its_polarity_and_ni_113_has_none_to_give(plan: Plan) -> None:
    assert plan.parents["NI 111"].polarity is Polarity.LOW
    assert plan.indicators["NI 111a"].polarity is Polarity.LOW
    assert plan.indicators["NI 111b"].polarity is Polarity.LOW
    assert plan.parents["NI 113"].polarity is None
    assert plan.indicators["NI 113a"].polarity is Polarity.HIGH
    assert plan.indicators["NI 113b"].polarity is Polarity.LOW


def test_sub_indicators_know_their_parent(plan: Plan) -> None:
    rate = plan.indicators["NI 111b"]
    assert (rate.indicator_ref, rate.sub) == ("NI 111", "b")
    assert rate.parent_definition == "First time entrants to the Youth Justice System aged 10 – 17"
    assert (rate.number_indicator, rate.multiplier) == ("NI 111a", 100000)
    assert plan.indicators["NI 19"].parent_definition == ""


def test_only_ni_111_adds_up_over_the_year(plan: Plan) -> None:
    sums = [code for code, leaf in plan.indicators.items() if leaf.accumulation is Accumulation.SUM]
    assert sums == ["NI 111a", "NI 111b"]


def test_ni_112_is_signed(plan: Plan) -> None:
    assert plan.indicators["NI 112"].minimum == -100
    assert plan.indicators["NI 112"].maximum is None
    assert plan.indicators["NI 112"].polarity is Polarity.LOW
    target = plan.figure(Measure.TARGET, "NI 112", Period(2009))
    assert target is not None
    assert target.value == -39


def test_ni_114_holds_hundredths_of_a_point_and_a_real_zero(plan: Plan) -> None:
    assert (plan.indicators["NI 114"].unit, plan.indicators["NI 114"].decimals) == (Unit.PERCENT, 2)
    zero = plan.figure(Measure.HISTORY, "NI 114", Period(2009))
    assert zero is not None
    assert (zero.value, zero.marker) == (Decimal(0), None)


def test_ni_115_is_a_percentage_with_or_without_its_sign(plan: Plan) -> None:
    assert plan.indicators["NI 115"].unit is Unit.PERCENT
    values = [plan.figure(Measure.HISTORY, "NI 115", Period(year)) for year in (2008, 2009)]
    assert [figure.value for figure in values if figure] == [Decimal("15.2"), Decimal("12.9")]


def test_dash_not_applicable_and_blank_are_three_things(plan: Plan) -> None:
    dash = plan.figure(Measure.TARGET, "NI 113b", Period(2009))
    not_applicable = plan.figure(Measure.TARGET, "NI 115", Period(2009))
    assert dash is not None
    assert dash.marker is Marker.NOT_AVAILABLE
    assert not_applicable is not None
    assert not_applicable.marker is Marker.NOT_APPLICABLE
    assert plan.figure(Measure.TARGET, "NI 22", Period(2009)) is None


def test_figures_say_where_they_come_from(plan: Plan) -> None:
    figure = plan.figure(Measure.STATISTICAL_NEIGHBOURS, "NI 43", Period(2009))
    assert figure is not None
    assert figure.source == 'Section Five, column "Stat. Neigh."'


@pytest.mark.parametrize(
    ("action_id", "strategic_lead", "lead_officer"),
    [
        ("PC1-E1", "Dorothy Smith", "Collette Bailey"),
        ("PC2-E2", "Alan Hazell", ""),
        ("PC2-A3", "Simon Perry", "Catherine Ratcliffe"),
        ("PC3-E1", "Richard Tweed", "Inspector Gwyn Thomas"),
        ("PC4-E1", "Richard Tweed", "Inspector Gwyn Thomas"),
        ("PC4-A2", "Caroline Rollitt", ""),
        ("PC6-E1", "Joanna Saunders", "Melanie Simmonds"),
        ("PC6-A2", "Simon Perry", "Chris Brodhurst Brown"),
    ],
)
def test_leads(plan: Plan, action_id: str, strategic_lead: str, lead_officer: str) -> None:
    action = plan.actions[action_id]
    assert (action.strategic_lead, action.lead_officer) == (strategic_lead, lead_officer)


def test_the_words_of_the_document_are_kept(plan: Plan) -> None:
    assert plan.actions["PC3-E1"].action == "South Yorkshire Policy Children and Young People Strategy"
    assert plan.actions["PC5-E1"].detail == "Teenage Pregnancy Strategy Refresh October 2008"
    assert plan.actions["PC2-E4"].detail.startswith("Connect all learners and their families")


def test_milestones_stand_in_their_column(plan: Plan) -> None:
    later = [code for code, milestone in plan.milestones.items() if milestone.financial_year == Period(2011)]
    assert later == ["PC1-E1-M1", "PC2-E3-M3", "PC2-A1-M2"]
    assert {milestone.financial_year for milestone in plan.milestones.values()} == {Period(2010), Period(2011)}


def test_milestones_per_action(plan: Plan) -> None:
    per_action = Counter(milestone.action_id for milestone in plan.milestones.values())
    assert {action: n for action, n in per_action.items() if n > 1} == {
        "PC2-E1": 4,
        "PC2-E2": 2,
        "PC2-E3": 3,
        "PC2-A1": 2,
        "PC2-A2": 2,
        "PC2-A3": 4,
        "PC4-E1": 2,
        "PC4-E2": 5,
        "PC5-E1": 3,
        "PC6-E1": 3,
    }
    assert set(plan.actions) - set(per_action) == {"PC2-E4", "PC4-A2", "PC6-A1"}


def test_due_dates_are_those_stated_or_the_end_of_the_year(plan: Plan) -> None:
    stated = {code: milestone.due for code, milestone in plan.milestones.items() if milestone.is_due_stated}
    assert stated == {
        "PC1-A2-M1": date(2010, 12, 31),
        "PC2-E1-M1": date(2010, 8, 31),
        "PC2-E1-M2": date(2011, 4, 30),
        "PC2-E1-M3": date(2011, 3, 31),
        "PC2-E3-M1": date(2011, 4, 30),
        "PC2-E3-M2": date(2011, 4, 30),
    }
    for milestone in plan.milestones.values():
        assert milestone.is_due_stated or milestone.due == milestone.financial_year.last_day


def test_every_indicator_is_owed_by_one_partner(plan: Plan) -> None:
    assert set(plan.owners) == set(plan.indicators)
    assert all(len(partners) == 1 for partners in plan.owners.values())
    assert plan.owed_by["police"] == ("NI 111a", "NI 111b")


def test_every_partner_reports_on_milestones(plan: Plan) -> None:
    reported = {partner: len(milestones) for partner, milestones in plan.milestones_of.items()}
    assert reported == {"yos": 5, "police": 3, "nhs": 6, "cyps": 21, "vcs": 1, "lscb": 2}


def test_the_calendar_holds_every_year_and_quarter(plan: Plan) -> None:
    years = [Period(year) for year in range(2008, 2013)]
    assert set(plan.calendar) == {*years, *(quarter for year in years for quarter in year.quarters)}
    for period, entry in plan.calendar.items():
        assert entry.opens_on == period.last_day + timedelta(days=1)
    assert plan.calendar[parse_period("2010-11Q3")].due_on == date(2011, 1, 20)
    assert plan.calendar[Period(2010)].due_on == date(2011, 5, 31)


def test_every_indicator_has_the_default_margins(plan: Plan) -> None:
    margins = plan.indicators["NI 19"].banding
    assert margins == Banding(Decimal(10), 1, Decimal(5), Decimal(25), Decimal(5))
    assert {indicator.banding for indicator in plan.indicators.values()} == {margins}


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("partners.csv", "yos,", " yos ,"),
        ("partners.csv", "\npolice,", "\n\npolice,"),
        ("figures.csv", ",0.69,", ",0.690,"),
        ("figures.csv", ",514,", ",0514.0,"),
        (
            "body.csv",
            "body,report_title,clinics_from\nChildren and Young People's Trust Board,Performance report,better",
            "clinics_from,report_title,body\nbetter,Performance report,Children and Young People's Trust Board",
        ),
        ("outcomes.csv", "\n", "\r\n"),
    ],
)
def test_the_fingerprint_is_of_what_the_plan_says(
    plan: Plan, plan_copy: Path, file: str, before: str, after: str
) -> None:
    path = plan_copy / file
    text = path.read_bytes().decode()
    assert before in text
    path.write_bytes(text.replace(before, after).encode())
    same = read_plan(plan_copy)
    assert same.fingerprint == plan.fingerprint
    assert same.former_fingerprint != plan.former_fingerprint


def test_columns_that_say_nothing_do_not_count(plan: Plan, plan_copy: Path) -> None:
    path = plan_copy / "partners.csv"
    rows = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([f"{rows[0]},successor", *(f"{row}," for row in rows[1:])]), "utf-8")
    (plan_copy / "neighbours.csv").write_text("partner_code,neighbour\n", "utf-8")
    assert read_plan(plan_copy).fingerprint == plan.fingerprint


def test_a_blank_that_means_something_else_counts(plan: Plan, plan_copy: Path) -> None:
    path = plan_copy / "indicators.csv"
    text = path.read_text("utf-8")
    path.write_text(text.replace("rate,2,0,,latest", "rate,2,,,latest", 1), "utf-8")
    assert read_plan(plan_copy).fingerprint != plan.fingerprint


def test_the_fingerprint_is_that_of_the_files(plan: Plan, plan_copy: Path) -> None:
    assert len(plan.fingerprint) == 64
    assert read_plan(plan_copy).fingerprint == plan.fingerprint
    with (plan_copy / "partners.csv").open("a", encoding="utf-8") as file:
        file.write("ext,Another partner\n")
    assert read_plan(plan_copy).fingerprint != plan.fingerprint


def test_files_saved_by_excel_are_read(plan: Plan, plan_copy: Path) -> None:
    for file in plan_copy.glob("*.csv"):
        text = file.read_text(encoding="utf-8")
        file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    saved = read_plan(plan_copy)
    assert (saved.indicators, saved.figures, saved.milestones) == (plan.indicators, plan.figures, plan.milestones)


def test_a_margin_may_differ_for_one_indicator(plan_copy: Path) -> None:
    with (plan_copy / "banding.csv").open("a", encoding="utf-8") as file:
        file.write("NI 19,,,0.5,,\n")
    own = read_plan(plan_copy).indicators["NI 19"].banding
    assert own.comparator_margin == Decimal("0.5")
    assert own.target_margin_percent == 10


def test_a_change_may_have_to_exceed_a_margin_too(plan: Plan, plan_copy: Path) -> None:
    assert plan.indicators["NI 19"].banding.large_change_margin == 0
    path = plan_copy / "banding.csv"
    header, default = path.read_text("utf-8").split()
    path.write_text(f"{header},large_change_margin\n{default},10\nNI 19,,,,,,0.5\n", "utf-8")
    indicators = read_plan(plan_copy).indicators
    assert indicators["NI 19"].banding.large_change_margin == Decimal("0.5")
    assert indicators["NI 43"].banding.large_change_margin == 10
