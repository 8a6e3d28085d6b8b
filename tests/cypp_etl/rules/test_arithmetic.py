"""Decimals, ratios, and the population that a number and its rate imply."""

from decimal import Decimal

import pytest

from cypp_etl.checked_return import History
from cypp_etl.periods import Period
from cypp_etl.rules.arithmetic import judge_decimals, judge_populations, judge_ratios, judge_required_parts, shown
from schemas.codes import Accumulation, Marker, Measure

QUARTER = Period(2010, 3)


def test_figures_are_shown_as_people_write_them(plan):
    assert shown(Decimal("71.04"), plan.indicators["NI 45"]) == "71.0%"
    assert shown(Decimal(1406), plan.indicators["NI 111b"]) == "1,406"
    assert shown(None, plan.indicators["NI 45"]) == ""


@pytest.mark.parametrize(
    ("indicator", "value", "expected"),
    [
        ("NI 45", "71.0", []),
        ("NI 45", "71.04", [("too-many-decimals", "I2")]),
        ("NI 45", "71.10", []),
        ("NI 111b", "784.5", [("too-many-decimals", "I2")]),
        ("NI 111a", "212.5", []),
        ("NI 45", None, []),
    ],
)
def test_decimals_beyond_the_indicators_are_noted_except_for_counts(make_figure, places, indicator, value, expected):
    assert places(judge_decimals([make_figure(indicator, value)])) == expected


def test_a_number_with_decimals_is_no_count(make_figure, places):
    leaf = {"decimals": 1}
    assert places(judge_decimals([make_figure("NI 111a", "12.5", leaf=leaf)])) == []
    assert places(judge_decimals([make_figure("NI 111a", "12.55", leaf=leaf)])) == [("too-many-decimals", "I2")]


def test_the_message_says_what_counts(make_figure):
    (finding,) = judge_decimals([make_figure("NI 45", "71.05")])
    assert finding.message == "NI 45 is compared in 1 decimal, so 71.05 counts as 71.1%."


@pytest.mark.parametrize(
    ("value", "numerator", "denominator", "expected"),
    [
        ("71.0", 71, 100, []),
        ("71.4", 5, 7, []),
        ("71.5", 5, 7, [("ratio-differs", "I2")]),
        ("71.0", 70, 100, [("ratio-differs", "I2")]),
        ("71.04", 71, 100, []),
        # 40.845..., which has two decimals as typed by Excel, would be rounded twice by the indicator's one.
        ("40.85", 29, 71, []),
        ("40.845", 29, 71, []),
        ("40.8450704225352", 29, 71, []),
        ("40.8", 29, 71, []),
        ("40.9", 29, 71, [("ratio-differs", "I2")]),
        ("40.86", 29, 71, [("ratio-differs", "I2")]),
        ("41", 29, 71, [("ratio-differs", "I2")]),
        ("71.1", "71.05", 100, []),
        ("71.0", 71, None, [("ratio-incomplete", "L2")]),
        ("71.0", None, 100, [("ratio-incomplete", "K2")]),
        ("71.0", None, None, []),
        ("71.0", -71, 100, []),
        ("71.0", 71, 0, []),
        (None, 71, 100, []),
        ("0", 0, 100, []),
    ],
)
def test_the_figure_is_what_its_parts_make(*, make_figure, places, value, numerator, denominator, expected):
    figure = make_figure("NI 45", value, numerator=numerator, denominator=denominator)
    assert places(judge_ratios([figure])) == expected


def test_a_ratio_that_differs_is_said_with_the_decimals_that_were_typed(make_figure):
    typed = {"40.86": "40.85%", "40.9": "40.8%", "41": "40.8%"}
    for value, ratio in typed.items():
        (finding,) = judge_ratios([make_figure("NI 45", value, numerator=29, denominator=71)])
        assert finding.message.endswith(f"its numerator and denominator make {ratio}.")


def test_a_part_that_could_not_be_read_is_not_missing(make_figure, make_row, places):
    figure = make_figure("NI 45", "71.0", numerator=71)
    figure.source = make_row("indicators", numerator="71", denominator="about 100")
    assert places(judge_ratios([figure])) == []


