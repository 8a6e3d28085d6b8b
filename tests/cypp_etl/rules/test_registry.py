"""The registry says which findings each rule makes: all of them, and no rule another's."""

import ast
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import cypp_etl.rules
from cypp_etl.findings import catalogue
from cypp_etl.rules import registry
from cypp_etl.rules.registry import RULES, Rule, Stage
from schemas.returns import BLAMED_COLUMN
from tests.support.seeding import SEEDS, Good, seed_faults
from tests.support.seeding.trials import differences, make_goods

MODULES = sorted(Path(cypp_etl.rules.__file__).parent.glob("*.py"))


def test_every_code_has_one_rule_and_words():
    named = [code for rule in RULES for code in rule.codes] + list(BLAMED_COLUMN)
    assert [code for code, times in Counter(named).items() if times > 1] == []
    assert set(named) <= set(catalogue())


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_code_that_a_module_finds_is_in_the_registry(module):
    named = {code for rule in RULES for code in rule.codes} | set(BLAMED_COLUMN)
    found = {node.value for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Constant)}
    assert {code for code in found if code in catalogue()} <= named


def test_rules_stand_in_the_order_in_which_they_are_asked():
    order = list(Stage)
    assert [rule.stage for rule in RULES] == sorted((rule.stage for rule in RULES), key=order.index)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Good:
    return make_goods(tmp_path_factory.mktemp("plan"), 1)[0]


# The trial's text that is no figure is found as it is read; the rule is about texts that may be personal data.
SEEDED = {code for rule in RULES for code in rule.codes} & set(SEEDS) - {"not-a-figure"}


@pytest.mark.parametrize("code", sorted(SEEDED))
def test_a_fault_is_found_by_its_rule_alone(good, code, monkeypatch):
    found: dict[str, str] = {}

    def recording(rule: Rule) -> Rule:
        def judge(case):
            for finding in rule.judge(case):
                assert finding.code in rule.codes
                found[finding.code] = rule.codes[0]
                yield finding

        return replace(rule, judge=judge)

    monkeypatch.setattr(registry, "RULES", tuple(recording(rule) for rule in RULES))
    assert differences(good, seed_faults(good, 1, random.Random(code), [code])) == []
    assert found == {code: next(rule.codes[0] for rule in RULES if code in rule.codes)}
