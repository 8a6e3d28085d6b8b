"""The first page: what to look at before anything else, each a line that leads to what stands behind it."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from cypp_etl.findings import in_words
from cypp_etl.periods import parse_period
from cypp_etl.report.changes import changes, turned_heading
from cypp_etl.report.figures import figure_text
from cypp_etl.report.milestones import is_past_due, milestone_key
from cypp_etl.report.model import BoardData, Row, belongs_to, is_judged, series_of
from cypp_etl.report.pages import YearEnd, clinic_key, open_clinic, year_end_of
from cypp_etl.report.returns import nothing_returned, status_words, wanting
from cypp_etl.report.symbols import Sign, Tone, sign
from cypp_etl.report.table import key_of, missing_key
from schemas.codes import ClinicStatus, Direction, NoteKind, OnTarget, YearCourse

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

    `beside` is what was said on it: by the partner, or at its clinic.
    """

    key: str
    title: str
    owner: str
    said: str
    judged: tuple[Judged, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Concern:
    """A question that the first page answers: its lines, the most urgent first, or why there are none.

    `all_key` is where all of them stand besides; empty where they stand nowhere else.
    """

    heading: str
    lines: Sequence[Line]
    otherwise: str
    all_key: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """How an outcome, or all of them, stands: how many of how many are on target, now and in the period before."""

    name: str
    on_target: int
    judged: int
    on_target_before: int
    judged_before: int
    improving: int
    declining: int
    clinics: int

    @property
    def share(self) -> str:
        """The share on target."""
        return _percent(self.on_target, self.judged)

    @property
    def share_before(self) -> str:
        """The share on target in the period before."""
        return _percent(self.on_target_before, self.judged_before)


def _percent(some: int, of: int) -> str:
    """A share in whole percent, rounded so that 0% is none, and 100% all."""
    if not of:
        return "-"
    percent = round(100 * some / of)
    return f"{max(1, min(99, percent)) if 0 < some < of else percent}%"


def concerns(data: BoardData) -> list[Concern]:
    """The questions in the order in which the Board asks them."""
    empty = "" if data.of_period(data.period) else nothing_returned(data)
    return [
        Concern(
            "Off target or worse, and without a clinic",
            _unattended(data),
            empty or "Nothing is off target, is declining or reads worse than before without a clinic.",
        ),
        Concern("Open performance clinics", _clinic_lines(data), "No clinic is open.", "clinics"),
        Concern("Off course for the year", _off_course(data), empty or "Nothing is projected to miss its target."),
        Concern("Overdue milestones", _overdue(data), "No milestone is overdue.", "milestones"),
        Concern("Late or missing", _late(data), "No return is late or missing, and none leaves a figure out."),
        Concern(
            f"Changed since {data.period.previous.label}",
            _changed(data),
            empty or "No symbol reads otherwise, of what was returned for both.",
            "changes",
        ),
    ]


def headline(data: BoardData) -> str:
    """How many are on target, beside the period before; empty where nothing has a target."""
    now = share_of(data, "")
    if not now.judged:
        return ""
    before = f", {now.on_target_before} of {now.judged_before} in {data.period.previous.label}"
    return f"{now.on_target} of {now.judged} on target{before if now.judged_before else ''}."


def shares(data: BoardData) -> list[Share]:
    """How many are on target of each outcome, in the table's order, and of all outcomes where there are several."""
    now, before = data.of_period(data.period), data.of_period(data.period.previous)
    names = {row["outcome_code"]: str(row["outcome"]) for row in now}
    found = [_share(data, name, *_of_outcome(code, now, before)) for code, name in names.items()]
    return [*found, share_of(data, "All outcomes")] if len(found) > 1 else found


def share_of(data: BoardData, name: str) -> Share:
    """How a report, or a part of one, stands."""
    return _share(data, name, data.of_period(data.period), data.of_period(data.period.previous))


def _of_outcome(code: str, *lists: Sequence[Row]) -> Iterator[list[Row]]:
    return ([row for row in rows if row["outcome_code"] == code] for rows in lists)


def _share(data: BoardData, name: str, now: Sequence[Row], before: Sequence[Row]) -> Share:
    def count(rows: Sequence[Row], column: str, *words: str) -> int:
        return sum(row[column] in words for row in rows)

    return Share(
        name,
        count(now, "on_target", OnTarget.YES),
        count(now, "on_target", OnTarget.YES, OnTarget.NO),
        count(before, "on_target", OnTarget.YES),
        count(before, "on_target", OnTarget.YES, OnTarget.NO),
        count(now, "direction", Direction.IMPROVING),
        count(now, "direction", Direction.DECLINING),
        sum(open_clinic(data, row) is not None for row in now),
    )


def _unattended(data: BoardData) -> list[Line]:
    """What is off target, declines, or reads worse than in the period before, and has no clinic; the worst first."""
    turned_bad = {series_of(row) for row, _, then, now in changes(data) if now.tone is Tone.BAD and then.tone in _RANKS}
    found = []
    for row in data.of_period(data.period):
        is_off, declines = row["on_target"] == OnTarget.NO, row["direction"] == Direction.DECLINING
        if (is_off or declines or series_of(row) in turned_bad) and open_clinic(data, row) is None:
            found.append(((-(2 * is_off + declines), -_distance(row) if is_off else 0.0), row))
    # Sorting keeps the table's order among what is equally bad.
    return [_indicator_line(data, row) for _, row in sorted(found, key=lambda one: one[0])]


def _distance(row: Row) -> float:
    """How far the year to date is from its target, as a share of it."""
    return float(abs(row["year_to_date"] - row["target"]) / (abs(row["target"]) or 1))


def _indicator_line(data: BoardData, row: Row) -> Line:
    said, judged = _against_target(data, row), _short_and_long(row)
    return Line(key_of(row), _title(row), data.partner(row), said, judged, _comment(data, row))


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
    return (f"{last.kind.value.capitalize()}, {in_words(last.recorded_at)}, {last.noted_by}: {last.text}",)


def _title(row: Row) -> str:
    return f"{row['indicator']}: {row['definition']}"


def _against_target(data: BoardData, row: Row) -> str:
    """A figure, its period where that is not the report's, and the target."""
    said = figure_text(row, "actual", data.texts) if row["actual"] is not None else "no figure"
    if row["period"] != data.period.code:
        said = f"{said} in {row['period_label']}"
    return f"{said}, target {figure_text(row, 'target', data.texts)}" if row["target"] is not None else said


def _short_and_long(row: Row) -> tuple[Judged, ...]:
    """Whether the target is met, and the direction since last year and since the quarter before, side by side."""
    judged = [Judged("On target", sign(row, "on_target")), Judged("since last year", sign(row, "direction"))]
    if row["quarter"]:
        judged.append(Judged("since last quarter", sign(row, "quarter_direction")))
    return tuple(judged)


def _clinic_lines(data: BoardData) -> list[Line]:
    """The clinics that are open: first those of what did not improve, the longest open first."""
    still_open = [
        (one, data.latest[series_of(one)]) for one in data.clinics if one["status"] == ClinicStatus.OPEN.value
    ]

    def urgency(found: tuple[Row, Row]) -> tuple[bool, int, str]:
        clinic, row = found
        return _improved(row), parse_period(clinic["opened_period"]).order, clinic["clinic_id"]

    return [_clinic_line(data, *one) for one in sorted(still_open, key=urgency)]


def _improved(row: Row) -> bool:
    return bool(row["direction"] == Direction.IMPROVING)


def _clinic_line(data: BoardData, clinic: Row, row: Row) -> Line:
    opened = parse_period(clinic["opened_period"]).label
    if _improved(row):
        works = f"improved in {row['period_label']}, and closes if it improves again"
    else:
        works = f"no improvement in {row['period_label']}; diagnosis: {clinic['diagnosis']}"
    return Line(
        clinic_key(clinic),
        _title(row),
        data.partner(clinic),
        f"{_against_target(data, row)}; open since {opened}: {works}",
        _short_and_long(row),
        (*_comment(data, row), *_last_note(data, clinic)),
    )


def _off_course(data: BoardData) -> list[Line]:
    """What is projected to miss the year's target: first what misses it by more than the margin."""
    found = [
        (year.course is YearCourse.AT_RISK, row, year)
        for row in data.of_period(data.period)
        for year in _told(data, row)
    ]
    return [
        Line(key_of(row), _title(row), data.partner(row), f"{year.projection} {year.needed}", _short_and_long(row))
        for _, row, year in sorted(found, key=lambda one: one[0])
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
            f"Due on {in_words(row['due'])}: {(row['status'] or 'no status reported').lower()}",
        )
        for row in sorted(rows, key=lambda row: row["due"])
    ]


