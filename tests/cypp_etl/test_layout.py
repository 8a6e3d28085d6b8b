"""The layouts: consistent data, and headings as people type them."""

from itertools import combinations

import pytest

from cypp_etl.layout import Layout, SheetLayout, normalise_heading, read_guidance, read_layouts, read_prompts
from schemas.codes import SheetKind

SHEETS = [sheet for layout in read_layouts().values() for sheet in layout.sheets]


@pytest.fixture
def indicators() -> SheetLayout:
    return read_layouts()["return"].part("indicators")


@pytest.fixture
def published() -> SheetLayout:
    return read_layouts()["published"].part("table")


def test_the_layouts_and_their_parts() -> None:
    parts = {name: [(sheet.part, sheet.kind) for sheet in layout.sheets] for name, layout in read_layouts().items()}
    assert parts == {
        "return": [
            ("cover", SheetKind.LABELS),
            ("indicators", SheetKind.TABLE),
            ("milestones", SheetKind.TABLE),
            ("meta", SheetKind.LABELS),
        ],
        "published": [("table", SheetKind.BANDED)],
        "receipt": [("receipt", SheetKind.TABLE)],
    }


def test_the_headings_of_a_return_are_those_of_the_design(indicators: SheetLayout) -> None:
    assert [column.heading for column in indicators.columns] == [
        "Ref",
        "Sub",
        "Definition",
        "Good performance",
        "Unit",
        "Target",
        "Last year",
        "Last quarter",
        "Actual",
        "Marker",
        "Numerator",
        "Denominator",
        "Comment",
    ]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.part)
def test_no_spelling_belongs_to_two_columns(sheet: SheetLayout) -> None:
    spellings = [{normalise_heading(text) for text in (c.heading, *c.spellings)} for c in sheet.columns]
    for one, other in combinations(spellings, 2):
        assert not one & other


@pytest.mark.parametrize("layout", read_layouts().values(), ids=lambda layout: layout.layout)
def test_no_name_belongs_to_two_sheets_of_a_layout(layout: Layout) -> None:
    names = [{normalise_heading(text) for text in (s.sheet, *s.spellings)} for s in layout.sheets]
    for one, other in combinations(names, 2):
        assert not one & other


@pytest.mark.parametrize(
    ("typed", "column"),
    [
        ("Ref.", "ref"),
        ("  GOOD\nPERF ", "good_performance"),
        ("Good performance:", "good_performance"),
        ("Actual*", "actual"),
        ("Actual figure", "actual"),
        ("Numerator (if used)", "numerator"),
        ("Sub-Indicator", "sub"),
        ("comment(s)", None),
        ("", None),
    ],
)
def test_headings_as_people_type_them(indicators: SheetLayout, typed: str, column: str | None) -> None:
    matching = [known.column for known in indicators.columns if known.match(typed) is not None]
    assert matching == ([column] if column else [])


@pytest.mark.parametrize(
    ("column", "typed", "years"),
    [
        ("actual", "09/10 Perf", {"year": "09/10"}),
        ("actual", "2009-10\nPERF.", {"year": "2009/10"}),
        ("actual", "Performance 2009 – 2010", {"year": "2009/2010"}),
        ("previous_actual", "08/09 Actual", {"previous": "08/09"}),
        ("next_target_2", "11/12 Target", {"next_2": "11/12"}),
        ("statistical_neighbours_band", "Perf against\nStat Neigh", {}),
        ("direction", "DOT (Yr on Yr)", {}),
        ("actual", "Perf", None),
        ("actual", "9/10 Perf", None),
    ],
)
def test_headings_that_hold_a_year(
    published: SheetLayout, column: str, typed: str, years: dict[str, str] | None
) -> None:
    assert published.column(column).match(typed) == years


def test_only_the_comparators_have_a_group_and_they_stand_together(published: SheetLayout) -> None:
    grouped = [position for position, column in enumerate(published.columns) if column.group]
    assert grouped == list(range(grouped[0], grouped[0] + 4))


def test_sheets_go_by_more_than_one_name() -> None:
    cover = read_layouts()["return"].part("cover")
    assert cover.is_named(" RETURN ")
    assert cover.is_named("Front sheet")
    assert not cover.is_named("Milestones")


def test_an_unknown_part_or_column_is_named() -> None:
    with pytest.raises(KeyError, match="no part nonsense"):
        read_layouts()["return"].part("nonsense")
    with pytest.raises(KeyError, match="no column nonsense"):
        read_layouts()["return"].part("cover").column("nonsense")


def test_prompts_fit_into_what_excel_shows() -> None:
    for prompt in read_prompts().values():
        assert len(prompt.title) <= 32
        assert len(prompt.prompt) <= 255
        assert len(prompt.error) <= 225


def test_guidance_and_prompts_speak_of_sheets_and_columns_that_exist() -> None:
    layout = read_layouts()["return"]
    assert all(layout.part(step.part) for step in read_guidance() if step.part)
    for part, column, _ in read_prompts():
        assert layout.part(part).column(column).is_entry
