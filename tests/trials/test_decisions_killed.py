"""Decisions: after any kill each is whole or not there, and deciding again finishes it."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import IndicatorAnswer, fill_template, sample_answers
from cypp_etl.templates.workbook import write_template
from tests.support.samples import sample_of
from tests.trials.homes import PERIOD, Home, Site, contents
from tests.trials.nursery import Nursery
from tests.trials.sweeping import DECISIONS

pytestmark = pytest.mark.trial

KILLED = -9
FINISHED_AGAIN = {"accept", "refuse", "erase"}
"""What goes on after the transaction, with files, is finished by deciding again."""


def with_most_figures_left_out() -> bytes:
    plan = read_plan()
    answers = sample_answers(plan, "yos", PERIOD)
    for indicator in list(answers.indicators)[1:]:
        answers.indicators[indicator] = IndicatorAnswer(None, "-")  # type: ignore[index]
    return fill_template(write_template(plan, "yos", PERIOD), answers)


DROPS = {"yos/1.xlsx": sample_of("yos", PERIOD), "yos/2.xlsx": with_most_figures_left_out()}


@contextmanager
def home_to_decide_in(site: Site, nursery: Nursery) -> Iterator[Home]:
    with site.home(DROPS) as home:
        assert nursery.run("sweep_once", home.environment) == 0
        assert home.replies() == ["1 - accepted.xlsx", "2 - held.xlsx"]
        assert nursery.run("prepare_decisions", home.environment) == 0
        yield home


@pytest.mark.parametrize("decision", list(DECISIONS))
@pytest.mark.parametrize("kills", [2, pytest.param(300, marks=pytest.mark.slow)])
def test_a_killed_decision_is_whole_or_not_there(site: Site, nursery: Nursery, *, kills: int, decision: str) -> None:
    with home_to_decide_in(site, nursery) as home:
        before = contents(home.warehouse_url)
        came_to = home.folder / "lines"
        assert nursery.run("decide_and_die", home.environment, 0, decision, str(came_to)) == 0
        lines = json.loads(came_to.read_text())
        decided, replies = contents(home.warehouse_url), home.replies()
    assert decided != before
    seen = []
    # The first is before the transaction, and the last long after it.
    for line in sorted({lines[0], lines[-1], *random.Random(20101122).sample(lines, min(kills, len(lines)))}):
        with home_to_decide_in(site, nursery) as home:
            assert nursery.run("decide_and_die", home.environment, line, decision) == KILLED
            there = contents(home.warehouse_url)
            assert there in (before, decided)
            seen.append(there == decided)
            if there == before or decision in FINISHED_AGAIN:
                assert nursery.run("decide_once", home.environment, decision) == 0
            assert (contents(home.warehouse_url), home.replies()) == (decided, replies)
    assert set(seen) == {True, False}, "it was killed on both sides of the commit"
