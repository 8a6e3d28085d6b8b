"""The first page: what to look at before anything else, each a line that leads to what stands behind it."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from cypp_etl.periods import parse_period
from cypp_etl.phrases import date_text
from cypp_etl.report.changes import changes_since_last_period, revisions_heading
from cypp_etl.report.figures import figure_text
from cypp_etl.report.milestones import is_past_due, milestone_key
from cypp_etl.report.model import BoardData, Row, belongs_to, in_plan_order, is_judged, series_of
from cypp_etl.report.pages import YearEnd, clinic_key, open_clinic, year_end_of
from cypp_etl.report.returns import nothing_returned, status_words, wanting
from cypp_etl.report.symbols import Sign, Tone, sign
from cypp_etl.report.table import key_of, missing_key
from schemas.codes import ClinicStatus, Diagnosis, Direction, DirectionBasis, NoteKind, OnTarget, YearCourse

SHOWN_LINES = 10
"""A longer list shows these, and the others on demand or where they stand."""

_RANKS = {Tone.BAD: 0, Tone.STEADY: 1, Tone.GOOD: 2}


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement of a line, and the word that it had in the period before, where that is what the line is about."""

    name: str
    sign: Sign
    was: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: what it is about, whose it is, what to know, and its judgements; `key` is where it leads.

    `beside` is what was said on it: by the partner, or at its clinic. `urgency` sorts the lines of a question, the
    lowest first. `place` is the address of the page that `key` is on; empty if it is the same.
    """

    key: str
    title: str
    owner: str
    text: str
    judged: tuple[Judged, ...] = ()
    beside: tuple[str, ...] = ()
    urgency: tuple[Any, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Concern:
    """A question that the first page answers: its lines, the most urgent first, or why there are none.

    `count` is how many there are, of which the lines may be the first. `all_key` is where all of them stand besides;
    empty where they stand nowhere else.
    """

    heading: str
    lines: Sequence[Line]
    count: int
    otherwise: str
    all_key: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Lines of a question, the most urgent first, and how many there are of which these are the first."""

    lines: Sequence[Line]
    count: int


class Question(StrEnum):
    """What is asked of each series, and so on every page of a large report."""

    UNATTENDED = "unattended"
    CLINICS = "clinics"
    OFF_COURSE = "off course"
    LEFT_OUT = "left out"
    CHANGED = "changed"


def found_in(data: BoardData) -> dict[Question, Found]:
    """What there is to say of the series of a report, or of a part of it."""
    lines = {
        Question.UNATTENDED: _unattended(data),
        Question.CLINICS: _clinic_lines(data),
        Question.OFF_COURSE: _off_course(data),
        Question.LEFT_OUT: _left_out(data),
        Question.CHANGED: _changed(data),
    }
    return {
        question: Found(sorted(found, key=lambda line: line.urgency), len(found)) for question, found in lines.items()
    }


def concerns(
    data: BoardData,
    found: Mapping[Question, Found],
    revision_count: int,
    *,
    is_empty: bool,
    places: Mapping[str, str] = MappingProxyType({}),
) -> list[Concern]:
    """The questions in the order in which the Board asks them.

    `data` has what belongs to no series, `found` what does; `revision_count` is how many symbols were revised,
    `is_empty` says that the period has no figure, and `places` on which page a milestone is, if that is another.
    """
    empty = nothing_returned(data) if is_empty else ""
    overdue = [replace(line, place=places.get(line.key, "")) for line in _overdue(data)]
    late, left_out, changed = _late(data), found[Question.LEFT_OUT], found[Question.CHANGED]
    revised = [_corrections(data, revision_count)] if revision_count else []

    def concern(heading: str, found: Found, otherwise: str, all_key: str = "") -> Concern:
        return Concern(heading, found.lines, found.count, otherwise, all_key)

    return [
        concern(
            "Off target or getting worse, and without a clinic",
            found[Question.UNATTENDED],
            empty or "Everything that is off target, declining or worse than in the period before has a clinic.",
        ),
        concern("Open performance clinics", found[Question.CLINICS], "No clinic is open.", "clinics"),
        concern(
            "Off course or at risk for the year",
            found[Question.OFF_COURSE],
            empty or "Nothing is projected to miss its target.",
        ),
        concern("Overdue milestones", Found(overdue, len(overdue)), "No milestone is overdue.", "milestones"),
        concern(
            "Late or missing",
            Found([*late, *left_out.lines], len(late) + left_out.count),
            "No return is late or missing, and none leaves a figure out.",
        ),
        concern(
            f"Changed since {data.period.previous.label}",
            Found([*changed.lines, *revised], changed.count + len(revised)),
            empty or "No symbol has changed for what was returned in both periods.",
            "changes",
        ),
    ]


