"""Figures are found by their lines as they are by reading them all, and nothing else is read."""

from dataclasses import replace
from random import Random

import pytest

from cypp_etl.judgement.reach.differences import plan_differences
from cypp_etl.plan.figure_lines import lines_about, lines_apart
from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import PlanError, plan_about, plan_known_as, plan_of, plans_apart
from tests.support.many_bodies import many_bodies

HEADER = b"measure,indicator,period,value,source,partner_code\n"
OF_M1 = b"target,M 1,2010-11,1,made up,a\n"
FIGURES = "figures.csv"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return many_bodies(3, 11, 5)


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        (b"target,M 1,2010-11,1,made up,a\n", True),
        (b'target,"M 1",2010-11,1,"a, b",a\n', True),
        (b"target, M 1 ,2010-11,1,made up,a\r\n", True),
        (b"target,M 1,2010-11,1,made up,a", True),
        (b"target,M 10,2010-11,1,made up,a\n", False),
        (b"target,XM 1,2010-11,1,made up,a\n", False),
        (b"target,M 1a,2010-11,1,made up,a\n", False),
    ],
)
def test_a_line_is_found_by_a_cell_that_has_the_code(line: bytes, is_found: bool) -> None:
    others = b"target,M 2,2010-11,1,made up,a\n"
    assert lines_about(HEADER + others + line, "M 1") == HEADER + (line if is_found else b"")


def test_a_code_that_stands_in_a_line_twice_is_one_line() -> None:
    line = b"target,M 1,2010-11,1,as for M 1,a\n"
    assert lines_about(HEADER + line + OF_M1, "M 1") == HEADER + line + OF_M1


@pytest.mark.parametrize(
    ("content", "code"),
    [(HEADER + b'target,M 1,2010-11,1,"made\nup",a\n', "M 1"), (HEADER + OF_M1, 'M "1"')],
    ids=["a cell goes on in the next line", "a code with a quote"],
)
def test_what_lines_cannot_tell_is_not_told(content: bytes, code: str) -> None:
    assert lines_about(content, code) is None


def test_two_files_without_the_lines_that_they_share() -> None:
    other = OF_M1.replace(b",1,", b",2,")
    shared = b"target,M 2,2010-11,1,made up,a\n"
    assert lines_apart(HEADER + shared + OF_M1, HEADER + other + shared) == (HEADER + OF_M1, HEADER + other)
    assert lines_apart(HEADER + OF_M1, HEADER + OF_M1) == (HEADER, HEADER)
    assert lines_apart(HEADER + OF_M1, b"indicator,measure\n" + OF_M1) is None
    assert lines_apart(HEADER + OF_M1, HEADER + b'target,M 1,2010-11,1,"made\nup",a\n') is None


def said(plan: Plan) -> tuple[dict[object, object], dict[object, dict[object, object]]]:
    """The figures of a plan, without partners that have none."""
    of_each = {code: dict(figures) for code, figures in plan.partner_figures.items() if figures}
    return dict(plan.figures), of_each


def test_a_plan_about_one_indicator_has_its_figures_and_no_others(files: dict[str, bytes]) -> None:
    in_force, whole = plan_known_as("known", files), plan_of(files)
    for indicator in whole.indicators:
        every, of_each = said(whole)
        expected = (
            {key: figure for key, figure in every.items() if key[1] == indicator},
            {code: {key: one for key, one in those.items() if key[1] == indicator} for code, those in of_each.items()},
        )
        assert said(plan_about(in_force, indicator)) == expected
        assert said(plan_about(whole, indicator)) == expected
    assert any(expected[1].values())


def test_the_figures_of_other_indicators_are_not_read(files: dict[str, bytes]) -> None:
    broken = files[FIGURES].replace(b",M 2,2010-11,", b",M 2,2010/11,")
    in_force = plan_known_as("known", {**files, FIGURES: broken})
    assert said(plan_about(in_force, "M 1")) == said(plan_about(plan_of(files), "M 1"))
    with pytest.raises(PlanError):
        len(in_force.figures)


def test_a_fault_in_a_figure_that_is_read_has_its_row(files: dict[str, bytes]) -> None:
    lines = files[FIGURES].splitlines(keepends=True)
    row = next(place for place, line in enumerate(lines) if b",M 2,2010-11," in line)
    lines[row] = lines[row].replace(b"2010-11", b"2010/11")
    with pytest.raises(PlanError) as caught:
        plan_about(plan_known_as("known", {**files, FIGURES: b"".join(lines)}), "M 2")
    assert (caught.value.row, caught.value.column) == (row + 1, "period")


def test_figures_that_were_replaced_are_those_of_the_plan(files: dict[str, bytes]) -> None:
    plan = plan_of(files)
    emptied = replace(plan, figures={}, partner_figures={})
    assert said(plan_about(emptied, "M 1")) == ({}, {})
    assert plan_differences(*plans_apart(plan, emptied)).figures == plan_differences(plan, emptied).figures != {}


def changed(chance: Random, content: bytes) -> bytes:
    """A file with some lines changed, left out, added or moved."""
    header, *lines = content.splitlines(keepends=True)
    for _ in range(chance.randint(0, 6)):
        place = chance.randrange(len(lines))
        measure, indicator, period, value, source, partner = lines[place].split(b",")
        match chance.randrange(4):
            case 0:
                value = str(chance.randint(1, 99)).encode()
            case 1:
                source = chance.choice([b"elsewhere", b'"here, and there"'])
            case 2:
                lines.append(b",".join([measure, indicator, b"2025-26", b"1", source, partner]))
        lines[place] = b",".join([measure, indicator, period, value, source, partner])
    del lines[chance.randrange(len(lines))]
    # A period after all others is there once.
    lines = list({line.rsplit(b",", 3)[0] + line.rpartition(b",")[2]: line for line in lines}.values())
    chance.shuffle(lines)
    return header + b"".join(lines)


@pytest.mark.parametrize("seed", range(8))
def test_what_two_plans_share_changes_no_difference(files: dict[str, bytes], seed: int) -> None:
    chance = Random(seed)
    before, after = ({**files, FIGURES: changed(chance, files[FIGURES])} for _ in range(2))
    whole, other = plan_of(before), plan_of(after)
    expected = plan_differences(whole, other)
    assert expected.figures
    few = plans_apart(plan_known_as(whole.fingerprint, before), other)
    assert plan_differences(*few) == expected
    assert len(few[0].figures) + sum(map(len, few[0].partner_figures.values())) < 20
