"""Targets in a return come from the plan: overwriting one changes nothing, and is queried."""

from collections.abc import Callable, Iterator

from cypp_etl.decimals import agrees
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.intake.units import read_in_unit, to_unit
from cypp_etl.intake.values import Reading
from cypp_etl.periods import Period
from cypp_etl.plan.model import Figure, Indicator, Plan
from cypp_etl.rules.arithmetic import shown


def judge_targets(parsed: ParsedReturn, plan: Plan) -> Iterator[Finding]:
    """Compare each target with the plan's for the figure's period, or for its year; blanks are ignored."""
    targets: dict[Period, Callable[[str], Figure | None]] = {}
    for row in parsed.indicator_rows:
        leaf, cell = row.subject.leaf, row.source.cell("target")
        if leaf is None or cell is None or parsed.period is None:
            continue
        reading = read_in_unit(cell, leaf)
        if not reading.typed:
            continue
        period = leaf.rhythm.period_in(parsed.period)
        if period not in targets:
            targets[period] = plan.targets(period, parsed.partner_code)
        planned = targets[period](leaf.indicator)
        if not _is_same(reading, leaf, planned):
            yield row.find("target-differs", "target", expected=_in_words(planned, leaf))


def _is_same(reading: Reading, leaf: Indicator, planned: Figure | None) -> bool:
    if planned is None or planned.value is None:
        return reading.value is None and reading.marker is (planned.marker if planned else None)
    value, _ = to_unit(reading, leaf, [planned.value])
    # Most targets are the plan's own, as the form shows them.
    return value is not None and (value == planned.value or agrees(value, planned.value, leaf.decimals))


def _in_words(planned: Figure | None, leaf: Indicator) -> str:
    if planned is None:
        return "that there is none"
    return planned.marker.value if planned.marker else shown(planned.value, leaf)
