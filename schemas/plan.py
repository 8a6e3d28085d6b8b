"""The plan's tables: the allowed content of each column of each CSV file, cell by cell.

The tables are checked as text, as in the file: converting them to types first would turn `N/A` into a
missing number and lose what was written. Checks between rows and between files need more than one cell, and are
in `cypp_etl/plan/`. These are plain functions on text, because every command reads the plan first: frames
and pandera, which check returns, would add half a second to each.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from schemas.codes import DEVICES_OF_WINDOWS, Accumulation, ActionKind, Measure, Polarity, Unit
from schemas.markers import read_markers

YES_NO = ("yes", "no")
FIGURE_MEASURES = (Measure.TARGET, Measure.HISTORY, Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL)
FIGURE_MARKERS = {known.spelling: known.marker for known in read_markers() if known.marker}

_DECIMAL = re.compile(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
_MARGIN = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
_COUNT = re.compile(r"[0-9]{1,9}|[0-9]{1,3}(,[0-9]{3}){1,2}")
_DECIMALS = re.compile(r"[0-6]")
# Distant years are typing mistakes, and the days of the most distant are not valid dates.
_PERIOD = re.compile(r"((?:19|20|21)[0-9]{2})-([0-9]{2})(Q[1-4])?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTNER_CODE = re.compile(rf"(?!{DEVICES_OF_WINDOWS}$)[a-z0-9][a-z0-9_-]*")
_NOT_BLANK = re.compile(r".+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """The allowed content of a column's cells: whatever passes the `test`, and blank if that is allowed.

    `error` completes the sentence that starts with the value of a cell that fails.
    """

    test: Callable[[str], object]
    error: str = ""
    may_be_blank: bool = False

    def allows(self, cell: str) -> bool:
        """Whether a cell, without surrounding spaces, is valid."""
        return bool(self.test(cell)) or (self.may_be_blank and not cell)


@dataclass(frozen=True, slots=True)
class Table:
    """One file of the plan: its columns by name, and those that form the key of its rows."""

    columns: Mapping[str, Column]
    key: tuple[str, ...]


def is_decimal(text: str) -> bool:
    """Whether the text is a plain number; commas may separate thousands."""
    return _DECIMAL.fullmatch(text) is not None


def is_figure(text: str) -> bool:
    """Whether the text is a marker, a number, or a number with a percent sign."""
    return text in FIGURE_MARKERS or is_decimal(text.removesuffix("%"))


def is_period(text: str) -> bool:
    """Whether the text is a period's code. Only one spelling, so that equal periods are equal texts."""
    match = _PERIOD.fullmatch(text)
    return match is not None and (int(match[1]) + 1) % 100 == int(match[2])


def is_financial_year(text: str) -> bool:
    """Whether the text is the code of a whole year."""
    return "Q" not in text and is_period(text)


def is_date(text: str) -> bool:
    """Whether the text is a valid date, year first."""
    if _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _text() -> Column:
    return Column(_NOT_BLANK.fullmatch, "is not allowed here")


def _partner_code() -> Column:
    # The code is the name of the partner's folder, on any file system.
    error = "is not a code of lower-case letters, digits and hyphens such as yos, or is a name that Windows reserves"
    return Column(_PARTNER_CODE.fullmatch, error)


def _any_text() -> Column:
    return Column(lambda _: True)


def _code(codes: Iterable[str], *, may_be_blank: bool = False) -> Column:
    allowed = tuple(str(code) for code in codes)
    return Column(allowed.__contains__, f"is not one of {', '.join(allowed)}", may_be_blank=may_be_blank)


def _decimal(*, may_be_blank: bool = False) -> Column:
    return Column(is_decimal, "is not a number such as 75.6", may_be_blank=may_be_blank)


def _margin(*, may_be_blank: bool = False) -> Column:
    return Column(_MARGIN.fullmatch, "is not a number of zero or more", may_be_blank=may_be_blank)


def _count(*, may_be_blank: bool = False) -> Column:
    return Column(_COUNT.fullmatch, "is not a whole number of zero or more", may_be_blank=may_be_blank)


def _period() -> Column:
    return Column(is_period, "is not a period such as 2010-11 or 2010-11Q1")


