"""A group's figure and its members, line by line."""

from collections.abc import Iterator

from cypp_etl.periods import parse_period
from cypp_etl.phrases import in_list
from cypp_etl.plan.model import Plan
from flows.cli.explained.words import direction_line, edition_line, figure_text, number_text, partner_name, shown
from schemas.codes import DirectionBasis
from warehouse.queries.explain import ExplainedGroup, ExplainedMember


def group_lines(group: ExplainedGroup, plan: Plan) -> list[str]:
    """A group's figure and its judgements, then its members, the best first."""
    row = group.row
    leaf = plan.edition(row["indicator"], parse_period(row["period"]))
    lines = [
        f"{row['indicator']} of {row['group']}, {row['period_label']}: {row['definition']}",
        f"Figure: {shown(row, 'actual')}, of {row['partners_returned']} of {row['partners_owing']} partners",
        f"  It is {'the sum of their figures' if leaf.adds_up_over_bodies else 'their numerators over denominators'}.",
        *([f"  Note: {row['note']}."] if row["note"] else []),
        direction_line(row),
        *_group_change_lines(group, plan),
        f"Year to date: {shown(row, 'year_to_date')}",
        f"On target: {row['on_target_symbol']} {row['on_target']}",
        f"Band against target: {row['target_band_symbol']} {row['target_band']}",
        *([f"  Target: {shown(row, 'target')}"] if row["target"] is not None else []),
    ]
    if group.quartiles:
        lower, median, upper = (figure_text(cut, row, is_with_unit=True) for cut in group.quartiles)
        lines.append(f"Lower quartile {lower}, median {median}, upper quartile {upper}")
    if not leaf.compares_bodies:
        lines.append("Its partners, not ranked, since such figures depend on the size of a body:")
    else:
        lines.append("Its partners, by the year to date, the best first:" if leaf.is_ranked else "Its partners:")
    return [*lines, *(_member_line(member, plan) for member in group.members)]


def _group_change_lines(group: ExplainedGroup, plan: Plan) -> list[str]:
    """What the direction of travel of a group compares with, or why it compares with nothing."""
    row = group.row
    before = row["previous_actual"]
    compared = [] if before is None else [f"  Compared with {row['previous_period']}: {shown(row, 'previous_actual')}"]
    if row["change"] is not None:
        return compared
    # What is not judged has a note that says so.
    is_judged = row["actual"] is not None and row["direction_basis"] != DirectionBasis.NONE
    reasons = list(_group_reasons(group, plan)) if is_judged else []
    return [*compared, *reasons] if reasons else []


def _group_reasons(group: ExplainedGroup, plan: Plan) -> Iterator[str]:
    """Why the figures of a group that its direction of travel is about do not compare."""
    row = group.row
    now, then = (parse_period(row[name]) for name in ("period", "previous_period"))
    if not plan.compares(row["group_code"], row["indicator"], now, then):
        yield edition_line(row["indicator"], now, then, plan)
    if group.breaks:
        whose = in_list([f"{partner_name(plan, code)} in {period.label}" for code, period in group.breaks])
        yield f"  They do not compare: a break in series was returned by {whose}."


def _member_line(member: ExplainedMember, plan: Plan) -> str:
    place = member.place
    line = f"  {f'{place.rank}. ' if place else '-  '}{partner_name(plan, member.partner_code)}: "
    if member.row is None:
        return f"{line}nothing returned"
    line += shown(member.row, "year_to_date")
    parts = f"{number_text(member.parts[0])} / {number_text(member.parts[1])} in the period" if member.parts else ""
    more = ", ".join(filter(None, (place.quarter if place else "", parts)))
    return f"{line} ({more})" if more else line
