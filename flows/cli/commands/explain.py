"""`cypp explain`: from the symbol back to the cell, with every step of the sum."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cypp_etl.decimals import decimal_text, unit_words
from cypp_etl.judgement.explanation import ComparatorStep, RatioStep, Source, TravelStep
from cypp_etl.periods import Period, parse_period
from cypp_etl.phrases import in_list, short_list
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.plan.reference_keys import reference_key
from cypp_etl.plan.selection import EVERYTHING, Selection, select_part
from cypp_etl.report.moments import moment_words
from flows.cli.arguments import OfGroup, OfPartner, parsed_period
from flows.cli.terminal import say
from flows.cli.warehouse_access import with_warehouse
from flows.settings import read_settings
from flows.storage.archive import archive_path
from schemas.codes import BAND_SYMBOLS, Band, ComparatorMethod, DirectionBasis, Qualifier
from schemas.markers import qualifier_text
from warehouse.queries.explain import ExplainedGroup, ExplainedMember, SourcedExplanation, SourcedFigure, explain_groups
from warehouse.queries.explain import explain as explained

if TYPE_CHECKING:
    from sqlalchemy import Connection


_OWNERS_NAMED = 10


def explain(
    indicator: Annotated[str, typer.Argument(help='An indicator, such as "NI 111b".')],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    partner: OfPartner = "",
    group: OfGroup = "",
) -> None:
    """Explain a judgement, step by step, back to its cells.

    Where several partners return the indicator, each has its own.
    """
    wanted = parsed_period(period)

    def show(connection: "Connection", plan: Plan) -> int:
        return show_explanation(connection, plan, indicator, wanted, select_part(plan, partner, group))

    raise typer.Exit(with_warehouse(show))


def show_explanation(
    connection: "Connection", plan: Plan, indicator: str, period: Period, part: Selection = EVERYTHING
) -> int:
    """Print how a judgement was made, for each partner of a part of the plan; 1 if there is none.

    Raises:
        ValueError: the plan has no such indicator.
    """
    leaf = _find_leaf(plan, indicator)
    explanations, asked = explained(connection, plan, leaf.indicator, period, part), leaf.rhythm.latest(period)
    if not explanations and asked != period:
        explanations = explained(connection, plan, leaf.indicator, asked, part)
        if explanations:
            say(f"{leaf.indicator} has no figure of {period.label} itself. The latest by then is of another period:")
            say()
    if not explanations:
        label = leaf.rhythm.label(asked)
        whose = f" by {part.title}" if part.title else ""
        say(f"Nothing has been returned for {leaf.indicator} in {label}{whose}. {_who_owes(plan, leaf, period)}")
        return 1
    is_shared = len(explanations) > 1 or len(plan.owners.get(leaf.indicator, ())) > 1
    for group in explain_groups(connection, plan, leaf.indicator, parse_period(explanations[0].row["period"]), part):
        for line in (*_group_lines(group, plan), ""):
            say(line)
    for place, explanation in enumerate(explanations):
        if place:
            say()
        for line in _lines(explanation, plan, is_shared=is_shared):
            say(line)
    return 0


def _owners(plan: Plan, leaf: Indicator) -> str:
    """Who owes an indicator; how many they are, if they are too many to read."""
    owners = [plan.partners[code].partner for code in plan.owners.get(leaf.indicator, ())]
    return f"{len(owners)} partners" if len(owners) > _OWNERS_NAMED else ", ".join(owners)


def _find_leaf(plan: Plan, indicator: str) -> Indicator:
    """Find the leaf indicator by its name, read as a return's references are."""
    index = PlanIndex.of(plan)
    if (leaf := index.leaf_meant(indicator)) is not None:
        return leaf
    key = reference_key(index.reference_meant(indicator, "")[0])
    parts = [one.indicator for one in plan.indicators.values() if one.sub and reference_key(one.indicator_ref) == key]
    if parts:
        raise ValueError(f"{indicator!r} has sub-indicators, which are judged separately: choose {' or '.join(parts)}")
    raise ValueError(f"there is no indicator {indicator!r}; the plan has {short_list(plan.indicators)}")


