"""Each fault in a plan stops its reading, and the message names file, row and column."""

import csv
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from cypp_etl.plan.model import Banding
from cypp_etl.plan.reader import PlanError, PlanFault, faults_of, read_plan
from cypp_etl.plan.tables import tables_of
from schemas.codes import Accumulation, Polarity
from tests.support.plan_edits import PlanEdits

# File, the first cells of the row to break, the column, what to write there, and the message.
BROKEN_CELLS = [
    ("outcomes.csv", "SS", "outcome", "", "blank is not allowed here"),
    (
        "outcomes.csv",
        "SS",
        "outcome",
        "be healthy",
        '"be healthy" is also the name of BH, in row 2: outcomes must have different names',
    ),
    (
        "outcomes.csv",
        "SS",
        "table_heading",
        "Be Healthy",
        '"Be Healthy" is also the name of BH, in row 2: outcomes must have different names',
    ),
    ("aspirations.csv", "BH2", "outcome_code", "XX", '"XX" is not in outcomes.csv'),
    ("aspirations.csv", "BH2", "is_area_of_focus", "maybe", '"maybe" is not one of yes, no'),
    ("aspirations.csv", "BH2", "text", "", "blank is not allowed here"),
    ("partners.csv", "yos", "partner", "", "blank is not allowed here"),
    ("actions.csv", "PC1-A1", "aspiration", "PC9", '"PC9" is not in aspirations.csv'),
    ("actions.csv", "PC1-A1", "partner_code", "fire", '"fire" is not in partners.csv'),
    (
        "actions.csv",
        "PC1-A1",
        "kind",
        "new",
        '"new" is not one of existing plan or strategy, additional partnership action',
    ),
    ("milestones.csv", "PC2-E1-M1", "action_id", "PC2-E9", '"PC2-E9" is not in actions.csv'),
    ("milestones.csv", "PC2-E1-M1", "due", "31/08/2010", '"31/08/2010" is not a date such as 2011-03-31'),
    ("milestones.csv", "PC2-E1-M1", "due", "2010-02-30", '"2010-02-30" is not a date such as 2011-03-31'),
    ("milestones.csv", "PC2-E1-M1", "financial_year", "Nov-10", '"Nov-10" is not a financial year such as 2010-11'),
    (
        "milestones.csv",
        "PC2-E1-M1",
        "financial_year",
        "2010-11Q1",
        '"2010-11Q1" is not a financial year such as 2010-11',
    ),
    ("indicators.csv", "NI 111", "polarity", "HIHG", '"HIHG" is not one of HIGH, LOW, RANGE, NONE'),
    ("indicators.csv", "NI 19", "polarity", "", "blank: neither NI 19 nor a parent of it states one"),
    ("indicators.csv", "NI 113b", "polarity", "", "blank: neither NI 113b nor a parent of it states one"),
    ("indicators.csv", "NI 19", "unit", "", "blank is not allowed here: the indicator carries values"),
    ("indicators.csv", "NI 19", "unit", "ratio", '"ratio" is not one of percent, number, rate, money, days, score'),
    ("indicators.csv", "NI 19", "decimals", "two", '"two" is not a whole number from 0 to 6'),
    ("indicators.csv", "NI 19", "minimum", "none", '"none" is not a number such as 75.6'),
    ("indicators.csv", "NI 19", "outcome_code", "XX", '"XX" is not in outcomes.csv'),
    ("indicators.csv", "NI 19", "multiplier", "-1", '"-1" is not a whole number of zero or more'),
    (
        "indicators.csv",
        "NI 111",
        "unit",
        "number",
        '"number" is not allowed for a parent: only its sub-indicators have one',
    ),
    (
        "indicators.csv",
        "NI 111b",
        "number_indicator",
        "NI 111",
        '"NI 111" is not an indicator that carries values',
    ),
    (
        "indicators.csv",
        "NI 111b",
        "number_indicator",
        "NI 111b",
        '"NI 111b" is the indicator itself: another indicator must count for it',
    ),
    (
        "indicators.csv",
        "NI 111b",
        "number_indicator",
        "NI 43",
        '"NI 43" is a percent: only an indicator whose unit is number counts for another',
    ),
    (
        "indicators.csv",
        "NI 43",
        "number_indicator",
        "NI 19",
        '"NI 19" is a rate: only an indicator whose unit is number counts for another',
    ),
    (
        "indicators.csv",
        "NI 111a",
        "number_indicator",
        "NI 111b",
        '"NI 111b" belongs to a number: only a rate or a percentage has an indicator that counts for it',
    ),
    (
        "indicators.csv",
        "NI 111a",
        "decimals",
        "1",
        '"1" is not allowed: NI 111a is a count, because it adds up over the year: it must have 0 decimals',
    ),
    (
        "indicators.csv",
        "NI 111a",
        "accumulation",
        "ratio",
        '"ratio" is for percentages and rates, but NI 111a is a number',
    ),
    (
        "indicators.csv",
        "NI 43",
        "multiplier",
        "1",
        '"1" gives no percentage: use 100, or 0 without numerator and denominator',
    ),
    (
        "indicators.csv",
        "NI 19",
        "range_low",
        "1",
        '"1" has no effect if the polarity is LOW: a band must be in the row with RANGE',
    ),
    (
        "indicators.csv",
        "NI 111a",
        "range_high",
        "1",
        '"1" has no effect if the polarity is blank: a band must be in the row with RANGE',
    ),
    ("indicators.csv", "NI 113b", "definition", "", "blank is not allowed here"),
    (
        "figures.csv",
        "target,NI 19,2009-10",
        "indicator",
        "ni19",
        '"ni19" is not in indicators.csv, which has "NI 19": they differ in case or spacing only',
    ),
    ("figures.csv", "target,NI 19,2009-10", "indicator", "NI\u00a019", None),
    ("figures.csv", "target,NI 19,2009-10", "indicator", "NI 18", '"NI 18" is not in indicators.csv'),
    (
        "figures.csv",
        "target,NI 111a,2010-11",
        "indicator",
        "NI 111",
        '"NI 111" is a parent: only its sub-indicators have figures',
    ),
    ("figures.csv", "target,NI 19,2009-10", "measure", "actual", None),
    ("figures.csv", "target,NI 19,2009-10", "value", "", None),
    ("figures.csv", "target,NI 19,2009-10", "value", "0,48", None),
    (
        "figures.csv",
        "target,NI 19,2009-10",
        "value",
        "1,000,000,000,000",
        '"1,000,000,000,000" is a trillion or more, which is too large for a figure',
    ),
    ("figures.csv", "target,NI 19,2009-10", "value", "NaN", None),
    ("figures.csv", "target,NI 19,2009-10", "value", "٤٨", None),
    (
        "figures.csv",
        "target,NI 19,2009-10",
        "value",
        "0.48%",
        '"0.48%" has a percent sign, but NI 19 is a rate',
    ),
    ("figures.csv", "target,NI 43,2009-10", "value", "750%", '"750%" is above the indicator\'s maximum, 100'),
    ("figures.csv", "target,NI 43,2009-10", "value", "-7.5", '"-7.5" is below the indicator\'s minimum, 0'),
    (
        "figures.csv",
        "target,NI 19,2009-10",
        "period",
        "2009-11",
        '"2009-11" is not a period such as 2010-11 or 2010-11Q1',
    ),
    (
        "figures.csv",
        "national,NI 19,2009-10",
        "period",
        "2009-10Q4",
        '"2009-10Q4" is a quarter: a comparator is given for a year',
    ),
    ("figures.csv", "target,NI 19,2009-10", "period", "9999-00", None),
    ("figures.csv", "target,NI 19,2009-10", "period", "1899-00", None),
    (
        "figures.csv",
        "target,NI 19,2010-11",
        "period",
        "2009-10",
        '"2009-10" repeats an earlier row with the same measure, indicator, period',
    ),
    ("owed_by.csv", "nhs,NI 112", "partner_code", "fire", '"fire" is not in partners.csv'),
    ("owed_by.csv", "nhs,NI 112", "indicator", "NI 9", '"NI 9" is not in indicators.csv'),
    (
        "owed_by.csv",
        "nhs,NI 112",
        "indicator",
        "NI 113",
        '"NI 113" is a parent: only its sub-indicators are returned',
    ),
    ("calendar.csv", "2010-11Q1", "due_on", "20 July", '"20 July" is not a date such as 2011-03-31'),
    ("calendar.csv", "2010-11Q1", "due_on", "2010-06-30", '"2010-06-30" is before the period opens, 2010-07-01'),
    ("calendar.csv", "2010-11Q1", "period", "2010-11Q5", '"2010-11Q5" is not a period such as 2010-11 or 2010-11Q1'),
    ("banding.csv", ",10", "target_margin_percent", "ten", '"ten" is not a number of zero or more'),
    (
        "banding.csv",
        ",10",
        "comparator_margin",
        "",
        "blank is not allowed here: the row has the default margins",
    ),
]


