"""The plan's tables: the allowed content of each column of each CSV file, cell by cell.

The tables are checked as text, as in the file: converting them to types first would turn `N/A` into a
missing number and lose what was written. Checks between rows and between files need more than one cell, and are
in `cypp_etl/plan/`. These are plain functions on text, because every command reads the plan first: frames
and pandera, which check returns, would add half a second to each.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from schemas.codes import (
    DEVICES_OF_WINDOWS,
    Accumulation,
    ActionKind,
    ClinicRule,
    ComparatorMethod,
    Frequency,
    Measure,
    Polarity,
    ReportedYear,
    SheetKind,
    Unit,
    YearType,
)
from schemas.markers import read_markers

YES_NO = ("yes", "no")
EVERY_PARTNER = "*"
"""In `owed_by.csv`, in place of a partner's code."""
NEIGHBOURS, OWN_GROUP = "neighbours", "own group"
"""Whose figures make a comparator, where it is not those of every partner or of one group."""
YEARS_RETURN = "year"
"""In `asked_in` of `indicators.csv`, in place of quarters: the return for the whole year asks for the indicator."""
ABOUT_COLUMNS = ("note", "source", "url", "owner")
"""What people may note on a row of the plan, in several of its files."""
# The meanings in full are read in returns alone, in whichever case people type them: a plan has one way to write each.
FIGURE_MARKERS = {
    known.spelling: known.marker for known in read_markers() if known.marker and known.spelling != known.marker
}

