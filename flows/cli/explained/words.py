"""Figures, and the sentences that partners and groups share, as an explanation prints them."""

from decimal import Decimal
from typing import Any

from cypp_etl.decimals import decimal_text, unit_words
from cypp_etl.periods import Period
from cypp_etl.plan.model import Indicator, Plan
from schemas.codes import DirectionBasis, Qualifier
from schemas.markers import qualifier_text
from warehouse.queries.explain import SourcedFigure


def shown(row: Any, name: str) -> str:
    """A figure of a row of the views, with its unit."""
    value = row[name]
    return "no figure" if value is None else figure_text(value, row, is_with_unit=True)


def figure_text(value: float | Decimal, row: Any, *, is_with_unit: bool = False) -> str:
    """A figure with its indicator's decimals, or more if it was returned with more: it is compared after rounding."""
    number = Decimal(repr(value) if isinstance(value, float) else value).normalize()
    decimals = max(-int(number.as_tuple().exponent), row["decimals"])
    if not is_with_unit:
        return decimal_text(number, decimals, "")
    shown = decimal_text(number, decimals, row["unit"], row["currency"] or "")
    return f"{shown} {unit_words(row['unit'], row['unit_label'] or '')}".rstrip()


def number_text(value: float | Decimal) -> str:
    """A number as it is, without a unit."""
    return f"{Decimal(repr(value) if isinstance(value, float) else value).normalize():,f}"


def given(figure: SourcedFigure, leaf: Indicator) -> str:
    """A figure as it was given: with what must be known beside it, or its marker if there is none."""
    if figure.value is None:
        return figure.marker or "no figure"
    written = {name: getattr(leaf, name) for name in ("decimals", "unit", "unit_label", "currency")}
    beside = ", ".join(qualifier for qualifier in Qualifier if qualifier in figure.qualifiers)
    shown = figure_text(figure.value, written, is_with_unit=True)
    return f"{shown} ({qualifier_text(figure.qualifiers)} {beside})" if beside else shown


def partner_name(plan: Plan, partner_code: str) -> str:
    """The partner's name; the code of one that the plan in force does not have."""
    known = plan.partners.get(partner_code)
    return known.partner if known else partner_code


def direction_line(row: Any) -> str:
    """The direction of travel, and with which figure it compares, if there is one."""
    basis = row["direction_basis"]
    compared = "" if basis == DirectionBasis.NONE else f" ({basis})"
    return f"Direction of travel: {row['direction_symbol']} {row['direction']}{compared}"


def edition_line(indicator: str, period: Period, before: Period, plan: Plan) -> str:
    """That the figures of two periods do not count the same thing."""
    now, then = (plan.edition(indicator, each) for each in (period, before))
    return f"  They do not compare: {before.label} is of edition {then.edition}, this is of edition {now.edition}."
