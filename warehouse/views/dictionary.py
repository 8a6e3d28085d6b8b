"""The data dictionary: every column of every view that BI tools use, with its meaning and unit.

`python -m warehouse.views.dictionary` prints it as the page `docs/warehouse.md`.
"""

from collections.abc import Iterable

from schemas.codes import (
    Accumulation,
    ActionKind,
    Band,
    ClinicReason,
    ClinicStatus,
    ComparatorMethod,
    DecisionKind,
    Diagnosis,
    Direction,
    Frequency,
    Marker,
    MilestoneStatus,
    OnTarget,
    Polarity,
    Qualifier,
    QueryStatus,
    ReportedYear,
    ReturnStatus,
    Review,
    Severity,
    Unit,
    Variation,
    YearCourse,
    YearType,
)
from schemas.codes import SubmissionStatus as Status
from warehouse.views.columns import (
    Kind,
    View,
    ViewColumn,
    code_column,
    figure_column,
    judged_columns,
    moment_column,
    text_column,
    whole_column,
    words_of,
    yes_no_column,
)

_PERIOD = (
    code_column(
        "period",
        "Code of the period: a financial year, `2010-11`, or a quarter of it, `2010-11Q1`",
        refers_to="bi_period",
    ),
    text_column("period_label", "The period as people write it: `2010/11` or `2010/11 Q1`"),
    code_column("financial_year", "Code of the financial year, April to March: `2010-11`"),
    whole_column("quarter", "1 (April to June) to 4 (January to March); empty for a whole year"),
)
_DESCRIPTION = (
    code_column("outcome_code", "Code of the outcome that the indicator belongs to", refers_to="bi_outcome"),
    text_column("outcome", "The outcome"),
    code_column("indicator_no", "The indicator's number in the plan's table"),
    code_column("indicator_ref", "Reference of the indicator without its sub-indicator: `NI 111`"),
    code_column("sub", "Letter of the sub-indicator: `a`; empty if there is none"),
    code_column("indicator", "Reference of the indicator that carries the figure: `NI 111a`", refers_to="bi_indicator"),
    text_column("definition", "What is measured; a sub-indicator's follows its parent's"),
    code_column("polarity", "What good performance is: {words}", Polarity),
    code_column("unit", "The unit of the indicator's figures: {words}", Unit),
    whole_column("decimals", "Decimals with which the indicator's figures are compared and shown", "digits"),
)
_UNIT = (
    text_column(
        "unit_label", "What people read behind a figure, such as `per 1,000 births`; empty if the plan has none"
    ),
    text_column("currency", "The symbol of the currency, if the unit is money"),
)
_TARGET_GAP = figure_column(
    "target_gap",
    "By how much the year to date is better than the target: positive where that is good, whatever the polarity",
)
_COMPARES_BODIES = text_column(
    "compares_bodies",
    "Whether the figures of bodies of different size compare: `yes` or `no`. Where they do not, as counts do not "
    "unless the plan says so, bands against comparators are `not applicable`",
)
_JUDGEMENTS = (
    *judged_columns("direction", "Direction of travel, year on year", Direction),
    text_column("direction_basis", "What the direction of travel compares with, in words"),
    *judged_columns("quarter_direction", "Direction of travel since the quarter before", Direction),
    figure_column("target", "The target that the year to date is compared with"),
    *judged_columns("on_target", "Whether the year to date meets the target", OnTarget),
    figure_column("year_to_date", "The year so far, by the indicator's way of adding up"),
    *judged_columns("target_band", "Band of the year to date against the target", Band),
    figure_column(
        "statistical_neighbours",
        "Latest figure of the statistical neighbours; spread over the year where quarters add up",
    ),
    *judged_columns("statistical_neighbours_band", "Band of the year to date against the statistical neighbours", Band),
    figure_column("national", "Latest national figure; spread over the year where quarters add up"),
    *judged_columns("national_band", "Band of the year to date against the national figure", Band),
    figure_column("next_target", "Next year's target"),
    figure_column("next_target_2", "The target of the year after"),
)
_PERFORMANCE = (
    *_PERIOD,
    *_DESCRIPTION,
    code_column("partner_code", "Code of the partner whose figure it is", refers_to="bi_partner"),
    figure_column("actual", "The figure returned; empty if a marker says why there is none"),
    text_column("actual_text", "What was typed in the cell"),
    text_column(
        "marker", f"Why there is no figure: {words_of(Marker)}; or what to know about it: {words_of(Qualifier)}"
    ),
    code_column(
        "previous_period", "Code of the period that the direction of travel compares with", refers_to="bi_period"
    ),
    figure_column("previous_actual", "The figure of that period"),
    figure_column("change", "`actual` less `previous_actual`, each rounded to the indicator's decimals"),
    *_JUDGEMENTS,
    whole_column(
        "submission_id", "The submission that the figure came with: see `bi_submissions`", refers_to="bi_submissions"
    ),
    text_column("source_file", "Name of the file that the figure came in"),
    text_column("source_sheet", "Sheet of that file"),
    text_column("source_cell", "Cell of that sheet"),
    moment_column("recorded_at", "When the row came into force"),
)
# What came after version 1, whose columns stay in their order.
_PERFORMANCE_SINCE = (
    code_column(
        "year_type",
        "Which year a year of the indicator is: {words}. 2010-11 is the academic year from September "
        "2010 to August 2011, or the calendar year 2010; `period_label` says so",
        YearType,
    ),
    whole_column("edition", "Which edition of the indicator holds for the period, and describes the row: 1, 2 ..."),
    *_UNIT,
    _TARGET_GAP,
    text_column(
        "variation",
        f"Whether the change on last year is more than noise: {words_of(Variation)}. Empty in rows that were replaced "
        "before it was told",
    ),
    text_column(
        "on_course",
        f"Whether the year, if it goes on like this, meets its target: {words_of(YearCourse)}. At risk: it misses it "
        "by no more than the margin of the target. Empty where `variation` is",
    ),
    _COMPARES_BODIES,
)