@pytest.fixture
def plan_copy(tmp_path: Path) -> Path:
    with as_file(files("cypp_etl").joinpath("plan", "data")) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "plan"))


def write_cell(file: Path, row_begins: str, column: str, text: str) -> int:
    """Write one cell of the row with this beginning, and return the row's number."""
    with file.open(encoding="utf-8", newline="") as lines:
        records = list(csv.reader(lines))
    number = next(i for i, record in enumerate(records, 1) if f"{','.join(record)},".startswith(f"{row_begins},"))
    records[number - 1][records[0].index(column)] = text
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows(records)
    return number


def faults_in(folder: Path) -> tuple[PlanFault, ...]:
    with pytest.raises(PlanError) as caught:
        read_plan(folder)
    return caught.value.faults


def edit(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8", newline="")


@pytest.mark.parametrize("broken", BROKEN_CELLS)
def test_a_broken_cell_is_the_one_fault(plan_copy: Path, broken: tuple[str, str, str, str, str | None]) -> None:
    file, row_begins, column, text, message = broken
    row = write_cell(plan_copy / file, row_begins, column, text)
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.row, fault.column) == (file, row, column)
    assert message is None or fault.message == message


def test_a_ratio_needs_a_multiplier(plan_copy: Path) -> None:
    row = write_cell(plan_copy / "indicators.csv", "NI 112", "accumulation", "ratio")
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (row, "multiplier")
    assert fault.message.startswith("0 means that returns give no numerator and denominator")
    write_cell(plan_copy / "indicators.csv", "NI 112", "multiplier", "100")
    assert read_plan(plan_copy).indicators["NI 112"].accumulation is Accumulation.RATIO


