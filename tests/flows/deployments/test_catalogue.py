"""The one list of deployments: prefect.yaml says the same for workers, and each form can be filled in."""

import inspect
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from cypp_etl.plan.reader import read_plan
from flows.deployments.catalogue import CATALOGUE, DeploymentSpec
from flows.deployments.parameter_forms import Choices, form_of, lists_of

ROOT = Path(__file__).parents[3]
PLAN = read_plan()
TODAY = date(2010, 8, 1)
LISTS = lists_of(PLAN, TODAY)
EVERY = pytest.mark.parametrize("deployed", CATALOGUE, ids=lambda one: one.flow.name)


def of_workers() -> dict[str, dict[str, Any]]:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    return {one["name"]: one for one in deployments}


def field(name: str, parameter: str) -> dict[str, Any]:
    (deployed,) = [one for one in CATALOGUE if one.flow.name == name]
    found: dict[str, Any] = form_of(deployed.flow, LISTS).properties[parameter]
    return found


@EVERY
def test_prefect_yaml_says_the_same(deployed: DeploymentSpec) -> None:
    path, _, function = (told := of_workers()[deployed.flow.name])["entrypoint"].partition(":")
    assert getattr(import_module(path.removesuffix(".py").replace("/", ".")), function) is deployed.flow
    assert told["description"] == deployed.description
    assert told.get("parameters", {}) == deployed.parameters
    schedule = deployed.schedule
    expected = [{"cron": schedule.cron, "timezone": schedule.timezone, "slug": schedule.name}] if schedule else []
    assert told.get("schedules", []) == expected
    limit = {"limit": 1, "collision_strategy": "CANCEL_NEW"} if deployed.is_alone else None
    assert told.get("concurrency_limit") == limit


def test_nothing_is_in_prefect_yaml_alone_but_the_parts_of_a_backfill() -> None:
    assert of_workers().keys() - {one.flow.name for one in CATALOGUE} == {"backfill-part"}


@EVERY
def test_a_form_has_names_and_says_what_they_mean_and_asks_for_all_that_is_needed(deployed: DeploymentSpec) -> None:
    fields = form_of(deployed.flow, LISTS).properties
    for name, asked in fields.items():
        assert asked["title"] != name
        assert asked["description"].endswith(".")
        assert "\n" not in asked["description"]
        # One kind of field each: nobody is asked whether it is a text or a null.
        assert "anyOf" not in asked
    needed = {
        name
        for name, parameter in inspect.signature(deployed.flow.fn).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    assert needed <= fields.keys() | deployed.parameters.keys()
    assert set(form_of(deployed.flow, LISTS).required or ()) <= fields.keys()


def test_periods_are_the_quarters_that_have_begun_the_newest_first() -> None:
    periods = field("publish-report", "period")["enum"]
    assert periods[:2] == ["2010-11Q2", "2010-11Q1"]
    assert periods == sorted(periods, reverse=True)
    assert "2010-11Q3" in lists_of(PLAN, date(2010, 10, 1)).names[Choices.PERIODS]
    assert "2010-11Q3" not in lists_of(PLAN, date(2010, 9, 30)).names[Choices.PERIODS]


def test_partners_are_those_of_the_plan_and_several_can_be_chosen() -> None:
    partners = field("backfill", "partners")
    assert (partners["type"], partners["items"]["enum"]) == ("array", list(PLAN.partners))
    assert "yos: Youth Offending Service" in partners["description"]
    assert field("ingest-return", "folder_partner")["enum"] == list(PLAN.partners)


def test_what_only_several_machines_need_is_not_asked_for() -> None:
    (deployed,) = [one for one in CATALOGUE if one.flow.name == "backfill"]
    assert list(form_of(deployed.flow, LISTS).properties) == ["paths", "workers", "partners"]


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"label": "yos/q1.xlsx", "file": "/srv/other.xlsx"}, "yos/q1.xlsx"),
        ({"label": "", "file": "/srv/cypp/inbox/yos/q1.xlsx"}, "yos/q1.xlsx"),
        ({"label": "", "file": "table\n2009.xlsx"}, "/table\\n2009.xlsx"),
    ],
)
def test_a_workbook_without_a_label_is_called_after_its_folder(parameters: dict[str, str], name: str) -> None:
    from flows.deployments.ingest_return import name_of_run

    assert name_of_run(parameters) == name
