"""Cached styles are the same styles, and still count towards the limits."""

import pytest

from cypp_etl.workbook.limits import Limits, Spent
from cypp_etl.workbook.model import CellKind, UnreadableWorkbook
from cypp_etl.workbook.styles import DAYS_FROM_1900_TO_1904, Style, read_styles

_SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _part(filler: int = 0) -> bytes:
    cell_styles = '<cellXfs><xf numFmtId="10"/><xf numFmtId="14"/></cellXfs>'
    return f'<styleSheet xmlns="{_SPACE}"><!--{"x" * filler}-->{cell_styles}</styleSheet>'.encode()


@pytest.mark.parametrize("filler", [0, 1 << 17], ids=["remembered", "too long to remember"])
def test_styles_met_again(filler: int) -> None:
    first, again = Spent(), Spent()
    styles = read_styles([_part(filler)], first, is_1904=False)
    assert styles["0"] == Style("0.00%", CellKind.NUMBER, 0.0)
    assert read_styles([_part(filler)], again, is_1904=False) == styles
    assert first.elements == again.elements == 4


def test_days_of_1904_are_told_from_those_of_1900() -> None:
    shifts = [read_styles([_part()], Spent(), is_1904=is_1904)["1"].shift for is_1904 in (False, True)]
    assert shifts == [0.0, DAYS_FROM_1900_TO_1904]


def test_styles_met_again_are_refused_where_too_much_was_read_before() -> None:
    read_styles([_part()], Spent(Limits(elements=4)), is_1904=False)
    with pytest.raises(UnreadableWorkbook):
        read_styles([_part()], Spent(Limits(elements=4), elements=1), is_1904=False)