def _unattended(data: BoardData) -> list[Line]:
    """What is off target, declines, or reads worse than in the period before, and has no clinic; the worst first."""
    turned_bad = {
        series_of(row)
        for row, _, then, now in changes_since_last_period(data)
        if now.tone is Tone.BAD and then.tone in _RANKS
    }
    found = []
    for row in data.of_period(data.period):
        is_off, declines = row["on_target"] == OnTarget.NO, row["direction"] == Direction.DECLINING
        if (is_off or declines or series_of(row) in turned_bad) and open_clinic(data, row) is None:
            found.append(_indicator_line(data, row, -(2 * is_off + declines), -_distance(row)))
    return found


def _distance(row: Row) -> float:
    """How far the year to date is off its target, as a share of it; 0 where it is not."""
    if row["on_target"] != OnTarget.NO:
        return 0.0
    return float(abs(row["year_to_date"] - row["target"]) / (abs(row["target"]) or 1))


def _indicator_line(data: BoardData, row: Row, *urgency: float) -> Line:
    text, judged = "; ".join((_against_target(data, row), *_since_when(data, row))), _short_and_long(row)
    beside = (*_comment(data, row), *_next_step(data, row))
    return Line(key_of(row), _title(row), data.partner(row), text, judged, beside, (*urgency, *in_plan_order(row)))


def _since_when(data: BoardData, row: Row) -> Iterator[str]:
    """Since which period it has been off target, or has declined, without a period between."""
    for column, word, state in (
        ("on_target", OnTarget.NO.value, "off target"),
        ("direction", Direction.DECLINING.value, "declining"),
    ):
        if row[column] == word:
            yield f"{state} since {data.first_of_run(row, column)['period_label']}"
            return


def _next_step(data: BoardData, row: Row) -> tuple[str, ...]:
    """The next milestone of the aspirations that an indicator measures, and who leads it, or that none lies ahead."""
    measured = data.indicators[row["indicator"]]["measured"] if row["indicator"] in data.indicators else ()
    steps = [data.next_steps[aspiration] for aspiration in measured if aspiration in data.next_steps]
    if not steps:
        return ("No milestone lies ahead.",) if data.next_steps else ()
    step = min(steps, key=lambda one: (one["due"], one["milestone"]))
    lead = step["lead_officer"] or step["strategic_lead"]
    parts = [step["description"].removesuffix("."), f"due on {date_text(step['due'])}", *([lead] if lead else [])]
    return (f"Next milestone: {', '.join(parts)}",)


def _comment(data: BoardData, row: Row) -> tuple[str, ...]:
    """What the partner said on a figure."""
    comment = data.comments_of.get(series_of(row), {}).get(row["period"])
    return (f"The partner: {comment}",) if comment else ()


def _last_note(data: BoardData, clinic: Row) -> tuple[str, ...]:
    """What was noted last at a clinic, a decision before anything else."""
    notes = [note for note in data.notes if belongs_to(note, clinic)]
    if not notes:
        return ()
    last = max(notes, key=lambda note: (note.kind is NoteKind.DECISION, note.recorded_at))
    return (f"{last.kind.value.capitalize()}, {date_text(last.recorded_at)}, {last.noted_by}: {last.text}",)


def _title(row: Row) -> str:
    return f"{row['indicator']}: {row['definition']}"


def _against_target(data: BoardData, row: Row) -> str:
    """A figure, its period where that is not the report's, last year's, and the target."""
    parts = [figure_text(row, "actual", data.texts) if row["actual"] is not None else "no figure"]
    if row["period"] != data.period.code:
        parts[0] = f"{parts[0]} in {row['period_label']}"
    if row["previous_actual"] is not None:
        before = figure_text(row, "previous_actual", data.texts)
        is_outturn = row["direction_basis"] == DirectionBasis.OUTTURN
        parts.append(f"{before} in the whole of last year" if is_outturn else f"{before} a year before")
    if row["target"] is not None:
        parts.append(f"target {figure_text(row, 'target', data.texts)}")
    return ", ".join(parts)


def _short_and_long(row: Row) -> tuple[Judged, ...]:
    """Whether the target is met, and the direction since last year and since the quarter before, side by side."""
    judged = [Judged("On target", sign(row, "on_target")), Judged("since last year", sign(row, "direction"))]
    if row["quarter"]:
        judged.append(Judged("since last quarter", sign(row, "quarter_direction")))
    return tuple(judged)


def _clinic_lines(data: BoardData) -> list[Line]:
    """The clinics that are open: first those of what did not improve, the longest open first."""
    return [
        _clinic_line(data, one, data.latest[series_of(one)])
        for one in data.clinics
        if one["status"] == ClinicStatus.OPEN.value
    ]


def _improved(row: Row) -> bool:
    return bool(row["direction"] == Direction.IMPROVING)


_DIAGNOSES = {
    Diagnosis.LATE.value: "milestones are late",
    Diagnosis.NOT_WORKING.value: "milestones are on time, but not working",
    Diagnosis.NOT_YET_DUE.value: "no milestone was due yet",
    Diagnosis.NO_PLAN.value: "the plan has no milestones for it",
}


