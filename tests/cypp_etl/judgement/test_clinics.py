"""Clinics open, carry over and close as the rule says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypp_etl.judgement.clinics import Clinic, Travelled, find_clinics
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.rhythm import Rhythm
from schemas.codes import Band, ClinicReason, ClinicRule, Frequency, ReportedYear, YearType

QUARTERS = [Period(year, quarter) for year in range(2006, 2010) for quarter in range(1, 5)]
WORSE, BETTER, SAME, NOTHING = ("declining", "yes"), ("improving", "no"), ("no change", "no"), ("no data", "no data")


def _travelled(words, periods=QUARTERS):
    return [Travelled(period, *said) for period, said in zip(periods, words, strict=False) if said]


def _codes(clinics):
    return [(one.opened.code, one.closed and one.closed.code, one.measured.code) for one in clinics]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([BETTER, NOTHING], []),
        ([WORSE], [("2006-07Q1", None, "2006-07Q1")]),
        ([WORSE, BETTER, BETTER], [("2006-07Q1", "2006-07Q3", "2006-07Q1")]),
        ([WORSE, BETTER, NOTHING, BETTER], [("2006-07Q1", None, "2006-07Q3")]),
        ([WORSE, BETTER, None, BETTER], [("2006-07Q1", None, "2006-07Q1")]),
        ([WORSE, SAME, BETTER, BETTER, BETTER, SAME], [
            ("2006-07Q1", "2006-07Q4", "2006-07Q2"),
            ("2007-08Q2", None, "2007-08Q2"),
        ]),
        ([("no change", "yes"), ("no change", "no data")], []),
    ],
)  # fmt: skip
def test_clinics_of_quarters(words, expected):
    assert _codes(find_clinics(_travelled(words))) == expected


@pytest.mark.parametrize(
    ("said", "reason"), [(WORSE, ClinicReason.DECLINING), (SAME, ClinicReason.OFF_TARGET), (BETTER, None)]
)
def test_why_a_clinic_opens(said, reason):
    assert [one.reason for one in find_clinics(_travelled([said]))] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("rule", "bands"),
    [
        (ClinicRule.BETTER, {"better", "within", "worse", "no data", "not applicable"}),
        (ClinicRule.WITHIN, {"within", "worse"}),
        (ClinicRule.WORSE, {"worse"}),
        (ClinicRule.NEVER, set()),
    ],
)
def test_a_plan_says_from_which_band_on_a_clinic_opens(rule, bands):
    def opened(band):
        return find_clinics([Travelled(QUARTERS[0], *WORSE, band)], rule=rule)

    assert {band.value for band in Band if opened(band)} == bands


def test_a_clinic_that_is_open_does_not_close_because_a_figure_is_in_a_better_band():
    travelled = [Travelled(QUARTERS[0], *WORSE, "worse"), Travelled(QUARTERS[1], *WORSE, "better")]
    assert _codes(find_clinics(travelled, rule=ClinicRule.WORSE)) == [("2006-07Q1", None, "2006-07Q2")]


def test_a_whole_year_counts_where_no_quarter_of_it_is_there():
    years = [parse_period(code) for code in ("2006-07", "2007-08", "2008-09", "2008-09Q1")]
    assert _codes(find_clinics(_travelled([WORSE, BETTER, BETTER], years))) == [("2006-07", "2008-09", "2006-07")]
    with_quarter = find_clinics(_travelled([WORSE, BETTER, BETTER, BETTER], years))
    assert _codes(with_quarter) == [("2006-07", None, "2006-07")], "a quarter does not follow a year"


def _read_aloud(words):
    """The rule, quarter by quarter; a quarter that was not returned is None."""
    clinics, is_open, running = [], False, 0
    for period, each in zip(QUARTERS, words, strict=False):
        direction, on_target = each or ("", "")
        running = running + 1 if direction == "improving" else 0
        if is_open and each and direction != "improving":
            clinics[-1][2] = period.code
        if is_open and running == 2:
            clinics[-1][1] = period.code
            is_open = False
        elif not is_open and (direction == "declining" or (direction == "no change" and on_target == "no")):
            clinics.append([period.code, None, period.code])
            is_open = True
    return [tuple(one) for one in clinics]


_WORDS = st.lists(st.sampled_from([None, WORSE, BETTER, BETTER, SAME, ("no change", "yes"), NOTHING]), max_size=16)


@given(_WORDS)
def test_clinics_are_what_the_rule_read_aloud_gives(words):
    assert _codes(find_clinics(_travelled(words))) == _read_aloud(words)


@given(_WORDS)
def test_a_clinic_and_what_follows_can_be_told_from_its_opening_on(words):
    travelled = _travelled(words)
    clinics: list[Clinic] = find_clinics(travelled)
    for place, clinic in enumerate(clinics):
        assert find_clinics(one for one in travelled if one.period >= clinic.opened) == clinics[place:]


@given(_WORDS, _WORDS, st.integers(0, 15))
def test_a_clinic_is_carried_over_from_its_last_period_without_improvement(words, others, place):
    """The clinics before a change continue into those after it, from the last period that matters."""
    change = QUARTERS[place]
    before = _travelled(words)
    after = [one for one in before if one.period < change]
    after += [one for one in _travelled(others) if one.period >= change]
    for clinic in find_clinics(before):
        if clinic.measured < change and (clinic.closed is None or clinic.closed >= change):
            begun = [one for one in after if one.period >= clinic.measured]
            assert find_clinics(begun, clinic) == [one for one in find_clinics(after) if one.opened >= clinic.opened]


def test_two_periods_running_are_those_that_are_asked() -> None:
    periods = [Period(2009, 3), Period(2010, 1), Period(2010, 3)]
    in_first_and_third = Rhythm(Frequency.QUARTERLY, (1, 3), YearType.FINANCIAL, ReportedYear.THIS_YEAR)
    words = _travelled([WORSE, BETTER, BETTER], periods)
    assert _codes(find_clinics(words, rhythm=in_first_and_third)) == [("2009-10Q3", "2010-11Q3", "2009-10Q3")]
    assert _codes(find_clinics(words)) == [("2009-10Q3", None, "2009-10Q3")]


def test_a_year_of_a_yearly_indicator_counts_before_its_quarters() -> None:
    yearly = Rhythm(Frequency.YEARLY, (4,), YearType.FINANCIAL, ReportedYear.THIS_YEAR)
    words = _travelled([BETTER, WORSE, WORSE, WORSE], [Period(2010), *Period(2010).quarters[:3]])
    assert not find_clinics(words, rhythm=yearly)
    assert _codes(find_clinics(words[1:], rhythm=yearly)) == [("2010-11Q1", None, "2010-11Q3")]