def _who_owes(plan: Plan, leaf: Indicator, period: Period) -> str:
    then = plan.at(period)
    if leaf.indicator not in then.indicators:
        return f"It is not collected for then, but {plan.edition(leaf.indicator, period).span}."
    return f"It is owed by {_owners(then, leaf) or 'no partner'}."


def _lines(explanation: SourcedExplanation, plan: Plan, *, is_shared: bool) -> list[str]:
    row, judged = explanation.row, explanation.judgement
    whose, leaf = _whose(row, plan) if is_shared else "", plan.edition(row["indicator"], judged.period)
    lines = [
        f"{row['indicator']}{whose}, {row['period_label']}: {row['definition']}",
        f"Good performance is {row['polarity']}. Figures are compared after rounding to {_places(row['decimals'])}.",
        *_noted_lines(leaf),
        "",
        f"Figure: {_given(explanation.find(judged.actual), leaf)}",
        *_origin_lines(explanation.find(judged.actual)),
        "",
        _direction_line(row),
        *_change_lines(explanation, judged.travel, plan),
        *_quarter_lines(explanation, plan),
        "",
        f"Year to date: {_so_far(explanation, leaf)}",
        *_sum_lines(explanation),
        *_left_out_lines(explanation, plan),
        "",
        f"On target: {row['on_target_symbol']} {row['on_target']}",
        f"Band against target: {row['target_band_symbol']} {row['target_band']}",
        *_target_lines(explanation, plan),
    ]
    for step in judged.comparators.values():
        lines += ["", f"{step.comparator.heading}: {BAND_SYMBOLS[Band(step.band)]} {step.band}"]
        lines += _comparator_lines(explanation, step, plan)
    return [*lines, "", *_version_lines(explanation)]


def _group_lines(group: ExplainedGroup, plan: Plan) -> list[str]:
    """A group's figure and its judgements, then its members, the best first."""
    row = group.row
    leaf = plan.edition(row["indicator"], parse_period(row["period"]))
    lines = [
        f"{row['indicator']} of {row['group']}, {row['period_label']}: {row['definition']}",
        f"Figure: {_shown(row, 'actual')}, of {row['partners_returned']} of {row['partners_owing']} partners",
        f"  It is {'the sum of their figures' if leaf.adds_up_over_bodies else 'their numerators over denominators'}.",
        *([f"  Note: {row['note']}."] if row["note"] else []),
        _direction_line(row),
        *_group_change_lines(group, plan),
        f"Year to date: {_shown(row, 'year_to_date')}",
        f"On target: {row['on_target_symbol']} {row['on_target']}",
        f"Band against target: {row['target_band_symbol']} {row['target_band']}",
        *([f"  Target: {_shown(row, 'target')}"] if row["target"] is not None else []),
    ]
    if group.quartiles:
        lower, median, upper = (_figure(cut, row, is_with_unit=True) for cut in group.quartiles)
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
    compared = [] if before is None else [f"  Compared with {row['previous_period']}: {_shown(row, 'previous_actual')}"]
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
        yield _edition_line(row["indicator"], now, then, plan)
    if group.breaks:
        whose = in_list([f"{_partner_name(plan, code)} in {period.label}" for code, period in group.breaks])
        yield f"  They do not compare: a break in series was returned by {whose}."


def _member_line(member: ExplainedMember, plan: Plan) -> str:
    place = member.place
    line = f"  {f'{place.rank}. ' if place else '-  '}{_partner_name(plan, member.partner_code)}: "
    if member.row is None:
        return f"{line}nothing returned"
    line += _shown(member.row, "year_to_date")
    parts = f"{_number(member.parts[0])} / {_number(member.parts[1])} in the period" if member.parts else ""
    more = ", ".join(filter(None, (place.quarter if place else "", parts)))
    return f"{line} ({more})" if more else line


