"""The decisions that can be made in the Prefect UI, each by the function behind the command of the same name."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from prefect.client.schemas.objects import State

from cypp_etl.checked_return import Waiver
from cypp_etl.periods import parse_period
from flows.deployments.decisions.choices import number_of
from flows.deployments.decisions.decision import By, Why, decide, decision
from flows.deployments.parameter_forms import Choices, FormField
from flows.ingestion.context import Workplace
from flows.prefect_runs import remove_runs_of
from flows.team.clinics import note_at_clinic as note
from flows.team.decided import Decided
from flows.team.held_verdicts import decide_held as decide_on
from flows.team.partner_queries import answer_query as answer_to
from flows.team.periods import close_period as close
from flows.team.periods import reopen_period as reopen
from flows.team.plans import Adopted, SettledPeriodsError, compare_plan
from flows.team.plans import adopt_plan as adopt
from flows.team.submissions import ErasedContent
from flows.team.submissions import erase_content as erase
from flows.team.submissions import withdraw_return as withdraw
from flows.team.texts import release_text as release
from flows.team.waivers import end_waiver as end
from flows.team.waivers import waive_query as waive
from schemas.codes import NoteKind

Verdict: TypeAlias = Literal["accept", "refuse"]


@decision("close-period")
async def close_period(
    period: Annotated[str, FormField("Period", Choices.PERIODS)], why: Why = "", by: By = ""
) -> State[Any]:
    """Close a period, once the Board has seen it: a later correction of its figures is held.

    Args:
        period: The quarter to close.
        why: Why, for the record; it may be left empty.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    return await decide(lambda workplace, by: close(workplace, parse_period(period), by=by, why=why), by)


@decision("reopen-period")
async def reopen_period(
    period: Annotated[str, FormField("Period", Choices.CLOSED_PERIODS)], why: Why, by: By = ""
) -> State[Any]:
    """Reopen a closed period: its figures can be corrected without a decision, and its returns be withdrawn.

    Args:
        period: The closed quarter, such as 2010-11Q1.
        why: Why, for the record.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    return await decide(lambda workplace, by: reopen(workplace, parse_period(period), by=by, why=why), by)


@decision("waive-query")
async def waive_query(
    code: Annotated[str, FormField("Query", Choices.QUERIES)],
    partner: Annotated[str, FormField("Partner", Choices.PARTNERS)],
    until: Annotated[date, FormField("Until")],
    why: Why,
    only: Annotated[str, FormField("Indicator or milestone", Choices.SUBJECTS)] = "",
    period: Annotated[str, FormField("Period", Choices.PERIODS)] = "",
    by: By = "",
) -> State[Any]:
    """Waive a query until a date: it is then a note that says who waived it, until when, and why.

    Args:
        code: The code of the query, as the findings have it.
        partner: Whose query it is.
        until: The last day on which it is waived. A day in the past ends an earlier waiver of the same query.
        why: Why the query needs no answer.
        only: The one that it is about. All of them, if left empty.
        period: The quarter that it is about. All of them, if left empty.
        by: Your name, for the record; it may be left empty where you signed in.
    """

    def waived(by: str) -> Waiver:
        return Waiver(code, partner, only, parse_period(period) if period else None, why, by, until)

    return await decide(lambda workplace, by: waive(workplace, waived(by)), by)


@decision("end-waiver")
async def end_waiver(waiver: Annotated[str, FormField("Waiver", Choices.WAIVERS)], why: Why, by: By = "") -> State[Any]:
    """End a waiver: the query is raised again for returns that come from now on.

    Args:
        waiver: The waiver to end. Where there is no list, its number, as cypp waivers lists it.
        why: Why it ends, for the record.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    return await decide(lambda workplace, by: end(workplace, number_of(waiver, "a waiver"), by=by, why=why), by)


@decision("answer-query")
async def answer_query(
    query: Annotated[str, FormField("Query", Choices.OPEN_QUERIES)],
    answer: Annotated[str, FormField("Answer")],
    by: By = "",
) -> State[Any]:
    """Answer a query for the partner, so that nobody waits for it any more.

    Args:
        query: The query. Where there is no list, its number, as cypp queries lists it.
        answer: What the answer is, in a sentence.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    return await decide(lambda workplace, by: answer_to(workplace, number_of(query, "a query"), answer, by=by), by)


@decision("withdraw-return")
async def withdraw_return(
    submission: Annotated[str, FormField("Submission", Choices.SUBMISSIONS)], why: Why, by: By = ""
) -> State[Any]:
    """Take a submission out of force: the earlier accepted one of the same return is in force again, or none.

    Args:
        submission: The submission to withdraw. Where there is no list, its number, as its receipt has it.
        why: Why, for the record. The partner is not told.
        by: Your name, for the record; it may be left empty where you signed in.
    """

    def withdrawn(workplace: Workplace, by: str) -> Decided:
        return withdraw(workplace, number_of(submission, "a submission"), by=by, why=why)

    return await decide(withdrawn, by)


@decision("erase-content")
async def erase_content(
    submission: Annotated[int, FormField("Submission")],
    why: Why,
    cells: Annotated[Sequence[str] | None, FormField("Only these cells")] = None,
    by: By = "",
) -> State[Any]:
    """Erase what was typed in a return, for a request under data protection law. It cannot be undone.

    The workbook, its receipts and its runs in Prefect are removed. Figures, the workbook's hash and decisions stay.

    Args:
        submission: The number of the submission, as the summary of its run has it; it need not be in force.
        why: Why, for the record, without a name of whom it is about.
        cells: The cells, such as Indicators!M7. All free text, if left empty.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    return await decide(
        lambda workplace, by: erase(workplace, submission, cells or (), by=by, why=why), by, follow=_remove_runs
    )


