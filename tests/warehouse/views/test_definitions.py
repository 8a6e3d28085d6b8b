"""The views are a promise: these names, these columns, in this order, and their content."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import Marker, Measure, MilestoneStatus, Qualifier, Severity
from tests.warehouse.builders import Rows, checked, finding, later, observation, report
from warehouse.engine import reading, writing
from warehouse.queries.views import judgement_history, outcomes, performance, return_status, submissions
from warehouse.recording.administration import close_period
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.views.dictionary import VIEWS, dictionary_page

PERFORMANCE = """
    period period_label financial_year quarter outcome_code outcome indicator_no indicator_ref sub indicator definition
    polarity unit decimals partner_code actual actual_text marker previous_period previous_actual change direction
    direction_symbol direction_basis quarter_direction quarter_direction_symbol target on_target on_target_symbol
    year_to_date target_band target_band_symbol statistical_neighbours statistical_neighbours_band
    statistical_neighbours_band_symbol national national_band national_band_symbol next_target next_target_2
    submission_id source_file source_sheet source_cell recorded_at"""
SINCE = "target_gap variation on_course compares_bodies"
PROMISED = {
    "bi_performance": f"{PERFORMANCE} year_type edition unit_label currency {SINCE}",
    "bi_performance_history": f"{PERFORMANCE} superseded_at year_type edition unit_label currency {SINCE}",
    "bi_submissions": (
        "submission_id partner_code period version file_name sha256 received_at status errors queries notes "
        "observations"
    ),
    "bi_findings": "submission_id code severity sheet cell value message fix",
    "bi_return_status": "partner_code period due_on status received_at submission_id",
    "bi_milestones": (
        "milestone outcome_code aspiration area_of_focus action kind description due strategic_lead lead_officer "
        "period status evidence review review_reason note source url owner"
    ),
    "bi_clinics": (
        "clinic_id indicator opened_period reason closed_period milestones_due milestones_achieved diagnosis status "
        "partner_code"
    ),
    "bi_symbol_changes": (
        "indicator period judgement was became changed_at submission_id source_cell partner_code source_file "
        "source_sheet decision_id"
    ),
    "bi_decisions": "decision_id kind about partner_code period decided_by decided_at why until",
    "bi_group_performance": (
        "period period_label financial_year quarter outcome_code outcome indicator_no indicator_ref sub indicator "
        "definition polarity unit decimals group_code group actual previous_period previous_actual change direction "
        "direction_symbol direction_basis quarter_direction quarter_direction_symbol target on_target on_target_symbol "
        "year_to_date target_band target_band_symbol statistical_neighbours statistical_neighbours_band "
        "statistical_neighbours_band_symbol national national_band national_band_symbol next_target next_target_2 "
        "partners_owing partners_returned note recorded_at unit_label currency target_gap compares_bodies"
    ),
    "bi_comparisons": (
        "partner_code indicator period comparator heading method value band band_symbol bodies recorded_at"
    ),
    "bi_queries": (
        "submission_id partner_code period code subject sheet cell asked_at status answer answered_by answered_at "
        "query_id message"
    ),
    "bi_period": "period period_label financial_year quarter year_type starts_on ends_on period_order is_closed",
    "bi_indicator": (
        "indicator indicator_no indicator_ref sub definition outcome_code outcome polarity unit unit_label currency "
        "decimals accumulation frequency asked_in year_type reports_on aspirations is_current edition first_period "
        "last_period note source url owner"
    ),
    "bi_partner": (
        "partner_code partner group_code group is_current parent_group_code parent_group successor first_period "
        "last_period note source url owner"
    ),
    "bi_group": "group_code group parent_group_code parent_group is_current",
    "bi_outcome": "outcome_code outcome is_current",
    "bi_aspiration": (
        "aspiration description outcome_code outcome area_of_focus focus_on is_current note source url owner"
    ),
}


def test_the_columns_are_the_promised_ones_in_order(engine: Engine) -> None:
    built = inspect(engine)
    for view, columns in PROMISED.items():
        assert [column["name"] for column in built.get_columns(view)] == columns.split()


def test_the_dictionary_describes_every_column_of_every_view(engine: Engine) -> None:
    built = inspect(engine)
    described = {view.name: [column.name for column in view.columns] for view in VIEWS}
    views = [name for name in built.get_view_names() if name.startswith("bi_")]
    assert described == {name: [column["name"] for column in built.get_columns(name)] for name in described}
    assert sorted(described) == sorted(views)


def test_the_page_of_the_manual_is_the_dictionary() -> None:
    page = Path(__file__).parents[3] / "docs" / "warehouse.md"
    assert page.read_text("utf-8") == dictionary_page(), "python -m warehouse.views.dictionary > docs/warehouse.md"


def test_a_row_of_performance_says_it_all(engine: Engine, plan: Plan) -> None:
    before = observation("NI 111a", "400", "2009-10Q1", cell="G9")
    now = observation("NI 111a", "300", typed=" 300 ", qualifiers=frozenset({Qualifier.REVISED, Qualifier.ESTIMATED}))
    record(engine, checked("a", before, now), plan, later(0))
    with reading(engine) as connection:
        (row,) = performance(connection, "NI 111a", parse_period("2010-11Q1"))
    expected = {
        "period": "2010-11Q1",
        "period_label": "2010/11 Q1",
        "financial_year": "2010-11",
        "quarter": 1,
        "outcome_code": plan.indicators["NI 111a"].outcome_code,
        "indicator_ref": "NI 111",
        "sub": "a",
        "indicator": "NI 111a",
        "definition": f"{plan.indicators['NI 111a'].parent_definition} – {plan.indicators['NI 111a'].definition}",
        "partner_code": "police",
        "actual": 300.0,
        "actual_text": " 300 ",
        "marker": "revised; estimated",
        "previous_period": "2009-10Q1",
        "previous_actual": 400.0,
        "change": -100.0,
        "direction": "improving",
        "direction_symbol": "↑",
        "source_file": "return.xlsx",
        "source_sheet": "Indicators",
        "source_cell": "G2",
        "recorded_at": later(0),
    }
    assert {name: row[name] for name in expected} == expected


def test_every_period_has_its_days_and_its_place_in_the_order(engine: Engine, plan: Plan, rows: Rows) -> None:
    later_than_the_calendar = [observation("NI 111a", "3", "2031-32Q4"), observation("NI 111a", "3", "1999-00")]
    record(engine, checked("a", *later_than_the_calendar), plan, later(0))
    with writing(engine) as connection:
        close_period(connection, parse_period("2010-11Q1"), "A. Officer", later(1))
    found = {row["period"]: dict(row) for row in rows("SELECT * FROM bi_period ORDER BY period_order")}
    assert [*found][:3] == ["1998-99", "1999-00", "2008-09Q1"], "what a figure would be compared with, too"
    assert [*found][-1] == "2031-32Q4"
    assert {"2010-11Q1", *(period.code for period in plan.calendar)} <= set(found)
    assert [found["2010-11Q1"][name] for name in ("period_label", "quarter", "is_closed")] == ["2010/11 Q1", 1, "yes"]
    assert [str(found["2031-32Q4"][name]) for name in ("starts_on", "ends_on")] == ["2032-01-01", "2032-03-31"]
    year = found["1999-00"]
    assert (year["quarter"], year["financial_year"], year["is_closed"]) == (None, "1999-00", "no")
    assert [str(year[name]) for name in ("starts_on", "ends_on")] == ["1999-04-01", "2000-03-31"]


def test_a_year_and_an_indicator_without_subs(engine: Engine, plan: Plan) -> None:
    year = observation("NI 112", Marker.NOT_AVAILABLE, "2010-11", partner_code="nhs", typed="-")
    record(engine, checked("a", year, partner_code="nhs", period=parse_period("2010-11")), plan, later(0))
    with reading(engine) as connection:
        (row,) = performance(connection)
    assert (row["period_label"], row["quarter"], row["sub"]) == ("2010/11", None, None)
    assert (row["marker"], row["actual"], row["direction"], row["direction_symbol"]) == (
        "not available",
        None,
        "no data",
        "-",
    )
    assert row["definition"] == plan.indicators["NI 112"].definition


def test_every_judgement_has_its_symbol(engine: Engine, plan: Plan, rows: Rows) -> None:
    quarters = [observation("NI 111a", str(value), f"2009-10Q{value}") for value in range(1, 5)]
    record(engine, checked("a", *quarters), plan, later(0))
    for row in rows("SELECT * FROM bi_performance"):
        words = [name for name in row if f"{name}_symbol" in row]
        assert len(words) == 6
        assert all(row[name] and row[f"{name}_symbol"] for name in words)


def test_history_tells_what_stood_when(engine: Engine, plan: Plan) -> None:
    for day, value in ((0, "1"), (2, "2"), (4, "3")):
        record(engine, checked(value, observation("NI 111a", value)), plan, later(day))
    with reading(engine) as connection:
        stood = {day: [row["actual"] for row in performance(connection, as_of=later(day))] for day in (-1, 0, 1, 2, 5)}
        versions = judgement_history(connection, "NI 111a", parse_period("2010-11Q1"))
    assert stood == {-1: [], 0: [1.0], 1: [1.0], 2: [2.0], 5: [3.0]}
    assert [row["superseded_at"] for row in versions] == [later(2), later(4), None]


def test_submissions_count_their_findings_and_figures(engine: Engine, plan: Plan) -> None:
    found = (finding(Severity.QUERY), finding(Severity.NOTE), finding(Severity.NOTE))
    done = record(engine, checked("a", observation("NI 111a", "1"), findings=found), plan, later(0))
    record(engine, checked("b", findings=(finding(Severity.ERROR),)), plan, later(1))
    with reading(engine) as connection:
        good, bad = submissions(connection, "police", parse_period("2010-11Q1"))
        assert [one.severity for one in outcomes(connection, [done.submission_id])[done.submission_id].findings] == [
            Severity.QUERY,
            Severity.NOTE,
            Severity.NOTE,
        ]
        assert submissions(connection, sha256="nothing") == []
    assert [good[name] for name in ("errors", "queries", "notes", "observations")] == [0, 1, 2, 1]
    assert [bad[name] for name in ("errors", "queries", "notes", "observations")] == [1, 0, 0, 0]
    assert (good["status"], bad["status"]) == ("accepted with queries", "rejected")
    assert good["received_at"] == later(0)


def test_who_has_returned_what(engine: Engine, plan: Plan) -> None:
    due = plan.calendar[parse_period("2010-11Q1")].due_on
    assert later(0).date() <= due < later(60).date()
    record(engine, checked("a", observation("NI 111a", "1")), plan, later(0))
    record(engine, checked("b", observation("NI 111a", "2")), plan, later(60))
    record(engine, checked("c", partner_code="nhs"), plan, later(60))
    record(engine, checked("d", partner_code="yos", findings=(finding(Severity.ERROR),)), plan, later(0))
    record(engine, checked("e", partner_code="nhs", period=parse_period("2010-11")), plan, later(60))
    with reading(engine) as connection:
        rows = {row["partner_code"]: row for row in return_status(connection, parse_period("2010-11Q1"))}
        years = [row for row in return_status(connection) if "Q" not in row["period"]]
    assert list(rows) == sorted(plan.partners)
    words = {partner_code: row["status"] for partner_code, row in rows.items()}
    assert (words["police"], words["nhs"], words["yos"]) == ("received", "late", "missing")
    assert rows["police"]["received_at"] == later(0), "a correction does not change when the return came"
    assert rows["police"]["submission_id"] == 2, "and is what is in force"
    assert (rows["nhs"]["received_at"], rows["yos"]["received_at"]) == (later(60), None)
    assert rows["police"]["due_on"] == due
    assert [(row["partner_code"], row["period"]) for row in years] == [("nhs", "2010-11")]


def test_what_is_not_due_is_not_missing(engine: Engine, plan: Plan, rows: Rows) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
        connection.execute(text("UPDATE plan_calendar SET due_on = '2999-01-01' WHERE period = '2010-11Q1'"))
    wanted = "SELECT DISTINCT status FROM bi_return_status WHERE period = '2010-11Q1'"
    assert rows(wanted) == [{"status": "not due"}]


def test_a_milestone_has_a_row_a_report_and_one_if_there_is_none(engine: Engine, plan: Plan, rows: Rows) -> None:
    states = {"2010-11Q1": MilestoneStatus.ON_TRACK, "2010-11Q2": MilestoneStatus.ACHIEVED}
    reports = tuple(report("PC4-E1-M1", status, period) for period, status in states.items())
    record(engine, checked("a", milestone_reports=reports), plan, later(0))
    found = rows("SELECT * FROM bi_milestones ORDER BY milestone, period")
    assert len(found) == len(plan.milestones) + 1
    reported = [row for row in found if row["milestone"] == "PC4-E1-M1"]
    assert {row["period"]: row["status"] for row in reported} == states
    assert reported[0]["aspiration"] == "PC4"
    assert reported[0]["area_of_focus"] == "in part"
    assert reported[0]["action"] == plan.actions["PC4-E1"].action
    others = [row for row in found if row["milestone"] != "PC4-E1-M1"]
    assert {(row["period"], row["status"]) for row in others} == {(None, None)}


def _turned(rows: Rows) -> list[tuple[object, ...]]:
    query = "SELECT period, judgement, was, became, submission_id, source_cell FROM bi_symbol_changes ORDER BY 1, 2"
    return [tuple(row.values()) for row in rows(query)]


def test_a_resubmission_that_turns_a_symbol_is_traced_to_its_cell(engine: Engine, plan: Plan, rows: Rows) -> None:
    first = [observation("NI 111a", "100", "2009-10Q1", cell="G7"), observation("NI 111a", "90", cell="G8")]
    record(engine, checked("a", *first), plan, later(0))
    assert _turned(rows) == []
    again = [observation("NI 111a", "100", "2009-10Q1", cell="G7"), observation("NI 111a", "900", cell="G9")]
    done = record(engine, checked("b", *again), plan, later(1))
    number = done.submission_id
    assert _turned(rows) == [
        ("2010-11Q1", "direction", "improving", "declining", number, "G9"),
        ("2010-11Q1", "on_target", "yes", "no", number, "G9"),
        ("2010-11Q1", "target_band", "better", "worse", number, "G9"),
    ]
    behind = rows("SELECT DISTINCT partner_code, source_file, source_sheet FROM bi_symbol_changes")
    assert [tuple(row.values()) for row in behind] == [("police", "return.xlsx", "Indicators")]


def test_a_symbol_is_turned_by_the_figure_beside_it(engine: Engine, plan: Plan, rows: Rows) -> None:
    """2010-11Q1 changes because of last year's figure, which came in a separate return."""
    last_year = parse_period("2009-10Q1")
    before = observation("NI 111a", "100", "2009-10Q1", cell="G7")
    record(engine, checked("a", before, period=last_year), plan, later(0))
    record(engine, checked("b", observation("NI 111a", "90", cell="G8")), plan, later(1))
    corrected = observation("NI 111a", "80", "2009-10Q1", cell="H7")
    done = record(engine, checked("c", corrected, period=last_year), plan, later(2))
    this_year = [row for row in _turned(rows) if row[0] == "2010-11Q1"]
    assert this_year == [("2010-11Q1", "direction", "improving", "declining", done.submission_id, "H7")]


def test_a_plan_that_turns_a_symbol_has_no_cell(engine: Engine, plan: Plan, rows: Rows) -> None:
    record(engine, checked("a", observation("NI 111a", "120")), plan, later(0))
    key = (Measure.TARGET, "NI 111a", parse_period("2010-11"))
    harder = replace(plan.figures[key], value=Decimal(400))
    with writing(engine) as connection:
        record_plan(connection, replace(plan, fingerprint="x", figures={**plan.figures, key: harder}), later(1))
    assert _turned(rows) == [
        ("2010-11Q1", "on_target", "yes", "no", None, None),
        ("2010-11Q1", "target_band", "within", "worse", None, None),
    ]