def _clinic_line(data: BoardData, clinic: Row, row: Row) -> Line:
    opened = parse_period(clinic["opened_period"]).label
    if _improved(row):
        works = f"improved in {row['period_label']}, and closes if it improves again"
    else:
        works = f"no improvement on last year in {row['period_label']}; {_DIAGNOSES[clinic['diagnosis']]}"
    # That the plan has no milestones is the diagnosis.
    next_step = _next_step(data, row) if clinic["diagnosis"] != Diagnosis.NO_PLAN else ()
    return Line(
        clinic_key(clinic),
        _title(row),
        data.partner(clinic),
        f"{_against_target(data, row)}; open since {opened}: {works}",
        _short_and_long(row),
        (*_comment(data, row), *_last_note(data, clinic), *next_step),
        (_improved(row), parse_period(clinic["opened_period"]).order, -_distance(row), clinic["clinic_id"]),
    )


def _off_course(data: BoardData) -> list[Line]:
    """What is projected to miss the year's target: first what misses it by more than the margin."""
    return [
        Line(
            key_of(row),
            _title(row),
            data.partner(row),
            f"{year.projection} {year.needed}",
            _short_and_long(row),
            urgency=(year.course is YearCourse.AT_RISK, *in_plan_order(row)),
        )
        for row in data.of_period(data.period)
        for year in _told(data, row)
    ]


def _told(data: BoardData, row: Row) -> Iterator[YearEnd]:
    year = year_end_of(data, row)
    if year is not None and year.course in (YearCourse.AT_RISK, YearCourse.OFF):
        yield year


def _overdue(data: BoardData) -> list[Line]:
    """Milestones whose day has passed and that were not achieved, the longest overdue first."""
    today = data.at.date()
    rows = [row for row in data.milestones_until(None) if is_past_due(row, data.period, today)]
    return [
        Line(
            milestone_key(row),
            f"{row['aspiration']}: {row['description']}",
            row["lead_officer"] or row["strategic_lead"],
            f"Due on {date_text(row['due'])}: {(row['status'] or 'no status reported').lower()}",
        )
        for row in sorted(rows, key=lambda row: row["due"])
    ]


def _late(data: BoardData) -> list[Line]:
    """Returns that are late or missing, were refused or are held."""
    late = {row["partner_code"] for row in wanting(data)}
    not_accepted = {row["partner_code"] for row in [*data.refused, *data.held]}
    lines = []
    for row in data.returns:
        if row["partner_code"] in late | not_accepted:
            came = f"; received on {date_text(row['received_at'].date())}" if row["received_at"] else ""
            due = f"; due on {date_text(row['due_on'])}" if row["due_on"] else ""
            text = f"{status_words(data, row).capitalize()}{due}{came}"
            lines.append(Line("returns", "Return", row["partner"], text))
    known = {row["partner_code"] for row in data.returns}
    return lines + [
        Line("returns", "Return", row["partner"], text)
        for rows, text in ((data.refused, "Refused"), (data.held, "Held until it is decided"))
        for row in rows
        if row["partner_code"] not in known
    ]


def _left_out(data: BoardData) -> list[Line]:
    """Figures that a return leaves out."""
    arrived = {row["partner_code"] for row in data.returns if row["submission_id"]}
    return [
        Line(missing_key(row), _title(row), data.partner(row), "Left out of the return", urgency=in_plan_order(row))
        for row in data.table_rows()
        if not (is_judged(row) or row.get("is_planned")) and row["partner_code"] in arrived
    ]


def _changed(data: BoardData) -> list[Line]:
    """Each indicator with a symbol that differs from the period before, those that turned worse first."""
    by_series: dict[tuple[str, str], list[tuple[Row, str, Sign, Sign]]] = {}
    for one in changes_since_last_period(data):
        by_series.setdefault(series_of(one[0]), []).append(one)
    found = []
    for several in by_series.values():
        row = several[0][0]
        judged = tuple(Judged(name, now, then.word) for _, name, then, now in several)
        turn = _turn({_gain(then, now) for _, _, then, now in several})
        text = f"{turn}: {_against_target(data, row)}"
        urgency = (_TURNS.index(turn), *in_plan_order(row))
        found.append(Line(key_of(row), _title(row), data.partner(row), text, judged, urgency=urgency))
    return found


def _corrections(data: BoardData, count: int) -> Line:
    return Line("corrections", "Corrections and late figures", "", f"{count}: {revisions_heading(data, count)}")


_TURNS = ("Worse", "Better and worse", "Neither better nor worse", "Better")


def _turn(gains: Set[int]) -> str:
    """What the signs of an indicator turned to together."""
    if -1 in gains:
        return "Better and worse" if 1 in gains else "Worse"
    return "Better" if 1 in gains else "Neither better nor worse"


def _gain(then: Sign, now: Sign) -> int:
    """Whether a sign turned better, 1, or worse, -1; 0 where one of both is neither good nor bad."""
    if then.tone not in _RANKS or now.tone not in _RANKS:
        return 0
    gain = _RANKS[now.tone] - _RANKS[then.tone]
    return (gain > 0) - (gain < 0)