def test_a_number_that_a_rate_counts_has_no_decimals(plan_copy: Path) -> None:
    for column, text in (("accumulation", "latest"), ("decimals", "1")):
        row = write_cell(plan_copy / "indicators.csv", "NI 111a", column, text)
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (row, "decimals")
    assert "NI 111a is a count, because NI 111b is made of it" in fault.message
    # A number that nothing counts on may be an average, or a number of full-time equivalents.
    write_cell(plan_copy / "indicators.csv", "NI 111b", "number_indicator", "")
    leaf = read_plan(plan_copy).indicators["NI 111a"]
    assert (leaf.decimals, leaf.is_count) == (1, False)


def test_the_error_reads_as_a_sentence(plan_copy: Path) -> None:
    write_cell(plan_copy / "indicators.csv", "NI 111", "polarity", "HIHG")
    with pytest.raises(PlanError) as caught:
        read_plan(plan_copy)
    error = caught.value
    assert str(error) == 'indicators.csv, row 7, column polarity: "HIHG" is not one of HIGH, LOW, RANGE, NONE'
    assert (error.file, error.row, error.column) == ("indicators.csv", 7, "polarity")
    assert error.message == '"HIHG" is not one of HIGH, LOW, RANGE, NONE'


def test_faults_of_all_files_are_told_at_once_and_in_order(plan_copy: Path) -> None:
    write_cell(plan_copy / "owed_by.csv", "vcs,NI 110", "indicator", "NI 9")
    write_cell(plan_copy / "milestones.csv", "PC2-E1-M1", "due", "August")
    write_cell(plan_copy / "indicators.csv", "NI 45", "unit", "ratio")
    write_cell(plan_copy / "indicators.csv", "NI 43", "unit", "")
    (plan_copy / "calendar.csv").unlink()
    assert [(fault.file, fault.row, fault.column) for fault in faults_in(plan_copy)] == [
        ("milestones.csv", 5 + 1, "due"),
        ("indicators.csv", 3, "unit"),
        ("indicators.csv", 4, "unit"),
        ("owed_by.csv", 13, "indicator"),
        ("calendar.csv", None, None),
    ]


