"""The data of a board report: rows with the columns of the warehouse's views, as known at one moment."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import LAST_PERIOD, Period, parse_period
from cypp_etl.plan.model import Body, Plan
from cypp_etl.plan.rhythm import QUARTERLY, Rhythm
from cypp_etl.plan.selection import EVERYTHING, Selection
from schemas.codes import SETTLED_MILESTONES, ClinicStatus, DirectionBasis, Measure, NoteKind

if TYPE_CHECKING:
    from cypp_etl.judgement.outlook.series import Point, Series
    from cypp_etl.judgement.outlook.variation import Ratio

Row = Mapping[str, Any]
T = TypeVar("T")

_UNIT = ("unit", "unit_label", "currency")


@dataclass(frozen=True, slots=True)
class KnownText:
    """A figure that stood somewhere: its value, and how it was printed where it came in a printed table or has none.

    `beside` is the shorthand that stands beside it, such as `[p]`.
    """

    value: float | None
    printed: str | None
    beside: str = ""


@dataclass(frozen=True)
class Texts:
    """Every known figure, by its key: those of partners, and those of the plan for every partner, without a code."""

    own: Mapping[FigureKey, KnownText]
    of_all: Mapping[FigureKey, KnownText] = field(default_factory=dict)

    def find(self, key: FigureKey) -> KnownText | None:
        """The figure of a key, if any; the partner's own takes precedence."""
        return self.own.get(key) or self.of_all.get(FigureKey("", *key[1:]))

    @cached_property
    def first_year(self) -> int:
        """The earliest financial year with a figure; later than all years if there is none."""
        codes = {key.period for key in (*self.own, *self.of_all)}
        return min((parse_period(code).start_year for code in codes), default=LAST_PERIOD.start_year)


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a clinic. `period` is the last one that was judged when it was noted."""

    partner_code: str
    indicator: str
    period: str
    kind: NoteKind
    text: str
    noted_by: str
    recorded_at: datetime


def series_of(row: Row) -> tuple[str, str]:
    """The indicator and the partner of a row, or of a clinic."""
    return row["indicator"], row["partner_code"]


def belongs_to(note: Note, clinic: Row) -> bool:
    """Whether a note was made at a clinic: of its series, while it was open."""
    if (note.partner_code, note.indicator) != (clinic["partner_code"], clinic["indicator"]):
        return False
    first, last = parse_period(clinic["opened_period"]), clinic["closed_period"]
    return first <= parse_period(note.period) and (not last or parse_period(note.period) <= parse_period(last))


@dataclass(frozen=True, slots=True)
class Since:
    """From when on symbols that turned are listed.

    It is up to when the last published report knew, which was on `published`; or when the returns for `due` were due;
    or, with neither, what somebody asked for.
    """

    moment: datetime
    published: Period | None = None
    due: Period | None = None


@dataclass(frozen=True)
class BoardData:
    """What was known at a moment, up to a period; every row is a mapping named as its view's columns."""

    body: Body
    """Whose report it is."""
    period: Period
    at: datetime
    since: Since | None
    """From when on revised symbols are listed; None for all of them."""
    performance: Sequence[Row]
    """The judgements of all periods up to the report's."""
    owed: Sequence[Row]
    """A row for each indicator that a partner owes for its period, as if nothing were returned."""
    planned: Sequence[Row]
    """A row for each indicator that its return does not ask for, with the plan's own latest figure, if there is one."""
    indicators: Mapping[str, Row]
    """The leaves, each with `definition`, `parent_definition` and `table_heading`."""
    partners: Mapping[str, str]
    """The names of partners by their codes."""
    texts: Texts
    """How figures were printed."""
    ratios: "Mapping[FigureKey, Ratio]"
    """The counts that figures were made of."""
    breaks: Set[tuple[str, str, str]]
    """The partner, indicator and period of each figure that breaks its series."""
    aspirations: Sequence[Row]
    milestones: Sequence[Row]
    clinics: Sequence[Row]
    notes: Sequence[Note]
    returns: Sequence[Row]
    """The returns of the period, with `partner`."""
    refused: Sequence[Row]
    """The last submission for the period of each partner whose last one was refused, with `partner`."""
    held: Sequence[Row]
    """The submissions that wait for the data team to decide, with `partner`."""
    findings: Sequence[Row]
    """The queries and notes of the submissions in force, and the errors of those that were rejected.

    They have `partner_code`, `file_name`, and for queries `status`, `answer` and `answered_by`, None for others.
    """
    comments: Sequence[Row]
    """The partners' comments on figures."""
    symbol_changes: Sequence[Row]
    """The symbols that have changed since `since`."""
    rhythms: Mapping[str, Rhythm]
    """When each indicator is asked."""
    owing: Set[tuple[str, str]]
    """Each indicator and the partner that returns it in the period."""
    is_owed: bool
    """Whether anybody owes a return for the period."""
    part: str = ""
    """Which part of a report it is, in words; empty for the whole."""
    codes: tuple[str, ...] = ()
    """The codes of the part that was asked for."""
    plan: Plan | None = None
    """The plan of that moment, if its files are in the warehouse."""
    groups: Sequence[Row] = ()
    """The judgements of the plan's groups, of all periods up to the report's."""
    whole: "BoardData | None" = None
    """The report that this is a part of; None if it is the whole."""
    every_milestone: Sequence[Row] = ()
    """The milestones of all parts, since another partner's may be the next of an aspiration."""

    @property
    def title(self) -> str:
        """What the report is called, and which part of it this is."""
        whole = f"{self.body.report_title} {self.period.label}"
        return f"{whole}: {self.part}" if self.part else whole

    @property
    def file_name(self) -> str:
        """The name of its files, without their endings."""
        codes = [re.sub(r"[^\w-]+", "-", code) for code in self.codes]
        return " ".join(["board report", self.period.code, *codes])

    def of_series(self, series: Set[tuple[str, str]]) -> "BoardData":
        """What the report says of some indicators and partners; milestones, returns and findings stay as they are."""

        def some(rows: Sequence[Row]) -> list[Row]:
            return [row for row in rows if series_of(row) in series]

        return replace(
            self,
            whole=self.whole or self,
            performance=some(self.performance),
            owed=some(self.owed),
            planned=some(self.planned),
            clinics=some(self.clinics),
            notes=[note for note in self.notes if (note.indicator, note.partner_code) in series],
            comments=some(self.comments),
            symbol_changes=some(self.symbol_changes),
            owing=self.owing & series,
        )

    def of_period(self, period: Period) -> Sequence[Row]:
        """The judgements that the Board sees for one period, in the order of the plan's table.

        What is not asked for in the period's return has its latest figure, which is of another period.
        """
        return self.once(("period", period), lambda: self._shown_in(period))

    def selected(self, part: Selection) -> "BoardData":
        """What the report says of a part of the plan."""
        if part == EVERYTHING:
            return self
        rows = [*self.performance, *self.owed, *self.planned]
        series = {series_of(row) for row in rows if part.has(row["partner_code"], row["outcome_code"])}
        named = {one["finding_id"] for key in series for one in self.findings_about.get(key, ())}
        return replace(
            self.of_series(series),
            part=part.title,
            codes=part.codes,
            milestones=[row for row in self.milestones if part.has(row["partner_code"], row["outcome_code"])],
            returns=[row for row in self.returns if part.has_partner(row["partner_code"])],
            refused=[row for row in self.refused if part.has_partner(row["partner_code"])],
            held=[row for row in self.held if part.has_partner(row["partner_code"])],
            findings=[
                row
                for row in self.findings
                if part.has_partner(row["partner_code"]) and (not part.outcome_code or row["finding_id"] in named)
            ],
        )

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is found out once for these data, and asked for by several parts of the report."""
        if key not in self._found:
            self._found[key] = make()
        found: T = self._found[key]
        return found

    @cached_property
    def _found(self) -> dict[Hashable, Any]:
        """What `once` has found."""
        return {}

    def _shown_in(self, period: Period) -> list[Row]:
        rows = {series_of(row): row for row in self.performance if row["period"] == period.code}
        for key in self.owing - rows.keys():
            if (row := self._standing(key, period)) is not None:
                rows[key] = row
        return sorted(rows.values(), key=in_plan_order)

    def _standing(self, key: tuple[str, str], period: Period) -> Row | None:
        """The judgement of another period that stands in the table of a period, if there is one.

        Where the period's return asks for a figure, none but that.
        """
        rhythm = self.rhythm(key[0])
        latest = rhythm.latest(period)
        if latest == period:
            return None
        is_asked = not period.quarter or period.quarter in rhythm.asked_in
        found = {
            one.order: row
            for row in self._series.get(key, ())
            if bool((one := parse_period(row["period"])).quarter) != rhythm.is_yearly
            and (one == latest if is_asked else one.order <= latest.order)
        }
        return found[max(found)] if found else None

    def returned(self, period: Period) -> list[Row]:
        """The judgements among those of `of_period` whose figures the period's own return gives."""
        return [row for row in self.of_period(period) if self._is_own(row, period)]

    def _is_own(self, row: Row, period: Period) -> bool:
        rhythm = self.rhythm(row["indicator"])
        is_asked = not period.quarter or period.quarter in rhythm.asked_in
        return row["period"] in (period.code, rhythm.period_in(period).code if is_asked else "")

    def rhythm(self, indicator: str) -> Rhythm:
        """When an indicator is asked; every quarter, where the plan no longer has it."""
        return self.rhythms.get(indicator, QUARTERLY)

    def label(self, row: Row, code: str) -> str:
        """What people read for a period of a row's indicator."""
        return self.rhythm(row["indicator"]).label(parse_period(code))

    @cached_property
    def latest(self) -> Mapping[tuple[str, str], Row]:
        """The last judgement of each indicator and partner, by the end of the report's period."""
        last_day = self.period.last_day
        return {series_of(row): row for row in self.performance if parse_period(row["period"]).last_day <= last_day}

    def first_of_run(self, row: Row, column: str) -> Row:
        """The first of the judgements up to this one that say the same in a column, one period after the other."""
        rows = {one["period"]: one for one in self.judgements_of(row)}
        period, first = parse_period(row["period"]), row
        while (one := rows.get(period.code)) is not None and one[column] == row[column]:
            first, period = one, self.rhythm(row["indicator"]).before(period)
        return first

    @cached_property
    def next_steps(self) -> Mapping[str, Row]:
        """The milestone of each aspiration that is due next, of those that are neither achieved nor withdrawn."""
        found: dict[str, Row] = {}
        for row in _last_reports(self.every_milestone or self.milestones, None):
            if row["status"] not in SETTLED_MILESTONES:
                known = found.get(row["aspiration"])
                found[row["aspiration"]] = row if known is None or row["due"] < known["due"] else known
        return found

    @cached_property
    def shown_clinics(self) -> Mapping[tuple[str, str], Sequence[Row]]:
        """The clinics of each series that are open, or were closed in the report's period."""
        found: dict[tuple[str, str], list[Row]] = {}
        for one in self.clinics:
            if one["status"] == ClinicStatus.OPEN.value or falls_in(parse_period(one["closed_period"]), self.period):
                found.setdefault(series_of(one), []).append(one)
        return found

    @cached_property
    def comments_of(self) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """What partners said on the figures of each series, by period."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for one in self.comments:
            found.setdefault(series_of(one), {})[one["period"]] = one["comment"]
        return found

    @cached_property
    def findings_about(self) -> Mapping[tuple[str, str], Sequence[Row]]:
        """The findings of each series: those of the partner's whose words name the indicator."""
        # The longest come first: of two names that begin alike, a text means the longer.
        names = sorted({*self.indicators, *(indicator for indicator, _ in self._series)}, key=len, reverse=True)
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")
        found: dict[tuple[str, str], list[Row]] = {}
        for one in self.findings if names else ():
            for indicator in dict.fromkeys(pattern.findall(one["message"])):
                found.setdefault((indicator, one["partner_code"]), []).append(one)
        return found

    def milestones_until(self, period: Period | None) -> Sequence[Row]:
        """Each milestone once, as last reported by the end of a period; of the report's if None."""
        return self.once(("milestones", period), lambda: _last_reports(self.milestones, period))

    def table_rows(self) -> list[Row]:
        """The rows of the table of the report's period: what was judged, and what is owed and is not there.

        What the period does not ask for, and nobody has returned before, has the plan's own figure.
        What is owed has `is_refused` and `is_held`: whether it may have been returned, and was refused or is held.
        """
        judged = self.of_period(self.period)
        returned = {series_of(row) for row in judged}
        refused, held = ({row["partner_code"] for row in rows} for rows in (self.refused, self.held))
        missing = (
            {**row, "is_refused": row["partner_code"] in refused, "is_held": row["partner_code"] in held}
            for row in self.owed
            if series_of(row) not in returned
        )
        planned = (row for row in self.planned if series_of(row) not in returned)
        return sorted([*judged, *missing, *planned], key=in_plan_order)

    @cached_property
    def _series(self) -> Mapping[tuple[str, str], Sequence[Row]]:
        """The judgements of each indicator and partner: thousands of rows ask for their own."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.performance:
            found.setdefault(series_of(row), []).append(row)
        return found

    def series(self, row: Row) -> "Series":
        """All judged periods of a row's indicator and partner, to tell noise and the end of the year from."""
        # pandas takes half a second to import, which reading the warehouse should not cost.
        from cypp_etl.judgement.outlook.series import Series  # noqa: PLC0415

        return self.once(
            ("series", series_of(row)),
            lambda: Series({parse_period(one["period"]): self._point(one) for one in self.judgements_of(row)}),
        )

    def _point(self, row: Row) -> "Point":
        from cypp_etl.judgement.outlook.series import Point  # noqa: PLC0415 - as in `series`

        partner_code, indicator, period = row["partner_code"], row["indicator"], row["period"]
        return Point(
            row["decimals"],
            row["actual"],
            row["change"],
            row["previous_actual"],
            parse_period(row["previous_period"]),
            row["direction_basis"] == DirectionBasis.OUTTURN,
            row["year_to_date"],
            (partner_code, indicator, period) in self.breaks,
            self.ratios.get(FigureKey(partner_code, indicator, Measure.ACTUAL, period)),
        )

    @cached_property
    def _shared(self) -> Set[str]:
        """The indicators that more than one partner returns, or owes."""
        series = {*self._series, *map(series_of, [*self.owed, *self.planned])}
        count = Counter(indicator for indicator, _ in series)
        return {indicator for indicator, partners in count.items() if partners > 1}

    def judgements_of(self, row: Row) -> Sequence[Row]:
        """The judgements of all periods of a row's indicator and partner."""
        return self._series.get(series_of(row), ())

    def named(self, row: Row) -> str:
        """The indicator of a row, with its partner where another one returns it too."""
        return f"{row['indicator']} ({whose})" if (whose := self.whose(row)) else str(row["indicator"])

    def whose(self, row: Row) -> str:
        """The partner of a row, where another one returns its indicator too; empty where that goes without saying."""
        return self.partner(row) if row["indicator"] in self._shared else ""

    def partner(self, row: Row) -> str:
        """The name of a row's partner; its code where the plan has none."""
        return self.partners.get(row["partner_code"], row["partner_code"])

    def course(self, row: Row, count: int) -> list[tuple[Period, Row | None]]:
        """The last periods that lead up to a judgement, each with its own; None where there is none.

        They are quarters, or years where no quarter is there or the indicator is yearly, from the first one judged on,
        and all of one unit: an indicator may have another in another year. A row of what was not returned stands at the
        end.
        """
        key = ("course", row["indicator"], row["partner_code"], row["period"], count)
        return self.once(key, lambda: self._course(row, count))

    def _course(self, row: Row, count: int) -> list[tuple[Period, Row | None]]:
        rhythm = self.rhythm(row["indicator"])
        # A quarter may have been judged before its indicator was yearly.
        is_of_years = rhythm.is_yearly and not (is_judged(row) and row["quarter"])
        same = [
            one
            for one in self.judgements_of(row)
            if all(one[name] == row[name] for name in _UNIT) and not (is_of_years and one["quarter"])
        ]
        quarters = [one for one in same if one["quarter"]]
        # A quarter that was not returned has no place among years.
        missing = [row] if not is_judged(row) and (quarters or not same or rhythm.is_yearly) else []
        found = {parse_period(one["period"]): one for one in [*(quarters or same), *missing]}
        first, period = min(found), max(found)
        course = [(period, found.get(period))]
        while period > first and len(course) < count:
            period = rhythm.before(period)
            course.append((period, found.get(period)))
        return course[::-1]