def _noted_lines(leaf: Indicator) -> list[str]:
    """What people read of an indicator's unit, and what the plan notes on it."""
    about, unit = leaf.about, leaf.unit_text
    labelled = (("Unit", unit if unit != leaf.unit else ""), ("Note", about.note), ("Source", about.source))
    return [f"{heading}: {text}" for heading, text in (*labelled, ("See", about.url), ("Kept by", about.owner)) if text]


def _whose(row: Any, plan: Plan) -> str:
    """The partner of a judgement, as a heading says it."""
    return f" of {_partner_name(plan, row['partner_code'])}"


def _partner_name(plan: Plan, partner_code: str) -> str:
    """The partner's name; the code of one that the plan in force does not have."""
    known = plan.partners.get(partner_code)
    return known.partner if known else partner_code


def _direction_line(row: Any) -> str:
    """The direction of travel, and with which figure it compares, if there is one."""
    basis = row["direction_basis"]
    compared = "" if basis == DirectionBasis.NONE else f" ({basis})"
    return f"Direction of travel: {row['direction_symbol']} {row['direction']}{compared}"


def _quarter_lines(explanation: SourcedExplanation, plan: Plan) -> list[str]:
    """The direction since the quarter before, which a whole year does not have."""
    row, travel = explanation.row, explanation.judgement.quarter_travel
    if travel is None:
        return []
    since = f"Since the quarter before: {row['quarter_direction_symbol']} {row['quarter_direction']}"
    return ["", since, *_change_lines(explanation, travel, plan)]


def _change_lines(explanation: SourcedExplanation, travel: TravelStep, plan: Plan) -> list[str]:
    row = explanation.row
    if travel.previous is None:
        lines = [f"  There is no figure for {travel.previous_period.code} to compare with."]
    else:
        lines = [f"  Compared with {travel.previous_period.code}: {_found(explanation, travel.previous, plan)}"]
        lines += _origin_lines(explanation.find(travel.previous))
    if travel.is_apart:
        lines.append(_apart_line(explanation, travel.previous_period, plan))
    for source in travel.breaks:
        whose = "this figure" if source == explanation.judgement.actual else f"the figure of {source.period.code}"
        lines.append(f"  They do not compare: {whose} was returned as a break in series.")
        lines += [] if source == explanation.judgement.actual else _origin_lines(explanation.find(source))
    if travel.change is not None and travel.now is not None and travel.before is not None:
        now, before, change = (_figure(number, row) for number in (travel.now, travel.before, travel.change))
        lines.append(f"  {now} - {before} = {change}")
    return lines


def _apart_line(explanation: SourcedExplanation, period: Period, plan: Plan) -> str:
    """Why a figure of a period does not compare with the one that is judged, where it is because of the plan."""
    indicator, partner_code = explanation.row["indicator"], explanation.row["partner_code"]
    # Nobody takes over from nobody: what is left is whether the editions compare.
    if not plan.compares("", indicator, explanation.judgement.period, period):
        return _edition_line(indicator, explanation.judgement.period, period, plan)
    ends = sorted(each.last_day for each in (explanation.judgement.period, period))
    since = [
        first.label
        for taken, first in plan.taken_over[partner_code]
        if taken == indicator and ends[0] < first.last_day <= ends[1]
    ]
    return f"  They do not compare: {partner_code} takes over from a partner that ends, from {in_list(since)} on."


def _edition_line(indicator: str, period: Period, before: Period, plan: Plan) -> str:
    """That the figures of two periods do not count the same thing."""
    now, then = (plan.edition(indicator, each) for each in (period, before))
    return f"  They do not compare: {before.label} is of edition {then.edition}, this is of edition {now.edition}."


def _sum_lines(explanation: SourcedExplanation) -> list[str]:
    total = explanation.judgement.total
    if total is None:
        return []
    if isinstance(total, RatioStep):
        return _ratio_lines(total)
    terms = ["nothing" if value is None else _figure(value, explanation.row) for _, value in total.terms]
    return [f"  {' + '.join(terms)} ({', '.join(quarter.code for quarter, _ in total.terms)})"]


