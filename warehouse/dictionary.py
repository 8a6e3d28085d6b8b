"""The data dictionary: every column of every view that BI tools use, what it means and what it counts in.

`python -m warehouse.dictionary` prints it as the page `docs/warehouse.md`.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.codes import (
    ActionKind,
    Band,
    ClinicReason,
    ClinicStatus,
    Diagnosis,
    Direction,
    Marker,
    MilestoneStatus,
    OnTarget,
    Polarity,
    Qualifier,
    ReturnStatus,
    Review,
    Severity,
)
from schemas.codes import SubmissionStatus as Status


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "date and time, UTC"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column: `unit` is what a number counts in, empty for everything else."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One view: `row` says what a row of it is."""

    name: str
    row: str
    columns: tuple[ViewColumn, ...]


def _words(*code_lists: type[StrEnum]) -> str:
    return ", ".join(f"`{code.value}`" for code_list in code_lists for code in code_list)


def _text(name: str, meaning: str) -> ViewColumn:
    return ViewColumn(name, Kind.TEXT, meaning)


def _whole(name: str, meaning: str, unit: str = "") -> ViewColumn:
    return ViewColumn(name, Kind.INTEGER, meaning, unit)


def _figure(name: str, meaning: str) -> ViewColumn:
    return ViewColumn(name, Kind.NUMBER, meaning, "the indicator's unit; percentages in percentage points")


def _moment(name: str, meaning: str) -> ViewColumn:
    return ViewColumn(name, Kind.MOMENT, meaning)


def _judged(name: str, meaning: str, code_list: type[StrEnum]) -> tuple[ViewColumn, ViewColumn]:
    return _text(name, f"{meaning}: {_words(code_list)}"), _text(f"{name}_symbol", f"The symbol of `{name}`")


_PERFORMANCE = (
    _text("period", "Code of the period: a financial year, `2010-11`, or a quarter of it, `2010-11Q1`"),
    _text("period_label", "The period as people write it: `2010/11` or `2010/11 Q1`"),
    _text("financial_year", "Code of the financial year, April to March: `2010-11`"),
    _whole("quarter", "1 (April to June) to 4 (January to March); empty for a whole year"),
    _text("outcome_code", "Code of the outcome that the indicator belongs to"),
    _text("outcome", "The outcome"),
    _text("indicator_no", "The indicator's number in the plan's table"),
    _text("indicator_ref", "Reference of the indicator without its sub-indicator: `NI 111`"),
    _text("sub", "Letter of the sub-indicator: `a`; empty where there are none"),
    _text("indicator", "Reference of the indicator that carries the figure: `NI 111a`"),
    _text("definition", "What is measured; a sub-indicator's follows its parent's"),
    _text("polarity", f"What good performance is: {_words(Polarity)}"),
    _text("unit", "What the indicator's figures count in"),
    _whole("decimals", "Decimals to which the indicator's figures are compared and shown", "digits"),
    _text("partner_code", "Code of the partner whose figure it is"),
    _figure("actual", "The figure returned; empty where a marker says why there is none"),
    _text("actual_text", "What was typed in the cell"),
    _text("marker", f"Why there is no figure: {_words(Marker)}; or what to know of it: {_words(Qualifier)}"),
    _text("previous_period", "Code of the period that the direction of travel compares with"),
    _figure("previous_actual", "The figure of that period"),
    _figure("change", "`actual` less `previous_actual`, each rounded to the indicator's decimals"),
    *_judged("direction", "Direction of travel, year on year", Direction),
    _text("direction_basis", "What the direction of travel compares with, in words"),
    *_judged("quarter_direction", "Direction of travel since the quarter before", Direction),
    _figure("target", "The target that the year to date is compared with"),
    *_judged("on_target", "Whether the year to date meets the target", OnTarget),
    _figure("year_to_date", "The year so far, by the indicator's way of adding up"),
    *_judged("target_band", "Where the year to date stands against the target", Band),
    _figure("statistical_neighbours", "Latest figure of the statistical neighbours"),
    *_judged("statistical_neighbours_band", "Where the year to date stands against them", Band),
    _figure("national", "Latest national figure"),
    *_judged("national_band", "Where the year to date stands against it", Band),
    _figure("next_target", "Next year's target"),
    _figure("next_target_2", "The target of the year after"),
    _whole("submission_id", "The submission that the figure came with: see `bi_submissions`"),
    _text("source_file", "Name of the file that the figure came in"),
    _text("source_sheet", "Sheet of that file"),
    _text("source_cell", "Cell of that sheet"),
    _moment("recorded_at", "When the row came into force"),
)

