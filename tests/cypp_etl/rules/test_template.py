"""The form of a return: one of this plan is nobody's finding, whichever program wrote it."""

import io

import openpyxl
import pytest

from cypp_etl.layout import RETURN, read_layouts
from cypp_etl.periods import parse_period
from cypp_etl.rules.template import judge_template
from cypp_etl.templates.workbook import write_template
from cypp_etl.workbook.reader import read_workbook


@pytest.fixture(scope="module")
def form(plan):
    return write_template(plan, "yos", parse_period("2010-11Q1"))


def codes_for(form, plan, fingerprint=None):
    if fingerprint is not None:
        book = openpyxl.load_workbook(io.BytesIO(form))
        book["_meta"]["B2"] = fingerprint
        written = io.BytesIO()
        book.save(written)
        form = written.getvalue()
    return [found.code for found in judge_template(read_workbook(form), read_layouts()[RETURN], plan)]


def test_a_form_of_this_plan_is_no_finding(form, plan):
    assert codes_for(form, plan) == []


def test_a_form_written_before_plans_were_workbooks_is_no_finding(form, plan):
    assert codes_for(form, plan, plan.former_fingerprint) == []


def test_a_form_of_another_plan_is_a_finding(form, plan):
    assert codes_for(form, plan, "0" * 64) == ["template-differs"]
