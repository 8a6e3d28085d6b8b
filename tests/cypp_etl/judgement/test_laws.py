"""Judging a frame at once gives the same results as a slow, scalar implementation of the rules for each row."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cypp_etl.judgement.judge import judge
from cypp_etl.judgement.reach.dependents import Span, dependents
from cypp_etl.periods import Period, parse_period
from schemas.codes import Accumulation, Marker, Measure, Polarity

NO_DATA, NOT_APPLICABLE = "no data", "not applicable"
PARTNERS = ["yos", "nhs"]
COMPARATORS = [Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL]
YEARS = [Period(year) for year in (2008, 2009, 2010)]
PERIODS = [period for year in YEARS for period in (year, *year.quarters)]


@dataclass(frozen=True)
class Row:
    value: Decimal | None
    marker: Marker | None
    is_break: bool = False
    parts: tuple[Decimal, Decimal] | None = None

    @property
    def speaks(self):
        return self.value is not None or self.marker is Marker.NOT_APPLICABLE


SILENT = Row(None, Marker.NOT_RETURNED)


def rounded(number, decimals):
    """A Decimal or Fraction rounded to decimals, halves away from zero, as a Fraction."""
    scaled = Fraction(number) * 10**decimals
    whole = int(abs(scaled) + Fraction(1, 2))
    return Fraction(-whole if scaled < 0 else whole, 10**decimals)


def nothing_counted(row):
    return row.value is None and row.marker is Marker.NOT_APPLICABLE


class Reference:
    """The rules of docs/judgements.md, one figure at a time; `figures` is by owner, measure, name and period."""

    def __init__(self, figures, leaf, partner):
        self.figures, self.leaf, self.partner = figures, leaf, partner

    def row(self, measure, period):
        for owner in (self.partner, None):
            found = self.figures.get((owner, measure, self.leaf.indicator, period))
            if found is not None:
                return found
        return None

    def known(self, period):
        for measure in (Measure.ACTUAL, Measure.HISTORY):
            row = self.row(measure, period)
            if row is not None and row.speaks:
                return row
        return None

    def rounded(self, number):
        return rounded(number, self.leaf.decimals)

    def distance(self, figure):
        low, high = self.rounded(self.leaf.range_low), self.rounded(self.leaf.range_high)
        return low - figure if figure < low else figure - high if figure > high else Fraction(0)

    def gain(self, ours, theirs):
        ours, theirs = self.rounded(ours), self.rounded(theirs)
        if self.leaf.polarity is Polarity.RANGE:
            return self.distance(theirs) - self.distance(ours)
        return theirs - ours if self.leaf.polarity is Polarity.LOW else ours - theirs

    def breaks(self, after, until):
        """Whether a quarter after one, and up to another, has a break."""
        rows = [(period, self.row(Measure.ACTUAL, period)) for period in PERIODS if period.quarter]
        return any(row.is_break for period, row in rows if row and after < period <= until)

    def direction(self, now, before, is_broken):
        sides = (now, before or SILENT)
        if is_broken or any(side.marker is Marker.NOT_APPLICABLE for side in sides):
            return NOT_APPLICABLE
        if any(side.value is None for side in sides):
            return NO_DATA
        gain = self.gain(sides[0].value, sides[1].value)
        if not gain:
            return "no change"
        words = ("increasing", "decreasing") if self.leaf.polarity is Polarity.NONE else ("improving", "declining")
        return words[gain < 0]

    def year_on_year(self, period):
        """The period compared with, its row, the basis, and whether there is a break between."""
        last_year = period.years_later(-1)
        if not period.quarter:
            own = self.row(Measure.ACTUAL, period)
            before = self.known(last_year)
            is_broken = own.is_break or self.breaks(last_year.quarters[3], period.quarters[3])
            return last_year, before, "last year" if before else "none", is_broken
        before = self.known(last_year)
        if before is not None:
            return last_year, before, "same quarter last year", self.breaks(last_year, period)
        outturn = self.known(last_year.year)
        if outturn is not None and self.leaf.accumulation in (Accumulation.LATEST, Accumulation.RATIO):
            return last_year.year, outturn, "last year's outturn", self.breaks(last_year.quarters[3], period)
        return last_year, None, "none", self.breaks(last_year, period)

    def year_to_date(self, period):
        now = self.row(Measure.ACTUAL, period)
        rows = [self.row(Measure.ACTUAL, quarter) for quarter in period.quarters[: period.quarter]]
        if self.leaf.accumulation is Accumulation.RATIO and period.quarter:
            return self.ratio_to_date(now, rows)
        if self.leaf.accumulation is not Accumulation.SUM or not period.quarter or now.value is None:
            return now
        if any(row is None or row.value is None for row in rows):
            return SILENT
        return Row(sum(self.rounded(row.value) for row in rows), None)

    def ratio_to_date(self, now, rows):
        """The sum of numerators over the sum of denominators; a quarter that is not applicable adds nothing."""
        nothing = Row(None, now.marker if now.marker is Marker.NOT_APPLICABLE and now.value is None else SILENT.marker)
        counted = [row and (row.parts or ((0, 0) if nothing_counted(row) else None)) for row in rows]
        if any(parts is None for parts in counted) or not any(row.parts for row in rows):
            return nothing
        numerator, denominator = (sum(map(Fraction, part)) for part in zip(*counted, strict=True))
        if denominator <= 0:
            return nothing
        return Row(self.rounded(numerator / denominator * self.leaf.multiplier), None)

    def spread(self, year, period):
        """A whole year's figure as of a period."""
        adds = self.leaf.accumulation in (Accumulation.SUM, Accumulation.CUMULATIVE)
        if year.value is None or not adds or not period.quarter:
            return year
        return Row(self.rounded(self.rounded(year.value) * period.quarter / 4), None)

    def target(self, period):
        own = self.row(Measure.TARGET, period)
        if own is not None:
            return own
        return self.spread(self.row(Measure.TARGET, period.year) or SILENT, period)

    def comparator(self, measure, period):
        rows = [self.row(measure, year) for year in YEARS if year <= period.year]
        return self.spread(next((row for row in reversed(rows) if row is not None), SILENT), period)

    def band(self, ours, theirs, is_better):
        if self.leaf.polarity is Polarity.NONE or Marker.NOT_APPLICABLE in (ours.marker, theirs.marker):
            return NOT_APPLICABLE
        if ours.value is None or theirs.value is None:
            return NO_DATA
        gain = self.gain(ours.value, theirs.value)
        return "worse" if gain < 0 else "better" if is_better(gain) else "within"

    def beats_target(self, target):
        banding = self.leaf.banding
        share = Fraction(banding.target_margin_percent) / 100
        step = Fraction(1, 10**self.leaf.decimals)
        return lambda gain: gain > share * abs(self.rounded(target.value)) and gain > banding.target_margin_steps * step

    def gap(self, ours, target):
        if self.leaf.polarity is Polarity.NONE or ours.value is None or target.value is None:
            return None
        return self.gain(ours.value, target.value)

    def comparator_band(self, ours, comparator):
        if comparator.value is None:
            return NOT_APPLICABLE
        return self.band(ours, comparator, lambda gain: gain >= Fraction(self.leaf.banding.comparator_margin))

    def judge(self, period):
        now = self.row(Measure.ACTUAL, period)
        compared, before, basis, is_broken = self.year_on_year(period)
        compares = before is not None and before.value is not None and now.value is not None and not is_broken
        quarter_before = self.known(period.previous)
        ours, target = self.year_to_date(period), self.target(period)
        band = self.band(ours, target, self.beats_target(target))
        neighbours, national = (self.comparator(measure, period) for measure in COMPARATORS)
        return {
            "actual": now.value,
            "previous_period": compared.code,
            "previous_actual": before.value if before else None,
            "change": self.rounded(now.value) - self.rounded(before.value) if compares else None,
            "direction": self.direction(now, before, is_broken),
            "direction_basis": basis,
            "quarter_direction": self.direction(now, quarter_before, self.breaks(period.previous, period))
            if period.quarter
            else NOT_APPLICABLE,
            "target": target.value,
            "on_target": {"worse": "no", "within": "yes", "better": "yes"}.get(band, band),
            "year_to_date": ours.value,
            "target_band": band,
            "statistical_neighbours": neighbours.value,
            "statistical_neighbours_band": self.comparator_band(ours, neighbours),
            "national": national.value,
            "national_band": self.comparator_band(ours, national),
            "next_target": (self.row(Measure.TARGET, period.year.years_later(1)) or SILENT).value,
            "next_target_2": (self.row(Measure.TARGET, period.year.years_later(2)) or SILENT).value,
            "target_gap": self.gap(ours, target),
        }


