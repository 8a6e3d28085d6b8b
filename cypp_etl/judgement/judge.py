"""Judges all actuals at once: one call for a checked workbook or for a whole warehouse."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from cypp_etl.judgement.comparators import Compared, compare_all
from cypp_etl.judgement.direction import quarter_on_quarter, year_on_year
from cypp_etl.judgement.entries import Figures
from cypp_etl.judgement.leaves import Leaves, read_leaves
from cypp_etl.judgement.ledger import Ledger, Side, read_ledger
from cypp_etl.judgement.targets import (
    comparator_band,
    next_target,
    on_target,
    target_band,
    target_gap,
    target_to_date,
)
from cypp_etl.judgement.words import period_codes
from cypp_etl.judgement.year_to_date import year_to_date
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Plan


def judge(figures: pd.DataFrame, plan: Plan, leaves: Leaves | None = None) -> pd.DataFrame:
    """Judge every actual among the figures by the rules of docs/judgements.md.

    Args:
        figures: one row per partner, indicator, measure and period, with the columns `partner_code`, `indicator`,
            `measure` and `period` (codes), `value` (float64, NaN where there is none), `marker` (a marker's value or
            None) and `is_break` (bool: the observation is qualified as a break in series). Besides the actuals
            it has whatever they are compared with, and, for ratios, the columns `numerator` and `denominator` (float64,
            NaN for none); a row here, even without a value, takes precedence over the plan's.
        plan: polarities, margins, and the targets, history and comparators that are not among the figures.
        leaves: the plan's indicators as columns, where another plan has the same: they take a while to make.

    Returns:
        A row per actual, in the order and with the index of `figures`. Numbers are float64 in the indicator's unit,
        NaN for none: as they were given, but rounded to the indicator's decimals where computed (`change`, a sum to
        date, a target spread over the year). Judgements are the values of the code lists.

    Raises:
        ValueError: an indicator is not in the plan; a measure or period is invalid; two rows have the same partner,
            indicator, measure and period; a value is too large to be judged exactly.
    """
    judged, _ = judge_figures(Figures.of(figures), plan, leaves)
    return _as_frame(judged, figures)


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
    judged, compared = judge_figures(Figures.of(figures), plan)
    return _as_frame(judged, figures), _as_frame(compared, figures)


Columns: TypeAlias = dict[str, npt.NDArray[Any]]
"""Judgements or comparisons by the names of their columns, with `place`: the index of each actual among the figures."""


def judge_figures(figures: Figures, plan: Plan, leaves: Leaves | None = None) -> tuple[Columns, Columns]:
    """Judge and compare in columns, without what a frame takes for the fifty figures of a return.

    Returns:
        The judgements in the order of the figures, and the comparisons, as `judge_and_compare` has them.

    Raises:
        ValueError: the errors of `judge`.
    """
    ledger = read_ledger(figures, plan, leaves or read_leaves(plan))
    order, compared, ours = ledger.rows.order, compare_all(ledger, plan), year_to_date(ledger)
    judged = {"place": order} | _travel(ledger) | _standing(ledger, ours, compared)
    in_order = order.argsort()
    comparisons = [
        _comparison(ledger, code, ours, compared[code])
        for code, comparator in plan.comparators.items()
        if not (comparator.is_given and code in BUILT_IN_COMPARATORS)
    ]
    names = comparisons[0] if comparisons else {}
    return (
        # A million rows are not held twice.
        {name: judged.pop(name)[in_order] for name in list(judged)},
        {name: np.concatenate([each[name] for each in comparisons]) for name in names},
    )


def _as_frame(columns: Columns, figures: pd.DataFrame) -> pd.DataFrame:
    if not columns:
        return pd.DataFrame()
    names = figures[["partner_code", "indicator", "period"]].iloc[columns["place"]]
    # With its own type given, pandas does not look at each word.
    said = {name: pd.Series(column, index=names.index, dtype=column.dtype) for name, column in columns.items()}
    del said["place"]
    return names.assign(**said)


def _comparison(ledger: Ledger, code: str, ours: Side, compared: Compared) -> Columns:
    return {
        "place": ledger.rows.order,
        "comparator": np.full(len(ledger.rows.order), code, dtype=object),
        "value": compared.side.value,
        "band": comparator_band(ledger, ours, compared.side),
        "bodies": compared.bodies,
    }


def _travel(ledger: Ledger) -> Columns:
    travel = year_on_year(ledger)
    return {
        "actual": ledger.rows.now.value,
        "previous_period": period_codes(travel.before_slot),
        "previous_actual": travel.before.value,
        "change": travel.change,
        "direction": travel.direction,
        "direction_basis": travel.basis,
        "quarter_direction": quarter_on_quarter(ledger).direction,
    }


def _standing(ledger: Ledger, ours: Side, compared: Mapping[str, Compared]) -> Columns:
    target = target_to_date(ledger)
    neighbours, national = (compared[code].side for code in BUILT_IN_COMPARATORS)
    return {
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
        "target_gap": target_gap(ledger, ours, target),
    }