@pytest.mark.parametrize(
    ("value", "numerator", "denominator", "expected"),
    [
        ("71.0", 71, 100, []),
        ("0", 0, 100, []),
        ("71.0", 71, None, [("ratio-part-missing", "L2")]),
        ("71.0", None, 100, [("ratio-part-missing", "K2")]),
        ("71.0", None, None, [("ratio-part-missing", "K2"), ("ratio-part-missing", "L2")]),
        (None, None, None, []),
    ],
)
def test_a_ratio_comes_with_both_of_its_parts(*, make_figure, places, value, numerator, denominator, expected):
    more = {"numerator": numerator, "denominator": denominator, "marker": None if value else Marker.NOT_APPLICABLE}
    figure = make_figure("NI 45", value, leaf={"accumulation": Accumulation.RATIO}, **more)
    assert places(judge_required_parts([figure])) == expected
    assert places(judge_ratios([figure])) == []
    assert places(judge_required_parts([make_figure("NI 45", value, **more)])) == []


def test_what_a_ratio_lacks_is_said_with_what_to_type(make_figure, make_row):
    figure = make_figure("NI 45", "71.0", leaf={"accumulation": Accumulation.RATIO}, denominator=100)
    (finding,) = judge_required_parts([figure])
    assert finding.message == (
        "NI 45 is 71.0, but there is no numerator. Its quarters are added up by numerator and denominator."
    )
    assert finding.fix.startswith("Type what was counted in this period alone")
    # A body's own form may have no such column: the finding is then at the figure.
    figure.source = make_row("indicators", actual="71.0", denominator="100")
    del figure.source.columns["numerator"]
    assert [finding.cell for finding in judge_required_parts([figure])] == ["I2"]
    # What is there and could not be read is not missing.
    figure.source = make_row("indicators", numerator="about 71")
    assert list(judge_required_parts([figure])) == []


def test_an_indicator_that_is_no_fraction_has_no_ratio(make_figure, places):
    assert places(judge_ratios([make_figure("NI 111a", 212, numerator=71)])) == []


def test_the_smallest_denominator_does_not_stop_the_checks(make_figure, places):
    figure = make_figure("NI 45", "71.0", numerator=999_999_999_999, denominator="5e-324")
    assert places(judge_ratios([figure])) == [("ratio-differs", "I2")]


# 60 of 30,000 is 200 in 100,000.
@pytest.mark.parametrize(
    ("number", "rate", "expected"),
    [
        (60, 200, []),
        (66, 220, []),
        (63, 200, []),
        (64, 200, [("population-differs", "I3")]),
        (57, 200, []),
        (56, 200, [("population-differs", "I3")]),
        (60, 100, [("population-differs", "I3")]),
        (0, 200, []),
        (60, 0, []),
        (None, 200, []),
    ],
)
def test_a_number_and_its_rate_are_about_the_same_people_as_before(
    *, make_figure, make_history, places, plan, number, rate, expected
):
    history = make_history({("NI 111a", QUARTER.previous): 60, ("NI 111b", QUARTER.previous): 200})
    figures = [make_figure("NI 111a", number), make_figure("NI 111b", rate, row=3)]
    assert places(judge_populations(figures, history, plan)) == expected


def test_a_small_rate_was_rounded_too_much_to_tell(make_figure, make_history, places, plan):
    # 3 and 10 in 100,000 may be 28,571 people or 31,579; 3 and 9 up to 35,294.
    history = make_history({("NI 111a", QUARTER.previous): 3, ("NI 111b", QUARTER.previous): 10})
    figures = [make_figure("NI 111a", 3), make_figure("NI 111b", 9, row=3)]
    assert places(judge_populations(figures, history, plan)) == []


@pytest.mark.parametrize(
    ("measure", "before"),
    [
        (Measure.ACTUAL, QUARTER.previous),
        (Measure.ACTUAL, Period(2009, 3)),
        (Measure.ACTUAL, Period(2009)),
        (Measure.HISTORY, Period(2009)),
    ],
)
def test_the_nearest_earlier_population_is_looked_for(*, make_figure, make_history, places, plan, measure, before):
    history = make_history({("NI 111a", before): 60, ("NI 111b", before): 200}, measure=measure)
    figures = [make_figure("NI 111a", 60), make_figure("NI 111b", 100, row=3)]
    assert places(judge_populations(figures, history, plan)) == [("population-differs", "I3")]
    assert places(judge_populations(figures, History(), plan)) == []