def _financial_year() -> Column:
    return Column(is_financial_year, "is not a financial year such as 2010-11")


def _date() -> Column:
    return Column(is_date, "is not a date such as 2011-03-31")


def _table(columns: dict[str, Column], *key: str) -> Table:
    return Table(columns, key)


SCHEMAS: Mapping[str, Table] = {
    "outcomes.csv": _table(
        {"outcome_code": _text(), "outcome": _text(), "table_heading": _any_text()},
        "outcome_code",
    ),
    "aspirations.csv": _table(
        {
            "aspiration": _text(),
            "outcome_code": _text(),
            "text": _text(),
            "is_area_of_focus": _code(YES_NO),
            "focus_on": _any_text(),
        },
        "aspiration",
    ),
    "partners.csv": _table({"partner_code": _partner_code(), "partner": _text()}, "partner_code"),
    "actions.csv": _table(
        {
            "action_id": _text(),
            "aspiration": _text(),
            "kind": _code(ActionKind),
            "action": _text(),
            "detail": _any_text(),
            "strategic_lead": _text(),
            "lead_officer": _any_text(),
            "partner_code": _text(),
        },
        "action_id",
    ),
    "milestones.csv": _table(
        {
            "milestone": _text(),
            "action_id": _text(),
            "financial_year": _financial_year(),
            "description": _text(),
            "due": _date(),
            "is_due_stated": _code(YES_NO),
        },
        "milestone",
    ),
    "indicators.csv": _table(
        {
            "indicator": _text(),
            "indicator_no": _any_text(),
            "indicator_ref": _text(),
            "sub": _any_text(),
            "outcome_code": _text(),
            "definition": _text(),
            "polarity": _code(Polarity, may_be_blank=True),
            "range_low": _decimal(may_be_blank=True),
            "range_high": _decimal(may_be_blank=True),
            "unit": _code(Unit, may_be_blank=True),
            "decimals": Column(_DECIMALS.fullmatch, "is not a whole number from 0 to 6", may_be_blank=True),
            "minimum": _decimal(may_be_blank=True),
            "maximum": _decimal(may_be_blank=True),
            "accumulation": _code(Accumulation, may_be_blank=True),
            "multiplier": _count(may_be_blank=True),
            "number_indicator": _any_text(),
        },
        "indicator",
    ),
    "figures.csv": _table(
        {
            "measure": _code(FIGURE_MEASURES),
            "indicator": _text(),
            "period": _period(),
            "value": Column(is_figure, f"is not a number or one of {', '.join(FIGURE_MARKERS)}"),
            "source": _text(),
        },
        "measure",
        "indicator",
        "period",
    ),
    "owed_by.csv": _table({"partner_code": _text(), "indicator": _text()}, "partner_code", "indicator"),
    "calendar.csv": _table({"period": _period(), "opens_on": _date(), "due_on": _date()}, "period"),
    "banding.csv": _table(
        {
            "indicator": _any_text(),
            "target_margin_percent": _margin(may_be_blank=True),
            "target_margin_steps": _count(may_be_blank=True),
            "comparator_margin": _margin(may_be_blank=True),
            "large_change_percent": _margin(may_be_blank=True),
            "population_margin_percent": _margin(may_be_blank=True),
        },
        "indicator",
    ),
}

LAYOUT_SCHEMAS: Mapping[str, Table] = {
    "layouts/layouts.csv": _table(
        {
            "layout": _text(),
            "part": _text(),
            "sheet": _text(),
            "kind": _code(("labels", "anywhere", "table", "banded")),
            "is_hidden": _code(YES_NO),
            "spellings": _any_text(),
            "header_rows": _code("123"),
            "partner_code": _any_text(),
        },
        "layout",
        "part",
    ),
    "layouts/columns.csv": _table(
        {
            "layout": _text(),
            "part": _text(),
            "column": _text(),
            "heading": _text(),
            "group": _any_text(),
            "spellings": _any_text(),
            "is_required": _code(YES_NO),
            "is_entry": _code(YES_NO),
            "width": _decimal(),
        },
        "layout",
        "part",
        "column",
    ),
}
"""The tables of layouts that a plan may bring, in a folder of their own; a plan without them has the built-in ones."""
