"""The outlooks of judgements that are recorded: whether a change is noise, and whether the year is on course.

Both rest on all periods of a series, so that a figure reaches further here than in `judge`: to every later period.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, select

from cypp_etl.caching import once_for_each
from cypp_etl.figure_keys import Series as SeriesKey
from cypp_etl.judgement.outlook.series import Point, Series, years_target
from cypp_etl.judgement.outlook.variation import Ratio, Scale
from cypp_etl.judgement.reach.dependents import Span
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Banding, Plan
from cypp_etl.plan.rhythm import Rhythm
from schemas.codes import DirectionBasis, Measure, Polarity, Qualifier, YearCourse
from warehouse.recording.judged.affected import asked_series, is_reached, of_series, reach_of_each
from warehouse.schema.tables import JUDGED, judgement, observation
from warehouse.schema.values import qualifiers_of

OutlookWords: TypeAlias = tuple[str, str]
"""The noise word and the course, in the order of `OUTLOOK` of `warehouse.schema.tables`."""

_Key: TypeAlias = tuple[str, str, str]

# What a point of a series is made of, of a judgement and of the observation that it judges.
_JUDGED_OF_POINT = ("actual", "change", "previous_actual", "previous_period", "direction_basis", "year_to_date")
_PLACES = [1 + JUDGED.index(name) for name in _JUDGED_OF_POINT]
_OBSERVED = ("qualifiers", "numerator", "denominator")

_STORED = (
    select(
        *(judgement.c[name] for name in ("partner_code", "indicator", "period")),
        judgement.c.judgement_id,
        judgement.c.variation,
        judgement.c.on_course,
        *(judgement.c[name] for name in _JUDGED_OF_POINT),
        *(observation.c[name] for name in _OBSERVED),
    )
    .join(observation, observation.c.observation_id == judgement.c.observation_id)
    .where(of_series(judgement))
)


class Outlooks(NamedTuple):
    """Outlooks by the keys of judgements: of those judged now, and, with their numbers, of others that now differ."""

    judged: Mapping[_Key, OutlookWords]
    others: Mapping[_Key, tuple[int, OutlookWords]]


def outlooks(
    connection: Connection,
    plan: Plan,
    spans: Mapping[SeriesKey, Span],
    figures: Sequence[Sequence[Any]],
    judged: Mapping[_Key, tuple[Any, ...]],
) -> Outlooks:
    """The outlooks that a change reaches, from the judgements in force beside those that were judged because of it.

    Args:
        connection: a transaction in which these judgements are not written yet.
        plan: the plan in force.
        spans: what was judged, by series.
        figures: the figures that were judged, and the targets of all periods, with the columns of `FIGURE` of
            `warehouse.recording.judged.judgements`.
        judged: by key, the observation and what was judged.
    """
    reaches, facts = reach_of_each(spans), _Facts(plan)
    rows = [
        row
        for row in connection.execute(_STORED, asked_series(spans)).all()
        if (row[0], row[1]) in reaches and row[1] in plan.indicators and not is_reached(reaches, row, row[2])
    ]
    observed = {(row[0], row[1], row[2]): row[6:9] for row in figures if row[3] == Measure.ACTUAL.value}
    points: dict[tuple[str, str], dict[Period, Point]] = {}
    stored: dict[_Key, tuple[int, OutlookWords]] = {}
    for row in rows:
        series, period = (row[0], row[1]), parse_period(row[2])
        points.setdefault(series, {})[period] = facts.point(row, row[6:12], row[12:])
        # A change leaves the outlook of what came before it as it is.
        if row[2] >= reaches[series].year:
            stored[row[0], row[1], row[2]] = (row[3], (row[4], row[5]))
    for key, values in judged.items():
        said = [values[place] for place in _PLACES]
        points.setdefault(key[:2], {})[parse_period(key[2])] = facts.point(key, said, observed[key])
    returned = {(row[0], row[1], row[2]): row[4] for row in figures if row[3] == Measure.TARGET.value}
    by_series = {series: _SeriesOutlooks(facts, series, of_series_, returned) for series, of_series_ in points.items()}
    of_judged = {key: by_series[key[:2]].words(parse_period(key[2])) for key in judged}
    others: dict[_Key, tuple[int, OutlookWords]] = {}
    for key, (number, before) in stored.items():
        series_outlooks, period = by_series[key[:2]], parse_period(key[2])
        if period > spans[SeriesKey(*key[:2])].first or series_outlooks.may_differ(period, before):
            now = series_outlooks.words(period)
            if now != before:
                others[key] = (number, now)
    return Outlooks(of_judged, others)


class _Kind(NamedTuple):
    """What figures of an indicator are: `before` is when it was asked before a period."""

    kind: tuple[Polarity, Scale]
    before: Callable[[Period], Period]
    banding: Banding


class _Facts:
    """What the plan says of series, each looked up once: thousands of figures ask for the same."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._kinds, self._decimals = _looked_up(plan)

    def kind(self, indicator: str, period: Period) -> _Kind:
        """What the figures of an indicator are in a period."""
        key = (indicator, period)
        if key not in self._kinds:
            leaf = self.plan.edition(indicator, period)
            scale = Scale(leaf.unit, leaf.decimals, leaf.accumulation)
            self._kinds[key] = _Kind((leaf.polarity, scale), _before(leaf.rhythm), leaf.banding)
        return self._kinds[key]

    def point(self, key: Sequence[Any], judged: Sequence[Any], observed: Sequence[Any]) -> Point:
        """A point, of what starts with its key, and the values of `_JUDGED_OF_POINT` and `_OBSERVED`."""
        partner_code, indicator, code = key[:3]
        actual, change, previous_actual, previous_period, basis, year_to_date = judged
        qualifiers, numerator, denominator = observed
        decimals = None if partner_code in self.plan.taken_over else self._decimals.get(indicator)
        is_other = False
        if decimals is None:
            period = parse_period(code)
            decimals = self.plan.edition(indicator, period).decimals
            is_other = not self.plan.compares(partner_code, indicator, period, period.previous)
        return Point(
            decimals,
            actual,
            change,
            previous_actual,
            parse_period(previous_period),
            basis == DirectionBasis.OUTTURN,
            year_to_date,
            is_other or (qualifiers != "" and Qualifier.BREAK in qualifiers_of(qualifiers)),
            None if numerator is None or denominator is None else Ratio(numerator, denominator),
        )