_WITHHELD = "; `[withheld: ...]`, with its cell, if it may hold personal data and is not released"

_SAME_OF_AN_INDICATOR = ("indicator_no", "indicator_ref", "sub", "definition")


def _about(what: str) -> tuple[ViewColumn, ...]:
    """What a plan says about one of its rows for people to read."""
    return (
        text_column("note", f"What the plan notes on the {what}; changes nothing"),
        text_column("source", "Where the plan has it from"),
        text_column("url", "The address of a page about it"),
        text_column("owner", "Who keeps the plan's row"),
    )


VIEWS = (
    View(
        "bi_performance",
        "an indicator and a period, by partner, as of now",
        (*_PERFORMANCE, *_PERFORMANCE_SINCE),
        key=("partner_code", "indicator", "period"),
    ),
    View(
        "bi_performance_history",
        "a row that is, or ever was, in `bi_performance`. As of a moment: `recorded_at` is not after it, and "
        "`superseded_at` is empty or after it",
        (
            *_PERFORMANCE,
            moment_column("superseded_at", "When another row replaced it; empty while it is in force"),
            *_PERFORMANCE_SINCE,
        ),
    ),
    View(
        "bi_submissions",
        "an attempt to return something, whatever its outcome",
        (
            whole_column("submission_id", "The submission's number"),
            code_column("partner_code", "Code of the partner; empty if the file does not say", refers_to="bi_partner"),
            code_column("period", "Code of the period; empty if the file does not say", refers_to="bi_period"),
            whole_column("version", "Which attempt it was at this partner's return for this period", "attempts"),
            text_column("file_name", "Name of the file; withheld if it may hold personal data"),
            text_column("sha256", "SHA-256 of the file's bytes, which is its name in the archive"),
            moment_column("received_at", "When the file was received"),
            code_column(
                "status",
                "Its status: {words}. Held: not in force until the data team decides; refused: held, and "
                "not accepted by their decision. Superseded: accepted or held, and replaced since; one that was held "
                "and is accepted is in force as a submission of its own. Withdrawn: accepted, and taken out of force "
                "by a decision",
                Status,
            ),
            whole_column("errors", "Findings that must be corrected", "findings"),
            whole_column("queries", "Findings that must be explained", "findings"),
            whole_column("notes", "Findings that are worth knowing", "findings"),
            whole_column(
                "observations", "Figures and markers recorded of it, in force at some time or held", "observations"
            ),
        ),
        key=("submission_id",),
    ),
    View(
        "bi_findings",
        "a finding in a submission; a duplicate's are listed with the submission that it duplicates",
        (
            whole_column("submission_id", "The submission: see `bi_submissions`", refers_to="bi_submissions"),
            code_column("code", "What kind of finding it is"),
            code_column("severity", "What it asks for: {words}", Severity),
            text_column("sheet", "Sheet, its name withheld if it may hold personal data; blank: the file as a whole"),
            text_column("cell", "Cell; blank if it is about the sheet as a whole"),
            text_column(
                "value",
                "What was typed; `[withheld: ...]` for good if it may hold personal data; `[erased]` if it was erased",
            ),
            text_column("message", "What is wrong"),
            text_column("fix", "What to do"),
        ),
    ),
    View(
        "bi_return_status",
        "a return that a partner owes, or one that it made without owing it",
        (
            code_column("partner_code", "Code of the partner", refers_to="bi_partner"),
            code_column("period", "Code of the period", refers_to="bi_period"),
            ViewColumn(
                "due_on",
                Kind.DATE,
                "The last day on which it is on time; empty if no longer in the calendar",
            ),
            code_column(
                "status",
                "The status of the return today: {words}. Received: the first accepted submission "
                "came on or before `due_on`; late: after it. Days end at midnight UTC",
                ReturnStatus,
            ),
            moment_column("received_at", "When the first accepted submission came; a correction does not change it"),
            whole_column(
                "submission_id",
                "The submission in force: see `bi_submissions`, which has its own moment",
                refers_to="bi_submissions",
            ),
        ),
        key=("partner_code", "period"),
    ),
    View(
        "bi_milestones",
        "a milestone of the plan in force and a period for which it was reported; a milestone that was never reported "
        "has one row, whose `period` is empty",
        (
            code_column("milestone", "Code of the milestone"),
            code_column("outcome_code", "Code of the outcome that it serves", refers_to="bi_outcome"),
            code_column("aspiration", "Code of the aspiration that it serves: `PC1`", refers_to="bi_aspiration"),
            code_column(
                "area_of_focus",
                "Whether the aspiration is an area of focus: `yes`, `no`, `in part` (for a group of children that it "
                "names)",
            ),
            text_column("action", "The action that delivers it"),
            code_column("kind", "What the action is: {words}", ActionKind),
            text_column("description", "What is to be delivered"),
            ViewColumn("due", Kind.DATE, "The day by which it is due"),
            text_column("strategic_lead", "Who is accountable for the action"),
            text_column("lead_officer", "Who carries it out; empty if the plan does not say"),
            code_column("period", "Code of the period reported", refers_to="bi_period"),
            code_column("status", "What was reported: {words}; empty if nothing was", MilestoneStatus),
            text_column("evidence", f"What shows it{_WITHHELD}"),
            code_column("review", "What the review of the action decided: {words}", Review),
            text_column("review_reason", f"Why{_WITHHELD}"),
            *_about("milestone"),
        ),
    ),
    View(
        "bi_clinics",
        "a performance clinic: opened by the first period in which the direction of travel of an indicator, as one "
        "partner returns it, is not positive, and closed by the second period running in which it improves",
        (
            text_column("clinic_id", "Partner, indicator and the period that opened it: `yos NI 45 2009-10Q1`"),
            code_column("indicator", "Reference of the indicator: `NI 45`", refers_to="bi_indicator"),
            code_column("opened_period", "Code of the period that opened it", refers_to="bi_period"),
            code_column("reason", "Why it was opened: {words}", ClinicReason),
            code_column(
                "closed_period",
                "Code of the period that closed it, or of the last that the figure was owed for; empty while open",
                refers_to="bi_period",
            ),
            whole_column(
                "milestones_due",
                "Milestones of the indicator's aspirations, without those withdrawn, that were due by the end of the "
                "clinic's last period without improvement, or were reported missed",
                "milestones",
            ),
            whole_column("milestones_achieved", "Those of them that were reported achieved by then", "milestones"),
            code_column(
                "diagnosis",
                "What they say about the missing improvement: {words}. Late: not all that were due are "
                "achieved; no plan: the aspirations have no milestones",
                Diagnosis,
            ),
            code_column("status", "Its status: {words}", ClinicStatus),
            code_column("partner_code", "Code of the partner whose indicator it is", refers_to="bi_partner"),
        ),
        key=("clinic_id",),
    ),
    View(
        "bi_symbol_changes",
        "a judgement's word, and so its symbol, that changed when the judgement was made again. A first judgement is "
        "not a change",
        (
            code_column("indicator", "Reference of the indicator: `NI 111a`", refers_to="bi_indicator"),
            code_column("period", "Code of the period judged", refers_to="bi_period"),
            code_column("judgement", "The column of `bi_performance` that changed: `direction`"),
            code_column("was", "The word before"),
            code_column("became", "The word after"),
            moment_column("changed_at", "When it changed"),
            whole_column(
                "submission_id",
                "The submission that caused it; empty if a decision caused it, or a new version of the program",
                refers_to="bi_submissions",
            ),
            text_column(
                "source_cell",
                "The cell that caused it: one of the figures that changed then, the judged one first",
            ),
            code_column("partner_code", "Code of the partner whose indicator it is", refers_to="bi_partner"),
            text_column("source_file", "Name of the file of `source_cell`"),
            text_column("source_sheet", "Sheet of that file"),
            whole_column(
                "decision_id",
                "The decision behind it, if any: a plan adopted, or a return withdrawn: see `bi_decisions`",
                refers_to="bi_decisions",
            ),
        ),
    ),
    View(
        "bi_period",
        "a period that a return, a figure or the plan is about: the other views' periods lead here",
        (
            *_PERIOD,
            code_column("year_type", "Which year it is, or is part of: {words}", YearType),
            ViewColumn("starts_on", Kind.DATE, "Its first day"),
            ViewColumn("ends_on", Kind.DATE, "Its last day"),
            whole_column("period_order", "Sorts periods by their last day, a whole year after its quarters"),
            yes_no_column("is_closed", "`yes` where the Board has closed it to returns; else `no`"),
        ),
        key=("period",),
    ),
    View(
        "bi_indicator",
        "an indicator that carries figures, of the plan in force or of an earlier one, as today's edition has it",
        (
            code_column("indicator", "Reference of the indicator: `NI 111a`"),
            *(column for column in _DESCRIPTION if column.name in _SAME_OF_AN_INDICATOR),
            code_column("outcome_code", "Code of the outcome that it belongs to", refers_to="bi_outcome"),
            text_column("outcome", "The outcome"),
            code_column("polarity", "What good performance is: {words}", Polarity),
            code_column("unit", "The unit of its figures: {words}", Unit),
            *_UNIT,
            whole_column("decimals", "Decimals with which its figures are compared and shown", "digits"),
            code_column("accumulation", "How quarters make the year to date: {words}", Accumulation),
            code_column("frequency", "How often it is asked: {words}", Frequency),
            code_column("asked_in", "The quarters whose forms ask for it: `Q1 Q2 Q3 Q4`"),
            code_column("year_type", "Which year a year of it is: {words}", YearType),
            code_column("reports_on", "Of which year its figure is: {words}", ReportedYear),
            text_column("aspirations", "Codes of the aspirations that it measures, with spaces between: `PC1 PC2`"),
            yes_no_column("is_current", "`yes` where the plan in force has it, and it holds today; else `no`"),
            whole_column("edition", "Which of its editions describes it today: 1, 2 ..."),
            code_column(
                "first_period", "Code of the period from which on it holds; empty if open", refers_to="bi_period"
            ),
            code_column(
                "last_period", "Code of the last period in which it holds; empty if open", refers_to="bi_period"
            ),
            *_about("indicator"),
        ),
        key=("indicator",),
    ),
    View(
        "bi_partner",
        "a partner of the plan in force or of an earlier one, or somebody else whose return was taken, such as whoever "
        "publishes the table: then its name is its code",
        (
            code_column("partner_code", "Code of the partner"),
            text_column("partner", "The partner"),
            code_column("group_code", "Code of the group that it is in; empty if in none", refers_to="bi_group"),
            text_column("group", "The group; a reserved word, so write it between double quotes"),
            yes_no_column("is_current", "`yes` where the plan in force has it, and it holds today; else `no`"),
            code_column("parent_group_code", "Code of the group that its group is part of", refers_to="bi_group"),
            text_column("parent_group", "That group"),
            code_column(
                "successor", "Code of the partner that takes its series over; empty if none", refers_to="bi_partner"
            ),
            code_column(
                "first_period", "Code of the period from which on it returns; empty if open", refers_to="bi_period"
            ),
            code_column("last_period", "Code of the last period that it returns; empty if open", refers_to="bi_period"),
            *_about("partner"),
        ),
        key=("partner_code",),
    ),
    View(
        "bi_group",
        "a group of partners, of the plan in force or of an earlier one",
        (
            code_column("group_code", "Code of the group"),
            text_column("group", "The group; a reserved word, so write it between double quotes"),
            code_column(
                "parent_group_code", "Code of the group that it is part of; empty if none", refers_to="bi_group"
            ),
            text_column("parent_group", "That group"),
            yes_no_column("is_current", "`yes` where the plan in force has it; else `no`"),
        ),
        key=("group_code",),
    ),
    View(
        "bi_outcome",
        "an outcome of the plan in force or of an earlier one",
        (
            code_column("outcome_code", "Code of the outcome: `PC`"),
            text_column("outcome", "The outcome"),
            yes_no_column("is_current", "`yes` where the plan in force has it; else `no`"),
        ),
        key=("outcome_code",),
    ),
    View(
        "bi_aspiration",
        "an aspiration of the plan in force or of an earlier one",
        (
            code_column("aspiration", "Code of the aspiration: `PC1`"),
            text_column("description", "The aspiration in words"),
            code_column("outcome_code", "Code of the outcome that it belongs to", refers_to="bi_outcome"),
            text_column("outcome", "The outcome"),
            code_column("area_of_focus", "Whether it is an area of focus: `yes`, `no`, `in part`"),
            text_column("focus_on", "The group of children that is in focus, where it is so in part"),
            yes_no_column("is_current", "`yes` where the plan in force has it; else `no`"),
            *_about("aspiration"),
        ),
        key=("aspiration",),
    ),
    View(
        "bi_decisions",
        "a decision of the data team's",
        (
            whole_column("decision_id", "The decision's number"),
            code_column("kind", "What was decided: {words}", DecisionKind),
            text_column("about", "What it was decided on: a plan, a period, a query, a submission or a text"),
            code_column(
                "partner_code",
                "Code of the partner whom it is about; empty where it is about all",
                refers_to="bi_partner",
            ),
            code_column(
                "period", "Code of the period that it is about; empty where it is about all", refers_to="bi_period"
            ),
            text_column("decided_by", "Who decided it"),
            moment_column("decided_at", "When"),
            text_column("why", "Why"),
            ViewColumn("until", Kind.DATE, "The last day on which it holds; empty where it has none"),
        ),
        key=("decision_id",),
    ),
    View(
        "bi_queries",
        "a query of an accepted submission, in force or not",
        (
            whole_column("submission_id", "The submission that it was asked of", refers_to="bi_submissions"),
            code_column("partner_code", "Code of the partner who is asked", refers_to="bi_partner"),
            code_column("period", "Code of the period of the return", refers_to="bi_period"),
            code_column("code", "Code of the query, as in `bi_findings`"),
            text_column("subject", "Indicator or milestone of its row; empty where it is about none"),
            text_column("sheet", "Sheet; empty where it is about the whole file"),
            text_column("cell", "Cell; empty where it is about a whole sheet or file"),
            moment_column("asked_at", "When the return came that was asked first: a correction may be asked again"),
            code_column(
                "status",
                "What has become of it: {words}. Explained: a later submission says in that row what "
                "the first did not; superseded: the submission is not in force any more",
                QueryStatus,
            ),
            text_column("answer", "The partner's explanation, the data team's answer, or why it is waived"),
            text_column("answered_by", "Who said so: the partner's code, or somebody of the data team"),
            moment_column("answered_at", "When"),
            whole_column("query_id", "The query's number, by which it is answered"),
            text_column("message", "What was asked"),
        ),
        key=("query_id",),
    ),
    View(
        "bi_comparisons",
        "a figure of `bi_performance` and a comparator of the plan in force",
        (
            code_column("partner_code", "Code of the partner whose figure it is", refers_to="bi_partner"),
            code_column("indicator", "Reference of the indicator: `NI 111a`", refers_to="bi_indicator"),
            code_column("period", "Code of the period", refers_to="bi_period"),
            code_column("comparator", "Code of the comparator: `national`"),
            text_column("heading", "What people call it"),
            code_column("method", "How it comes about: {words}", ComparatorMethod),
            figure_column("value", "Its figure: if given, the latest; if computed, of the same period"),
            *judged_columns(
                "band", "Band of the year to date against it; see `compares_bodies` in `bi_performance`", Band
            ),
            whole_column("bodies", "Partners from whose figures it was computed; 0 if it is given", "partners"),
            moment_column("recorded_at", "When the row came into force"),
        ),
        key=("partner_code", "indicator", "period", "comparator"),
    ),
    View(
        "bi_group_performance",
        "a group of the plan in force, an indicator and a period that any of its partners has returned; it has the "
        "partners of the groups that are part of it",
        (
            *_PERIOD,
            *_DESCRIPTION,
            code_column("group_code", "Code of the group", refers_to="bi_group"),
            text_column("group", "The group; a reserved word, so write it between double quotes"),
            figure_column(
                "actual",
                "The sum of the partners' numbers, and of money or days that add up over the year; otherwise that of "
                "their numerators over that of their denominators, times the multiplier",
            ),
            code_column(
                "previous_period",
                "Code of the period that the direction of travel compares with",
                refers_to="bi_period",
            ),
            figure_column("previous_actual", "The group's figure of that period"),
            figure_column("change", "`actual` less `previous_actual`, each rounded to the indicator's decimals"),
            *_JUDGEMENTS,
            whole_column("partners_owing", "Partners of the group that owe the indicator for the period", "partners"),
            whole_column("partners_returned", "Those of them that have returned a figure", "partners"),
            text_column(
                "note", "Why there is no figure, why it is not judged, or why it has no year to date; empty otherwise"
            ),
            moment_column("recorded_at", "When the row came into force"),
            *_UNIT,
            _TARGET_GAP,
            _COMPARES_BODIES,
        ),
        key=("group_code", "indicator", "period"),
    ),
)