_REPORTED = ("period", "status", "evidence", "review", "review_reason")


def _last_reports(milestones: Sequence[Row], until: Period | None) -> list[Row]:
    latest: dict[str, Row] = {}
    for row in milestones:
        # Later reports do not count: the milestone is shown as not reported.
        is_later = until is not None and row["period"] is not None and parse_period(row["period"]).order > until.order
        if not is_later:
            latest[row["milestone"]] = row
        elif row["milestone"] not in latest:
            latest[row["milestone"]] = {**row, **dict.fromkeys(_REPORTED)}
    return sorted(latest.values(), key=lambda row: (row["aspiration"], row["due"], row["milestone"]))


def falls_in(one: Period, period: Period) -> bool:
    """Whether a period ends within another: a quarter in its year, and a year with its last quarter."""
    return period.previous.last_day < one.last_day <= period.last_day


def is_judged(row: Row) -> bool:
    """Whether a row is from a return, not a placeholder for an owed figure, nor the plan's own."""
    return row["recorded_at"] is not None


def in_plan_order(row: Row) -> tuple[bool, int, str, str]:
    """The sort key: the number in the plan's table, those without one last."""
    number = row["indicator_no"]
    return not number, int(number) if number and number.isdigit() else 0, row["indicator"], row["partner_code"]
