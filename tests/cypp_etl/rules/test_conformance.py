"""Rows against their schemas: what a return says is judged alike, whatever others said before it."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from cypp_etl.intake.rows import ParsedReturn
from cypp_etl.plan.index import PlanIndex
from cypp_etl.rules.conformance import judge_conformance
from schemas import returns


@pytest.fixture(scope="module")
def codes(plan) -> Callable[..., list[list[str]]]:
    """The codes that each return of a batch gets."""
    index = PlanIndex.of(plan)

    def judge(*batch: ParsedReturn) -> list[list[str]]:
        found: list[list[str]] = [[] for _ in batch]
        for owner, finding in judge_conformance(batch, index):
            next(codes for parsed, codes in zip(batch, found, strict=True) if parsed is owner).append(finding.code)
        return found

    return judge


def test_each_workbook_names_a_milestone_once(codes, make_parsed, make_milestone):
    once = make_parsed(milestone_rows=[make_milestone()])
    other = make_milestone("PC1-A2-M1")
    twice = make_parsed(milestone_rows=[make_milestone(), other, make_milestone(), make_milestone()])
    assert codes(once, twice, once) == [[], ["milestone-twice", "milestone-twice"], []]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"value": 170.5}, "out-of-range"),
        ({"value": 70.5, "denominator": 0}, "denominator-not-positive"),
    ],
)
def test_what_was_wrong_once_is_wrong_again(codes, make_parsed, make_figure, wrong: dict[str, Any], code: str):
    for _ in range(2):
        batch = [make_parsed(figures=[make_figure("NI 43", **words)]) for words in ({"value": 70.5}, wrong)]
        assert codes(*batch) == [[], [code]]


def test_figures_of_a_batch_are_checked_in_one_frame(codes, make_parsed, make_figure):
    figure, odd = make_figure("NI 43", 12.25), make_figure("NI 43", 1225)
    with patch.object(returns, "failures", wraps=returns.failures) as asked:
        assert codes(make_parsed(figures=[figure]), make_parsed(figures=[odd, figure])) == [[], ["out-of-range"]]
    frames = [call.args[1] for call in asked.call_args_list]
    assert [frame["value"].tolist() for frame in frames] == [[12.25, 1225.0, 12.25]]


def test_a_row_that_was_sound_once_is_not_checked_again(codes, make_parsed, make_milestone):
    row, odd = make_milestone(status="Withdrawn"), make_milestone(status="Gone")
    assert codes(make_parsed(milestone_rows=[row])) == [[]]
    with patch.object(returns, "failures", wraps=returns.failures) as asked:
        assert codes(make_parsed(milestone_rows=[row]), make_parsed(milestone_rows=[odd])) == [[], ["status-unknown"]]
    frames = [call.args[1] for call in asked.call_args_list]
    assert [frame["status"].tolist() for frame in frames] == [["Gone"]]
