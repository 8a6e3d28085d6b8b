"""The contents of the tables of the Excel edition, independent of the writer."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cypp_etl.judgement.columns import BOARD_TITLES
from cypp_etl.report.changes import SignChange, changed_indicators, corrections, revisions, revisions_heading
from cypp_etl.report.figures import comparator_year, figure_text, shorthand, words_of_unit
from cypp_etl.report.groups.standings import GroupStanding, Member, groups
from cypp_etl.report.model import BoardData, Row
from cypp_etl.report.pages import about, clinics_shown, diagnosis_words, happening, noise_of
from cypp_etl.report.returns import status_words
from cypp_etl.report.symbols import sign
from cypp_etl.report.table import COMPARED, polarity_words
from cypp_etl.templates.openpyxl_styles import Content
from schemas.codes import Marker


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its display format."""

    value: float | None
    instead: str
    row: Row


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One table, on its own sheet: each heading has a width, and `rows_of` gives the rows of a report or of a part."""

    sheet: str
    title: str
    headings: Sequence[tuple[str, float]]
    rows_of: Callable[[BoardData], Iterable[Sequence[Content | Figure]]]


def tables(data: BoardData) -> list[SheetTable]:
    """The tables of series in their order; the writer leaves out those without rows.

    `data` may be without series, which are written part by part.
    """
    label = data.period.label
    return [
        SheetTable(
            "Indicators",
            f"Performance indicators, {label}",
            [
                *(("No.", 6), ("Reference", 11), ("Definition", 44), ("Good performance", 18), ("A year before", 11)),
                *(
                    ("Target", 11),
                    ("Performance", 13),
                    ("Shorthand and years beside figures", 30),
                    ("Year to date", 11),
                    *((name, 18) for name in BOARD_TITLES.values()),
                ),
                *(("Statistical neighbours", 13), ("National", 11), ("Next target", 11), ("Target after", 11)),
                *(("Change since last year", 26), ("Period", 24), ("Partner", 30), ("Unit", 22)),
                *_NOTED.values(),
            ],
            lambda part: (_indicator_row(part, row) for row in part.table_rows()),
        ),
        SheetTable(
            "Changes",
            f"Symbols that changed since {data.period.previous.label}",
            [("Indicator", 12), ("Definition", 50), *((name, 26) for name in BOARD_TITLES.values()), ("Partner", 30)],
            lambda part: (
                [one.row["indicator"], one.row["definition"], *map(_sign_change, one.changes), part.partner(one.row)]
                for one in changed_indicators(part)
            ),
        ),
        SheetTable(
            "Corrections",
            revisions_heading(data, 1),
            [("Indicator", 12), ("Period", 12), ("What turned", 70), ("On", 18), ("Because of", 60), ("Partner", 30)],
            lambda part: (
                [one.indicator, one.period, "; ".join(one.changes), one.on, one.because, one.partner]
                for one in corrections(revisions(part))
            ),
        ),
        SheetTable(
            "Clinics",
            "Performance clinics open, or closed in the period",
            [
                *(("Partner", 30), ("Indicator", 44), ("What happened to it", 30), ("Diagnosis", 44)),
                ("Milestones due", 12),
                ("Achieved", 12),
            ],
            lambda part: (_clinic_row(part, *one) for one in clinics_shown(part)),
        ),
        _data_quality(),
    ]


def _sign_change(change: SignChange | None) -> str:
    return (
        f"{change.now.symbol} {change.now.word} (was {change.was.symbol} {change.was.word})" if change else "as before"
    )


def _clinic_row(data: BoardData, clinic: Row, row: Row) -> list[Content | Figure]:
    return [
        *(data.partner(clinic), f"{row['indicator']}: {row['definition']}", happening(clinic, data.period)),
        diagnosis_words(clinic),
        *(str(clinic["milestones_due"]), str(clinic["milestones_achieved"])),
    ]


def groups_table(data: BoardData) -> SheetTable:
    """Each figure of a group, followed by its members', the best first."""
    return SheetTable(
        "Groups",
        f"Groups and their partners, {data.period.label}",
        [
            *(("Group", 30), ("Indicator", 12), ("Definition", 44), ("Period", 24), ("Whose", 30), ("Rank", 8)),
            *(
                ("Performance", 13),
                ("Year to date", 11),
                ("Target", 11),
                ("On target", 18),
                ("Direction of travel", 18),
            ),
            *(("Quartile", 18), ("Lower quartile", 11), ("Median", 11), ("Upper quartile", 11)),
            *(("Partners returned", 12), ("To be known", 60)),
        ],
        lambda part: (
            row for group in groups(part) for one in group.standings for row in _rows_of_group(part, group.group, one)
        ),
    )


def _rows_of_group(data: BoardData, name: str, of: GroupStanding) -> Iterator[list[Content | Figure]]:
    quartiles = [Figure(cut, "[z]", of.row) for cut in of.quartiles or (None, None, None)]
    yield [*_row_of_group(data, name, of.row), "[z]", *quartiles, of.returned, " ".join(of.remarks) or "[z]"]
    for one in of.members:
        row = _row_of_group(data, name, one.row, one)
        yield [*row, one.quartile or "[z]", *["[z]"] * (len(quartiles) + 2)]