_DECIMAL = re.compile(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
_MARGIN = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
_COUNT = re.compile(r"[0-9]{1,9}|[0-9]{1,3}(,[0-9]{3}){1,2}")
_DECIMALS = re.compile(r"[0-6]")
# Distant years are typing mistakes, and the days of the most distant are not valid dates.
_PERIOD = re.compile(r"((?:19|20|21)[0-9]{2})-([0-9]{2})(Q[1-4])?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTNER_CODE = re.compile(rf"(?!{DEVICES_OF_WINDOWS}$)[a-z0-9][a-z0-9_-]*")
# What stands before an amount, and could be taken neither for a part of it nor for a marker.
_CURRENCY = re.compile(r"[^\W\d_]{1,4}|[^\W\d_]{0,3}[^\w\s.,:;%()\[\]+\-*/'\"]")
_QUARTERS = re.compile(rf"Q[1-4]( Q[1-4]){{0,3}}|{YEARS_RETURN}")
# Fewer than four figures have no quarters.
_LEAST_MEMBERS = re.compile(r"[4-9]|[1-9][0-9]{1,3}")
_GROUP_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_OWNER = re.compile(rf"\*|{_GROUP_CODE.pattern}")
_COMPARATOR_CODE = re.compile(rf"(?!({Measure.ACTUAL}|{Measure.HISTORY}|{Measure.TARGET})$)[a-z][a-z0-9_]*")
_URL = re.compile(r"https?://[^\s<>\"'`\\^{|}]+", re.IGNORECASE)
_NOT_BLANK = re.compile(r".+", re.DOTALL)


class ColumnKind(StrEnum):
    """What a column's cells are in a workbook, where a cell has a type.

    A code is text that names something, so that a zero in front counts; a figure is a number or a marker, and may have
    a percent sign; a percent is a number of percent.
    """

    TEXT = "text"
    CODE = "code"
    CHOICE = "choice"
    NUMBER = "number"
    PERCENT = "percent"
    FIGURE = "figure"
    DATE = "date"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Column:
    """The allowed content of a column's cells: whatever passes the `test`, and blank if that is allowed.

    `error` completes the sentence that starts with the value of a cell that fails. A file may lack a column that has
    a `default`: a cell of it that is not there, or is blank, says the default. `choices` are the codes of a list.
    """

    test: Callable[[str], object]
    error: str = ""
    may_be_blank: bool = False
    default: str | None = None
    kind: ColumnKind = ColumnKind.TEXT
    choices: tuple[str, ...] = ()

    def allows(self, cell: str) -> bool:
        """Whether a cell, without surrounding spaces, is valid."""
        return bool(self.test(cell)) or (self.may_be_blank and not cell)


@dataclass(frozen=True, slots=True)
class Table:
    """One file of the plan: its columns by name, and those that form the key of its rows.

    A plan may lack a file that `is_optional`.
    """

    columns: Mapping[str, Column]
    key: tuple[str, ...]
    is_optional: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that the file must have."""
        return tuple(name for name, column in self.columns.items() if column.default is None)


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
    return Column(_PARTNER_CODE.fullmatch, error, kind=ColumnKind.CODE)


def _group_code() -> Column:
    error = "is not a code of letters, digits and hyphens such as north-west"
    return Column(_GROUP_CODE.fullmatch, error, kind=ColumnKind.CODE)


def _owner() -> Column:
    """Who owes an indicator: a partner, a group of partners, or every partner."""
    error = f"is not a code of partners.csv or groups.csv, or {EVERY_PARTNER} for every partner"
    return Column(_OWNER.fullmatch, error, kind=ColumnKind.CODE)


def _comparator_code() -> Column:
    """The code is a column's name and a measure, so it has the form of one."""
    error = "is not a code of lower-case letters, digits and underscores such as regional_mean, or is another measure"
    return Column(_COMPARATOR_CODE.fullmatch, error, kind=ColumnKind.CODE)


def _any_text() -> Column:
    return Column(lambda _: True)


def _name() -> Column:
    """What names a row of this file or of another one."""
    return replace(_text(), kind=ColumnKind.CODE)


def _any_name() -> Column:
    return replace(_any_text(), kind=ColumnKind.CODE)


def _code(codes: Iterable[str], *, may_be_blank: bool = False) -> Column:
    allowed = tuple(str(code) for code in codes)
    error = f"is not one of {', '.join(allowed)}"
    return Column(allowed.__contains__, error, may_be_blank=may_be_blank, kind=ColumnKind.CHOICE, choices=allowed)


def _decimal(*, may_be_blank: bool = False) -> Column:
    return Column(is_decimal, "is not a number such as 75.6", may_be_blank=may_be_blank, kind=ColumnKind.NUMBER)


def _margin(*, may_be_blank: bool = False) -> Column:
    error = "is not a number of zero or more"
    return Column(_MARGIN.fullmatch, error, may_be_blank=may_be_blank, kind=ColumnKind.NUMBER)


def _percent(*, may_be_blank: bool = False) -> Column:
    return replace(_margin(may_be_blank=may_be_blank), kind=ColumnKind.PERCENT)


def _count(*, may_be_blank: bool = False) -> Column:
    error = "is not a whole number of zero or more"
    return Column(_COUNT.fullmatch, error, may_be_blank=may_be_blank, kind=ColumnKind.NUMBER)


def _decimals() -> Column:
    error = "is not a whole number from 0 to 6"
    return Column(_DECIMALS.fullmatch, error, may_be_blank=True, kind=ColumnKind.NUMBER)


def _figure() -> Column:
    return Column(is_figure, f"is not a number or one of {', '.join(FIGURE_MARKERS)}", kind=ColumnKind.FIGURE)


def _period() -> Column:
    return Column(is_period, "is not a period such as 2010-11 or 2010-11Q1", kind=ColumnKind.PERIOD)


def _financial_year() -> Column:
    return Column(is_financial_year, "is not a financial year such as 2010-11", kind=ColumnKind.PERIOD)


def _date() -> Column:
    return Column(is_date, "is not a date such as 2011-03-31", kind=ColumnKind.DATE)


def _quarters() -> Column:
    return Column(
        _QUARTERS.fullmatch, f"is not a list of quarters such as Q1 Q3, nor {YEARS_RETURN}", may_be_blank=True
    )


def _least_members() -> Column:
    error = "is not a whole number from 4 to 9999"
    return Column(_LEAST_MEMBERS.fullmatch, error, may_be_blank=True, kind=ColumnKind.NUMBER)


def _currency() -> Column:
    error = "is not the symbol of a currency such as £ or CHF"
    return Column(lambda cell: _CURRENCY.fullmatch(cell) and cell not in FIGURE_MARKERS, error, may_be_blank=True)


def _optional(column: Column, default: str = "") -> Column:
    """A column that a file may lack, and what it then means."""
    return replace(column, default=default)


def _span() -> dict[str, Column]:
    """The periods for which a row holds: blank is open."""
    column = replace(_period(), may_be_blank=True, default="")
    return {"first_period": column, "last_period": column}


def _about() -> dict[str, Column]:
    """What people may note on a row; nothing is judged by it."""
    url = Column(_URL.fullmatch, "is not a web address such as https://www.example.org/page", may_be_blank=True)
    return {name: _optional(url if name == "url" else _any_text()) for name in ABOUT_COLUMNS}


SCHEMAS: Mapping[str, Table] = {
    "body.csv": Table(
        {
            "body": _any_text(),
            "report_title": _any_text(),
            "clinics_from": _optional(_code(ClinicRule, may_be_blank=True)),
            "quartiles_from": _optional(_least_members()),
        },
        ("body",),
        is_optional=True,
    ),
    "outcomes.csv": Table(
        {"outcome_code": _name(), "outcome": _text(), "table_heading": _any_text()},
        ("outcome_code",),
    ),
    "aspirations.csv": Table(
        {
            "aspiration": _name(),
            "outcome_code": _name(),
            "text": _text(),
            "is_area_of_focus": _code(YES_NO),
            "focus_on": _any_text(),
            **_about(),
        },
        ("aspiration",),
    ),
    "groups.csv": Table(
        {"group_code": _group_code(), "group": _text(), "parent_group": _any_name()}, ("group_code",), is_optional=True
    ),
    "partners.csv": Table(
        {
            "partner_code": _partner_code(),
            "partner": _text(),
            "group_code": _optional(_any_name()),
            **_span(),
            "successor": _optional(_any_name()),
            **_about(),
        },
        ("partner_code",),
    ),
    "comparators.csv": Table(
        {
            "comparator": _comparator_code(),
            "heading": _text(),
            "method": _code(ComparatorMethod),
            "bodies": _optional(_any_name()),
        },
        ("comparator",),
        is_optional=True,
    ),
    "neighbours.csv": Table(
        {"partner_code": _name(), "neighbour": _name()}, ("partner_code", "neighbour"), is_optional=True
    ),
    "actions.csv": Table(
        {
            "action_id": _name(),
            "aspiration": _name(),
            "kind": _code(ActionKind),
            "action": _text(),
            "detail": _any_text(),
            "strategic_lead": _text(),
            "lead_officer": _any_text(),
            "partner_code": _name(),
            **_span(),
        },
        ("action_id",),
    ),
    "milestones.csv": Table(
        {
            "milestone": _name(),
            "action_id": _name(),
            "financial_year": _financial_year(),
            "description": _text(),
            "due": _date(),
            "is_due_stated": _code(YES_NO),
            **_about(),
        },
        ("milestone",),
    ),
    "indicators.csv": Table(
        {
            "indicator": _name(),
            "indicator_no": _any_text(),
            "indicator_ref": _name(),
            "sub": _any_name(),
            "outcome_code": _name(),
            "definition": _text(),
            "polarity": _code(Polarity, may_be_blank=True),
            "range_low": _decimal(may_be_blank=True),
            "range_high": _decimal(may_be_blank=True),
            "unit": _code(Unit, may_be_blank=True),
            "decimals": _decimals(),
            "minimum": _decimal(may_be_blank=True),
            "maximum": _decimal(may_be_blank=True),
            "accumulation": _code(Accumulation, may_be_blank=True),
            "multiplier": _count(may_be_blank=True),
            "number_indicator": _any_name(),
            **_span(),
            "is_comparable": _optional(_code(YES_NO), "no"),
            "frequency": _optional(_code(Frequency, may_be_blank=True)),
            "asked_in": _optional(_quarters()),
            "year_type": _optional(_code(YearType, may_be_blank=True)),
            "reports_on": _optional(_code(ReportedYear, may_be_blank=True)),
            "aspirations": _optional(_any_name()),
            "unit_label": _optional(_any_text()),
            "currency": _optional(_currency()),
            "compares_bodies": _optional(_code(YES_NO, may_be_blank=True)),
            **_about(),
        },
        ("indicator", "first_period"),
    ),
    "figures.csv": Table(
        {
            # What may stand here depends on comparators.csv.
            "measure": _name(),
            "indicator": _name(),
            "period": _period(),
            "value": _figure(),
            "source": _text(),
            "partner_code": _optional(_any_name()),
        },
        ("measure", "indicator", "period", "partner_code"),
    ),
    "owed_by.csv": Table(
        {"partner_code": _owner(), "indicator": _name(), **_span()},
        ("partner_code", "indicator", "first_period"),
    ),
    "calendar.csv": Table(
        {"period": _period(), "opens_on": _date(), "due_on": _date()},
        ("period",),
    ),
    "banding.csv": Table(
        {
            "indicator": _any_name(),
            "target_margin_percent": _percent(may_be_blank=True),
            "target_margin_steps": _count(may_be_blank=True),
            "comparator_margin": _margin(may_be_blank=True),
            "large_change_percent": _percent(may_be_blank=True),
            "population_margin_percent": _percent(may_be_blank=True),
            "large_change_margin": _optional(_margin(may_be_blank=True)),
            **_span(),
        },
        ("indicator", "first_period"),
    ),
}

LAYOUT_SCHEMAS: Mapping[str, Table] = {
    "layouts/layouts.csv": Table(
        {
            "layout": _text(),
            "part": _text(),
            "sheet": _text(),
            "kind": _code(SheetKind),
            "is_hidden": _code(YES_NO),
            "spellings": _any_text(),
            "header_rows": _code("123"),
            "partner_code": _any_text(),
        },
        ("layout", "part"),
        is_optional=True,
    ),
    "layouts/columns.csv": Table(
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
        ("layout", "part", "column"),
        is_optional=True,
    ),
}
"""The tables of layouts that a plan may bring, in a folder of their own; a plan without them has the built-in ones."""

TABLES: Mapping[str, Table] = {**SCHEMAS, **LAYOUT_SCHEMAS}
"""Every table that a plan may have, by its file: what a fingerprint is of, and what a workbook has a sheet for."""