def test_there_is_no_folder(tmp_path: Path) -> None:
    (fault,) = faults_in(tmp_path / "nowhere")
    assert fault.file == str(tmp_path / "nowhere")
    assert fault.message == "there is no such folder to read a plan from"


def test_a_missing_file_is_one_fault(plan_copy: Path) -> None:
    (plan_copy / "outcomes.csv").unlink()
    (fault,) = faults_in(plan_copy)
    assert str(fault) == "outcomes.csv: there is no such file in the plan's folder"


def test_an_empty_file_has_none_of_its_columns(plan_copy: Path) -> None:
    (plan_copy / "owed_by.csv").write_bytes(b"")
    assert [(fault.row, fault.column) for fault in faults_in(plan_copy)] == [(1, "partner_code"), (1, "indicator")]


@pytest.mark.parametrize(("mark", "called"), [(";", "semicolons"), ("\t", "tabs")])
def test_cells_that_no_commas_part(plan_copy: Path, mark: str, called: str) -> None:
    with (plan_copy / "calendar.csv").open(encoding="utf-8", newline="") as lines:
        records = list(csv.reader(lines))
    with (plan_copy / "calendar.csv").open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, delimiter=mark).writerows(records)
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.row, fault.column) == ("calendar.csv", 1, None)
    assert fault.message == (
        f'has {called} between its cells instead of commas: save it as "CSV UTF-8 (comma delimited)"'
    )


def test_a_semicolon_in_the_name_of_a_column_is_no_sign_of_semicolons(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text.replace("partner_code,partner", "partner_code,partner;name"))
    assert [(fault.column, fault.message[:10]) for fault in faults_in(plan_copy)] == [
        ("partner", "is missing"),
        ("partner;name", '"partner;n'),
    ]


def test_a_missing_and_an_unknown_column(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text.replace("partner_code,partner", "partner_code,name"))
    missing, unknown = faults_in(plan_copy)
    assert str(missing) == "partners.csv, row 1, column partner: is missing"
    assert (unknown.file, unknown.row, unknown.column) == ("partners.csv", 1, "name")
    columns = "partner_code, partner, group_code, first_period, last_period, successor, note, source, url, owner"
    assert unknown.message == f'"name" is not a column of this file: it has {columns}'


def test_a_column_that_is_written_otherwise(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text.replace("partner_code,partner", "Partner_Code,partner"))
    (fault,) = faults_in(plan_copy)
    assert str(fault) == (
        'partners.csv, row 1, column partner_code: is missing: "Partner_Code" differs from it in case or spacing'
    )


def test_a_column_that_is_there_twice_in_two_spellings(plan_copy: Path) -> None:
    edit(
        plan_copy / "owed_by.csv", lambda text: text.replace("\n", ",x\n").replace("indicator,x", "indicator,Indicator")
    )
    (fault,) = faults_in(plan_copy)
    assert str(fault) == (
        'owed_by.csv, row 1, column Indicator: "Indicator" is not a column of this file: '
        "it has partner_code, indicator, first_period, last_period"
    )


def test_columns_without_a_heading(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text.replace("\n", ",,\n"))
    assert [str(fault) for fault in faults_in(plan_copy)] == [
        f"partners.csv, row 1: cell {number} is blank: delete the columns without a heading" for number in (3, 4)
    ]


def test_a_column_that_is_there_twice(plan_copy: Path) -> None:
    edit(plan_copy / "owed_by.csv", lambda text: text.replace("indicator\n", "indicator,indicator\n", 1))
    assert (faults_in(plan_copy)[0].row, faults_in(plan_copy)[0].column) == (1, "indicator")


def test_a_row_with_a_cell_too_many(plan_copy: Path) -> None:
    edit(plan_copy / "owed_by.csv", lambda text: text.replace("lscb,NI 22", "lscb,NI 22,NI 110"))
    (fault,) = faults_in(plan_copy)
    assert str(fault) == (
        "owed_by.csv, row 14: has 3 cells, but the header has 2: a cell with a comma must be between double quotes"
    )