VIEWS = (
    View("bi_performance", "an indicator and a period, by partner, as it stands now", _PERFORMANCE),
    View(
        "bi_performance_history",
        "a row that is, or ever was, in `bi_performance`. As of a moment: `recorded_at` is not after it, and "
        "`superseded_at` is empty or after it",
        (*_PERFORMANCE, _moment("superseded_at", "When another row took its place; empty while it is in force")),
    ),
    View(
        "bi_submissions",
        "an attempt to return something, whatever became of it",
        (
            _whole("submission_id", "The submission's number"),
            _text("partner_code", "Code of the partner; empty where the file does not say"),
            _text("period", "Code of the period; empty where the file does not say"),
            _whole("version", "Which attempt it was at this partner's return for this period", "attempts"),
            _text("file_name", "Name of the file"),
            _text("sha256", "SHA-256 of the file's bytes, by which the archive keeps it"),
            _moment("received_at", "When the file was received"),
            _text("status", f"What became of it: {_words(Status)}. Superseded: accepted, and replaced since"),
            _whole("errors", "Findings that must be corrected", "findings"),
            _whole("queries", "Findings that must be explained", "findings"),
            _whole("notes", "Findings that are worth knowing", "findings"),
            _whole("observations", "Figures and markers loaded from it", "observations"),
        ),
    ),
    View(
        "bi_findings",
        "a finding in a submission; a duplicate's stand with the submission it duplicates",
        (
            _whole("submission_id", "The submission: see `bi_submissions`"),
            _text("code", "What kind of finding it is"),
            _text("severity", f"What it asks for: {_words(Severity)}"),
            _text("sheet", "Sheet; blank where it is about the file as a whole"),
            _text("cell", "Cell; blank where it is about the sheet as a whole"),
            _text("value", "What was typed"),
            _text("message", "What is wrong"),
            _text("fix", "What to do"),
        ),
    ),
    View(
        "bi_return_status",
        "a quarter that a partner owes, or a whole year that it returned",
        (
            _text("partner_code", "Code of the partner"),
            _text("period", "Code of the period"),
            ViewColumn("due_on", Kind.DATE, "The last day on which it is on time; empty for a year that nobody owes"),
            _text(
                "status",
                f"Where the return stands today: {_words(ReturnStatus)}. Received: the first accepted submission came "
                "on or before `due_on`; late: after it. Days end at midnight UTC",
            ),
            _moment("received_at", "When the submission in force was received"),
            _whole("submission_id", "The submission in force: see `bi_submissions`"),
        ),
    ),
    View(
        "bi_milestones",
        "a milestone of the plan in force and a period for which it was reported; a milestone that was never reported "
        "has one row, whose `period` is empty",
        (
            _text("milestone", "Code of the milestone"),
            _text("outcome_code", "Code of the outcome that it serves"),
            _text("aspiration", "Code of the aspiration that it serves: `PC1`"),
            _text(
                "area_of_focus",
                "Whether the aspiration is an area of focus: `yes`, `no`, `in part` (for a group of children that it "
                "names)",
            ),
            _text("action", "The action that delivers it"),
            _text("kind", f"What the action is: {_words(ActionKind)}"),
            _text("description", "What is to be delivered"),
            ViewColumn("due", Kind.DATE, "The day by which it is due"),
            _text("strategic_lead", "Who answers for the action"),
            _text("lead_officer", "Who carries it out; empty where the plan does not say"),
            _text("period", "Code of the period reported"),
            _text("status", f"What was reported: {_words(MilestoneStatus)}; empty where nothing was"),
            _text("evidence", "What shows it"),
            _text("review", f"What the review of the action decided: {_words(Review)}"),
            _text("review_reason", "Why"),
        ),
    ),
    View(
        "bi_clinics",
        "a performance clinic: opened by the first period in which the direction of travel of an indicator, as one "
        "partner returns it, is not positive, and closed by the second period running in which it improves",
        (
            _text("clinic_id", "Partner, indicator and the period that opened it: `yos NI 45 2009-10Q1`"),
            _text("indicator", "Reference of the indicator: `NI 45`"),
            _text("opened_period", "Code of the period that opened it"),
            _text("reason", f"Why it was opened: {_words(ClinicReason)}"),
            _text("closed_period", "Code of the period that closed it; empty while it is open"),
            _whole(
                "milestones_due",
                "Milestones of the indicator's outcome, without those withdrawn, that were due by the end of the "
                "clinic's last period without improvement, or were reported missed",
                "milestones",
            ),
            _whole("milestones_achieved", "Those of them that were reported achieved by then", "milestones"),
            _text(
                "diagnosis",
                f"What they say of the missing improvement: {_words(Diagnosis)}. Late: not all that were due are "
                "achieved; no plan: the outcome has no milestones",
            ),
            _text("status", f"Where it stands: {_words(ClinicStatus)}"),
        ),
    ),
    View(
        "bi_symbol_changes",
        "a judgement's word, and so its symbol, that turned when the judgement was made again. What came for the first "
        "time has turned nothing",
        (
            _text("indicator", "Reference of the indicator: `NI 111a`"),
            _text("period", "Code of the period judged"),
            _text("column", "The column of `bi_performance` that turned: `direction`"),
            _text("was", "The word until then"),
            _text("is", "The word from then on"),
            _moment("changed_at", "When it turned"),
            _whole("submission_id", "The submission behind it; empty where a change of the plan turned it"),
            _text(
                "source_cell",
                "The cell behind it: of the figures that came anew then, one that changed, the judged one first; "
                "`bi_submissions` and `bi_performance_history` name its file and sheet",
            ),
        ),
    ),
)


def dictionary_page() -> str:
    """The page `docs/warehouse.md`, as Markdown."""
    sections = "\n".join(_section(view) for view in VIEWS)
    return f"""# The warehouse's views

Query these views, and not the tables beneath them: the names, columns and order of the views are a promise, the tables
change with the program. This page is written by `python -m warehouse.dictionary > docs/warehouse.md`.

A row in force is the last word on its matter. Nothing is ever changed or deleted: a later submission ends a row
(`superseded_at`) and begins another (`recorded_at`), so that every figure and symbol can be asked as of any moment.

{sections}"""


def _section(view: View) -> str:
    rows = "\n".join(f"| `{one.name}` | {one.kind} | {one.unit} | {one.meaning} |" for one in view.columns)
    return f"""## {view.name}

A row is {view.row}.

| column | holds | counts in | meaning |
|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    print(dictionary_page(), end="")
