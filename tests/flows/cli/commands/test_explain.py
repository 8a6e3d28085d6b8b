"""`cypp explain`: from whose figures a comparator was computed, what was returned beside a figure, and why two figures
do not compare."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Obligation, Plan
from cypp_etl.plan.reader import read_plan
from flows.cli.commands.explain import show_explanation
from schemas.codes import ComparatorMethod, Marker, Qualifier
from tests.support.plan_edits import PlanEdits
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

PERIOD = parse_period("2010-11Q1")


@pytest.fixture(scope="module")
def plan() -> Plan:
    comparators = [
        Comparator("neighbours_mean", "Our neighbours", ComparatorMethod.MEAN, "neighbours"),
        Comparator("everybody", "Everybody", ComparatorMethod.RATIO, "*"),
    ]
    return replace(
        read_plan(),
        fingerprint="compared",
        comparators=BUILT_IN_COMPARATORS | {each.comparator: each for each in comparators},
        neighbours={"yos": ("police", "nhs")},
    )


@pytest.fixture(scope="module")
def engine(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path: Path = tmp_path_factory.mktemp("warehouse") / "warehouse.sqlite"
    engine = open_warehouse(f"sqlite:///{path}")
    upgrade(engine)
    for day, (partner, above, below) in enumerate((("yos", 3, 4), ("police", 1, 2), ("nhs", 7, 10))):
        parts = {"numerator": Decimal(above), "denominator": Decimal(below)}
        row = observation("NI 45", str(100 * above / below), partner_code=partner, **parts)
        record(engine, checked(partner, row, partner_code=partner), plan, later(day))
    yield engine
    engine.dispose()


def test_the_bodies_behind_a_comparator_are_named(
    engine: Engine, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    with reading(engine) as connection:
        assert show_explanation(connection, plan, "NI 45", PERIOD) == 0
    said = capsys.readouterr().out
    assert "Our neighbours: ★ better\n  Mean of 2 for 2010/11 Q1: 60.0%\n  Counted: police 50, nhs 70" in said
    assert "Everybody: ★ better\n  Ratio of the sums of 3 for 2010/11 Q1: 68.8%\n  Counted: " in said
    assert all(counted in said for counted in ("yos 3 / 4", "police 1 / 2", "nhs 7 / 10"))


def test_many_owners_are_counted_rather_than_named(
    engine: Engine, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    partners = {f"p{number}": replace(plan.partners["yos"], partner_code=f"p{number}") for number in range(11)}
    for count, said in ((10, plan.partners["yos"].partner), (11, "owed by 11 partners")):
        obligations = tuple(Obligation(code, "NI 45") for code in [*partners][:count])
        with reading(engine) as connection:
            many = replace(plan, partners=partners, obligations=obligations)
            assert show_explanation(connection, many, "NI 45", parse_period("2011-12Q1")) == 1
        assert said in capsys.readouterr().out


@pytest.fixture(scope="module")
def changing() -> Plan:
    """NI 45 is another edition from 2010-11Q3 on, and the youth offending service takes NI 43 over in 2010-11Q2."""
    edits = PlanEdits.of_the_built_in_plan()
    edits.renew("NI 45", "2010-11Q3", "2010-11Q2", definition="Another one", decimals="0")
    edits.add("owed_by", partner_code="nhs", indicator="NI 43", last_period="2010-11Q1")
    edits.change("partners", "nhs", last_period="2010-11Q1", successor="yos")
    return edits.read()


@pytest.fixture(scope="module")
def explained(changing: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """What `cypp explain` says of an indicator of the youth offending service and a period."""
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('warehouse') / 'warehouse.sqlite'}")
    upgrade(engine)
    figures = [
        observation("NI 45", "60.25", "2009-10Q2", cell="G2", qualifiers=frozenset({Qualifier.REVISED})),
        observation("NI 45", "61", "2010-11Q1", cell="G3", qualifiers=frozenset({Qualifier.BREAK})),
        observation(
            "NI 45",
            "62",
            "2010-11Q2",
            cell="G4",
            qualifiers=frozenset({Qualifier.PROVISIONAL, Qualifier.ESTIMATED}),
        ),
        observation("NI 45", "63", "2010-11Q3", cell="G5"),
        observation("NI 43", Marker.NOT_AVAILABLE, "2009-10Q1", cell="G6"),
        observation("NI 43", "6", "2010-11Q1", cell="G7"),
        observation("NI 43", Marker.TO_BE_CONFIRMED, "2010-11Q2", cell="G8"),
    ]
    figures = [figure._replace(partner_code="yos") for figure in figures]
    record(engine, checked("yos", *figures, partner_code="yos"), changing, later(0))

    def told(indicator: str, period: str) -> str:
        out = io.StringIO()
        with reading(engine) as connection, contextlib.redirect_stdout(out):
            assert show_explanation(connection, changing, indicator, parse_period(period)) == 0
        return out.getvalue()

    yield told
    engine.dispose()


def test_what_was_returned_beside_a_figure_is_said(explained: Callable[..., str]) -> None:
    second = explained("NI 45", "2010-11Q2")
    assert "\nFigure: 62.0% ([p] [e] provisional, estimated)\n" in second
    assert "\n  Compared with 2009-10Q2: 60.25% ([r] revised)\n" in second
    assert "\nFigure: 61.0% ([b] break in series)\n" in explained("NI 45", "2010-11Q1")
    third = explained("NI 45", "2010-11Q3")
    assert "\nFigure: 63%\n" in third


def test_a_marker_is_said_wherever_a_figure_would_stand(explained: Callable[..., str]) -> None:
    assert "\nFigure: to be confirmed\n" in explained("NI 43", "2010-11Q2")
    assert "\nYear to date: to be confirmed\n" in explained("NI 43", "2010-11Q2")
    assert "\n  Compared with 2009-10: " in explained("NI 43", "2010-11Q1")


def test_a_break_between_two_figures_is_named_with_its_cell(explained: Callable[..., str]) -> None:
    first, second = explained("NI 45", "2010-11Q1"), explained("NI 45", "2010-11Q2")
    assert "\n  They do not compare: this figure was returned as a break in series.\n" in first
    there = "\n  They do not compare: the figure of 2010-11Q1 was returned as a break in series.\n  Typed as '61' in "
    assert f"{there}Indicators!G3 of " in second
    assert second.count("N/A not applicable (same quarter last year)") == 1


def test_the_quarter_before_is_a_step_of_its_own(explained: Callable[..., str]) -> None:
    second, third = (explained("NI 45", f"2010-11Q{quarter}") for quarter in (2, 3))
    nothing = "\nSince the quarter before: - no data\n  There is no figure for 2009-10Q4 to compare with.\n"
    assert nothing in explained("NI 43", "2010-11Q1")
    assert "\nSince the quarter before: ↑ improving\n  Compared with 2010-11Q1: 61.0% ([b] break in series)\n" in second
    assert "\n  62.0 - 61.0 = 1.0\n" in second
    said = "\nSince the quarter before: N/A not applicable\n  Compared with 2010-11Q2: 62.0% "
    assert said in third
    assert "\n  They do not compare: 2010/11 Q2 is of edition 1, this is of edition 2.\n" in third


def test_a_whole_year_has_no_quarter_before(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    engine, plan = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}"), read_plan()
    upgrade(engine)
    row = observation("NI 110", "60", "2009-10", partner_code="nhs")
    record(engine, checked("nhs", row, partner_code="nhs"), plan, later(0))
    with reading(engine) as connection:
        assert show_explanation(connection, plan, "NI 110", parse_period("2009-10")) == 0
    engine.dispose()
    said = capsys.readouterr().out
    assert "\nDirection of travel: ↓ declining (last year)\n" in said
    assert "Since the quarter before" not in said


def test_a_target_and_comparators_from_across_a_change_are_shown_with_the_reason(
    explained: Callable[..., str],
) -> None:
    second, third = explained("NI 45", "2010-11Q2"), explained("NI 45", "2010-11Q3")
    plan = 'From the plan: Section Five, column "10/11 Target"\n  '
    apart = "They do not compare: 2010/11 is of edition 2, this is of edition 1.\n"
    assert f"\nBand against target: N/A not applicable\n  Target of 2010/11: 78%\n  {plan}{apart}" in second
    assert "\nNational: ▲ worse\n  2009/10: 73.1%\n" in second
    apart = "  They do not compare: 2009/10 is of edition 1, this is of edition 2.\n"
    assert f"\nOn target: ✗ no\nBand against target: ▲ worse\n  Target: 78%\n  {plan}It is better if" in third
    assert third.count(apart) == 3
    national = '\nNational: N/A not applicable\n  2009/10: 73.1%\n  From the plan: Section Five, column "National"\n'
    assert national + apart in third
    first, second = explained("NI 43", "2010-11Q1"), explained("NI 43", "2010-11Q2")
    apart = "  They do not compare: yos takes over from a partner that ends, from 2010/11 Q2 on.\n"
    # Its target, last year's figure, the quarter before and the nation's.
    assert (first.count(apart), second.count(apart)) == (1, 4)
    assert f"{plan}{apart.strip()}" in first
    assert national.replace("73.1", "5.8") + apart in second


def test_a_group_says_why_its_figures_do_not_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edits = PlanEdits()
    edits.tables["groups"] = [{"group_code": "south", "group": "The South", "parent_group": ""}]
    for code in ("p1", "p2"):
        edits.add("partners", partner_code=code, partner=f"Partner {code}", group_code="south")
        edits.add("owed_by", partner_code=code, indicator="NI 111a")
    edits.renew("NI 111a", "2011-12Q1", "2010-11Q4", definition="Another one", is_comparable="no")
    plan, engine = edits.read(), open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    upgrade(engine)
    periods = ("2009-10Q1", "2010-11Q1", "2009-10Q2", "2010-11Q2", "2011-12Q2", "2009-10Q3", "2009-10")
    # Neither a whole year between two quarters nor what has no figure breaks the group's series.
    broken_in = {("p2", "2010-11Q2"), ("p1", "2009-10"), ("p1", "2009-10Q3")}
    for number, code in enumerate(("p1", "p2")):
        rows = [
            observation(
                "NI 111a",
                Marker.NOT_AVAILABLE if period == "2009-10Q3" else "10",
                period,
                partner_code=code,
                qualifiers=frozenset({Qualifier.BREAK} if (code, period) in broken_in else ()),
            )
            for period in periods
        ]
        record(engine, checked(code, *rows, partner_code=code), plan, later(number))
    said = {}
    with reading(engine) as connection:
        for period in ("2010-11Q1", "2010-11Q2", "2011-12Q2"):
            assert show_explanation(connection, plan, "NI 111a", parse_period(period)) == 0
            said[period] = capsys.readouterr().out.partition("\n\n")[0]
    engine.dispose()
    assert (
        "Direction of travel: → no change (same quarter last year)\n  Compared with 2009-10Q1: 20\n"
        in (said["2010-11Q1"])
    )
    apart = "Direction of travel: N/A not applicable (same quarter last year)\n  Compared with 2009-10Q2: 20\n"
    broken = "  They do not compare: a break in series was returned by Partner p2 in 2010/11 Q2.\n"
    assert apart + broken in said["2010-11Q2"]
    edition = "  They do not compare: 2010/11 Q2 is of edition 1, this is of edition 2.\n"
    # What does not count the same thing is no figure to compare with.
    assert "N/A not applicable (same quarter last year)\n" + edition + "Year to date" in said["2011-12Q2"]
