"""The rows of a return: those that are owed, and what rows are about."""

from dataclasses import replace

import pytest

from cypp_etl.intake.rows import IndicatorRow, Subject
from cypp_etl.periods import Period
from cypp_etl.plan.index import PlanIndex
from cypp_etl.rules.conformance import judge_conformance
from cypp_etl.rules.coverage import Coverage, judge_references, partner_of
from cypp_etl.rules.targets import judge_targets
from cypp_etl.workbook.model import Cell, CellKind
from schemas.codes import Unit

BOTH = {"indicators", "milestones"}


@pytest.fixture(scope="module")
def index(plan):
    return PlanIndex.of(plan)


@pytest.fixture
def make_indicator_row(make_row, index):
    """A row as if it had been read; the definition is that of the reference unless another is given."""

    def make(ref, sub="", row=2, **texts):
        named = index.leaf_named(ref, sub)
        described = index.leaf_described(texts["definition"]) if "definition" in texts else named
        polarity = texts.get("good_performance", named.polarity.value if named else "LOW")
        subject = Subject(
            indicator_ref=ref,
            sub=sub,
            named=named,
            described=described,
            is_parent=not sub and ref in ("NI 111", "NI 113"),
            good_performance=polarity,
            unit=texts.get("unit", named.unit.value if named else None),
        )
        source = make_row("indicators", row, **{"ref": ref, "sub": sub, "actual": "1"} | texts)
        return IndicatorRow(source, subject, texts.get("figure_column", "actual"))

    return make


@pytest.fixture
def judge(make_parsed, plan):
    def judge(rows, partner_code="yos", whole=BOTH, milestone_rows=()):
        sheets = {"indicators": "Indicators", "milestones": "Milestones"}
        parsed = make_parsed(
            partner_code=partner_code,
            indicator_rows=list(rows),
            milestone_rows=list(milestone_rows),
            whole_parts=set(whole),
            sheets=sheets,
        )
        return [
            finding for finding in Coverage(parsed, plan, partner_code, plan).judge() if "milestone" not in finding.code
        ]

    return judge


@pytest.fixture
def all_owed(plan, make_indicator_row):
    def all_owed(partner_code):
        leaves = [plan.indicators[code] for code in plan.owed_by[partner_code]]
        return [make_indicator_row(leaf.indicator_ref, leaf.sub, row) for row, leaf in enumerate(leaves, start=2)]

    return all_owed


def test_all_that_is_owed_and_nothing_else_is_right(judge, all_owed):
    assert judge(all_owed("yos")) == []
    assert judge(all_owed("police"), "police") == []


def test_each_missing_row_is_said(judge, all_owed):
    findings = judge(all_owed("yos")[1:-1])
    assert [(finding.code, finding.sheet, finding.message.split(" (")[0]) for finding in findings] == [
        ("indicator-missing", "Indicators", "There is no row for NI 19"),
        ("indicator-missing", "Indicators", "There is no row for NI 46"),
    ]


def test_the_parts_of_an_indicator_come_together(judge, all_owed):
    assert [finding.code for finding in judge(all_owed("police")[:1], "police")] == ["sub-indicator-missing"]
    assert [finding.code for finding in judge([], "police")] == ["indicator-missing", "indicator-missing"]


def test_anothers_indicator_is_said_with_who_owes_it(judge, all_owed, make_indicator_row):
    (finding,) = judge([*all_owed("yos"), make_indicator_row("NI 110", row=9)])
    assert (finding.code, finding.cell) == ("indicator-not-owed", "A9")
    assert "Voluntary and community sector" in finding.message


def test_of_a_table_that_was_not_read_whole_nothing_is_missing(judge):
    assert judge([], whole=()) == []


@pytest.mark.parametrize("ref", ["NI 999", "", "NI 19"])
def test_a_row_with_a_wrong_reference_is_not_missing(judge, all_owed, make_indicator_row, plan, ref):
    definition = plan.indicators["NI 43"].definition
    rows = [row for row in all_owed("yos") if row.subject.indicator_ref != "NI 43"]
    assert judge([*rows, make_indicator_row(ref, row=9, definition=definition)]) == []


