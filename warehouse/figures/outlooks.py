"""The outlooks of judgements that are recorded: whether a change is noise, and whether the year is on course.

Both rest on all periods of a series, so that a figure reaches further here than in `judge`: to every later period.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from sqlalchemy import Connection, select

from cypp_etl.figure_keys import Series as SeriesKey
from cypp_etl.judgement.entries import Text
from cypp_etl.judgement.leaves import SLOTS, SPAN, read_leaves, slot_of
from cypp_etl.judgement.outlook.kinds import kinds_of
from cypp_etl.judgement.outlook.points import Points
from cypp_etl.judgement.outlook.series import years_target
from cypp_etl.judgement.outlook.variation import noises
from cypp_etl.judgement.outlook.year_end import QUARTERS, Years, decimals_of, projected
from cypp_etl.judgement.outlook.year_end import courses as year_courses
from cypp_etl.judgement.reach.dependents import Span
from cypp_etl.judgement.rounding import Bools, Floats, Ints
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from schemas.codes import DirectionBasis, Measure, Qualifier, YearCourse
from warehouse.figures.affected import asked_series, is_reached, of_series, reach_of_each
from warehouse.figures.judged_rows import KEY, Key
from warehouse.schema.tables import judgement, observation
from warehouse.schema.values import qualifiers_of

OutlookWords: TypeAlias = tuple[str, str]
"""The noise word and the course, in the order of `OUTLOOK` of `warehouse.schema.tables`."""

POINT = ("actual", "change", "previous_actual", "previous_period", "direction_basis", "year_to_date")
"""What a judgement says that its outlook, and those of later periods, depend on."""

OBSERVED = ("qualifiers", "numerator", "denominator")
"""What the observation that it judges says besides."""

_PARTS = OBSERVED[1:]

_STORED = (
    select(
        *(judgement.c[name] for name in KEY),
        *(judgement.c[name] for name in POINT),
        *(observation.c[name] for name in OBSERVED),
        judgement.c.judgement_id,
        judgement.c.variation,
        judgement.c.on_course,
    )
    .join(observation, observation.c.observation_id == judgement.c.observation_id)
    .where(of_series(judgement))
)


class Outlooks(NamedTuple):
    """The words of judgements made now, in their order, and, with their numbers, what of others now differs.

    `beside` are the series that have others in force.
    """

    variations: Sequence[str]
    courses: Sequence[str]
    others: Mapping[Key, tuple[int, OutlookWords]]
    beside: Collection[tuple[str, str]]


def outlooks(
    connection: Connection,
    plan: Plan,
    spans: Mapping[SeriesKey, Span],
    returned: Mapping[Key, float | None],
    judged: Mapping[str, Sequence[Any]],
) -> Outlooks:
    """The outlooks that a change reaches, from the judgements in force beside those that were judged because of it.

    Args:
        connection: a transaction in which these judgements are not written yet.
        plan: the plan in force.
        spans: what was judged, by series.
        returned: the targets of all periods that partners have returned, by partner, indicator and period.
        judged: what was judged because of the change, in columns: those of `KEY`, `POINT` and `OBSERVED`.
    """
    reaches = reach_of_each(spans)
    stored = [
        row
        for row in connection.execute(_STORED, asked_series(spans)).all()
        if (row[0], row[1]) in reaches and row[1] in plan.indicators and not is_reached(reaches, row, row[2])
    ]
    number = len(judged["period"])
    if not number + len(stored):
        return Outlooks([], [], {}, ())
    series = _JudgedSeries(plan, returned, judged, stored)
    later: list[int] = []
    for place, row in enumerate(stored):
        # A change leaves the outlook of what came before it as it is.
        if row[2] >= reaches[row[0], row[1]].year:
            period = parse_period(row[2])
            if period > spans[SeriesKey(row[0], row[1])].first or series.may_differ(row[:3], row[-1]):
                later.append(place)
    variations, courses = series.words([*range(number), *(number + place for place in later)])
    others: dict[Key, tuple[int, OutlookWords]] = {}
    for place, now in zip(later, zip(variations[number:], courses[number:], strict=True), strict=True):
        partner_code, indicator, period_code, *_, judgement_id, variation, on_course = stored[place]
        if now != (variation, on_course):
            others[partner_code, indicator, period_code] = (judgement_id, now)
    return Outlooks(variations[:number], courses[:number], others, {(row[0], row[1]) for row in stored})


class _JudgedSeries:
    """The judgements of series: first those that are being judged, in columns, then those that are stored, in rows.

    `returned` are the targets that partners have returned.
    """

    def __init__(
        self,
        plan: Plan,
        returned: Mapping[Key, float | None],
        judged: Mapping[str, Sequence[Any]],
        stored: Sequence[Sequence[Any]],
    ) -> None:
        self._plan, self._returned, self._kinds = plan, returned, kinds_of(plan)
        names = (*KEY, *POINT, *OBSERVED)
        columns = {name: list(judged[name]) for name in names}
        for name, column in zip(names, zip(*stored, strict=True), strict=False):
            columns[name] += column
        of_each = list(zip(columns["partner_code"], columns["indicator"], strict=True))
        self._series_keys = list(dict.fromkeys(of_each))
        number_of = {series: number for number, series in enumerate(self._series_keys)}
        series = np.array([number_of[each] for each in of_each], dtype=np.int64)
        slots, leaves = _slots(columns["period"]), read_leaves(plan)
        leaf = np.array([leaves.places[indicator] for _, indicator in self._series_keys], dtype=np.int64)[series]
        piece = leaves.piece(leaf, slots)
        has_break = {each: Qualifier.BREAK in qualifiers_of(each) for each in set(columns["qualifiers"])}
        figures = {name: np.array(columns[name], dtype=np.float64) for name in (*POINT[:3], "year_to_date", *_PARTS)}
        points = Points(
            key=series * SPAN + slots,
            decimals=self._kinds.scales.decimals[piece],
            previous=_slots(columns["previous_period"]),
            is_on_outturn=np.array(
                [each == DirectionBasis.OUTTURN for each in columns["direction_basis"]], dtype=np.bool_
            ),
            has_break=np.array([has_break[each] for each in columns["qualifiers"]], dtype=np.bool_),
            **figures,
        )
        self._mark_changes(points.has_break, columns, piece)
        self._order = np.argsort(points.key)
        self._points, self._piece = points.at(self._order), piece[self._order]

    def _mark_changes(self, has_break: Bools, columns: Mapping[str, Sequence[Any]], piece: Ints) -> None:
        """Figures that do not compare with the period before are breaks, too."""
        plan = self._plan
        may_differ = self._kinds.may_change[piece] | _are_in(columns["partner_code"], plan.taken_over)
        for place in np.flatnonzero(may_differ).tolist():
            partner_code, indicator, code = (columns[name][place] for name in KEY)
            period = parse_period(code)
            has_break[place] |= not plan.compares(partner_code, indicator, period, period.previous)

    def words(self, asked: Sequence[int]) -> tuple[list[str], list[str]]:
        """The noise words and the courses of some judgements, given by their indices."""
        place_of = np.empty_like(self._order)
        place_of[self._order] = np.arange(len(self._order))
        places = place_of[np.array(asked, dtype=np.int64)]
        piece, kinds, points = self._piece[places], self._kinds, self._points
        noise = noises(points, places, kinds.scales.at(piece), kinds.quarters, kinds.rhythm[piece])
        courses = np.full(len(places), YearCourse.NOT_KNOWN.value, dtype=object)
        # A whole year has no course.
        is_quarter = points.slot[places] % SLOTS > 0
        has_course = (
            noise.can_be_projected & is_quarter & (kinds.good[piece] != 0) & ~np.isnan(points.year_to_date[places])
        )
        rows = np.flatnonzero(has_course)
        targets = self._years_targets(points.key[places[rows]])
        rows, targets = rows[~np.isnan(targets)], targets[~np.isnan(targets)]
        if len(rows):
            courses[rows] = self._courses(places[rows], targets)
        return [word.value for word in noise.variations], courses.tolist()

    def _courses(self, places: Ints, targets: Floats) -> Text:
        points, kinds, piece = self._points, self._kinds, self._piece[places]
        year, quarter = np.divmod(points.slot[places], SLOTS)
        before = points.series[places, None] * SPAN + (year[:, None] - 1) * SLOTS + QUARTERS
        found = points.find(before.ravel()).reshape(before.shape)
        years = Years(
            good=kinds.good[piece],
            is_latest=kinds.is_latest[piece],
            is_sum=kinds.is_sum[piece],
            is_cumulative=kinds.scales.is_cumulative[piece],
            decimals=kinds.scales.decimals[piece],
            quarter=quarter,
            quarters=kinds.asked[piece] | (quarter[:, None] == QUARTERS),
            to_date=decimals_of(points.year_to_date[places]),
            target=decimals_of(targets),
            last_year=decimals_of(np.where(found >= 0, points.actual[found], np.nan)),
        )
        return year_courses(years, projected(years), kinds.margin_percent[piece], kinds.margin_steps[piece])

    def may_differ(self, key: Sequence[str], before: str) -> bool:
        """Whether a quarter may have another course than before, if only later ones of its year have changed.

        It rests on none of them, unless its year's target is that of the last quarter, or was.
        """
        partner_code, indicator, code = key
        year = parse_period(code).year
        if self._target(partner_code, indicator, year) is not None:
            return False
        target = years_target(year, lambda period: self._target(partner_code, indicator, period))
        return target is not None or before != YearCourse.NOT_KNOWN

    def _years_targets(self, keys: Ints) -> Floats:
        """The target of the year of each key, NaN for none."""
        distinct, places = np.unique(keys // SPAN * SPAN + keys % SPAN // SLOTS, return_inverse=True)
        found: list[float | None] = []
        for series, start_year in zip(*(each.tolist() for each in np.divmod(distinct, SPAN)), strict=True):
            key = self._series_keys[series]
            found.append(years_target(Period(start_year), partial(self._target, *key)))
        return np.array(found, dtype=np.float64)[places]

    def _target(self, partner_code: str, indicator: str, period: Period) -> float | None:
        key = (partner_code, indicator, period.code)
        if key in self._returned:
            return self._returned[key]
        planned = self._plan.figure(Measure.TARGET, indicator, period, partner_code)
        return None if planned is None or planned.value is None else float(planned.value)


def _slots(codes: Sequence[str]) -> Ints:
    """The slot of each period's code."""
    slots = {code: slot_of(parse_period(code)) for code in set(codes)}
    return np.array([slots[code] for code in codes], dtype=np.int64)


def _are_in(codes: Sequence[str], some: Collection[str]) -> Bools:
    return np.array([code in some for code in codes], dtype=np.bool_) if some else np.zeros(len(codes), dtype=np.bool_)
