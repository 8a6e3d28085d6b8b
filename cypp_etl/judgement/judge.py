"""Judges all actuals at once: one call for a checked workbook or for a whole warehouse."""

from collections.abc import Mapping

import pandas as pd

from cypp_etl.judgement.comparators import Compared, compare_all
from cypp_etl.judgement.direction import quarter_on_quarter, year_on_year
from cypp_etl.judgement.leaves import read_leaves
from cypp_etl.judgement.ledger import Ledger, Side, read_ledger
from cypp_etl.judgement.targets import (
    comparator_band,
    next_target,
    on_target,
    target_band,
    target_to_date,
)
from cypp_etl.judgement.words import period_codes
from cypp_etl.judgement.year_to_date import year_to_date
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Plan


def judge(figures: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Judge every actual among the figures by the rules of docs/judgements.md.

    Args:
        figures: one row per partner, indicator, measure and period, with the columns `partner_code`, `indicator`,
            `measure` and `period` (codes), `value` (float64, NaN where there is none), `marker` (a marker's value or
            None) and `is_break` (bool: the observation is qualified as a break in series). Besides the actuals
            it has whatever they are compared with, and, for ratios, the columns `numerator` and `denominator` (float64,
            NaN for none); a row here, even without a value, takes precedence over the plan's.
        plan: polarities, margins, and the targets, history and comparators that are not among the figures.

    Returns:
        A row per actual, in the order and with the index of `figures`. Numbers are float64 in the indicator's unit,
        NaN for none: as they were given, but rounded to the indicator's decimals where computed (`change`, a sum to
        date, a target spread over the year). Judgements are the values of the code lists.

    Raises:
        ValueError: an indicator is not in the plan; a measure or period is invalid; two rows have the same partner,
            indicator, measure and period; a value is too large to be judged exactly.
    """
    judged, _ = judge_and_compare(figures, plan)
    return judged


def judge_and_compare(figures: pd.DataFrame, plan: Plan) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge every actual, and compare it with each comparator that has no columns of its own, or is computed.

    Args:
        figures: as for `judge`. For comparators that are computed it also has the actuals of the bodies that they are
            computed from, and for ratios the columns `numerator` and `denominator` (float64, NaN for none).
        plan: as for `judge`.

    Returns:
        The judgements, and a row per actual and comparator with its `partner_code`, `indicator`, `period`, `comparator`
        (a code), `value` (float64), `band` and `bodies` (how many figures it was computed from, 0 if it is given), in
        the order of the plan's comparators. The index is that of the actual.

    Raises:
        ValueError: the errors of `judge`.
    """
    ledger = read_ledger(figures, plan, read_leaves(plan))
    rows, compared, ours = ledger.rows, compare_all(ledger, plan), year_to_date(ledger)
    names = figures[["partner_code", "indicator", "period"]].iloc[rows.order].reset_index(drop=True)
    judged = pd.concat([names, _travel(ledger), _standing(ledger, ours, compared)], axis=1)
    judged.index = figures.index[rows.order]
    comparisons = [
        _comparisons(ledger, names, code, ours, compared[code]).set_index(judged.index)
        for code, comparator in plan.comparators.items()
        if not (comparator.is_given and code in BUILT_IN_COMPARATORS)
    ]
    return judged.iloc[rows.order.argsort()], pd.concat(comparisons) if comparisons else pd.DataFrame()


def _comparisons(ledger: Ledger, names: pd.DataFrame, code: str, ours: Side, compared: Compared) -> pd.DataFrame:
    return names.assign(
        comparator=code,
        value=compared.side.value,
        band=comparator_band(ledger, ours, compared.side),
        bodies=compared.bodies,
    )


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


def _standing(ledger: Ledger, ours: Side, compared: Mapping[str, Compared]) -> pd.DataFrame:
    target = target_to_date(ledger)
    neighbours, national = (compared[code].side for code in BUILT_IN_COMPARATORS)
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
