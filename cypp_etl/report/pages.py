"""The parts of the report with one subject each: an indicator's history, a clinic's dossier, an aspiration."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cypp_etl.figure_keys import FigureKey
from cypp_etl.judgement.outlook.series import Series, noise_of_all, years_target
from cypp_etl.judgement.outlook.variation import Noise, Scale
from cypp_etl.judgement.outlook.year_end import YearSoFar, needed
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.rhythm import Rhythm
from cypp_etl.report.charts import Drawing, Line, chart
from cypp_etl.report.figures import comparator_year, figure_text, number_text, words_of_unit
from cypp_etl.report.milestones import is_overdue
from cypp_etl.report.model import BoardData, Note, Row, belongs_to, falls_in, series_of
from cypp_etl.report.symbols import Sign, sign
from cypp_etl.report.table import SHOWN_PERIODS, has_like_before, key_of, polarity_words
from schemas.codes import Accumulation, ClinicReason, ClinicStatus, Diagnosis, Measure, Polarity, Unit, YearCourse
from schemas.plan import ABOUT_COLUMNS

_REASONS = {
    ClinicReason.DECLINING.value: "performance was declining",
    ClinicReason.OFF_TARGET.value: "performance did not change, and was off target",
}
_DIAGNOSES = {
    Diagnosis.LATE.value: "Late: milestones that were due have not been achieved.",
    Diagnosis.NOT_WORKING.value: (
        "On time but not working: what was due has been achieved, and no improvement was reported."
    ),
    Diagnosis.NOT_YET_DUE.value: "Not yet due: no milestone was due by then.",
    Diagnosis.NO_PLAN.value: (
        "No plan: the plan has no milestones for what this indicator measures, or all were withdrawn."
    ),
}


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """One period of an indicator's history, figures as text."""

    label: str
    actual: str
    year_to_date: str
    target: str
    on_target: Sign
    direction: Sign
    comment: str


@dataclass(frozen=True, slots=True)
class IndicatorPage:
    """An indicator: its chart, its figures, and its clinic, if any."""

    key: str
    row: Row
    name: str
    title: str
    good: str
    unit: str
    about: Mapping[str, str]
    chart: Drawing | None
    lines: tuple[PeriodLine, ...]
    has_sums: bool
    has_comments: bool
    comparators: tuple[tuple[str, str, Sign], ...]
    clinic_key: str
    compared: str
    noise: Noise
    year_end: "YearEnd | None"


@dataclass(frozen=True, slots=True)
class ClinicPage:
    """A clinic's dossier. `happening` says what happened to it in the period reported on.

    `anchor` is the name of the page's part on the indicator, where that is this dossier.
    """

    key: str
    anchor: str
    clinic_id: str
    partner: str
    title: str
    happening: str
    reason: str
    diagnosis: str
    opened: str
    milestones: str
    has_plan: bool
    due: int
    achieved: int
    measured: str
    indicator: IndicatorPage
    unachieved: tuple[Row, ...]
    notes: tuple[Note, ...]
    findings: tuple[Row, ...]


def indicator_pages(data: BoardData) -> list[IndicatorPage]:
    """A page for each indicator of the period, in the table's order."""
    return [_indicator_page(data, row) for row in data.of_period(data.period)]


def clinic_pages(data: BoardData, indicators: Iterable[IndicatorPage] = ()) -> list[ClinicPage]:
    """The clinics that are open at the end of the period, or were closed by it; the newest first.

    `indicators` are pages that have been made already, for whatever clinics of theirs.
    """
    made = {page.key: page for page in indicators}
    return [_clinic_page(data, *one, made) for one in clinics_shown(data)]


def clinics_shown(data: BoardData) -> list[tuple[Row, Row]]:
    """The clinics that have a page, each with the last judgement of its indicator, in the order of the pages."""
    shown = [clinic for several in data.shown_clinics.values() for clinic in several]
    # As in the register, those opened in the same period by indicator and partner.
    shown.sort(key=lambda clinic: (clinic["indicator"], clinic["partner_code"]))
    shown.sort(key=lambda clinic: clinic["opened_period"], reverse=True)
    return [(clinic, data.latest[series_of(clinic)]) for clinic in shown]


def about(row: Row) -> dict[str, str]:
    """What the plan notes on a row, empty where it notes nothing; an address is one that a browser may be sent to."""
    noted = {name: row.get(name) or "" for name in ABOUT_COLUMNS}
    noted["url"] = noted["url"] if noted["url"].casefold().startswith(("https://", "http://")) else ""
    return noted if any(noted.values()) else {}


def open_clinic(data: BoardData, row: Row) -> Row | None:
    """The clinic that a series has open, if any."""
    clinics = data.shown_clinics.get(series_of(row), ())
    return next((one for one in clinics if one["status"] == ClinicStatus.OPEN.value), None)