def _left_out_lines(explanation: SourcedExplanation, plan: Plan) -> list[str]:
    """The year's quarters that do not compare with the one that is judged: with them there is no year so far."""
    row, judged, total = explanation.row, explanation.judgement, explanation.judgement.total
    quarters = [quarter for quarter, _ in total.terms] if total else []
    apart = [
        quarter.code
        for quarter in quarters
        if not plan.compares(row["partner_code"], row["indicator"], judged.period, quarter)
    ]
    return [f"  They are not added up: {in_list(apart)} cannot be compared with {judged.period.code}."] if apart else []


def _ratio_lines(total: RatioStep) -> list[str]:
    """The sum of the quarters' numerators over the sum of their denominators."""
    lines = []
    if total.terms:
        sums = (
            " + ".join("nothing" if parts is None else _number(parts[place]) for _, parts in total.terms)
            for place in (0, 1)
        )
        lines.append(f"  Numerators: {next(sums)} ({', '.join(quarter.code for quarter, _ in total.terms)})")
        lines.append(f"  Denominators: {next(sums)}")
    known = [parts for _, parts in total.terms if parts is not None]
    if known and len(known) == len(total.terms):
        numerator, denominator = (_number(sum(part, Decimal())) for part in zip(*known, strict=True))
        times = f" x {total.multiplier:,}" if total.multiplier != 1 else ""
        lines.append(f"  {numerator} / {denominator}{times}")
    lines += [f"  {quarter.code} is not applicable, and adds nothing." for quarter in total.not_applicable]
    return lines


def _target_lines(explanation: SourcedExplanation, plan: Plan) -> list[str]:
    row, judged, target = explanation.row, explanation.judgement, explanation.judgement.target
    if target.source is None:
        return ["  There is no target."]
    if row["target"] is None:
        lines = [f"  Target of {target.source.period.label}: {_found(explanation, target.source, plan)}"]
        apart = [_apart_line(explanation, target.source.period, plan)] if target.is_apart else []
        return [*lines, *_origin_lines(explanation.find(target.source)), *apart]
    if target.spread is None:
        lines = [f"  Target: {_found(explanation, target.source, plan)}"]
    else:
        lines = [f"  Target: {_shown(row, 'target')}"]
        lines.append(f"  The year's target spread evenly: {_figure(target.spread, row)} x {row['quarter']} / 4")
    lines += _origin_lines(explanation.find(target.source))
    share = judged.banding.target_margin_percent
    step = judged.banding.target_margin_steps * Decimal(10) ** -judged.decimals
    lines.append(
        f"  It is better if it beats the target by more than {_number(share)}% of the target, and by more than {step}; "
        "worse if it misses the target at all; otherwise within."
    )
    return lines


def _comparator_lines(explanation: SourcedExplanation, step: ComparatorStep, plan: Plan) -> list[str]:
    row, leaf = explanation.row, plan.edition(explanation.row["indicator"], explanation.judgement.period)
    if step.source is None and step.value is None:
        return ["  There is nothing to compare with."]
    if step.source is not None:
        lines = [f"  {step.source.period.label}: {_found(explanation, step.source, plan)}"]
        if step.spread is not None and step.value is not None:
            share = f"{_figure(step.spread, row)} x {row['quarter']} / 4 = {_figure(step.value, row)}"
            lines.append(f"  The year's figure spread evenly: {share}")
        lines += _origin_lines(explanation.find(step.source))
        if step.is_apart:
            return [*lines, _apart_line(explanation, step.source.period, plan)]
        if step.value is None:
            return [*lines, "  There is nothing to compare with."]
    else:
        lines = _counted_lines(row, step)
    if not leaf.compares_bodies:
        return [*lines, "  It is not banded: such figures depend on the size of a body, and the plan compares none."]
    return [
        *lines,
        f"  It is better if ahead by {_number(explanation.judgement.banding.comparator_margin)} or more; "
        "worse if behind at all; otherwise within.",
    ]


