"""The parts of the report with one subject each: an indicator's history, a clinic's dossier, an aspiration."""

from collections.abc import Iterator
from dataclasses import dataclass

from cypp_etl.periods import Period, parse_period
from cypp_etl.report.charts import Line, chart
from cypp_etl.report.figures import figure_text, number_text
from cypp_etl.report.milestones import is_overdue, latest_milestones
from cypp_etl.report.model import BoardData, FigureKey, Note, Row, Texts
from cypp_etl.report.symbols import Sign, sign
from cypp_etl.report.table import key_of, polarity_words
from cypp_etl.report.variation import Noise, noise
from schemas.codes import ClinicReason, ClinicStatus, Diagnosis, Measure, Unit

_SHOWN_PERIODS = 8

_REASONS = {
    ClinicReason.DECLINING.value: "performance was declining",
    ClinicReason.OFF_TARGET.value: "performance did not change, and was off target",
}
_DIAGNOSES = {
    Diagnosis.LATE.value: "Late: milestones that were due have not been achieved.",
    Diagnosis.NOT_WORKING.value: (
        "On time but not working: what was due has been achieved, and the indicator did not improve."
    ),
    Diagnosis.NOT_YET_DUE.value: "Not yet due: no milestone was due so far.",
    Diagnosis.NO_PLAN.value: "No plan: the plan has no milestones for this outcome.",
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
    title: str
    good: str
    chart: str
    lines: tuple[PeriodLine, ...]
    has_sums: bool
    comparators: tuple[tuple[str, str, Sign], ...]
    clinic_key: str
    noise: Noise


@dataclass(frozen=True, slots=True)
class ClinicPage:
    """A clinic's dossier. `happening` says what happened to it in the period reported on."""

    key: str
    clinic_id: str
    title: str
    happening: str
    reason: str
    diagnosis: str
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


def clinic_pages(data: BoardData) -> list[ClinicPage]:
    """The clinics that are open at the end of the period, or were closed by it; the newest first."""
    rows = {(row["indicator"], row["partner_code"]): row for row in data.performance if _counts_to(row, data.period)}
    shown = [clinic for clinic in data.clinics if _is_shown(clinic, data.period)]
    return [
        _clinic_page(data, clinic, rows[clinic["indicator"], clinic["partner_code"]])
        for clinic in sorted(shown, key=lambda clinic: clinic["opened_period"], reverse=True)
    ]


def noise_of(data: BoardData, row: Row) -> Noise:
    """Whether the change shown by the arrow is more than noise."""
    periods = (row["period"], row["previous_period"])
    ours, theirs = (
        data.ratios.get(FigureKey(row["partner_code"], row["indicator"], Measure.ACTUAL, period)) for period in periods
    )
    earlier = [one["actual"] for one in data.series(row) if one["period"] < row["period"]]
    course = [value for value in earlier if value is not None] if row["quarter"] else []
    return noise(Unit(row["unit"]), row["actual"], row["previous_actual"], (ours, theirs), course)


def happening(clinic: Row, period: Period) -> str:
    """What happened to a clinic in a period."""
    if clinic["status"] == ClinicStatus.CLOSED.value:
        return f"closed in {parse_period(clinic['closed_period']).label}"
    if clinic["opened_period"] == period.code:
        return f"opened in {period.label}"
    return f"carried over since {parse_period(clinic['opened_period']).label}"


def belongs_to(note: Note, clinic: Row) -> bool:
    """Whether a note belongs to a clinic: for its series, while it was open."""
    if (note.partner_code, note.indicator) != (clinic["partner_code"], clinic["indicator"]):
        return False
    first, last = parse_period(clinic["opened_period"]), clinic["closed_period"]
    return first <= parse_period(note.period) and (not last or parse_period(note.period) <= parse_period(last))


def _counts_to(row: Row, period: Period) -> bool:
    """Whether a judgement is of the period or an earlier one; a dictionary keeps the last."""
    found = parse_period(row["period"])
    return found.last_day <= period.last_day and bool(found.quarter) >= bool(period.quarter and row["quarter"])


def _is_shown(clinic: Row, period: Period) -> bool:
    if clinic["status"] == ClinicStatus.OPEN.value:
        return True
    closed = parse_period(clinic["closed_period"])
    return closed == period or (not period.quarter and closed.year == period)


def _indicator_page(data: BoardData, row: Row) -> IndicatorPage:
    series = data.series(row)[-_SHOWN_PERIODS:]
    clinic = next((one for one in data.clinics if _same(one, row) and _is_shown(one, data.period)), None)
    comments = {one["period"]: one["comment"] for one in data.comments if _same(one, row)}
    return IndicatorPage(
        key=key_of(row),
        title=f"{row['indicator']}: {row['definition']}",
        good=polarity_words(row),
        chart=_chart(series, row),
        lines=tuple(_period_line(data, one, comments.get(one["period"], "")) for one in reversed(series)),
        has_sums=any(one["year_to_date"] not in (None, one["actual"]) for one in series),
        comparators=tuple(_comparators(data, row)),
        clinic_key=_clinic_key(clinic) if clinic else "",
        noise=noise_of(data, row),
    )


def _same(one: Row, row: Row) -> bool:
    return bool(one["indicator"] == row["indicator"] and one["partner_code"] == row["partner_code"])


def _chart(series: list[Row], row: Row) -> str:
    labels = [one["period_label"][2:] for one in series]
    columns = {name: [one[name] for one in series] for name in ("year_to_date", "target", *_COMPARED)}
    if len(series) == 1:
        labels.insert(0, parse_period(row["previous_period"]).label[2:])
        columns = {name: [None, *values] for name, values in columns.items()}
        columns["year_to_date"][0] = row["previous_actual"]
    name = "Year to date" if any(one["year_to_date"] != one["actual"] for one in series) else "Performance"
    lines = [
        Line(name, "actual", columns["year_to_date"]),
        Line("Target", "target", columns["target"]),
        *(Line(label, style, columns[column]) for column, (label, style) in _COMPARED.items()),
    ]
    said = [
        f"{label}: {number_text(value, row) if value is not None else 'no figure'}"
        for label, value in zip(labels, columns["year_to_date"], strict=True)
    ]
    return chart(
        labels, lines, f"{row['indicator']}, {name.lower()}. {'; '.join(said)}. The table below has all figures."
    )


_COMPARED = {"statistical_neighbours": ("Statistical neighbours", "neighbours"), "national": ("National", "national")}


def _period_line(data: BoardData, row: Row, comment: str) -> PeriodLine:
    return PeriodLine(
        label=row["period_label"],
        actual=figure_text(row, "actual", data.texts) or "not returned",
        year_to_date=figure_text(row, "year_to_date", Texts()) or "-",
        target=figure_text(row, "target", data.texts) or "-",
        on_target=sign(row, "on_target"),
        direction=sign(row, "direction"),
        comment=comment,
    )


def _comparators(data: BoardData, row: Row) -> Iterator[tuple[str, str, Sign]]:
    for column, (label, _) in _COMPARED.items():
        if row[column] is not None:
            yield label, figure_text(row, column, data.texts), sign(row, f"{column}_band")


def _clinic_key(clinic: Row) -> str:
    return "clinic-" + str(clinic["clinic_id"]).lower().replace(" ", "-")


def _clinic_page(data: BoardData, clinic: Row, row: Row) -> ClinicPage:
    page = _indicator_page(data, row)
    measured = parse_period(clinic["measured_period"])
    return ClinicPage(
        key=_clinic_key(clinic),
        clinic_id=clinic["clinic_id"],
        title=page.title,
        happening=happening(clinic, data.period),
        reason=_REASONS[clinic["reason"]],
        diagnosis=_DIAGNOSES[clinic["diagnosis"]],
        due=clinic["milestones_due"],
        achieved=clinic["milestones_achieved"],
        measured=measured.label,
        indicator=page,
        unachieved=tuple(
            one
            for one in latest_milestones(data, measured)
            if one["outcome_code"] == row["outcome_code"] and is_overdue(one, measured)
        ),
        notes=tuple(note for note in data.notes if belongs_to(note, clinic)),
        findings=tuple(
            one
            for one in data.findings
            if one["partner_code"] == clinic["partner_code"] and row["indicator"] in one["message"]
        ),
    )
