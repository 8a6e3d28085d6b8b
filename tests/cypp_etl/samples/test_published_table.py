"""The published table as a workbook: as printed, with the header and the merges of the document."""

from decimal import Decimal
from io import BytesIO
from typing import get_args

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from cypp_etl.samples.published_table import Typing, read_sample_table, typed_number, write_published_table

TYPINGS = get_args(Typing)


def sheet_of(typing: Typing) -> Worksheet:
    return load_workbook(BytesIO(write_published_table(read_sample_table(), typing)))["Performance indicators"]


def test_the_sample_is_the_table_of_the_document() -> None:
    headings, band, *rows = read_sample_table()
    assert len(headings) == 16
    assert band == ("MAKING A POSITIVE CONTRIBUTION", *[""] * 15)
    assert [row[1] for row in rows] == [
        "NI 19",
        "NI 43",
        "NI 45",
        "NI 46",
        "NI 110",
        "NI 111",
        "a",
        "b",
        "NI 112",
        "NI 113",
        "a",
        "b",
        "NI 114",
        "NI 115",
        "NI 22",
    ]
    assert rows[-1] == (
        *("", "NI 22", "Perceptions of parents taking responsibility for the behaviour of their children in the area"),
        *("HIGH", "20%", "", "", "", "", "", "23.2", "", "29.6", "", "", ""),
    )


@pytest.mark.parametrize("typing", TYPINGS)
def test_the_header_in_two_rows_and_the_merges(typing: Typing) -> None:
    sheet = sheet_of(typing)
    assert [cell.value for cell in sheet[1]][9:12] == ["Year to Date", "Latest Comparative Data", None]
    assert [cell.value for cell in sheet[2]][9:15] == [
        None,
        "Stat. Neigh.",
        "Perf against Stat. Neigh.",
        "National",
        "Perf against National",
        None,
    ]
    merges = {merge.coord for merge in sheet.merged_cells.ranges}
    assert {"K1:N1", "A1:A2", "P1:P2", "A3:P3"} <= merges
    assert len(merges) == 1 + 12 + 1
    assert sheet["A3"].value == "MAKING A POSITIVE CONTRIBUTION"
    assert sheet.freeze_panes == "C3"


def test_as_text_every_cell_is_what_was_printed() -> None:
    sheet = sheet_of("text")
    for row, texts in enumerate(read_sample_table()[2:], start=4):
        assert [cell.value or "" for cell in sheet[row]] == list(texts)


def test_as_numbers_the_figures_are_numbers_and_the_rest_is_text() -> None:
    sheet = sheet_of("number")
    for row, texts in enumerate(read_sample_table()[2:], start=4):
        for cell, text in zip(sheet[row], texts, strict=True):
            is_number = typed_number(text) is not None
            assert isinstance(cell.value, int | float) is is_number
            assert is_number or (cell.value or "") == text


@pytest.mark.parametrize(
    ("address", "value", "number_format"),
    [
        ("A4", 42, "General"),
        ("E5", 0.097, "0.0%"),
        ("K5", 0.044, "0.00%"),
        ("E11", 1406, "#,##0"),
        ("F11", 1425, "General"),
        ("F12", -0.39, "0%"),
        ("G12", -0.011, "0.00%"),
        ("E16", 0.0001, "0.00%"),
        ("G16", 0, "0.00%"),
        ("E17", 15.2, "0.00"),
        ("K18", 23.2, "General"),
        ("K4", 1.1, "General"),
        ("F17", "N/A", "General"),
        ("H4", "✓", "General"),
    ],
)
def test_numbers_show_what_was_printed(address: str, value: object, number_format: str) -> None:
    cell = sheet_of("number")[address]
    assert (cell.value, cell.number_format) == (value, number_format)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1,406.50%", (Decimal("-14.0650"), "0.00%")),
        ("1,406.5", (Decimal("1406.5"), "#,##0.0")),
        ("20", (Decimal(20), "General")),
        ("20.0", (Decimal("20.0"), "0.0")),
        ("-", None),
        ("", None),
        ("a", None),
        ("1,40", None),
        ("1e5", None),
    ],
)
def test_typed_number(text: str, expected: tuple[Decimal, str] | None) -> None:
    assert typed_number(text) == expected


@pytest.mark.parametrize("typing", TYPINGS)
def test_the_same_table_makes_the_same_bytes(typing: Typing) -> None:
    assert write_published_table(read_sample_table(), typing) == write_published_table(read_sample_table(), typing)


def test_text_that_begins_like_a_formula_stays_text() -> None:
    headings, band, first, *_ = read_sample_table()
    hostile = (headings, band, (*first[:2], "=1+1", *first[3:]))
    for typing in TYPINGS:
        sheet = load_workbook(BytesIO(write_published_table(hostile, typing))).active
        assert (sheet["C4"].value, sheet["C4"].data_type) == ("=1+1", "s")


def test_an_unknown_heading_is_named() -> None:
    with pytest.raises(ValueError, match="'Astrology' is not a heading"):
        write_published_table([["Ref", "Astrology"]], "text")