def noise_of(data: BoardData, row: Row) -> Noise:
    """Whether the change shown by the arrow is more than noise."""
    key = ("noise", row["indicator"], row["partner_code"], row["period"])
    return data.once(key, lambda: _noise_of(data, row))


def _noise_of(data: BoardData, row: Row) -> Noise:
    return _series(data, row).noise(*_asked_of(data, row))


def _asked_of(data: BoardData, row: Row) -> tuple[Period, Scale, Rhythm]:
    return parse_period(row["period"]), _scale(data, row), data.rhythm(row["indicator"])


def _series(data: BoardData, row: Row) -> Series:
    """The series of a row. The noise of all rows of the table is worked out at once: one by one takes far longer."""
    rows = data.of_period(data.period)
    data.once("noises", lambda: noise_of_all([(data.series(one), *_asked_of(data, one)) for one in rows]))
    return data.series(row)


def _scale(data: BoardData, row: Row) -> Scale:
    """What a row's figures are; how its quarters add up is not in the row."""
    known, plan = data.indicators.get(row["indicator"]), data.plan
    accumulation = Accumulation(known["accumulation"]) if known else Accumulation.LATEST
    if plan is not None and row["indicator"] in plan.indicators:
        accumulation = plan.edition(row["indicator"], parse_period(row["period"])).accumulation
    return Scale(Unit(row["unit"]), row["decimals"], accumulation)


@dataclass(frozen=True, slots=True)
class YearEnd:
    """How a year stands to its target: what is needed, in words, and whether it is on course, if that can be told."""

    needed: str
    projection: str
    course: YearCourse | None


def year_end_of(data: BoardData, row: Row) -> YearEnd | None:
    """How the year of a quarter's figure stands to its target; None where there is no target or no figure."""
    plan, period = data.plan, parse_period(row["period"])
    if plan is None or row["indicator"] not in plan.indicators:
        return None
    outlook = _series(data, row).outlook(
        period,
        (Polarity(row["polarity"]), _scale(data, row)),
        data.rhythm(row["indicator"]),
        years_target(period.year, lambda of: _target(data, row, of)),
        plan.edition(row["indicator"], period).banding,
    )
    if outlook.year is None:
        return None
    if outlook.course is None or outlook.projected is None:
        return YearEnd(_needed_words(outlook.year, row), "", None)
    figure = number_text(float(outlook.projected), row)
    how = ", if it stays as it is" if outlook.year.accumulation is Accumulation.LATEST else ""
    projection = f"Projected for the year{how}: {figure}, {outlook.course}."
    return YearEnd(_needed_words(outlook.year, row), projection, outlook.course)


def _needed_words(year: YearSoFar, row: Row) -> str:
    target = number_text(float(year.target), row)
    each = needed(year)
    if each is None or year.polarity not in (Polarity.HIGH, Polarity.LOW):
        return f"The year's target is {target}."
    quarters = (
        "the quarter that remains" if year.remaining == 1 else f"each of the {year.remaining} quarters that remain"
    )
    if year.polarity is Polarity.HIGH:
        if each <= 0:
            return f"The year's target of {target} is met already."
        return f"To meet the year's target of {target}, {number_text(float(each), row)} is needed in {quarters}."
    if each < 0:
        return f"The year's target of {target} is exceeded already."
    return f"To meet the year's target of {target}, {number_text(float(each), row)} may still come in {quarters}."


def _target(data: BoardData, row: Row, period: Period) -> float | None:
    """The target of a row's series for a period: the one that was returned, or the plan's, the partner's own first."""
    known = data.texts.find(FigureKey(row["partner_code"], row["indicator"], Measure.TARGET, period.code))
    return known.value if known else None


def diagnosis_words(clinic: Row) -> str:
    """The diagnosis of a clinic in a sentence."""
    return _DIAGNOSES[clinic["diagnosis"]]


def happening(clinic: Row, period: Period) -> str:
    """What happened to a clinic in a period."""
    opened, closed = parse_period(clinic["opened_period"]), clinic["closed_period"]
    if clinic["status"] == ClinicStatus.CLOSED.value:
        return f"closed in {parse_period(closed).label}"
    if falls_in(opened, period):
        return f"opened in {opened.label}"
    return f"carried over since {opened.label}"


def _indicator_page(data: BoardData, row: Row) -> IndicatorPage:
    course = data.course(row, SHOWN_PERIODS)
    series = [one for _, one in course if one]
    clinic = next(iter(data.shown_clinics.get(series_of(row), ())), None)
    comments = data.comments_of.get(series_of(row), {})
    return IndicatorPage(
        key=key_of(row),
        row=row,
        name=data.named(row),
        title=f"{data.named(row)}: {row['definition']}",
        good=polarity_words(row),
        unit=words_of_unit(row),
        about=about(data.indicators.get(row["indicator"], {})),
        chart=_chart(data, course, row),
        lines=tuple(_period_line(data, one, comments.get(one["period"], "")) for one in reversed(series)),
        has_sums=any(one["year_to_date"] not in (None, one["actual"]) for one in series),
        has_comments=any(comments.get(one["period"]) for one in series),
        comparators=tuple(_comparators(data, row)),
        clinic_key=clinic_key(clinic) if clinic else "",
        compared=f"from {data.label(row, row['previous_period'])} to {row['period_label']}",
        noise=noise_of(data, row),
        year_end=year_end_of(data, row),
    )


