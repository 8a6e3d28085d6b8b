"""Comparators and neighbours in the plan: what is read, and what is refused."""

import pickle
from dataclasses import replace

import pytest

from cypp_etl.periods import Period
from cypp_etl.plan.model import BUILT_IN_COMPARATORS, Comparator, Plan
from cypp_etl.plan.reader import PlanError, plan_known_as, plan_of, read_plan
from cypp_etl.plan.tables import read_files
from schemas.codes import ComparatorMethod
from tests.support.many_bodies import many_bodies

HEADER = "comparator,heading,method,bodies\n"
GROUPS = "group_code,group,parent_group\nnorth,The North,\ncoast,The Coast,north\n"


def with_files(**files: str) -> Plan:
    """The built-in plan with more files, or with lines added to those that it has."""
    contents = read_files(None)
    for name, text in files.items():
        contents[f"{name}.csv"] = contents.get(f"{name}.csv", b"") + text.encode()
    return plan_of(contents)


def faults_of(**files: str) -> list[str]:
    with pytest.raises(PlanError) as raised:
        with_files(**files)
    return [str(fault) for fault in raised.value.faults]


def given_both(*rows: str) -> str:
    return HEADER + "\n".join(["statistical_neighbours,Neighbours,given,", "national,England,given,", *rows]) + "\n"


def test_a_plan_that_does_not_say_has_the_two_comparators_of_the_document() -> None:
    assert read_plan().comparators == BUILT_IN_COMPARATORS


def test_comparators_are_read_in_order_with_their_figures() -> None:
    plan = with_files(
        comparators=given_both("region,The region,mean,neighbours", "best,The best,given,"),
        figures="best,NI 45,2009-10,99.9%,made up\n",
        neighbours="partner_code,neighbour\nyos,nhs\nyos,cyps\n",
    )
    assert list(plan.comparators) == ["statistical_neighbours", "national", "region", "best"]
    assert plan.comparators["region"] == Comparator("region", "The region", ComparatorMethod.MEAN, "neighbours")
    assert plan.figure("best", "NI 45", Period(2009)) is not None
    assert plan.bodies_of(plan.comparators["region"], "yos") == ("nhs", "cyps")
    assert plan.bodies_of(plan.comparators["region"], "nhs") == ()


def test_a_group_has_the_partners_of_the_groups_that_are_part_of_it() -> None:
    contents = read_files(None)
    header, *lines = contents["partners.csv"].decode().splitlines()
    groups = {"yos": "north", "nhs": "coast"}
    lines = [f"{line},{groups.get(line.split(',')[0], '')}" for line in lines]
    contents["partners.csv"] = "\n".join([f"{header},group_code", *lines]).encode()
    contents["groups.csv"] = GROUPS.encode()
    contents["comparators.csv"] = given_both(
        "own,Ours,mean,own group", "north,The North,sum,north", "all,All,sum,*"
    ).encode()
    plan = plan_of(contents)
    assert plan.members["coast"] == ("nhs",)
    assert set(plan.members["north"]) == {"yos", "nhs"}
    assert set(plan.bodies_of(plan.comparators["own"], "yos")) == {"yos", "nhs"}
    assert plan.bodies_of(plan.comparators["own"], "nhs") == ("nhs",)
    assert plan.bodies_of(plan.comparators["own"], "police") == ()
    assert set(plan.bodies_of(plan.comparators["north"], "police")) == {"yos", "nhs"}
    assert plan.bodies_of(plan.comparators["all"], "police") == tuple(plan.partners)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"comparators": given_both("Region,Region,given,")},
            'comparators.csv, row 4, column comparator: "Region" is not a code of lower-case letters, digits and '
            "underscores such as regional_mean, or is another measure",
        ),
        (
            {"comparators": given_both("target,Region,given,")},
            'comparators.csv, row 4, column comparator: "target" is not a code of lower-case letters, digits and '
            "underscores such as regional_mean, or is another measure",
        ),
        (
            {"comparators": given_both("region,Region,average,neighbours")},
            'comparators.csv, row 4, column method: "average" is not one of given, mean, median, sum, ratio',
        ),
        (
            {"comparators": given_both("region,Region,mean,west"), "groups": GROUPS},
            'comparators.csv, row 4, column bodies: "west" is not one of neighbours, own group, a code of groups.csv, '
            "or * for every partner",
        ),
        (
            {"comparators": given_both("region,Region,mean,")},
            "comparators.csv, row 4, column bodies: blank is not one of neighbours, own group, a code of groups.csv, "
            "or * for every partner",
        ),
        (
            {"comparators": given_both("region,Region,given,neighbours")},
            'comparators.csv, row 4, column bodies: "neighbours" has no effect if the method is given',
        ),
        (
            {"figures": "region,NI 45,2009-10,1,made up\n"},
            'figures.csv, row 89, column measure: "region" is not one of target, history, statistical_neighbours, '
            "national",
        ),
        (
            {
                "comparators": given_both("region,Region,mean,neighbours"),
                "figures": "region,NI 45,2009-10,1,made up\n",
            },
            'figures.csv, row 89, column measure: "region" is not given: its method in comparators.csv is mean',
        ),
        (
            {"comparators": given_both("region,Region,given,"), "figures": "region,NI 45,2009-10Q1,1,made up\n"},
            'figures.csv, row 89, column period: "2009-10Q1" is a quarter: a comparator is given for a year',
        ),
        (
            {"neighbours": "partner_code,neighbour\nyos,nobody\n"},
            'neighbours.csv, row 2, column neighbour: "nobody" is not in partners.csv',
        ),
        ({"owed_by": "west,NI 45\n"}, 'owed_by.csv, row 15, column partner_code: "west" is not in partners.csv'),
        (
            {"owed_by": "west,NI 45\n", "groups": GROUPS},
            'owed_by.csv, row 15, column partner_code: "west" is not in partners.csv or groups.csv',
        ),
    ],
)
def test_a_fault_is_named_with_its_cell(files: dict[str, str], expected: str) -> None:
    assert faults_of(**files) == [expected]


def test_figures_that_are_read_later_are_the_same_in_another_process_too():
    files = many_bodies(partners=3, measures=4, seed=1)
    plan, later = plan_of(files), plan_known_as("known", files)
    assert (later.fingerprint, later.former_fingerprint) == ("known", plan.former_fingerprint)
    key = "target", "M 2", Period(2010), "body001"
    assert later == replace(plan, fingerprint="known")
    for same in (later, pickle.loads(pickle.dumps(later))):  # noqa: S301 - our own
        assert same.partner_figures == plan.partner_figures
        assert list(same.partner_figures) == ["body000", "body001", "body002"]
        assert len(same.figures) == 0 and len(same.partner_figures["body001"]) == 12
        assert "nobody" not in same.partner_figures
        assert same.figure(*key) == plan.figure(*key) is not None