def _counted_lines(row: Any, step: ComparatorStep) -> list[str]:
    """How a comparator was computed: from whose figures of the same period."""
    method = {ComparatorMethod.RATIO: "Ratio of the sums"}.get(step.comparator.method)
    method = method or step.comparator.method.value.capitalize()
    value = "no figure" if step.value is None else _figure(step.value, row, is_with_unit=True)
    counted = (
        f"{partner_code} {' / '.join(_number(part) for part in parts)}" for partner_code, parts in step.counted.items()
    )
    return [f"  {method} of {len(step.counted)} for {row['period_label']}: {value}", f"  Counted: {', '.join(counted)}"]


def _version_lines(explanation: SourcedExplanation) -> list[str]:
    versions = explanation.versions
    if len(versions) < 2:
        return ["This judgement has not changed since it was first made."]
    return ["Earlier judgements:"] + [
        f"  {moment_words(version['recorded_at'])}: {version['actual_text'] or '-'} {version['direction_symbol']} "
        f"{version['on_target_symbol']} {version['target_band_symbol']} (submission {version['submission_id']})"
        for version in versions
    ]


def _origin_lines(figure: SourcedFigure) -> list[str]:
    origin = figure.origin
    if origin is None:
        return [f"  From the plan: {figure.plan_source}"]
    archive = read_settings().archive
    archived = archive_path(archive, origin.sha256)
    lines = [
        f"  Typed as {origin.typed!r} in {origin.sheet}!{origin.cell} of {origin.file}",
        f"  Submission {origin.submission_id}, received {moment_words(origin.received_at)}, SHA-256 {origin.sha256}",
        f"  Archived as {archived}"
        if archived.exists() or not archive.is_dir()
        else "  No longer in the archive: pruned or erased",
    ]
    return lines + ([f"  Comment: {origin.comment}"] if origin.comment else [])


def _found(explanation: SourcedExplanation, source: Source, plan: Plan) -> str:
    """A figure that a step used, as its own edition writes it."""
    return _given(explanation.find(source), plan.edition(explanation.row["indicator"], source.period))


def _given(figure: SourcedFigure, leaf: Indicator) -> str:
    """A figure as it was given: with what must be known beside it, or its marker if there is none."""
    if figure.value is None:
        return figure.marker or "no figure"
    written = {name: getattr(leaf, name) for name in ("decimals", "unit", "unit_label", "currency")}
    beside = ", ".join(qualifier for qualifier in Qualifier if qualifier in figure.qualifiers)
    shown = _figure(figure.value, written, is_with_unit=True)
    return f"{shown} ({qualifier_text(figure.qualifiers)} {beside})" if beside else shown


def _so_far(explanation: SourcedExplanation, leaf: Indicator) -> str:
    """The year to date; where nothing is added up, it is the figure."""
    if explanation.judgement.total is None:
        return _given(explanation.find(explanation.judgement.actual), leaf)
    return _shown(explanation.row, "year_to_date")


def _shown(row: Any, name: str) -> str:
    value = row[name]
    return "no figure" if value is None else _figure(value, row, is_with_unit=True)


def _figure(value: float | Decimal, row: Any, *, is_with_unit: bool = False) -> str:
    """A figure with its indicator's decimals, or more if it was returned with more: it is compared after rounding."""
    number = Decimal(repr(value) if isinstance(value, float) else value).normalize()
    decimals = max(-int(number.as_tuple().exponent), row["decimals"])
    if not is_with_unit:
        return decimal_text(number, decimals, "")
    shown = decimal_text(number, decimals, row["unit"], row["currency"] or "")
    return f"{shown} {unit_words(row['unit'], row['unit_label'] or '')}".rstrip()


def _number(value: float | Decimal) -> str:
    return f"{Decimal(repr(value) if isinstance(value, float) else value).normalize():,f}"


def _places(decimals: int) -> str:
    return {0: "whole numbers", 1: "one decimal"}.get(decimals, f"{decimals} decimals")
