"""The end of a year, seen from one of its quarters."""

from decimal import Decimal

import numpy as np
import pytest

from cypp_etl.judgement.outlook.year_end import Years, YearSoFar, courses, needed, projected
from cypp_etl.plan.model import Banding
from schemas.codes import Accumulation, Polarity, YearCourse

_BANDING = Banding(Decimal(10), 1, Decimal(5), Decimal(25), Decimal(5))
_LAST = ("10", "20", "30", "40")
_CUMULATIVE = ("10", "30", "60", "100")


def _year(
    accumulation: Accumulation, quarter: int, to_date: str, *, last: tuple[str | None, ...] = _LAST, **others: object
) -> YearSoFar:
    fields = {"polarity": Polarity.HIGH, "target": Decimal(100), "decimals": 0} | others
    known = [None if figure is None else Decimal(figure) for figure in last]
    return YearSoFar(accumulation=accumulation, quarter=quarter, to_date=Decimal(to_date), last_year=known, **fields)  # type: ignore[arg-type]


def _course(year: YearSoFar, figure: str) -> YearCourse:
    margin = np.array([_BANDING.target_margin_percent], dtype=object), np.array([_BANDING.target_margin_steps])
    (word,) = courses(Years.of(year), np.array([Decimal(figure)], dtype=object), *margin)
    return YearCourse(word)


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (_year(Accumulation.SUM, 2, "40"), Decimal(30)),
        (_year(Accumulation.SUM, 3, "40"), Decimal(60)),
        (_year(Accumulation.SUM, 3, "120"), Decimal(-20)),
        (_year(Accumulation.CUMULATIVE, 1, "10"), Decimal(30)),
        (_year(Accumulation.SUM, 1, "30"), Decimal(24)),
        (_year(Accumulation.SUM, 1, "30", polarity=Polarity.LOW), Decimal(23)),
        (_year(Accumulation.SUM, 1, "30", decimals=1), Decimal("23.4")),
        (_year(Accumulation.SUM, 4, "40"), None),
        (_year(Accumulation.LATEST, 2, "40"), None),
        (_year(Accumulation.RATIO, 2, "40"), None),
        # A quarter that is not asked brings nothing.
        (_year(Accumulation.SUM, 2, "40", quarters=(1, 2, 4)), Decimal(60)),
        (_year(Accumulation.SUM, 1, "40", quarters=(1, 3)), Decimal(60)),
        (_year(Accumulation.SUM, 3, "40", quarters=(1, 3)), None),
    ],
)
def test_what_each_quarter_that_remains_must_bring(year: YearSoFar, expected: Decimal | None) -> None:
    assert needed(year) == expected


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (_year(Accumulation.LATEST, 1, "40.5"), "40.5"),
        (_year(Accumulation.SUM, 2, "45"), "150"),
        (_year(Accumulation.SUM, 2, "45.5", decimals=0), "152"),
        (_year(Accumulation.SUM, 2, "45.5", decimals=1), "151.7"),
        (_year(Accumulation.CUMULATIVE, 2, "45", last=_CUMULATIVE), "150"),
        (_year(Accumulation.SUM, 4, "45", last=(None,) * 4), "45"),
        (_year(Accumulation.SUM, 2, "45", last=("10", "20", None, "40")), None),
        (_year(Accumulation.SUM, 1, "45", last=("0", "20", "30", "40")), None),
        (_year(Accumulation.SUM, 1, "45", last=("10", "-20", "-30", "10")), None),
        (_year(Accumulation.RATIO, 1, "45"), None),
        # 30 of 70 had come by the second of three quarters that are asked.
        (_year(Accumulation.SUM, 2, "45", last=("10", "20", "40"), quarters=(1, 2, 4)), "105"),
        (_year(Accumulation.SUM, 2, "45", last=("10", None, "40"), quarters=(1, 2, 4)), None),
        (_year(Accumulation.CUMULATIVE, 2, "45", last=("10", "30", "70"), quarters=(1, 2, 4)), "105"),
        (_year(Accumulation.SUM, 1, "45", last=("10", "20"), quarters=(1, 3)), "135"),
        # It was the last one that is asked.
        (_year(Accumulation.SUM, 3, "45", last=(None, None), quarters=(1, 3)), "45"),
        (_year(Accumulation.RATIO, 3, "45", quarters=(1, 3)), "45"),
    ],
)
def test_a_year_goes_on_as_last_year_did(year: YearSoFar, expected: str | None) -> None:
    assert projected(Years.of(year)).tolist() == [None if expected is None else Decimal(expected)]


@pytest.mark.parametrize(
    ("polarity", "figure", "expected"),
    [
        (Polarity.HIGH, "100", YearCourse.ON),
        (Polarity.HIGH, "99", YearCourse.AT_RISK),
        (Polarity.HIGH, "90", YearCourse.AT_RISK),
        (Polarity.HIGH, "89", YearCourse.OFF),
        (Polarity.LOW, "100", YearCourse.ON),
        (Polarity.LOW, "110", YearCourse.AT_RISK),
        (Polarity.LOW, "111", YearCourse.OFF),
        (Polarity.RANGE, "100", YearCourse.NOT_KNOWN),
        (Polarity.NONE, "100", YearCourse.NOT_KNOWN),
    ],
)
def test_a_margin_parts_at_risk_from_off_course(polarity: Polarity, figure: str, expected: YearCourse) -> None:
    assert _course(_year(Accumulation.LATEST, 2, figure, polarity=polarity), figure) == expected


@pytest.mark.parametrize(("figure", "expected"), [("1", YearCourse.AT_RISK), ("1.1", YearCourse.OFF)])
def test_a_target_of_nothing_has_the_margin_of_a_unit(figure: str, expected: YearCourse) -> None:
    year = _year(Accumulation.LATEST, 2, figure, polarity=Polarity.LOW, target=Decimal(0))
    assert _course(year, figure) == expected