def test_a_row_with_a_cell_too_few(plan_copy: Path) -> None:
    edit(plan_copy / "owed_by.csv", lambda text: text.replace("lscb,NI 22", "lscb"))
    (fault,) = faults_in(plan_copy)
    assert str(fault) == "owed_by.csv, row 14: has 1 cell, but the header has 2"


def test_a_row_of_another_length_hides_no_fault_of_others(plan_copy: Path) -> None:
    write_cell(plan_copy / "figures.csv", "target,NI 19,2009-10", "value", "ten")
    write_cell(plan_copy / "figures.csv", "target,NI 43,2009-10", "value", "750%")
    write_cell(plan_copy / "figures.csv", "target,NI 45,2009-10", "indicator", "NI 9")
    write_cell(plan_copy / "calendar.csv", "2010-11Q1", "due_on", "2010-06-30")
    edit(plan_copy / "figures.csv", lambda text: text + "history,NI 19,2007-08,1,406,The return\n")
    told = {(fault.file, fault.column, fault.message.partition(":")[0]) for fault in faults_in(plan_copy)}
    assert told == {
        ("figures.csv", "value", '"ten" is not a number or one of N/A, [z], -, [x], .., [c], *, [low], TBC'),
        ("figures.csv", "value", '"750%" is above the indicator\'s maximum, 100'),
        ("figures.csv", "indicator", '"NI 9" is not in indicators.csv'),
        ("figures.csv", None, "has 6 cells, but the header has 5"),
        ("calendar.csv", "due_on", '"2010-06-30" is before the period opens, 2010-07-01'),
    }


@pytest.mark.parametrize(
    ("file", "row_begins"),
    [
        *(("indicators.csv", indicator) for indicator in ("NI 45", "NI 111", "NI 111a", "NI 111b", "NI 113b")),
        ("outcomes.csv", "BH"),
        ("aspirations.csv", "PC1"),
        ("actions.csv", "PC1-A1"),
        ("milestones.csv", "PC2-E1-M1"),
        ("partners.csv", "yos"),
        ("calendar.csv", "2010-11Q1"),
        ("banding.csv", ",10"),
    ],
)
@pytest.mark.parametrize("change", [lambda line: line + ",more", lambda line: line.rpartition(",")[0]])
def test_a_row_of_another_length_is_not_missed_by_others(
    plan_copy: Path, file: str, row_begins: str, change: Callable[[str], str]
) -> None:
    def break_row(text: str) -> str:
        lines = [change(line) if f"{line},".startswith(f"{row_begins},") else line for line in text.splitlines()]
        return "\n".join(lines) + "\n"

    edit(plan_copy / file, break_row)
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.column) == (file, None)


def test_what_counts_for_another_is_not_missed_where_its_parent_is_of_another_length(plan_copy: Path) -> None:
    write_cell(plan_copy / "indicators.csv", "NI 43", "number_indicator", "NI 111a")
    edit(plan_copy / "indicators.csv", lambda text: text.replace("\nNI 111,", "\nmore,NI 111,"))
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (7, None)


def test_a_sub_indicator_without_a_parent(plan_copy: Path) -> None:
    def drop_parent(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("NI 111,"))

    edit(plan_copy / "indicators.csv", drop_parent)
    assert [(fault.row, fault.column) for fault in faults_in(plan_copy)] == [(7, "sub"), (8, "sub")]
    assert faults_in(plan_copy)[0].message == (
        '"NI 111a" is a sub-indicator, but its parent "NI 111" has no row of its own'
    )


def test_a_sub_indicator_whose_parent_is_written_otherwise(plan_copy: Path) -> None:
    edit(plan_copy / "indicators.csv", lambda text: re.sub(r"NI 111a,(\d*),NI 111,a", r"ni 111a,\1,ni 111,a", text))
    fault = faults_in(plan_copy)[0]
    assert (fault.row, fault.column) == (8, "sub")
    assert fault.message == (
        '"ni 111a" is a sub-indicator, but its parent "ni 111" has no row of its own: '
        '"NI 111" differs from it in case or spacing only'
    )