def _chart(data: BoardData, course: list[tuple[Period, Row | None]], row: Row) -> Drawing | None:
    labels = [period.label[2:] for period, _ in course]
    columns = {
        name: [one[name] if one else None for _, one in course] for name in ("year_to_date", "target", *_COMPARED)
    }
    series = [one for _, one in course if one]
    if len(course) == 1 and has_like_before(series[0]):
        labels.insert(0, parse_period(row["previous_period"]).label[2:])
        columns = {name: [None, *values] for name, values in columns.items()}
        columns["year_to_date"][0] = row["previous_actual"]
    name = "Year to date" if any(one["year_to_date"] != one["actual"] for one in series) else "Performance"
    lines = [
        Line(name, "actual", columns["year_to_date"]),
        Line("Target", "target", columns["target"]),
        *(Line(label, style, columns[column]) for column, (label, style) in _COMPARED.items()),
    ]
    unit = words_of_unit(row)
    title = f"{data.named(row)}, {name.lower()}{f', in {unit}' if unit else ''}, {labels[0]} to {labels[-1]}."
    return chart(labels, lines, f"{title} Figures beside it.", unit)


_COMPARED = {"statistical_neighbours": ("Statistical neighbours", "neighbours"), "national": ("National", "national")}


def _period_line(data: BoardData, row: Row, comment: str) -> PeriodLine:
    return PeriodLine(
        label=row["period_label"],
        actual=figure_text(row, "actual", data.texts) or "not returned",
        year_to_date=number_text(row["year_to_date"], row) if row["year_to_date"] is not None else "-",
        target=figure_text(row, "target", data.texts) or "-",
        on_target=sign(row, "on_target"),
        direction=sign(row, "direction"),
        comment=comment,
    )


def _comparators(data: BoardData, row: Row) -> Iterator[tuple[str, str, Sign]]:
    for column, (label, _) in _COMPARED.items():
        if row[column] is not None:
            year = comparator_year(row, column, data.texts)
            text = figure_text(row, column, data.texts)
            yield label, f"{text} in {year}" if year else text, sign(row, f"{column}_band")


def clinic_key(clinic: Row) -> str:
    """The name of the page's part on a clinic."""
    return "clinic-" + str(clinic["clinic_id"]).lower().replace(" ", "-")


def _clinic_page(data: BoardData, clinic: Row, row: Row, made: Mapping[str, IndicatorPage]) -> ClinicPage:
    own = page = made.get(key_of(row))
    # What was made is of the figure that the period shows, which need not be the last one.
    if page is None or page.row is not row:
        page = _indicator_page(data, row)
    measured = parse_period(clinic["measured_period"])
    unachieved = tuple(
        one
        for one in data.milestones_until(measured)
        if one["aspiration"] in data.indicators[row["indicator"]]["measured"] and is_overdue(one, measured)
    )
    return ClinicPage(
        key=clinic_key(clinic),
        anchor=own.key if own and own.clinic_key == clinic_key(clinic) else "",
        clinic_id=clinic["clinic_id"],
        partner=data.partner(clinic),
        title=page.title,
        happening=happening(clinic, data.period),
        reason=_REASONS[clinic["reason"]],
        diagnosis=diagnosis_words(clinic),
        opened=data.label(row, clinic["opened_period"]),
        milestones=_milestones_words(clinic, any(one["due"] > measured.last_day for one in unachieved)),
        has_plan=clinic["diagnosis"] != Diagnosis.NO_PLAN,
        due=clinic["milestones_due"],
        achieved=clinic["milestones_achieved"],
        measured=measured.label,
        indicator=page,
        unachieved=unachieved,
        notes=tuple(note for note in data.notes if belongs_to(note, clinic)),
        findings=tuple(data.findings_about.get(series_of(clinic), ())),
    )


def _milestones_words(clinic: Row, some_missed_early: bool) -> str:
    """How many milestones a diagnosis rests on; those reported as missed before their day count as due."""
    due, achieved = clinic["milestones_due"], clinic["milestones_achieved"]
    what = "milestone of its aspirations was" if due == 1 else "milestones of its aspirations were"
    or_missed = " due or reported as missed" if some_missed_early else " due"
    return f"{due} {what}{or_missed}, of which {achieved} {'was' if achieved == 1 else 'were'} achieved"