def dictionary_page() -> str:
    """The page `docs/warehouse.md`, as Markdown."""
    sections = "\n".join(_section(view) for view in VIEWS)
    return f"""# The warehouse's views

Query these views, not the tables behind them: the views' names, columns and column order are a promise, while the
tables change with the program. This page is generated by `python -m warehouse.views.dictionary > docs/warehouse.md`.

A row in force is the current version. Nothing is ever changed or deleted: a later submission closes a row
(`superseded_at`) and adds another (`recorded_at`), so that every figure and symbol can be queried as of any moment.

A column that leads to a view holds a value of that view's key, or nothing: join by it
([decision 47](decisions/0047-one-row-for-each-key.md)).
A `code` is a text that many rows repeat; `yes or no` is a text.

{sections}"""


def _section(view: View) -> str:
    rows = "\n".join(f"| `{one.name}` | {one.kind} | {one.unit} | {one.meaning} |" for one in view.columns)
    key = [f"its key is {_listed(view.key)}"] if view.key else []
    leading: dict[str, list[str]] = {}
    for name, other in view.references:
        leading.setdefault(other, []).append(name)
    joins = [*key, *(f"{_listed(names)} leads to `{other}`" for other, names in leading.items())]
    return f"""## {view.name}

A row is {view.row}.

For joins: {"; ".join(joins)}.

| column | type | unit | meaning |
|---|---|---|---|
{rows}
"""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(dictionary_page(), end="")