def test_the_largest_figure(plan_copy: Path) -> None:
    write_cell(plan_copy / "figures.csv", "target,NI 19,2009-10", "value", "999,999,999,999.99")
    assert read_plan(plan_copy).figures


def test_an_outcome_may_have_its_own_name_as_its_heading(plan_copy: Path) -> None:
    write_cell(plan_copy / "outcomes.csv", "SS", "table_heading", "stay safe")
    assert read_plan(plan_copy).outcomes["SS"].table_heading == "stay safe"


def test_an_indicator_that_is_not_its_ref_and_sub(plan_copy: Path) -> None:
    row = write_cell(plan_copy / "indicators.csv", "NI 113b", "sub", "c")
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (row, "indicator")
    assert fault.message == '"NI 113b" should be "NI 113c", its ref and sub'


def test_a_number_may_count_for_a_percentage(plan_copy: Path) -> None:
    write_cell(plan_copy / "indicators.csv", "NI 43", "number_indicator", "NI 111a")
    assert read_plan(plan_copy).indicators["NI 43"].number_indicator == "NI 111a"


@pytest.mark.parametrize("indicator", ["NI 19", "NI 111"])
def test_a_range_needs_its_band(plan_copy: Path, indicator: str) -> None:
    row = write_cell(plan_copy / "indicators.csv", indicator, "polarity", "RANGE")
    assert [(fault.row, fault.column) for fault in faults_in(plan_copy)] == [(row, "range_low"), (row, "range_high")]


def test_a_range_with_its_band_on_the_parent_is_inherited(plan_copy: Path) -> None:
    for column, text in (("polarity", "RANGE"), ("range_low", "1,000"), ("range_high", "1500.5")):
        write_cell(plan_copy / "indicators.csv", "NI 111", column, text)
    leaf = read_plan(plan_copy).indicators["NI 111b"]
    assert (leaf.polarity, str(leaf.range_low), str(leaf.range_high)) == (Polarity.RANGE, "1000", "1500.5")


@pytest.mark.parametrize("text", ["1,00000", "1,000,000,000", "10,00", ",100", "1.0"])
def test_a_whole_number_with_commas_elsewhere_than_between_thousands(plan_copy: Path, text: str) -> None:
    row = write_cell(plan_copy / "indicators.csv", "NI 111b", "multiplier", text)
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (row, "multiplier")
    assert fault.message == f'"{text}" is not a whole number of zero or more'


def test_every_number_may_have_commas_between_thousands(plan_copy: Path) -> None:
    write_cell(plan_copy / "indicators.csv", "NI 111b", "multiplier", "100,000")
    edit(plan_copy / "banding.csv", lambda text: text + 'NI 19,"1,000.5","1,000","2,000","3,000","4,000"\n')
    indicators = read_plan(plan_copy).indicators
    assert indicators["NI 111b"].multiplier == 100_000
    assert indicators["NI 19"].banding == Banding(Decimal("1000.5"), 1000, Decimal(2000), Decimal(3000), Decimal(4000))


def test_a_range_upside_down(plan_copy: Path) -> None:
    for column, text in (("polarity", "RANGE"), ("range_low", "2"), ("range_high", "1")):
        write_cell(plan_copy / "indicators.csv", "NI 19", column, text)
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (2, "range_high")


def test_bounds_upside_down(plan_copy: Path) -> None:
    row = write_cell(plan_copy / "indicators.csv", "NI 43", "maximum", "-1")
    assert str(faults_in(plan_copy)[0]) == f'indicators.csv, row {row}, column maximum: "-1" is below the minimum, 0'


@pytest.mark.parametrize(
    ("file", "copied", "row", "column"),
    [
        ("outcomes.csv", "BH,", 8, "outcome_code"),
        ("milestones.csv", "PC1-E1-M1,", 40, "milestone"),
        ("indicators.csv", "NI 22,", 17, "indicator"),
        ("figures.csv", "target,NI 114,2010-11,", 89, "period"),
        ("owed_by.csv", "nhs,NI 112", 15, "indicator"),
        ("calendar.csv", "2010-11,", 27, "period"),
        ("banding.csv", ",10,", 3, "indicator"),
    ],
)
def test_a_row_that_is_there_twice(plan_copy: Path, file: str, copied: str, row: int, column: str) -> None:
    def repeat(text: str) -> str:
        return text + next(line for line in text.splitlines(keepends=True) if line.startswith(copied))

    edit(plan_copy / file, repeat)
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.row, fault.column) == (file, row, column)
    assert "repeats an earlier row" in fault.message


