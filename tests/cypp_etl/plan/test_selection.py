"""A part of the plan, as it is asked for."""

from dataclasses import replace

import pytest

from cypp_etl.plan.model import Group, Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.plan.selection import EVERYTHING, select_part


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The built-in plan with two groups, one inside the other."""
    plan = read_plan()
    groups = {"NORTH": Group("NORTH", "The North", ""), "york": Group("york", "York", "NORTH")}
    of = {"yos": "york", "nhs": "NORTH"}
    partners = {code: replace(one, group_code=of.get(code, "")) for code, one in plan.partners.items()}
    return replace(plan, groups=groups, partners=partners)


def test_nothing_asked_for_is_everything(plan: Plan) -> None:
    assert select_part(plan) == select_part(plan, " ", "", "") == EVERYTHING
    assert EVERYTHING.has(None, "BH")


@pytest.mark.parametrize(
    ("asked", "partners", "title"),
    [
        ({"partner": " Yos"}, {"yos"}, "Youth Offending Service"),
        ({"group": "north"}, {"yos", "nhs"}, "The North"),
        ({"group": "YORK"}, {"yos"}, "York"),
        ({"group": "north", "partner": "nhs"}, {"nhs"}, "The North, NHS Rotherham"),
    ],
)
def test_partners_are_selected_by_their_code_or_their_groups(
    plan: Plan, asked: dict[str, str], partners: set[str], title: str
) -> None:
    part = select_part(plan, **asked)
    assert (part.partner_codes, part.title) == (partners, title)
    assert [code for code in plan.partners if part.has_partner(code)] == [
        code for code in plan.partners if code in partners
    ]
    assert not part.has_partner(None)


def test_an_outcome_is_selected_beside_a_partner(plan: Plan) -> None:
    code = next(iter(plan.outcomes))
    part = select_part(plan, "yos", "", code.lower())
    assert part.has("yos", code)
    assert not part.has("nhs", code)
    assert not part.has("yos", "another")
    assert part.codes == ("yos", code)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"partner": "ys"}, "there is no partner 'ys'; the plan has "),
        ({"group": "south"}, "there is no group 'south'; the plan has NORTH, york"),
        ({"outcome": "x"}, "there is no outcome 'x'; the plan has "),
        ({"group": "york", "partner": "nhs"}, "nhs is not in the group york, which has yos"),
    ],
)
def test_what_the_plan_does_not_have_is_refused(plan: Plan, asked: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        select_part(plan, **asked)
