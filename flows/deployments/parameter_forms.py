"""The forms in the Prefect UI: what a flow asks whoever starts it there, and what can be chosen from."""

import inspect
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_type_hints

from prefect import Flow
from prefect.utilities.callables import ParameterSchema, parameter_schema

from flows.team.waivers import query_codes

if TYPE_CHECKING:
    from cypp_etl.plan.model import Plan

# More names than these make a description that nobody reads.
_MOST_NAMED = 20
MOST_CHOSEN = 500
"""More than these make a list in which nobody finds anything: what is meant is typed."""

_NOTHING: Mapping[Any, Mapping[str, str]] = MappingProxyType({})


class Choices(StrEnum):
    """What can be chosen from, as the plan in force and the warehouse have it."""

    PARTNERS = "partners"
    GROUPS = "groups"
    OUTCOMES = "outcomes"
    PERIODS = "periods"
    QUERIES = "queries"
    SUBJECTS = "indicators and milestones"
    CLINICS = "clinics"
    CLOSED_PERIODS = "closed periods"
    OPEN_QUERIES = "open queries"
    WAIVERS = "waivers in force"
    SUBMISSIONS = "submissions in force"
    HELD = "held submissions"


@dataclass(frozen=True, slots=True)
class FormField:
    """Marks in the `Annotated` of a flow's parameter that the form asks for; one without it has its default.

    The parameter's line in the flow's docstring is what the form says about it.
    """

    title: str
    choices: Choices | None = None


@dataclass(frozen=True, slots=True)
class Lists:
    """The codes that can be chosen from, each with its name: partners in the plan's order, the newest period first."""

    names: Mapping[Choices, Mapping[str, str]]


def lists_of(plan: "Plan", today: date, stored: Mapping[Choices, Mapping[str, str]] = _NOTHING) -> Lists:
    """What a plan has: partners, what they report on, the periods that have begun and are asked for; the queries.

    `stored` is what the warehouse has besides, such as clinics and waivers.
    """
    begun = [period for period in plan.calendar if period.first_day <= today and plan.owing(period)]
    begun.sort(key=lambda period: period.order, reverse=True)
    return Lists(
        {
            Choices.PARTNERS: {code: partner.partner for code, partner in plan.partners.items()},
            Choices.GROUPS: {code: group.group for code, group in plan.groups.items()},
            Choices.OUTCOMES: {code: outcome.outcome for code, outcome in plan.outcomes.items()},
            Choices.PERIODS: {period.code: period.label for period in begun},
            Choices.QUERIES: dict.fromkeys(query_codes(), ""),
            Choices.SUBJECTS: {one: one for one in (*plan.indicators, *plan.milestones)},
            **stored,
        }
    )


def form_of(flow: Flow[..., Any], lists: Lists) -> ParameterSchema:
    """The schema of a flow's parameters: the UI makes its form of it, and the server checks by it what is sent."""
    schema = parameter_schema(flow)
    hints = get_type_hints(flow.fn, include_extras=True)
    fields: dict[str, Any] = {}
    for name in inspect.signature(flow.fn).parameters:
        for parameter in getattr(hints[name], "__metadata__", ()):
            if isinstance(parameter, FormField):
                fields[name] = _field(schema.properties[name], parameter, lists) | {"position": len(fields)}
    required = [name for name in schema.required or () if name in fields]
    return schema.model_copy(update={"properties": fields, "required": required})


def _field(given: Mapping[str, Any], parameter: FormField, lists: Lists) -> dict[str, Any]:
    field = deepcopy(dict(given))
    # One that may be left out is left empty; nobody is asked whether to send a null.
    kinds = [kind for kind in field.pop("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) == 1:
        field |= kinds[0]
    if field.get("default") in (None, ""):
        field.pop("default", None)
    field |= {"title": parameter.title, "description": " ".join(field["description"].split())}
    if parameter.choices:
        names = lists.names.get(parameter.choices, {})
        if 0 < len(names) <= MOST_CHOSEN:
            (field["items"] if field["type"] == "array" else field)["enum"] = list(names)
        if parameter.choices is Choices.PARTNERS and len(names) <= _MOST_NAMED:
            field["description"] = f"{field['description']} {_legend(names)}"
    return field


def _legend(names: Mapping[str, str]) -> str:
    return "; ".join(f"{code}: {name}" for code, name in names.items()) + "."