def test_a_row_that_names_one_thing_and_describes_another(make_parsed, make_indicator_row, make_milestone, plan):
    row = make_indicator_row("NI 45", definition=plan.indicators["NI 43"].definition)
    report = replace(make_milestone("PC1-A1-M1"), described=plan.milestones["PC1-A2-M1"])
    fine = [make_indicator_row("NI 45"), make_indicator_row("NI 45", definition="changed by hand")]
    parsed = make_parsed(indicator_rows=[row, *fine], milestone_rows=[report, make_milestone("PC1-A2-M1")])
    assert [(finding.code, finding.cell, finding.message) for finding in judge_references(parsed)] == [
        (
            "reference-differs",
            "A2",
            'This row says that it is about "NI 45", but the text beside it is that of NI 43.',
        ),
        (
            "reference-differs",
            "A2",
            'This row says that it is about "PC1-A1-M1", but the text beside it is that of PC1-A2-M1.',
        ),
    ]


@pytest.mark.parametrize(
    ("cover", "folder", "rows_of", "expected"),
    [
        ("yos", "", "yos", "yos"),
        ("", "yos", "yos", "yos"),
        ("nhs", "yos", "yos", "yos"),
        ("nhs", "yos", "nhs", "nhs"),
        ("", "", "police", "police"),
        ("yos", "", "police", "yos"),
        ("", "", None, ""),
    ],
)
def test_whose_return_it_is_can_be_told_by_its_rows(*, make_parsed, all_owed, plan, cover, folder, rows_of, expected):
    rows = all_owed(rows_of) if rows_of else []
    parsed = make_parsed(cover_partner=cover, partner_code=folder or cover, indicator_rows=rows)
    assert partner_of(parsed, plan) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("7.5%", []), ("", []), ("7.50 %", []), ("7.4%", ["F2"]), ("N/A", ["F2"]), ("as before", ["F2"])],
)
def test_a_target_that_was_typed_over_is_asked_about(make_parsed, make_indicator_row, plan, typed, expected):
    row = make_indicator_row("NI 43", target=typed)
    parsed = make_parsed(period=Period(2009), indicator_rows=[row])

    assert [finding.cell for finding in judge_targets(parsed, plan)] == expected


def test_a_target_that_excel_has_not_worked_out_says_nothing(make_parsed, make_indicator_row, plan):
    row = make_indicator_row("NI 43")
    row.source.line[6] = Cell(2, 6, CellKind.BLANK, None, is_formula=True)
    assert not list(judge_targets(make_parsed(period=Period(2009), indicator_rows=[row]), plan))


def codes(parsed, index):
    return [(finding.code, finding.cell) for _, finding in judge_conformance([parsed], index)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("NI 43",), []),
        (("ni43",), []),
        (("NI 999",), [("indicator-unknown", "A2")]),
        (("NI 111", "c"), [("sub-indicator-unknown", "B2")]),
        (("NI 43", "a"), [("sub-indicator-unknown", "B2")]),
        (("NI 111",), [("parent-has-value", "I2")]),
    ],
)
def test_rows_are_about_something_in_the_plan(make_parsed, make_indicator_row, index, row, expected):
    assert codes(make_parsed(indicator_rows=[make_indicator_row(*row)]), index) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", ["indicator-unknown"]),
        ("HIGH", ["indicator-unknown"]),
        ("HIHG", ["indicator-unknown", "good-performance-unknown"]),
    ],
)
def test_a_total_is_no_indicator_and_nothing_else_is_wrong_with_it(
    make_parsed, make_indicator_row, index, said, expected
):
    row = make_indicator_row("Total", good_performance=said)
    found = [finding for _, finding in judge_conformance([make_parsed(indicator_rows=[row])], index)]
    assert [finding.code for finding in found] == expected
    assert "If the row is no indicator, such as a total or a note, clear it." in found[0].fix


def test_a_part_whose_letter_was_cleared_is_no_parent(make_parsed, make_indicator_row, index, plan):
    leaf = plan.indicators["NI 111a"]
    row = make_indicator_row("NI 111", definition=f"{leaf.parent_definition} – {leaf.definition}", unit="number")
    ((_, finding),) = judge_conformance([make_parsed(indicator_rows=[row])], index)
    assert (finding.code, finding.cell) == ("sub-indicator-unknown", "B2")
    assert finding.message == "NI 111 has the sub-indicators a and b, but Sub says nothing."


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"good_performance": "low"}, []),
        ({"good_performance": "HIGH"}, [("good-performance-differs", "D2")]),
        ({"good_performance": "HIHG"}, [("good-performance-unknown", "D2")]),
        ({"good_performance": ""}, [("good-performance-unknown", "D2")]),
        ({"unit": "Percent"}, []),
        ({"unit": "number"}, [("unit-differs", "E2")]),
        ({"unit": ""}, [("unit-differs", "E2")]),
    ],
)
def test_rows_say_what_the_plan_says(make_parsed, make_indicator_row, index, changes, expected):
    assert codes(make_parsed(indicator_rows=[make_indicator_row("NI 43", **changes)]), index) == expected


