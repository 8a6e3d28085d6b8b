"""Accepting or refusing a return that is held, with a word to its partner."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cypp_etl.personal import shown_path
from flows.ingestion.held import answer_held
from flows.storage.drop_notes import GivenNumbers
from flows.team.decided import Decided, UnsaidError, require_who_and_why, shown_to_partner
from warehouse.engine import writing
from warehouse.recording.submissions.held import HeldDecision
from warehouse.recording.submissions.held import decide_held as decide_held_in

if TYPE_CHECKING:
    from flows.ingestion.context import Workplace


def decide_held(
    workplace: "Workplace", submission_id: int, *, is_accepted: bool, by: str, why: str, word: str = ""
) -> Decided:
    """Accept a submission that is held, so that it is in force from now on, or refuse it; its partner gets a receipt.

    `word` is what the partner reads there besides: needed for a refusal, which they could not understand otherwise.
    Decided again, it only writes the receipt again, which a killed process may not have written.

    Raises:
        ValueError: there is no such submission, it is not held, the other was decided, the plan has no row any more for
            what it states, or nobody says who, why, or what the partner is to know.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    require_who_and_why(by, why)
    if not is_accepted and not word.strip():
        raise UnsaidError("word", "say what the partner is to know, since a refusal goes back to them")
    with writing(workplace.engine) as connection:
        done = decide_held_in(
            connection,
            workplace.plan,
            submission_id,
            is_accepted=is_accepted,
            by=by,
            why=why,
            word=word,
            at=datetime.now(UTC),
            numbers=GivenNumbers(workplace.settings.archive),
        )
    sentences, unwritten = list(_sentences(done)), list[str]()
    try:
        if answered := answer_held(workplace, done):
            sentences.append(f"The partner's receipt is {shown_path(answered.receipt.as_posix())}.")
    except OSError as fault:
        unwritten.append(f"Its receipt cannot be written ({fault}): decide the same again to write it.")
    decided = Decided(done.is_new, tuple(sentences), tuple(unwritten), (done.period,))
    return shown_to_partner(workplace, decided, done.checked.partner_code)


def _sentences(done: HeldDecision) -> Iterator[str]:
    whose = f"Submission {done.submission_id} ({done.checked.partner_code}, {done.period.label})"
    if not done.is_new:
        outcome = f"accepted, as submission {done.recorded.submission_id}" if done.is_accepted else "refused"
        yield f"{whose} was already decided on, by decision {done.decision_id}: {outcome}."
        return
    if not done.is_accepted:
        yield f"{whose} is refused. What was in force stays."
        return
    yield f"{whose} is accepted. It is in force as submission {done.recorded.submission_id}."
    count = done.recorded.changed_judgements
    yield f"{count:,} {'judgement has' if count == 1 else 'judgements have'} changed."