def _late(data: BoardData) -> list[Line]:
    """Returns that are late or missing, were refused or are held, and figures that a return leaves out."""
    late = {row["partner_code"] for row in wanting(data)}
    not_accepted = {row["partner_code"] for row in [*data.refused, *data.held]}
    lines = []
    for row in data.returns:
        if row["partner_code"] in late | not_accepted:
            came = f"; received on {in_words(row['received_at'].date())}" if row["received_at"] else ""
            due = f"; due on {in_words(row['due_on'])}" if row["due_on"] else ""
            said = f"{status_words(data, row).capitalize()}{due}{came}"
            lines.append(Line("returns", "Return", row["partner"], said))
    known = {row["partner_code"] for row in data.returns}
    lines += [
        Line("returns", "Return", row["partner"], said)
        for rows, said in ((data.refused, "Refused"), (data.held, "Held until it is decided"))
        for row in rows
        if row["partner_code"] not in known
    ]
    arrived = {row["partner_code"] for row in data.returns if row["submission_id"]}
    lines += [
        Line(missing_key(row), _title(row), data.partner(row), "Left out of the return")
        for row in data.table_rows()
        if not is_judged(row) and row["partner_code"] in arrived
    ]
    return lines


def _changed(data: BoardData) -> list[Line]:
    """Each indicator with a symbol that reads otherwise than in the period before, those that turned worse first."""
    by_series: dict[tuple[str, str], list[tuple[Row, str, Sign, Sign]]] = {}
    for one in changes(data):
        by_series.setdefault(series_of(one[0]), []).append(one)
    found = []
    for several in by_series.values():
        row = several[0][0]
        judged = tuple(Judged(name, now, then.word) for _, name, then, now in several)
        turn = _turn({_gain(then, now) for _, _, then, now in several})
        said = f"{turn}: {_against_target(data, row)}"
        found.append((_TURNS.index(turn), Line(key_of(row), _title(row), data.partner(row), said, judged)))
    lines = [line for _, line in sorted(found, key=lambda one: one[0])]
    if data.turned:
        said = f"{len(data.turned)}: {turned_heading(data)}"
        lines.append(Line("corrections", "Corrections and late figures", "", said))
    return lines


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