def test_rows_that_were_sound_are_known_again_with_their_number(make_parsed, make_indicator_row, index):
    once, twice = (make_parsed(indicator_rows=[make_indicator_row("NI 43")] * times) for times in (1, 2))
    for _ in range(2):
        found = [(parsed is twice, finding.code) for parsed, finding in judge_conformance([once, twice], index)]
        assert found == [(True, "indicator-twice")]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("Full-time  equivalents", []),
        ("number", []),
        ("percent", [("unit-differs", "E2")]),
        ("equivalents", [("unit-differs", "E2")]),
    ],
)
def test_a_unit_goes_by_what_people_read_too(make_parsed, make_indicator_row, plan, unit, expected):
    leaf = replace(plan.indicators["NI 43"], unit=Unit.NUMBER, unit_label="full-time equivalents")
    index = PlanIndex.of(replace(plan, indicators={**plan.indicators, "NI 43": leaf}))
    row = make_indicator_row("NI 43", unit=unit)
    row.subject = replace(row.subject, named=leaf, described=leaf)
    found = [finding for _, finding in judge_conformance([make_parsed(indicator_rows=[row])], index)]
    assert [(finding.code, finding.cell) for finding in found] == expected
    assert all("full-time equivalents" in finding.message + finding.fix for finding in found)


@pytest.mark.parametrize("unit", ["money", "£", "per child", "£ per  Child", "£per child"])
def test_the_unit_of_money_is_its_currency_or_its_label_or_both(make_parsed, make_indicator_row, plan, unit):
    leaf = replace(plan.indicators["NI 43"], unit=Unit.MONEY, unit_label="per child", currency="£")
    index = PlanIndex.of(replace(plan, indicators={**plan.indicators, "NI 43": leaf}))
    row = make_indicator_row("NI 43", unit=unit)
    row.subject = replace(row.subject, named=leaf, described=leaf)
    found = [finding.code for _, finding in judge_conformance([make_parsed(indicator_rows=[row])], index)]
    assert found == []


def test_each_once_in_each_workbook(make_parsed, make_indicator_row, make_milestone, index):
    def parsed():
        rows = [make_indicator_row("NI 43"), make_indicator_row("NI 43", row=3)]
        return make_parsed(indicator_rows=rows, milestone_rows=[make_milestone(), make_milestone()])

    batch = [parsed(), parsed()]
    found = [(owner is batch[0], finding.code, finding.cell) for owner, finding in judge_conformance(batch, index)]
    assert sorted(found) == [
        (False, "indicator-twice", "A3"),
        (False, "milestone-twice", "A2"),
        (True, "indicator-twice", "A3"),
        (True, "milestone-twice", "A2"),
    ]


@pytest.mark.parametrize(
    ("indicator", "value", "expected"),
    [
        ("NI 43", 0, []),
        ("NI 43", 100, []),
        ("NI 43", "100.1", [("out-of-range", "I2")]),
        ("NI 43", "-0.1", [("out-of-range", "I2")]),
        ("NI 112", "-100", []),
        ("NI 112", "-100.1", [("out-of-range", "I2")]),
        ("NI 112", "1000", []),
        ("NI 111a", 212, []),
        ("NI 111a", "212.5", [("count-not-whole", "I2")]),
        ("NI 43", None, []),
    ],
)
def test_figures_are_what_their_indicator_can_be(*, make_parsed, make_figure, index, indicator, value, expected):
    assert codes(make_parsed(figures=[make_figure(indicator, value)]), index) == expected


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(0, 1, []), (-1, 1, [("numerator-negative", "K2")]), (1, 0, [("denominator-not-positive", "L2")])],
)
def test_parts_can_make_a_ratio(*, make_parsed, make_figure, index, numerator, denominator, expected):
    figure = make_figure("NI 43", 50, numerator=numerator, denominator=denominator)
    assert codes(make_parsed(figures=[figure]), index) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"status": "on  TRACK", "review": "continue"}, []),
        ({}, []),
        ({"status": "Done"}, [("status-unknown", "G2")]),
        ({"review": "Yes"}, [("review-unknown", "I2")]),
    ],
)
def test_milestones_use_the_words_of_their_lists(make_parsed, make_milestone, index, texts, expected):
    assert codes(make_parsed(milestone_rows=[make_milestone(**texts)]), index) == expected