@decision("decide-held")
async def decide_held(
    submission: Annotated[str, FormField("Submission", Choices.HELD)],
    verdict: Annotated[Verdict, FormField("Decision")],
    why: Why,
    word: Annotated[str, FormField("Word to the partner")] = "",
    by: By = "",
) -> State[Any]:
    """Accept or refuse a return that is held. The partner gets another receipt.

    Args:
        submission: The submission that is held. Where there is no list, its number, as cypp status lists it.
        verdict: Accepted, it is in force from now on. Refused, what was in force stays.
        why: Why, for the record.
        word: What the partner reads in the receipt. It may be left empty where the return is accepted.
        by: Your name, for the record; it may be left empty where you signed in.
    """

    def decided(workplace: Workplace, by: str) -> Decided:
        number, is_accepted = number_of(submission, "a submission"), verdict == "accept"
        return decide_on(workplace, number, is_accepted=is_accepted, by=by, why=why, word=word)

    return await decide(decided, by)


@decision("release-text")
async def release_text(
    submission: Annotated[int, FormField("Submission")],
    cell: Annotated[str, FormField("Cell")],
    why: Why,
    sheet: Annotated[str, FormField("Sheet")] = "",
    by: By = "",
) -> State[Any]:
    """Release a text that is withheld as possible personal data: reports and views show it from now on.

    Args:
        submission: The number of the submission, as the summary of its run has it.
        cell: The cell that the withheld text names, such as M7.
        why: Why the text can be shown.
        sheet: The sheet. It may be left empty where the cell alone says which text is meant.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    return await decide(lambda workplace, by: release(workplace, submission, cell, sheet, by=by, why=why), by)


@decision("note-at-clinic")
async def note_at_clinic(
    clinic: Annotated[str, FormField("Clinic", Choices.CLINICS)],
    issue: Annotated[str, FormField("Issue")] = "",
    solution: Annotated[str, FormField("Solution")] = "",
    decided: Annotated[str, FormField("Decision")] = "",
    by: By = "",
) -> State[Any]:
    """Note what was said at a performance clinic: the reports that follow show it. A note cannot be removed.

    Args:
        clinic: The clinic, by its indicator and the quarter in which it opened.
        issue: What is in the way.
        solution: What may help.
        decided: What was decided.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    given = {NoteKind.ISSUE: issue, NoteKind.SOLUTION: solution, NoteKind.DECISION: decided}
    texts = {kind: [text] for kind, text in given.items() if text.strip()}
    return await decide(lambda workplace, by: note(workplace, clinic, texts, by=by), by)


@decision("adopt-plan")
async def adopt_plan(
    folder: Annotated[str, FormField("Folder or workbook")],
    why: Why,
    confirm: Annotated[bool, FormField("Change closed and published periods")] = False,
    by: By = "",
) -> State[Any]:
    """Put a plan in force. What it changes is shown first, as an artifact, and then judged again.

    Args:
        folder: Where the plan is on the server: the folder of its CSV files, such as /srv/cypp/plan-2011, or its
            workbook.
        why: Why the plan is adopted.
        confirm: Whether symbols of closed or published periods may change. Without it, a plan that would change any
            is refused.
        by: Your name, for the record; it may be left empty where you signed in.
    """
    place = Path(folder.strip())

    def adopt_it(workplace: Workplace, by: str) -> Adopted:
        try:
            return adopt(workplace.settings, place, by=by, why=why, may_change_settled=confirm)
        except SettledPeriodsError as refused:
            raise ValueError(f"{refused}; tick the field that lets them change to adopt it") from refused

    return await decide(adopt_it, by, lambda workplace: compare_plan(workplace, place))


async def _remove_runs(erased: ErasedContent) -> Sequence[str]:
    """Remove what Prefect shows of the workbook; the tables of queries are shown again, without it."""
    try:
        return [f"Prefect's runs removed: {await remove_runs_of(erased.sha256, erased.periods)}."]
    except TimeoutError:
        return ["Prefect's server has not removed the logs of the runs yet: erase it again, to see that it has."]