def _leaves(make_leaf):
    """One leaf for each polarity and accumulation, with different decimals and margins."""
    ways = [(polarity, adding) for polarity in Polarity for adding in Accumulation]
    return [
        make_leaf(
            f"NI {number}",
            polarity,
            number % 3,
            accumulation=adding,
            multiplier=100 if adding is Accumulation.RATIO else 0,
            range_low=Decimal("-1") if polarity is Polarity.RANGE else None,
            range_high=Decimal("1.5") if polarity is Polarity.RANGE else None,
            target_margin_percent=[Decimal(10), Decimal("12.5"), Decimal(0)][number % 3],
            target_margin_steps=number % 4,
            comparator_margin=[Decimal("0.05"), Decimal(1)][number % 2],
        )
        for number, (polarity, adding) in enumerate(ways)
    ]


# Few distinct values, so that ties, edges of bands and margins that are exactly met occur often.
_BELOW = [Decimal(number) for number in ("0", "0.5", "1", "7", "40")]
_NUMBERS = st.integers(-60, 60).map(lambda number: Decimal(number) / 20)
_PARTS = st.one_of(
    st.none(), st.tuples(st.integers(-5, 60).map(lambda number: Decimal(number) / 40), st.sampled_from(_BELOW))
)
_ROWS = st.one_of(
    st.builds(Row, _NUMBERS, st.none(), st.integers(0, 9).map(lambda chance: chance == 0), _PARTS),
    st.builds(Row, st.none(), st.sampled_from(Marker), st.integers(0, 9).map(lambda chance: chance == 0)),
)