@pytest.mark.parametrize(
    ("file", "first", "column", "name"),
    [
        ("outcomes.csv", "BH", "outcome_code", "bh"),
        ("aspirations.csv", "BH1", "aspiration", "bh 1"),
        ("actions.csv", "PC1-E1", "action_id", "pc1-e1"),
        ("milestones.csv", "PC1-E1-M1", "milestone", "PC1-E1-m1"),
    ],
)
def test_names_that_differ_in_case_or_spacing_alone(
    plan_copy: Path, file: str, first: str, column: str, name: str
) -> None:
    def repeat(text: str) -> str:
        line = next(line for line in text.splitlines(keepends=True) if line.startswith(f"{first},"))
        return text + name + line.removeprefix(first)

    edit(plan_copy / file, repeat)
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.column) == (file, column)
    assert fault.message.startswith(f'"{name}" differs from "{first}" in row ')


@pytest.mark.parametrize(("ref", "is_told"), [("ni 45", True), ("NI45", True), ("NI 4 5", True), ("NI 450", False)])
def test_indicators_that_differ_in_case_or_spacing_alone(plan_copy: Path, ref: str, is_told: bool) -> None:
    def repeat(text: str) -> str:
        line = next(line for line in text.splitlines(keepends=True) if line.startswith("NI 45,"))
        return text + line.replace("NI 45", ref)

    edit(plan_copy / "indicators.csv", repeat)
    if not is_told:
        assert ref in read_plan(plan_copy).indicators
        return
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (17, "indicator")
    assert fault.message == (
        f'"{ref}" differs from "NI 45" in row 4 in case or spacing only, which returns do not distinguish'
    )


def test_margins_without_a_default(plan_copy: Path) -> None:
    write_cell(plan_copy / "banding.csv", ",10", "indicator", "NI 19")
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.column) == ("banding.csv", "indicator")


def test_margins_for_an_unknown_indicator(plan_copy: Path) -> None:
    edit(plan_copy / "banding.csv", lambda text: text + "NI 9,,,,,\n")
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column, fault.message) == (3, "indicator", '"NI 9" is not in indicators.csv')


@pytest.mark.parametrize("partner_code", ["../yos", "YOS", "a b", ".yos", "con", "lpt1"])
def test_a_partner_code_is_fit_to_name_a_folder(plan_copy: Path, partner_code: str) -> None:
    edit(plan_copy / "partners.csv", lambda text: f"{text}{partner_code},Another partner\n")
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.row, fault.column) == ("partners.csv", 8, "partner_code")


@pytest.mark.parametrize("partner_code", ["conisbrough", "lpt", "9"])
def test_a_partner_code_may_begin_as_a_name_of_windows(plan_copy: Path, partner_code: str) -> None:
    edit(plan_copy / "partners.csv", lambda text: f"{text}{partner_code},Another partner\n")
    assert partner_code in read_plan(plan_copy).partners


def test_periods_from_1900_on(plan_copy: Path) -> None:
    edit(plan_copy / "figures.csv", lambda text: text + "history,NI 19,1900-01,1,a\nhistory,NI 19,2199-00Q4,1,a\n")
    assert len(read_plan(plan_copy).figures) > len(read_plan().figures)


def test_a_file_that_is_not_utf_8(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text + "cafe,Café\n")
    text = (plan_copy / "partners.csv").read_text(encoding="utf-8")
    (plan_copy / "partners.csv").write_bytes(text.encode("cp1252"))
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.row) == ("partners.csv", 8)
    assert "UTF-8" in fault.message


def test_a_quote_that_is_never_closed(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text + 'ext,"Another\n')
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.row) == ("partners.csv", 8)
    assert fault.message == "is not CSV: a double quote is opened here and never closed"


