"""What a form shows of earlier returns is there to compare: nothing is taken from it, and a change of it is noted."""

from collections.abc import Iterator
from decimal import Decimal

from cypp_etl.checked_return import History, KnownFigure
from cypp_etl.decimals import agrees
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import IndicatorRow, ParsedReturn
from cypp_etl.intake.units import to_unit
from cypp_etl.intake.values import read_figure
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.rules.arithmetic import shown
from cypp_etl.templates.past import Past


def judge_recalled(parsed: ParsedReturn, history: History, plan: Plan) -> Iterator[Finding]:
    """Note an earlier figure that is not the one in force: whoever corrects it there would think it was taken.

    It is no query, since the earlier return may have been corrected after the form was made.
    """
    if parsed.period is None:
        return
    past = Past(plan, parsed.partner_code, parsed.period, history)
    for row in parsed.indicator_rows:
        leaf, source = row.subject.leaf, row.source
        if leaf is not None and (source.cell("last_year") or source.cell("last_quarter")):
            known = {"last_year": past.last_year(leaf), "last_quarter": past.last_quarter(leaf)}
            for column, figure in known.items():
                # Whoever checks at home has no past, and the plan's outturn is not what the form shows then.
                value = figure.value if isinstance(figure, KnownFigure) else None
                if value is not None and _differs(row, column, leaf, value):
                    yield row.find("last-figure-differs", column, known=shown(value, leaf))


def _differs(row: IndicatorRow, column: str, leaf: Indicator, known: Decimal) -> bool:
    reading = read_figure(row.source.cell(column))
    if reading.value is None:
        return False
    value, _ = to_unit(reading, leaf, [known])
    return value is not None and not agrees(value, known, leaf.decimals)
