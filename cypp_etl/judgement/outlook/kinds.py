"""What the plan says of figures for their outlooks, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cypp_etl.caching import once_for_each
from cypp_etl.judgement.outlook.points import Quarters
from cypp_etl.judgement.outlook.variation import Scale, Scales
from cypp_etl.judgement.outlook.year_end import QUARTERS, Decimals, sign_of
from cypp_etl.judgement.rounding import Bools, Ints
from cypp_etl.plan.model import Plan
from schemas.codes import Accumulation


@dataclass(frozen=True, slots=True)
class Kinds:
    """What figures are, with a row for each piece of `cypp_etl.judgement.leaves.Leaves`.

    `rhythm` is an index into `quarters`, and `asked`, of shape (n, 4), says the same of each quarter. `may_change` says
    of which leaves there are several editions. The other names are those of `cypp_etl.judgement.outlook.year_end`.
    """

    scales: Scales
    quarters: Sequence[Quarters]
    rhythm: Ints
    asked: Bools
    may_change: Bools
    good: Ints
    is_latest: Bools
    is_sum: Bools
    margin_percent: Decimals
    margin_steps: Ints


@once_for_each
def kinds_of(plan: Plan) -> Kinds:
    """The kinds of a plan's figures."""
    of_leaves = [plan.editions_of(name) for name in plan.indicators]
    editions = [edition for each in of_leaves for edition in each]
    numbers: dict[Quarters, int] = {}
    rhythm = [numbers.setdefault(edition.rhythm.quarters, len(numbers)) for edition in editions]
    accumulation = [edition.accumulation for edition in editions]
    return Kinds(
        scales=Scales.of([Scale(edition.unit, edition.decimals, edition.accumulation) for edition in editions]),
        quarters=list(numbers),
        rhythm=np.array(rhythm, dtype=np.int64),
        asked=np.array([np.isin(QUARTERS, edition.rhythm.quarters) for edition in editions], dtype=np.bool_).reshape(
            -1, 4
        ),
        may_change=np.array([len(each) > 1 for each in of_leaves for _ in each], dtype=np.bool_),
        good=sign_of([edition.polarity for edition in editions]),
        is_latest=np.array([each is Accumulation.LATEST for each in accumulation], dtype=np.bool_),
        is_sum=np.array([each is Accumulation.SUM for each in accumulation], dtype=np.bool_),
        margin_percent=np.array([edition.banding.target_margin_percent for edition in editions], dtype=object),
        margin_steps=np.array([edition.banding.target_margin_steps for edition in editions], dtype=np.int64),
    )