def test_text_after_a_closing_quote(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text + 'ext,"The Best" Partner\n')
    (fault,) = faults_in(plan_copy)
    assert (fault.file, fault.row) == ("partners.csv", 8)
    assert fault.message.startswith("is not CSV: text follows a closing double quote: one within a cell")


def test_other_faults_of_csv_are_told_in_the_words_of_the_library(plan_copy: Path) -> None:
    edit(plan_copy / "partners.csv", lambda text: text + f"ext,{'x' * 140_000}\n")
    (fault,) = faults_in(plan_copy)
    assert str(fault) == "partners.csv, row 8: is not CSV: field larger than field limit (131072)"


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(plan_copy: Path) -> None:
    """A row with a line break in a cell is one row, and an empty row counts."""
    edit(plan_copy / "partners.csv", lambda text: text + 'ext,"Another\npartner"\n,\n\nbad code,Bad\n')
    (fault,) = faults_in(plan_copy)
    assert (fault.row, fault.column) == (11, "partner_code")


MONEY = {"unit": "money", "currency": "£", "minimum": "", "maximum": "", "multiplier": "0"}


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        ({}, "", ""),
        ({"currency": "CHF"}, "", ""),
        ({"currency": "A$"}, "", ""),
        ({"unit_label": "per child"}, "", ""),
        ({"decimals": "2", "accumulation": "sum"}, "", ""),
        ({"currency": ""}, "currency", "blank is not allowed here: the unit is money"),
        ({"currency": "5"}, "currency", '"5" is not the symbol of a currency such as £ or CHF'),
        ({"currency": "£ "}, "", ""),
        ({"currency": "pounds"}, "currency", '"pounds" is not the symbol of a currency such as £ or CHF'),
        ({"currency": "-"}, "currency", '"-" is not the symbol of a currency such as £ or CHF'),
        ({"currency": "TBC"}, "currency", '"TBC" is not the symbol of a currency such as £ or CHF'),
        ({"unit": "rate"}, "currency", '"£" has no effect if the unit is rate'),
        (
            {"unit_label": "£ per child"},
            "unit_label",
            '"£ per child" has the currency, which stands before the figure already: leave it out',
        ),
        (
            {"number_indicator": "NI 111a"},
            "number_indicator",
            '"NI 111a" belongs to money: only a rate or a percentage has an indicator that counts for it',
        ),
        (
            {"unit": "score", "currency": "", "accumulation": "sum"},
            "accumulation",
            '"sum" is for what adds up over the year, but NI 19 is a score',
        ),
        ({"unit": "score", "currency": "", "accumulation": "ratio", "multiplier": "1"}, "", ""),
        ({"unit": "days", "currency": "", "accumulation": "sum", "decimals": "1"}, "", ""),
    ],
)
def test_money_days_and_scores(cells: dict[str, str], column: str, message: str) -> None:
    edits = PlanEdits().change("indicators", "NI 19", **MONEY | cells)
    found = [(fault.column, fault.message) for fault in faults_of(tables_of(edits.files))]
    assert found == ([(column, message)] if message else [])


def test_what_is_counted_for_a_rate_is_no_money_and_no_figure_of_it_a_percentage() -> None:
    edits = PlanEdits().change("indicators", "NI 19", **MONEY).change("indicators", "NI 43", number_indicator="NI 19")
    edits.change("figures", "NI 19", value="5%")
    assert [fault.message for fault in faults_of(tables_of(edits.files))] == [
        '"NI 19" is money: only an indicator whose unit is number counts for another',
        '"5%" has a percent sign, but NI 19 is money',
    ]


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://example.org/a?b=c#d", True),
        ("HTTP://example.org", True),
        ("", True),
        ("example.org", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://example.org/a b", False),
        ('https://example.org/"onclick=', False),
    ],
)
def test_an_address_is_one_of_the_web(url: str, is_allowed: bool) -> None:
    for table, code in (
        ("indicators", "NI 19"),
        ("partners", "yos"),
        ("milestones", "PC2-E1-M1"),
        ("aspirations", "PC1"),
    ):
        faults = faults_of(tables_of(PlanEdits().change(table, code, url=url).files))
        assert [fault.column for fault in faults] == ([] if is_allowed else ["url"])