@once_for_each
def _looked_up(plan: Plan) -> tuple[dict[tuple[str, Period], _Kind], dict[str, int]]:
    """The kinds that were asked for, of which there are none yet, and the decimals of indicators that never change."""
    editions = ((name, plan.editions_of(name)) for name in plan.indicators)
    return {}, {name: first.decimals for name, (first, *later) in editions if not later}


@lru_cache(maxsize=64)
def _before(rhythm: Rhythm) -> Callable[[Period], Period]:
    """When an indicator was asked before a period: thousands of series ask for the same few periods."""
    return lru_cache(maxsize=1024)(rhythm.before)


class _SeriesOutlooks:
    """Tells of the periods of a series; `returned` are the targets that partners have returned."""

    def __init__(
        self,
        facts: _Facts,
        series: tuple[str, str],
        points: Mapping[Period, Point],
        returned: Mapping[tuple[str, str, str], float | None],
    ) -> None:
        self._facts, self._returned = facts, returned
        self._partner_code, self._indicator = series
        self._series = Series(points)
        self._targets: dict[Period, float | None] = {}
        self._years_targets: dict[Period, float | None] = {}

    def words(self, period: Period) -> OutlookWords:
        """The noise word and the course of a period."""
        kind, before, banding = self._facts.kind(self._indicator, period)
        # A whole year has no course.
        target = self._years_target(period.year) if period.quarter else None
        outlook = self._series.outlook(period, kind, before, target, banding)
        return outlook.noise.variation.value, outlook.course_word.value

    def may_differ(self, period: Period, before: OutlookWords) -> bool:
        """Whether a quarter may have another outlook than before, if only later ones of its year have changed.

        It rests on none of them, unless its year's target is that of the last quarter, or was.
        """
        if self._target(period.year) is not None:
            return False
        return self._years_target(period.year) is not None or before[1] != YearCourse.NOT_KNOWN

    def _years_target(self, year: Period) -> float | None:
        if year not in self._years_targets:
            self._years_targets[year] = years_target(year, self._target)
        return self._years_targets[year]

    def _target(self, period: Period) -> float | None:
        if period not in self._targets:
            self._targets[period] = self._found_target(period)
        return self._targets[period]

    def _found_target(self, period: Period) -> float | None:
        key = (self._partner_code, self._indicator, period.code)
        if key in self._returned:
            return self._returned[key]
        planned = self._facts.plan.figure(Measure.TARGET, self._indicator, period, self._partner_code)
        return None if planned is None or planned.value is None else float(planned.value)
