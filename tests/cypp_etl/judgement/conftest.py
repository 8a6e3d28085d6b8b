"""Small plans and frames of figures, built by hand so that no judgement test depends on the built-in plan."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Banding, Figure, Indicator, Plan
from schemas.codes import Accumulation, Marker, Measure, Polarity, Unit

FIGURE_COLUMNS = ["partner_code", "indicator", "measure", "period", "value", "marker", "is_break"]
BANDING = {
    "target_margin_percent": Decimal(10),
    "target_margin_steps": 1,
    "comparator_margin": Decimal(5),
    "large_change_percent": Decimal(25),
    "population_margin_percent": Decimal(5),
}


def _leaf(indicator: str, polarity: str = "HIGH", decimals: int = 1, **changes: Any) -> Indicator:
    banding = Banding(**{name: changes.pop(name, value) for name, value in BANDING.items()})
    attributes: dict[str, Any] = {
        "indicator": indicator,
        "indicator_no": "1",
        "indicator_ref": indicator,
        "sub": "",
        "outcome_code": "PC",
        "definition": "",
        "parent_definition": "",
        "polarity": Polarity(polarity),
        "range_low": None,
        "range_high": None,
        "unit": Unit.NUMBER,
        "decimals": decimals,
        "minimum": None,
        "maximum": None,
        "accumulation": Accumulation.LATEST,
        "multiplier": 0,
        "number_indicator": "",
        "banding": banding,
        # Whatever their unit: what compares and what does not is tested by itself.
        "stated_to_compare": True,
    }
    if "accumulation" in changes:
        changes["accumulation"] = Accumulation(changes["accumulation"])
    return Indicator(**(attributes | changes))


def _figure(value: str | Marker) -> Figure:
    is_marker = isinstance(value, Marker)
    return Figure(None if is_marker else Decimal(value), value if is_marker else None, "")


def _plan(leaves: Iterable[Indicator], figures: Mapping[tuple[Measure, str, str], str | Marker] | None = None) -> Plan:
    own: dict[tuple[Measure, str, Period], Figure] = {
        (measure, indicator, parse_period(period)): _figure(value)
        for (measure, indicator, period), value in (figures or {}).items()
    }
    return Plan("", {}, {}, {}, {}, {}, {}, {leaf.indicator: leaf for leaf in leaves}, own, {}, {})


def _frame(rows: Iterable[tuple[str, str, str, str, str | Marker, bool]]) -> pd.DataFrame:
    """Rows of partner, indicator, measure, period, a number's text or a marker, and break in series."""
    tidy = [
        (*row[:4], float("nan"), row[4].value, row[5])
        if isinstance(row[4], Marker)
        else (*row[:4], float(row[4]), None, row[5])
        for row in rows
    ]
    frame = pd.DataFrame(tidy, columns=FIGURE_COLUMNS)
    return frame.astype({"value": "float64", "is_break": "bool", "marker": "object"})


@pytest.fixture(scope="session")
def make_leaf() -> Callable[..., Indicator]:
    return _leaf


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    return _plan


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., pd.DataFrame]:
    return _frame
