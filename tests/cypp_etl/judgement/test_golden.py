"""The published table of Section Five: every symbol that it prints is computed from its own figures."""

from decimal import Decimal

import pytest

from cypp_etl.judgement.judge import judge
from schemas.codes import BAND_SYMBOLS, DIRECTION_SYMBOLS, ON_TARGET_SYMBOLS, Band, Direction, Marker, OnTarget

NA = "N/A"
_MARKERS = {"-": Marker.NOT_AVAILABLE, NA: Marker.NOT_APPLICABLE, "": Marker.NOT_RETURNED}

# Indicator, decimals, polarity; 08/09 actual, 09/10 target, 09/10 performance; statistical neighbours, national;
# then as printed: on target, direction, year to date, against neighbours, against national; 10/11 and 11/12 targets.
TABLE = [
    ("NI 19", 2, "LOW", "0.69", "0.48", "0.28", "1.1", "1", "✓↑★●●", "0.97", "-"),
    ("NI 43", 1, "LOW", "9.7", "7.5", "7.1", "4.40", "5.80", "✓↑●▲▲", "5.0", "-"),
    ("NI 45", 1, "HIGH", "72.6", "75.6", "71.0", "75.60", "73.10", "✗↓▲▲▲", "78.0", "-"),
    ("NI 46", 1, "HIGH", "97.6", "97.9", "98.6", NA, NA, ("✓", "↑", "●", NA, NA), "98.0", "-"),
    ("NI 110", 1, "HIGH", "62.2", "66.0", "60.0", "61.20", "65.80", "✗↓▲▲▲", "-", "-"),
    ("NI 111a", 0, "LOW", "374", "385", "212", NA, NA, ("✓", "↑", "★", NA, NA), "514", "-"),
    ("NI 111b", 0, "LOW", "1406", "1425", "784", NA, NA, ("✓", "↑", "★", NA, NA), "1900", "-"),
    ("NI 112", 1, "LOW", "-10.1", "-39", "-1.10", NA, NA, ("✗", "↓", "▲", NA, NA), "-", "-"),
    ("NI 113a", 1, "HIGH", "19.7", "25.0", "25.0", "16.20", NA, ("✓", "↑", "●", "★", NA), "35.0", "-"),
    ("NI 113b", 1, "LOW", "8.9", "-", "-", "-", NA, ("-", "-", "-", NA, NA), "-", "-"),
    ("NI 114", 2, "LOW", "0.01", "0.01", "0.00", "0.10", "0.10", "✓↑●●●", "0", "0"),
    ("NI 115", 1, "LOW", "15.20", NA, "12.9", "12.10", "9.80", (NA, "↑", NA, "▲", "▲"), "-", "-"),
    # Section Five prints no judgement for NI 22, which has no figure for the year.
    ("NI 22", 1, "HIGH", "20", "", "", "23.2", "29.6", "-----", "", ""),
]


def _typed(text):
    return _MARKERS.get(text, text)


@pytest.fixture(scope="module")
def judged(make_leaf, make_plan, make_frame):
    rows = []
    for name, _, _, history, target, actual, neighbours, national, _, next_target, next_target_2 in TABLE:
        rows += [
            ("yos", name, "actual", "2009-10", _typed(actual), False),
            ("yos", name, "history", "2008-09", _typed(history), False),
            ("yos", name, "target", "2009-10", _typed(target), False),
            ("yos", name, "target", "2010-11", _typed(next_target), False),
            ("yos", name, "target", "2011-12", _typed(next_target_2), False),
            ("yos", name, "statistical_neighbours", "2009-10", _typed(neighbours), False),
            ("yos", name, "national", "2009-10", _typed(national), False),
        ]
    sums = {"NI 111a", "NI 111b"}
    plan = make_plan(
        make_leaf(name, polarity, decimals, accumulation="sum" if name in sums else "latest")
        for name, decimals, polarity, *_ in TABLE
    )
    return judge(make_frame(rows), plan).set_index("indicator")


def _symbols(row):
    return (
        ON_TARGET_SYMBOLS[OnTarget(row.on_target)],
        DIRECTION_SYMBOLS[Direction(row.direction)],
        BAND_SYMBOLS[Band(row.target_band)],
        BAND_SYMBOLS[Band(row.statistical_neighbours_band)],
        BAND_SYMBOLS[Band(row.national_band)],
    )


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line[0])
def test_symbols_are_the_printed_ones(line, judged):
    assert _symbols(judged.loc[line[0]]) == tuple(line[8])


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line[0])
def test_figures_come_out_as_they_went_in(line, judged):
    row = judged.loc[line[0]]
    names = [
        "previous_actual",
        "target",
        "actual",
        "statistical_neighbours",
        "national",
        "next_target",
        "next_target_2",
    ]
    for name, text in zip(names, [*line[3:8], *line[9:]], strict=True):
        typed = _typed(text)
        assert row[name] == float(typed) if not isinstance(typed, Marker) else row[name] != row[name]


def test_changes_are_exact(judged):
    for name, decimals, _, history, _, actual, *_ in TABLE:
        if _typed(actual) == actual:
            change = Decimal(actual) - Decimal(history)
            assert judged.change[name] == float(round(change, decimals))
    assert judged.change[["NI 113b", "NI 22"]].isna().all()


def test_years_are_compared_with_last_year_and_have_no_quarter_before(judged):
    assert set(judged.previous_period) == {"2008-09"}
    assert set(judged.direction_basis) == {"last year"}
    assert set(judged.quarter_direction) == {"not applicable"}
