"""Judges all actuals at once: one call for a checked workbook or for a whole warehouse."""

import pandas as pd

from cypp_etl.judgement.direction import quarter_on_quarter, year_on_year
from cypp_etl.judgement.leaves import read_leaves
from cypp_etl.judgement.ledger import Ledger, read_ledger
from cypp_etl.judgement.targets import (
    comparator_band,
    next_target,
    on_target,
    target_band,
    target_to_date,
    year_to_date,
)
from cypp_etl.judgement.words import period_codes
from cypp_etl.plan.model import Plan
from schemas.codes import Measure


def judge(figures: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Judge every actual among the figures by the rules of docs/judgements.md.

    Args:
        figures: one row per partner, indicator, measure and period, with the columns `partner_code`, `indicator`,
            `measure` and `period` (codes), `value` (float64, NaN where there is none), `marker` (a marker's value or
            None) and `is_break` (bool: the observation is qualified as a break in series). Besides the actuals
            it has whatever they are compared with; a row here, even without a value, takes precedence over the plan's.
        plan: polarities, margins, and the targets, history and comparators that are not among the figures.

    Returns:
        A row per actual, in the order and with the index of `figures`. Numbers are float64 in the indicator's unit,
        NaN for none: as they were given, but rounded to the indicator's decimals where computed (`change`, a sum to
        date, a target spread over the year). Judgements are the values of the code lists.

    Raises:
        ValueError: an indicator is not in the plan; a measure or period is invalid; two rows have the same partner,
            indicator, measure and period; a value is too large to be judged exactly.
    """
    ledger = read_ledger(figures, plan, read_leaves(plan))
    rows = ledger.rows
    names = figures[["partner_code", "indicator", "period"]].iloc[rows.order].reset_index(drop=True)
    judged = pd.concat([names, _travel(ledger), _standing(ledger)], axis=1)
    judged.index = figures.index[rows.order]
    return judged.iloc[rows.order.argsort()]


def _travel(ledger: Ledger) -> pd.DataFrame:
    travel = year_on_year(ledger)
    return pd.DataFrame(
        {
            "actual": ledger.rows.now.value,
            "previous_period": period_codes(travel.before_slot),
            "previous_actual": travel.before.value,
            "change": travel.change,
            "direction": travel.direction,
            "direction_basis": travel.basis,
            "quarter_direction": quarter_on_quarter(ledger),
        }
    )


def _standing(ledger: Ledger) -> pd.DataFrame:
    ours, target = year_to_date(ledger), target_to_date(ledger)
    neighbours = ledger.find_latest(Measure.STATISTICAL_NEIGHBOURS)
    national = ledger.find_latest(Measure.NATIONAL)
    return pd.DataFrame(
        {
            "target": target.value,
            "on_target": on_target(ledger, ours, target),
            "year_to_date": ours.value,
            "target_band": target_band(ledger, ours, target),
            "statistical_neighbours": neighbours.value,
            "statistical_neighbours_band": comparator_band(ledger, ours, neighbours),
            "national": national.value,
            "national_band": comparator_band(ledger, ours, national),
            "next_target": next_target(ledger, 1).value,
            "next_target_2": next_target(ledger, 2).value,
        }
    )
