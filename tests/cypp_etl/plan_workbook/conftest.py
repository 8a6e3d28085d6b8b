"""The built-in plan, and its workbook."""

import pytest

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.plan_workbook.writer import write_plan_workbook


@pytest.fixture(scope="session")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="session")
def written(plan: Plan) -> bytes:
    """The built-in plan as a workbook."""
    return write_plan_workbook(plan)