@st.composite
def _worlds(draw):
    """A leaf's index, and the partners' and the plan's figures of it, densely enough to affect each other."""
    number = draw(st.integers(0, len(Polarity) * len(Accumulation) - 1))
    name = f"NI {number}"
    keys = [
        (owner, measure, name, period)
        for owner in (*PARTNERS, None)
        for measure in Measure
        for period in PERIODS
        if (owner or measure is not Measure.ACTUAL) and (measure not in COMPARATORS or not period.quarter)
    ]
    chosen = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=50, unique=True))
    actuals = [key for key in keys if key[0] == "yos" and key[1] is Measure.ACTUAL]
    dense = draw(st.sampled_from([[], actuals]))
    return number, {key: draw(_ROWS) for key in dict.fromkeys([*chosen, *dense])}


@pytest.fixture(scope="session")
def leaves(make_leaf):
    return _leaves(make_leaf)


@pytest.fixture(scope="session")
def judged_of(leaves, make_plan, make_frame):
    """Judge a set of figures, and return each row's judgements by partner and period."""

    def judged(figures):
        own = [
            (owner, name, measure.value, period.code, _typed(row), row.is_break)
            for (owner, measure, name, period), row in figures.items()
            if owner
        ]
        plans = {
            (measure, name, period.code): _typed(row)
            for (owner, measure, name, period), row in figures.items()
            if not owner
        }
        returned = [row.parts or (None, None) for (owner, *_), row in figures.items() if owner]
        parts = pd.DataFrame(returned, columns=["numerator", "denominator"], dtype="float64")
        answer = judge(make_frame(own).join(parts), make_plan(leaves, plans))
        rows = answer.drop(columns=["partner_code", "indicator", "period"]).to_dict("records")
        return dict(zip(zip(answer["partner_code"], answer["period"], strict=True), rows, strict=True))

    return judged


def _typed(row):
    return row.marker if row.value is None else str(row.value)


def _plain(answer):
    """Numbers as doubles and nothing as None, on both sides."""
    return {
        name: None if pd.isna(value) else value if isinstance(value, str) else float(value)
        for name, value in answer.items()
    }


@settings(deadline=None, max_examples=40)
@given(_worlds())
def test_judging_agrees_with_the_scalar_rules(leaves, judged_of, world):
    number, figures = world
    expected = {
        (owner, period.code): _plain(Reference(figures, leaves[number], owner).judge(period))
        for owner, measure, _, period in figures
        if measure is Measure.ACTUAL
    }
    assert {key: _plain(answer) for key, answer in judged_of(figures).items()} == expected


@settings(deadline=None, max_examples=40)
@given(_worlds(), st.sampled_from(Measure), st.sampled_from(PERIODS), _ROWS)
def test_a_figure_changes_nothing_beyond_its_dependents(judged_of, world, measure, period, row):
    number, figures = world
    key = ("yos", measure, f"NI {number}", period)
    before, after = judged_of(figures), judged_of(figures | {key: row})
    for owner, code in before:
        if owner != "yos" or parse_period(code) not in dependents(measure, period):
            assert _plain(before[owner, code]) == _plain(after[owner, code]), code


@settings(deadline=None, max_examples=40)
@given(_worlds(), st.sampled_from(PERIODS), st.sampled_from(PERIODS))
def test_a_span_is_judged_by_what_it_is_compared_with(judged_of, world, one, other):
    _, figures = world
    span = Span(min(one, other), max(one, other))
    compared = (Measure.ACTUAL, Measure.HISTORY)
    few = {
        key: row
        for key, row in figures.items()
        if key[0] is None or key[1] not in compared or key[3] in span.compared_with
    }
    judged = judged_of(figures)
    answers = {place: answer for place, answer in judged_of(few).items() if parse_period(place[1]) in span}
    assert {place: _plain(answer) for place, answer in answers.items()} == {
        place: _plain(answer) for place, answer in judged.items() if parse_period(place[1]) in span
    }


@settings(deadline=None, max_examples=40)
@given(_worlds(), st.randoms(use_true_random=False))
def test_the_order_of_figures_does_not_matter(judged_of, world, chance):
    _, figures = world
    keys = list(figures)
    chance.shuffle(keys)
    shuffled = judged_of({key: figures[key] for key in keys})
    assert {key: _plain(answer) for key, answer in judged_of(figures).items()} == {
        key: _plain(answer) for key, answer in shuffled.items()
    }
