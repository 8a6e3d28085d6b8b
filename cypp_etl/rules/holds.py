"""Which returns are held: sound ones that may do harm, and take effect only once the data team has decided.

The design (section 11) names a correction to a closed period and a submission that would replace one in force with far
fewer figures. The issue on decisions adds one that belongs by every sign to another period.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import FigureRow, ParsedReturn
from cypp_etl.periods import Period
from cypp_etl.phrases import in_list
from cypp_etl.plan.model import Plan
from cypp_etl.rules.milestones import status_of
from cypp_etl.rules.timing import changed_when_closed
from schemas.codes import Marker, Measure


def judge_closed_correction(
    parsed: ParsedReturn, owed_figures: Iterable[FigureRow], history: History
) -> Iterator[Finding]:
    """A return that changes what was returned for a closed period is held.

    A return that comes for the first time after its period was closed corrects nothing, unless another submission has
    returned some of its figures: it is accepted, with a query for each figure.
    """
    if not history.closed:
        return
    is_correction = _replaced(parsed, history) is not None
    changed = [
        closed
        for _, closed, before in changed_when_closed(owed_figures, history, parsed.period)
        if is_correction or before.marker is not Marker.NOT_RETURNED
    ]
    changed += _left_out(parsed, history)
    moved = list(_moved_milestones(parsed, history, is_correction=is_correction))
    if changed or moved:
        periods = sorted({*changed, *moved}, key=lambda period: period.order)
        counts = [_counted(len(changed), "figure", "figures"), _counted(len(moved), "milestone", "milestones")]
        yield find(
            "held-closed-period",
            periods=in_list([period.label for period in periods]),
            are="is" if len(periods) == 1 else "are",
            what=in_list([count for count in counts if count]),
        )


def judge_fewer_figures(parsed: ParsedReturn, history: History) -> Iterator[Finding]:
    """A return without a value for most of the figures in force that it would take the place of is held.

    A marker says why there is no value, and is none. Most are more than half, as the word means.
    """
    in_force = {key for key, figure in _figures_replaced(parsed, history).items() if figure.value is not None}
    if not in_force:
        return
    lost = in_force - {_key(figure) for figure in parsed.figures if figure.value is not None}
    if 2 * len(lost) > len(in_force) and parsed.period:
        yield find("held-fewer-figures", period=parsed.period.label, count=len(in_force), lost=len(lost))


def judge_other_period(parsed: ParsedReturn, history: History, plan: Plan, today: date) -> Iterator[Finding]:
    """A return is held that says of its figures only what is in force, while its partner owes that for the next period.

    By every sign it is the next one's, with the workbook of the last. A comment that is new is a sign that it is not:
    it answers a query.
    """
    if parsed.period is None or _replaced(parsed, history) is None:
        return
    following = parsed.period.next
    is_awaited = (
        following in plan.calendar
        and today >= plan.calendar[following].opens_on
        and following not in history.closed
        and (parsed.partner_code, following) not in history.contents
        and parsed.partner_code in plan.owing(following)
    )
    has_value = any(figure.value is not None for figure in parsed.figures)
    if is_awaited and has_value and all(_is_in_force(figure, history) for figure in parsed.figures):
        (sheet, cell), said = parsed.period_cell, parsed.period.label
        yield find("held-other-period", sheet=sheet, cell=cell, value=said, next=following.label)


def _replaced(parsed: ParsedReturn, history: History) -> int | None:
    """The submission in force that a return would take the place of."""
    known = history.contents.get((parsed.partner_code, parsed.period)) if parsed.period else None
    return known.submission_id if known else None


def _figures_replaced(parsed: ParsedReturn, history: History) -> dict[FigureKey, KnownFigure]:
    replaced = _replaced(parsed, history)
    return {} if replaced is None else dict(history.figures_of(replaced))


def _left_out(parsed: ParsedReturn, history: History) -> list[Period]:
    """The closed periods of figures in force that a return would take away without a word, one for each figure."""
    closed = {period.code: period for period in history.closed}
    stated = {_key(figure) for figure in parsed.figures}
    returned = parsed.period.code if parsed.period else ""
    of_each = (
        closed.get(key.period) or closed.get(returned)
        for key, figure in _figures_replaced(parsed, history).items()
        if key.measure == Measure.ACTUAL and key not in stated and figure.marker is not Marker.NOT_RETURNED
    )
    return [period for period in of_each if period]


def _moved_milestones(parsed: ParsedReturn, history: History, *, is_correction: bool) -> Iterator[Period]:
    """The closed periods of milestones whose status would be another, one for each milestone."""
    for row in parsed.milestone_rows:
        if row.known is None or row.period not in history.closed:
            continue
        before = history.milestone_states.get((row.known.milestone, row.period))
        if before != status_of(row) and (is_correction or before is not None):
            yield row.period


def _is_in_force(figure: FigureRow, history: History) -> bool:
    """Whether a figure in force says the same, to the comment beside it."""
    known = history.figures.get(_key(figure)) if figure.period else None
    said = figure.value, figure.marker, figure.qualifiers, figure.numerator, figure.denominator, figure.comment
    return known is not None and said == (
        known.value,
        known.marker,
        known.qualifiers,
        known.numerator,
        known.denominator,
        known.comment,
    )


def _key(figure: FigureRow) -> FigureKey:
    period = figure.period.code if figure.period else ""
    return FigureKey(figure.partner_code, figure.leaf.indicator, figure.measure, period)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}" if count else ""
