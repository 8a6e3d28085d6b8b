"""Which returns are held: each rule with a return that is held, one that is not, and one on the boundary."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from cypp_etl.checked_return import History, KnownContent, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.rules.holds import judge_closed_correction, judge_fewer_figures, judge_other_period
from schemas.codes import Marker, Measure, MilestoneStatus

QUARTER = Period(2010, 3)
CLOSED = frozenset({QUARTER})
# In force, as submission 7 of the Youth Offending Service.
IN_FORCE = {"NI 19": "1.20", "NI 43": "5.0", "NI 45": "71.0", "NI 46": "95.0"}


@pytest.fixture
def make_past():
    """The past of a return of four figures; `gone` is what is not in force of it."""

    def make(gone: str = "", *, comment: str = "", is_returned: bool = True, **more) -> History:
        figures = {
            FigureKey("yos", indicator, Measure.ACTUAL, QUARTER.code): KnownFigure(
                Decimal(value), None, comment=comment, submission_id=7
            )
            for indicator, value in IN_FORCE.items()
            if indicator != gone
        }
        contents = {("yos", QUARTER): KnownContent(7, "")} if is_returned else {}
        return History(figures, contents=contents, **more)

    return make


@pytest.fixture
def make_return(make_parsed, make_figure):
    """A return of the same figures but for those that are given; a marker is no value, and None leaves a row out."""

    def make(comment: str = "", **changed: str | Marker | None):
        parsed = make_parsed(partner_code="yos", period=QUARTER, period_cell=("Return", "B3"))
        given = {**IN_FORCE, **{f"NI {name[1:]}": value for name, value in changed.items()}}
        for row, (indicator, value) in enumerate(given.items(), 2):
            if isinstance(value, Marker):
                parsed.figures.append(make_figure(indicator, None, row, marker=value, comment=comment))
            elif value is not None:
                parsed.figures.append(make_figure(indicator, value, row, comment=comment))
        return parsed

    return make


def closed_correction(parsed, history) -> list[str]:
    return [finding.message for finding in judge_closed_correction(parsed, parsed.figures, history)]


def test_a_correction_to_a_closed_period_is_held(make_past, make_return):
    assert closed_correction(make_return(), make_past(closed=CLOSED)) == []
    assert closed_correction(make_return(_45="71.1"), make_past(closed=CLOSED)) == [
        "2010/11 Q3 is closed, and this changes what was returned before: 1 figure. The data team has to decide."
    ]
    assert closed_correction(make_return(_45="71.1"), make_past(closed=frozenset({QUARTER.previous}))) == []
    assert closed_correction(make_return(_45="71.1"), make_past()) == []


def test_a_row_that_is_added_to_or_left_out_of_a_closed_return_corrects_it(make_past, make_return):
    (added,) = closed_correction(make_return(), make_past("NI 45", closed=CLOSED))
    (left_out,) = closed_correction(make_return(_45=None), make_past(closed=CLOSED))
    (both,) = closed_correction(make_return(_46=None), make_past("NI 45", closed=CLOSED))
    assert ["1 figure" in added, "1 figure" in left_out, "2 figures" in both] == [True, True, True]


def test_a_return_that_comes_first_after_its_period_was_closed_corrects_nothing(make_past, make_return):
    assert closed_correction(make_return(), History(closed=CLOSED)) == []
    of_another = make_past(is_returned=False, closed=CLOSED)
    assert closed_correction(make_return(), of_another) == []
    assert len(closed_correction(make_return(_45="71.1"), of_another)) == 1, "somebody else returned that figure"


@pytest.mark.parametrize(
    ("before", "now", "is_held"),
    [
        (MilestoneStatus.ON_TRACK, "Achieved", True),
        (MilestoneStatus.ON_TRACK, "On track", False),
        (MilestoneStatus.ON_TRACK, "", True),
        (None, "Achieved", True),
        (None, "", False),
    ],
)
def test_the_status_of_a_milestone_is_corrected_too(*, make_past, make_return, make_milestone, before, now, is_held):
    parsed, states = make_return(), {("PC1-A1-M1", QUARTER): before} if before else {}
    parsed.milestone_rows.append(make_milestone(status=now))
    found = closed_correction(parsed, make_past(closed=CLOSED, milestone_states=states))
    assert ["1 milestone." in message for message in found] == [True] * is_held
    alone = closed_correction(parsed, History(closed=CLOSED, milestone_states=states))
    assert len(alone) == (is_held and before is not None), "what nobody reported before is no correction"


@pytest.mark.parametrize(
    ("lost", "is_held"),
    [
        ((), False),
        (("_43", "_45"), False),
        (("_43", "_45", "_46"), True),
    ],
)
@pytest.mark.parametrize("instead", [Marker.NOT_AVAILABLE, Marker.NOT_APPLICABLE, None])
def test_a_return_without_more_than_half_of_the_figures_is_held(*, make_past, make_return, lost, is_held, instead):
    found = list(judge_fewer_figures(make_return(**dict.fromkeys(lost, instead)), make_past()))
    assert [finding.message for finding in found] == [
        "3 of the 4 figures in force for 2010/11 Q3 would have no value any more: more than half. The data team has to "
        "decide."
    ] * is_held


def test_figures_that_nobody_has_lost_do_not_count(make_past, make_return, make_parsed):
    empty = make_parsed(partner_code="yos", period=QUARTER)
    assert list(judge_fewer_figures(empty, History())) == []
    assert list(judge_fewer_figures(empty, make_past(is_returned=False))) == [], "its return is not in force"
    assert len(list(judge_fewer_figures(empty, make_past()))) == 1
    changed = make_return(_19="1.30", _43="6.0", _45="72.0", _46="96.0")
    assert list(judge_fewer_figures(changed, make_past())) == []


@pytest.fixture
def opens(plan) -> date:
    return plan.calendar[QUARTER.next].opens_on


def other_period(parsed, history, plan, today) -> list[str]:
    return [f"{finding.cell}: {finding.message}" for finding in judge_other_period(parsed, history, plan, today)]


def test_last_quarters_figures_are_held_once_the_next_quarter_has_opened(make_past, make_return, plan, opens):
    said = (
        "B3: All its figures are those in force for 2010/11 Q3, while the return for 2010/11 Q4 is still to come. The "
        "data team has to decide."
    )
    assert other_period(make_return(), make_past(), plan, opens) == [said]
    assert other_period(make_return(), make_past(), plan, opens - timedelta(days=1)) == []
    assert other_period(make_return(_45="71.1"), make_past(), plan, opens) == []


def test_one_sign_that_the_quarter_is_meant_is_enough(make_past, make_return, make_parsed, plan, opens):
    following = {("yos", QUARTER.next): KnownContent(8, ""), ("yos", QUARTER): KnownContent(7, "")}
    past = make_past()
    returned = History(past.figures, contents=following)
    assert other_period(make_return(), returned, plan, opens) == [], "the next quarter has been returned"
    assert other_period(make_return(), make_past(is_returned=False), plan, opens) == []
    assert other_period(make_return("As agreed."), past, plan, opens) == [], "the comment explains why it comes"
    assert len(other_period(make_return("As agreed."), make_past(comment="As agreed."), plan, opens)) == 1
    assert other_period(make_return(), make_past(closed=frozenset({QUARTER.next})), plan, opens) == []
    nothing = make_parsed(partner_code="yos", period=QUARTER)
    assert other_period(nothing, past, plan, opens) == [], "it has no figures"
    last = max(plan.calendar, key=lambda period: period.order)
    assert plan.calendar.get(last.next) is None
    nothing.period = last
    assert other_period(nothing, past, plan, date(2031, 1, 1)) == []
