"""The formats of the cells of a receipt's own sheet."""

from collections.abc import Mapping
from dataclasses import dataclass

from cypp_etl.receipts.ooxml.styles import MARKS, StyleBook, edges, solid
from schemas.codes import Severity, SubmissionStatus

_HAIRLINE = edges("thin", "FFBFBFBF")
_TOP = '<alignment vertical="top" wrapText="1"/>'
_LEVEL = '<alignment vertical="center"/>'
_BANNERS = {
    SubmissionStatus.REJECTED: "FFB00A21",
    SubmissionStatus.REFUSED: "FFB00A21",
    SubmissionStatus.HELD: "FF8F5E02",
    SubmissionStatus.ACCEPTED_WITH_QUERIES: "FF8F5E02",
    SubmissionStatus.ACCEPTED: "FF1E6B3A",
}
_OTHER_BANNER = "FF44546A"


@dataclass(frozen=True, slots=True)
class Looks:
    """The index of each format among the workbook's styles."""

    title: int
    banner: int
    advice: int
    label: int
    value: int
    quoted_value: int
    section: int
    heading: int
    group: int
    text: int
    quoted_text: int
    link: int
    kinds: Mapping[Severity, int]


def add_looks(styles: StyleBook, status: SubmissionStatus) -> Looks:
    """Add the formats to a workbook's styles."""
    plain = _font(10)
    return Looks(
        title=styles.look(_font(18, "<b/>"), alignment=_LEVEL),
        banner=styles.look(_font(14, "<b/>", "FFFFFFFF"), solid(status_colour(status)), alignment=_LEVEL),
        advice=styles.look(_font(11), alignment=_LEVEL),
        label=styles.look(_font(10, "<b/>"), alignment=_LEVEL),
        value=styles.look(plain, alignment=_LEVEL),
        quoted_value=styles.look(plain, alignment=_LEVEL, is_quoted=True),
        section=styles.look(_font(12, "<b/>"), alignment=_LEVEL),
        heading=styles.look(_font(10, "<b/>", "FFFFFFFF"), solid("FF1F3864"), _HAIRLINE, _LEVEL),
        group=styles.look(_font(10, "<b/>"), solid("FFE4E7EC"), alignment=_LEVEL),
        text=styles.look(plain, border=_HAIRLINE, alignment=_TOP),
        quoted_text=styles.look(plain, border=_HAIRLINE, alignment=_TOP, is_quoted=True),
        link=styles.look(_font(10, "<u/>", "FF0B3D91"), border=_HAIRLINE, alignment=_TOP),
        kinds={
            severity: styles.look(_font(10, "<b/>"), mark.fill_xml(), _HAIRLINE, _TOP)
            for severity, mark in MARKS.items()
        },
    )


def status_colour(status: SubmissionStatus) -> str:
    """The colour of a return's status, dark enough for white text."""
    return _BANNERS.get(status, _OTHER_BANNER)


def _font(size: int, form: str = "", colour: str = "FF1A1A1A") -> str:
    # In the order of the schema, which Excel requires: bold, underlined, size, colour, name.
    bold, underlined = (form, "") if form == "<b/>" else ("", form)
    return (
        f'<font>{bold}{underlined}<sz val="{size}"/><color rgb="{colour}"/><name val="Arial"/><family val="2"/></font>'
    )
