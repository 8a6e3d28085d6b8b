"""CSV files and a workbook are one plan: writing and reading back gives the same fingerprint, whatever is in it."""

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import schemas.plan
from cypp_etl.plan.fingerprint import fingerprint_of
from cypp_etl.plan.model import About, Plan
from cypp_etl.plan.reader import PlanError, plan_of
from cypp_etl.plan.tables import read_files, tables_of
from cypp_etl.plan_workbook.guidance import read_guidance
from cypp_etl.plan_workbook.sheets import csv_files, read_plan_workbook
from cypp_etl.plan_workbook.writer import write_plan_workbook
from schemas.plan import SCHEMAS, TABLES, Table
from tests.support.plan_edits import PlanEdits

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text).strip() != ""
)
DIGITS = st.from_regex(r"\A-?[0-9]{1,3}(,[0-9]{3}){0,3}(\.[0-9]{1,6})?\Z")
CODES = st.from_regex(r"\A[0-9]{1,3}\Z")


def plan_saying(words: str, digits: str, code: str, *, has_groups: bool = True) -> Plan:
    """The built-in plan with a partner's code, two texts, a figure and an optional table replaced."""
    files = read_files(None)
    rows = {file: list(csv.DictReader(content.decode().splitlines())) for file, content in files.items()}
    rows["partners.csv"].append({"partner_code": code, "partner": words})
    rows["outcomes.csv"][0]["outcome"] = words
    rows["figures.csv"][0]["value"] = digits
    rows["figures.csv"][0]["source"] = words
    for row in rows["partners.csv"]:
        row |= {"group_code": "0070" if has_groups else "", "first_period": "", "successor": ""}
    if has_groups:
        rows["groups.csv"] = [{"group_code": "0070", "group": words, "parent_group": ""}]
    contents = {}
    for file, each in rows.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, each[0])
        writer.writeheader()
        writer.writerows(each)
        contents[file] = text.getvalue().encode()
    return plan_of(contents)


def read_back(data: bytes) -> Plan:
    reading = read_plan_workbook(data, "plan.xlsx")
    assert reading.faults == ()
    assert reading.plan is not None
    return reading.plan


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(words=WORDS, digits=DIGITS, code=CODES, has_groups=st.booleans())
@example(words="_x0041_ =1+1", digits="-0.0", code="007", has_groups=True)
@example(words="two\r\nlines\rand a \t tab", digits="0,000.10", code="7", has_groups=False)
@example(words="2010-11", digits="999,999,999,999.999999", code="10", has_groups=True)
@example(words="'quoted", digits="12.340", code="1", has_groups=True)
def test_every_plan_reads_back_as_itself(words: str, digits: str, code: str, has_groups: bool) -> None:
    try:
        plan = plan_saying(words, digits, code, has_groups=has_groups)
    except PlanError:
        # Such as an outcome's name that is another's.
        assume(False)
    again = read_back(write_plan_workbook(plan))
    assert again.fingerprint == plan.fingerprint
    assert plan_of(again.files).fingerprint == plan.fingerprint


def test_the_built_in_plan_gives_its_own_files_back(plan: Plan, written: bytes) -> None:
    assert read_back(written).files == plan.files


def test_libreoffice_saves_the_same_plan(tmp_path: Path) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed")
    plan = plan_saying("_x0041_ =1+1, 007 & <Mar-10>\nand a \t tab", "1,234.50", "007")
    (tmp_path / "plan.xlsx").write_bytes(write_plan_workbook(plan))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "out")]
    subprocess.run([*command, str(tmp_path / "plan.xlsx")], check=True, capture_output=True, timeout=180)
    again = read_back((tmp_path / "out" / "plan.xlsx").read_bytes())
    assert again.fingerprint == plan.fingerprint
    assert again.files["figures.csv"] == plan.files["figures.csv"].replace(b'"1,234.50"', b"1234.50").replace(
        b"\r\n", b"\n"
    )


def test_what_is_optional_and_says_nothing_is_left_out(plan: Plan) -> None:
    spacious = plan_saying("Words", "1", "ext", has_groups=False)
    written = csv_files(tables_of(spacious.files).rows)
    assert written["partners.csv"].startswith(b"partner_code,partner\n")
    assert "groups.csv" not in written
    assert fingerprint_of(tables_of(written).rows) == spacious.fingerprint
    assert spacious.fingerprint != plan.fingerprint


def test_the_workbook_helps_to_fill_it_in(written: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written))
    assert book.sheetnames == ["Guidance", *(Path(file).stem for file in TABLES)]
    assert book.properties.title == "The plan"
    sheet = book["indicators"]
    assert sheet.freeze_panes == "B2"
    assert [cell.value for cell in sheet[1]] == list(SCHEMAS["indicators.csv"].columns)
    guards = {str(guard.sqref).split("2", 1)[0]: guard for guard in sheet.data_validations.dataValidation}
    polarity, outcome = guards["G"], guards["E"]
    assert (polarity.formula1, polarity.errorStyle) == ('"HIGH,LOW,RANGE,NONE"', "stop")
    assert (outcome.formula1, outcome.errorStyle) == (
        "OFFSET(outcomes!$A$2,0,0,MAX(1,COUNTA(outcomes!$A:$A)-1),1)",
        "warning",
    )
    assert polarity.prompt.startswith("HIGH, LOW, RANGE or NONE")
    due = book["milestones"]["E2"]
    assert (due.is_date, due.number_format) == (True, "yyyy-mm-dd")
    assert book["figures"]["D2"].value == 0.69
    assert book["figures"].column_dimensions["C"].number_format == "@"


def test_every_table_that_a_plan_may_have_has_a_sheet_of_its_own() -> None:
    """What is no table here is in no fingerprint either, and a change of it would not be seen."""
    declared = {
        file: table
        for each in vars(schemas.plan).values()
        if isinstance(each, Mapping)
        for file, table in each.items()
        if isinstance(table, Table)
    }
    assert dict(TABLES) == declared
    assert len({Path(file).stem for file in TABLES}) == len(TABLES)


def test_every_column_has_guidance() -> None:
    missing = {
        (file, column)
        for file, table in SCHEMAS.items()
        for column in table.columns
        if not read_guidance().get(file) or column not in read_guidance()[file].columns
    }
    assert missing == set()


def test_units_and_notes_read_back_as_they_are() -> None:
    edits = PlanEdits().change("indicators", "NI 19", unit="money", currency="£", unit_label="per child", note="=1+1")
    edits.change("indicators", "NI 111", source="Police National Computer", owner="Police")
    edits.change("indicators", "NI 111b", owner="Analysts").change("partners", "yos", url="https://example.org/?a=1")
    plan = edits.read()
    again = read_back(write_plan_workbook(plan))
    assert again.fingerprint == plan.fingerprint
    assert again.indicators["NI 19"].unit_text == "£ per child"
    assert again.indicators["NI 19"].about == About(note="=1+1")
    assert again.indicators["NI 111a"].about == About(source="Police National Computer", owner="Police")
    assert again.indicators["NI 111b"].about == About(source="Police National Computer", owner="Analysts")
    assert again.partners["yos"].about.url == "https://example.org/?a=1"
