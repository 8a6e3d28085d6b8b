"""A partner's judgement, line by line: each step of the sum, with the cells that its figures were typed in."""

from decimal import Decimal
from typing import Any

from cypp_etl.judgement.explanation import ComparatorStep, RatioStep, Source, TravelStep
from cypp_etl.periods import Period
from cypp_etl.phrases import in_list
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.report.moments import moment_words
from flows.cli.explained.words import direction_line, edition_line, figure_text, given, number_text, partner_name, shown
from flows.settings import read_settings
from flows.storage.archive import archive_path
from schemas.codes import BAND_SYMBOLS, Band, ComparatorMethod
from warehouse.queries.explain import SourcedExplanation, SourcedFigure


def judgement_lines(explanation: SourcedExplanation, plan: Plan, *, is_shared: bool) -> list[str]:
    """A judgement from its figure to its earlier versions; with the partner's name if others have returned the same."""
    row, judged = explanation.row, explanation.judgement
    whose = f" of {partner_name(plan, row['partner_code'])}" if is_shared else ""
    leaf = plan.edition(row["indicator"], judged.period)
    lines = [
        f"{row['indicator']}{whose}, {row['period_label']}: {row['definition']}",
        f"Good performance is {row['polarity']}. Figures are compared after rounding to {_places(row['decimals'])}.",
        *_noted_lines(leaf),
        "",
        f"Figure: {given(explanation.find(judged.actual), leaf)}",
        *_origin_lines(explanation.find(judged.actual)),
        "",
        direction_line(row),
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


def _noted_lines(leaf: Indicator) -> list[str]:
    """What people read of an indicator's unit, and what the plan notes on it."""
    about, unit = leaf.about, leaf.unit_text
    labelled = (("Unit", unit if unit != leaf.unit else ""), ("Note", about.note), ("Source", about.source))
    return [f"{heading}: {text}" for heading, text in (*labelled, ("See", about.url), ("Kept by", about.owner)) if text]


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
        now, before, change = (figure_text(number, row) for number in (travel.now, travel.before, travel.change))
        lines.append(f"  {now} - {before} = {change}")
    return lines


def _apart_line(explanation: SourcedExplanation, period: Period, plan: Plan) -> str:
    """Why a figure of a period does not compare with the one that is judged, where it is because of the plan."""
    indicator, partner_code = explanation.row["indicator"], explanation.row["partner_code"]
    # Nobody takes over from nobody: what is left is whether the editions compare.
    if not plan.compares("", indicator, explanation.judgement.period, period):
        return edition_line(indicator, explanation.judgement.period, period, plan)
    ends = sorted(each.last_day for each in (explanation.judgement.period, period))
    since = [
        first.label
        for taken, first in plan.taken_over[partner_code]
        if taken == indicator and ends[0] < first.last_day <= ends[1]
    ]
    return f"  They do not compare: {partner_code} takes over from a partner that ends, from {in_list(since)} on."


def _sum_lines(explanation: SourcedExplanation) -> list[str]:
    total = explanation.judgement.total
    if total is None:
        return []
    if isinstance(total, RatioStep):
        return _ratio_lines(total)
    terms = ["nothing" if value is None else figure_text(value, explanation.row) for _, value in total.terms]
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
            " + ".join("nothing" if parts is None else number_text(parts[place]) for _, parts in total.terms)
            for place in (0, 1)
        )
        lines.append(f"  Numerators: {next(sums)} ({', '.join(quarter.code for quarter, _ in total.terms)})")
        lines.append(f"  Denominators: {next(sums)}")
    known = [parts for _, parts in total.terms if parts is not None]
    if known and len(known) == len(total.terms):
        numerator, denominator = (number_text(sum(part, Decimal())) for part in zip(*known, strict=True))
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
        lines = [f"  Target: {shown(row, 'target')}"]
        lines.append(f"  The year's target spread evenly: {figure_text(target.spread, row)} x {row['quarter']} / 4")
    lines += _origin_lines(explanation.find(target.source))
    percent = number_text(judged.banding.target_margin_percent)
    step = judged.banding.target_margin_steps * Decimal(10) ** -judged.decimals
    lines.append(
        f"  It is better if it beats the target by more than {percent}% of the target, and by more than {step}; "
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
            share = f"{figure_text(step.spread, row)} x {row['quarter']} / 4 = {figure_text(step.value, row)}"
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
        f"  It is better if ahead by {number_text(explanation.judgement.banding.comparator_margin)} or more; "
        "worse if behind at all; otherwise within.",
    ]


def _counted_lines(row: Any, step: ComparatorStep) -> list[str]:
    """How a comparator was computed: from whose figures of the same period."""
    method = {ComparatorMethod.RATIO: "Ratio of the sums"}.get(step.comparator.method)
    method = method or step.comparator.method.value.capitalize()
    value = "no figure" if step.value is None else figure_text(step.value, row, is_with_unit=True)
    counted = (
        f"{partner_code} {' / '.join(number_text(part) for part in parts)}"
        for partner_code, parts in step.counted.items()
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
    return given(explanation.find(source), plan.edition(explanation.row["indicator"], source.period))


def _so_far(explanation: SourcedExplanation, leaf: Indicator) -> str:
    """The year to date; where nothing is added up, it is the figure."""
    if explanation.judgement.total is None:
        return given(explanation.find(explanation.judgement.actual), leaf)
    return shown(explanation.row, "year_to_date")


def _places(decimals: int) -> str:
    return {0: "whole numbers", 1: "one decimal"}.get(decimals, f"{decimals} decimals")