def _row_of_group(data: BoardData, name: str, row: Row, member: Member | None = None) -> list[Content | Figure]:
    judged = (sign(row, column) for column in ("on_target", "direction"))
    return [
        *(name, row["indicator"], row["definition"], row["period_label"]),
        member.partner if member else "The whole group",
        Decimal(member.rank) if member and member.rank else "[z]",
        *(_figure(data, row, column) for column in ("actual", "year_to_date", "target")),
        *(f"{one.symbol} {one.word}".strip() for one in judged),
    ]


def tables_of_all(data: BoardData) -> list[SheetTable]:
    """The tables that belong to no series, which are written at once."""
    return [
        SheetTable(
            "Milestones",
            f"Milestones, as last reported by the end of {data.period.label}",
            [
                *(("Aspiration", 11), ("Area of focus", 10), ("Milestone", 50), ("Action", 40), ("Due", 14)),
                *(("Status", 16), ("Lead", 22), ("Evidence", 36), ("Review", 12), ("Reason", 30)),
                *_NOTED.values(),
            ],
            lambda whole: (
                [
                    *(row["aspiration"], row["area_of_focus"], row["description"], row["action"], row["due"]),
                    *(row["status"] or "no status reported", row["lead_officer"] or row["strategic_lead"]),
                    *(row["evidence"] or "[z]", row["review"] or "[z]", row["review_reason"] or "[z]"),
                    *_noted(row),
                ]
                for row in whole.milestones_until(None)
            ),
        ),
        SheetTable(
            "Returns",
            f"Returns for {data.period.label}",
            [("Partner", 44), ("Due", 14), ("Status", 34), ("Received", 14)],
            lambda whole: (
                [
                    row["partner"],
                    row["due_on"] or "[z]",
                    status_words(whole, row),
                    row["received_at"].date() if row["received_at"] else "[x]",
                ]
                for row in whole.returns
            ),
        ),
    ]


DATA_QUALITY = "Data quality"


def _data_quality() -> SheetTable:
    return SheetTable(
        DATA_QUALITY,
        "Queries and notes on the figures, and errors of what was refused",
        [
            ("Partner", 12),
            ("File", 30),
            ("Cell", 20),
            ("Asks for", 10),
            ("Typed", 18),
            ("What", 70),
            ("Query", 12),
            ("Answer", 50),
        ],
        lambda part: (
            [
                *(row["partner_code"], row["file_name"], _place(row), row["severity"]),
                *(row["value"] or "[z]", row["message"], row["status"] or "[z]", _answer(row)),
            ]
            for row in part.findings
        ),
    )


def _answer(finding: Row) -> str:
    """Who said what about a query."""
    return f"{finding['answered_by']}: {finding['answer']}" if finding["answer"] else "[z]"


def _place(finding: Row) -> str:
    """Where a finding is; one about the workbook as a whole has no sheet, one about a sheet no cell."""
    return "!".join(filter(None, (finding["sheet"], finding["cell"]))) or "[z]"


_NOTED = {"note": ("Note", 40), "source": ("Source", 30), "url": ("Web page", 30), "owner": ("Kept by", 22)}


def _noted(row: Row) -> list[Content | Figure]:
    """What the plan notes on a row."""
    noted = about(row)
    return [noted.get(name) or "[z]" for name in _NOTED]


_BESIDE = {"previous_actual": "a year before", "target": "target", "actual": "performance"} | {
    "statistical_neighbours": "statistical neighbours",
    "national": "national",
    "next_target": "next target",
    "next_target_2": "target after",
}


def _indicator_row(data: BoardData, row: Row) -> list[Content | Figure]:
    judged = [sign(row, column) for column in BOARD_TITLES]
    beside = [f"{name} {text}" for column, name in _BESIDE.items() if (text := shorthand(row, column, data.texts))]
    beside += [f"{_BESIDE[name]} of {year}" for name in COMPARED if (year := comparator_year(row, name, data.texts))]
    return [
        *(row["indicator_no"] or "[z]", row["indicator"], row["definition"], polarity_words(row)),
        *(_figure(data, row, name) for name in ("previous_actual", "target", "actual")),
        "; ".join(beside) or "[z]",
        Figure(row["year_to_date"], "[x]", row),
        *(f"{one.symbol} {one.word}".strip() for one in judged),
        *(_figure(data, row, name) for name in ("statistical_neighbours", "national", "next_target", "next_target_2")),
        noise_of(data, row).variation.value,
        row["period_label"],
        data.partner(row),
        words_of_unit(row) or row["unit"],
        *_noted(data.indicators.get(row["indicator"], {})),
    ]


def _figure(data: BoardData, row: Row, column: str) -> Figure:
    """A figure, or in its place its marker, or that it was not returned."""
    if column == "actual" and row["marker"] == Marker.NOT_RETURNED.value:
        return Figure(None, sign(row, "direction").word, row)
    return Figure(row[column], figure_text(row, column, data.texts) or "[x]", row)
