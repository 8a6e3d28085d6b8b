"""`cypp plan`: faults are found, changes are shown first, and what the Board has seen changes on purpose only."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.plan_source import read_plan_at
from cypp_etl.plan_workbook.writer import write_plan_workbook
from flows.cli.app import app
from flows.ingestion.context import open_existing
from flows.settings import read_settings
from tests.support.forms import QUARTERS_COLUMNS, QUARTERS_FORM, QUARTERS_SHEETS
from tests.support.layouts import COLUMNS, SHEETS, table_of, workbook_of
from tests.support.plan_edits import PlanEdits
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.recording.publications import Publication, record_publication
from warehouse.recording.record import record
from warehouse.views.selectable import view

SHIPPED = Path(__file__).parents[4] / "cypp_etl" / "plan" / "data"
ADOPT = ("--by", "A. Officer", "--why", "Agreed in July")


def _type(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, result.output


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the built-in plan with a text of one file replaced."""

    def change(file: str, before: str, after: str) -> Path:
        folder = tmp_path / f"plan {len(list(tmp_path.glob('plan *')))}"
        shutil.copytree(SHIPPED, folder)
        text = (folder / file).read_text("utf-8")
        assert before in text
        (folder / file).write_text(text.replace(before, after, 1), "utf-8")
        return folder

    return change


@pytest.fixture
def harder(changed: Callable[..., Path]) -> Path:
    """A plan whose target for NI 111a, which is better low, is not met by the return's figure."""
    return changed("figures.csv", "target,NI 111a,2010-11,514", "target,NI 111a,2010-11,200")


def _decisions() -> list[tuple[object, ...]]:
    engine = open_warehouse(read_settings().warehouse_url)
    with reading(engine) as connection:
        rows = connection.execute(select(view("bi_decisions"))).mappings().all()
    engine.dispose()
    return [(row["kind"], row["decided_by"], row["why"]) for row in rows]


def test_all_faults_of_a_plan_are_listed(home: Path, changed: Callable[..., Path]) -> None:
    faulty = changed("indicators.csv", ",HIGH,", ",HIHG,")
    (faulty / "calendar.csv").unlink()
    code, said = _type("plan", "check", faulty)
    assert code == 1
    assert 'indicators.csv, row 4, column polarity: "HIHG" is not one of' in said
    assert "calendar.csv: there is no such file" in said
    assert said.endswith("2 to correct.\n")
    assert _type("plan", "check", SHIPPED) == (0, "No faults: 6 partners, 13 indicators, 25 periods.\n")


def test_another_plan_is_compared_without_being_adopted(home: Path, harder: Path) -> None:
    code, said = _type("plan", "compare", harder)
    assert code == 0
    assert "NI 111a (police), 2010/11 Q1, on target: yes -> no" in said
    assert said.endswith("2 symbols of 1 period change.\n")
    assert _type("plan", "compare", harder, "2010-11Q2") == (0, "No symbol changes.\n")
    assert _type("plan", "compare", SHIPPED) == (0, "No symbol changes.\n")
    assert len(_decisions()) == 1


def test_what_is_owed_is_compared_too(home: Path, changed: Callable[..., Path]) -> None:
    moved = changed("owed_by.csv", "police,NI 111b", "yos,NI 111b")
    said = _type("plan", "compare", moved)[1]
    assert said == "yos owes NI 111b\npolice no longer owes NI 111b\nNo symbol changes.\n"


def test_adopting_shows_what_changes_and_is_on_record(home: Path, harder: Path) -> None:
    code, said = _type("plan", "adopt", harder, *ADOPT)
    assert code == 0
    assert "on target: yes -> no" in said
    assert f"The plan in force is now {harder}." in said
    assert _decisions()[1:] == [("adopt-plan", "A. Officer", "Agreed in July")]
    assert _type("plan", "adopt", harder, *ADOPT) == (0, "The plan is in force already.\n")
    assert len(_decisions()) == 2
    lines = _type("plan", "history")[1].splitlines()
    assert ["in force" in line for line in lines] == [True, False]
    assert "(A. Officer: Agreed in July)" in lines[0]
    assert "(cypp: The first plan of a new warehouse)" in lines[1]


def test_layouts_are_adopted_exported_and_read_from_the_plan_in_force(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    shutil.copytree(SHIPPED, folder)
    (folder / "layouts").mkdir()
    (folder / SHEETS).write_bytes(table_of(SHEETS, QUARTERS_SHEETS))
    (folder / COLUMNS).write_bytes(table_of(COLUMNS, [*QUARTERS_COLUMNS, {**QUARTERS_COLUMNS[2], "column": "value"}]))
    code, said = _type("plan", "check", folder)
    assert code == 1
    assert 'layouts/columns.csv, row 10, column column: "value" is not one of' in said
    (folder / COLUMNS).write_bytes(table_of(COLUMNS, QUARTERS_COLUMNS))
    assert _type("plan", "compare", folder) == (0, "The layout quarters is added.\nNo symbol changes.\n")
    assert _type("plan", "adopt", folder, *ADOPT)[0] == 0
    assert _type("plan", "export", home / "exported")[0] == 0
    exported = read_plan(home / "exported")
    assert exported.fingerprint == read_plan(folder).fingerprint

    # The folder is not needed any more, by the process that checks neither.
    shutil.rmtree(folder)
    workplace = open_existing(read_settings())
    file = tmp_path / "quarter.xlsx"
    file.write_bytes(workbook_of({"Sheet1": QUARTERS_FORM}))
    at = datetime(2010, 10, 15, tzinfo=UTC)
    recorded = workplace.load(workplace.check(str(file), workplace.keep(file), "yos", at), at)
    assert recorded.status == "accepted"
    with reading(workplace.engine) as connection:
        rows = connection.execute(select(view("bi_performance"))).mappings().all()
    workplace.engine.dispose()
    loaded = {row["indicator"]: (row["actual"], row["source_cell"]) for row in rows if row["period"] == "2010-11Q2"}
    assert {code: loaded[code] for code in ("NI 43", "NI 45")} == {"NI 43": (6.1, "E5"), "NI 45": (71.9, "E6")}


def test_a_symbol_that_turned_names_the_decision(home: Path, harder: Path) -> None:
    _type("plan", "adopt", harder, *ADOPT)
    engine = open_warehouse(read_settings().warehouse_url)
    with reading(engine) as connection:
        changes = connection.execute(select(view("bi_symbol_changes"))).mappings().all()
        (adopted,) = connection.scalars(
            select(view("bi_decisions").c.decision_id).where(view("bi_decisions").c.decided_by == "A. Officer")
        )
    # A correction afterwards turns a symbol by itself.
    record(engine, checked("b", observation("NI 111a", "40")), read_plan(harder), later(1), datetime.now(UTC))
    with reading(engine) as connection:
        later_on = connection.execute(select(view("bi_symbol_changes"))).mappings().all()
    engine.dispose()
    assert [row["decision_id"] for row in changes] == [adopted] * 2
    corrected = [row for row in later_on if row["submission_id"] is not None]
    assert corrected
    assert {row["decision_id"] for row in corrected} == {None}


@pytest.mark.parametrize("how", ["closed", "published"])
def test_what_the_board_has_seen_changes_on_purpose_only(home: Path, harder: Path, how: str) -> None:
    if how == "closed":
        assert _type("close", "2010-11Q1", "--by", "A")[0] == 0
    else:
        engine = open_warehouse(read_settings().warehouse_url)
        with writing(engine) as connection:
            published = Publication(parse_period("2010-11Q1"), later(0), "x" * 64, later(0))
            record_publication(connection, published)
        engine.dispose()
    before = _decisions()
    code, said = _type("plan", "adopt", harder, *ADOPT)
    assert code == 2
    assert "on target: yes -> no" in said
    assert "the plan was not adopted: closed or published periods would change (2010/11 Q1)" in said
    assert _decisions() == before
    assert _type("plan", "adopt", harder, *ADOPT, "--yes")[0] == 0
    assert len(_decisions()) == len(before) + 1


def test_a_groups_symbol_of_a_closed_period_changes_on_purpose_only(
    home: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    grouped = changed("partners.csv", "partner_code,partner\n", "partner_code,partner,group_code\n")
    rows = (grouped / "partners.csv").read_text("utf-8").splitlines()
    (grouped / "partners.csv").write_text("\n".join([rows[0], *(f"{row},south" for row in rows[1:])]), "utf-8")
    (grouped / "groups.csv").write_text("group_code,group,parent_group\nsouth,The South,\n", "utf-8")
    assert _type("plan", "adopt", grouped, *ADOPT)[0] == 0
    assert _type("close", "2010-11Q1", "--by", "A")[0] == 0
    stricter = tmp_path / "stricter"
    shutil.copytree(grouped, stricter)
    header, *lines = (stricter / "figures.csv").read_text("utf-8").splitlines()
    assert header == "measure,indicator,period,value,source"
    lines = [f"{header},partner_code", *(f"{line}," for line in lines), "target,NI 111a,2010-11,200,made up,south"]
    (stricter / "figures.csv").write_text("\n".join(lines), "utf-8")
    before = _decisions()
    code, said = _type("plan", "adopt", stricter, *ADOPT)
    assert (code, "NI 111a (group south), 2010/11 Q1, on target: yes -> no" in said) == (2, True)
    assert "closed or published periods would change (2010/11 Q1)" in said
    assert _decisions() == before
    code, said = _type("plan", "compare", stricter, "--json")
    assert json.loads(said.splitlines()[0]) == {
        "partner_code": "", "indicator": "NI 111a", "period": "2010-11Q1", "column": "on_target", "was": "yes",
        "now": "no", "group_code": "south", "comparator": "",
    }  # fmt: skip
    assert _type("plan", "adopt", stricter, *ADOPT, "--yes")[0] == 0


@pytest.mark.parametrize("missing", ["--by", "--why"])
def test_a_decision_says_who_and_why(home: Path, harder: Path, missing: str) -> None:
    given = [part for option, text in zip(ADOPT[::2], ADOPT[1::2], strict=True) for part in (option, text)]
    given[given.index(missing) + 1] = " "
    code, said = _type("plan", "adopt", harder, *given)
    assert (code, f"with {missing} " in said) == (2, True)
    assert len(_decisions()) == 1


def test_a_faulty_plan_is_not_adopted(home: Path, changed: Callable[..., Path]) -> None:
    code, said = _type("plan", "adopt", changed("indicators.csv", ",HIGH,", ",HIHG,"), *ADOPT)
    assert (code, "indicators.csv, row 4, column polarity" in said) == (2, True)
    assert len(_decisions()) == 1


def test_what_is_exported_is_the_plan_in_force(home: Path, harder: Path) -> None:
    _type("plan", "adopt", harder, *ADOPT)
    assert _type("plan", "export", home / "exported")[0] == 0
    assert read_plan(home / "exported").fingerprint == read_plan(harder).fingerprint
    code, said = _type("plan", "export", home / "exported")
    assert (code, "is not empty" in said) == (2, True)


def test_a_plan_without_what_has_been_returned_is_not_adopted(home: Path, changed: Callable[..., Path]) -> None:
    fewer = changed("indicators.csv", "NI 111a,", "NI 111c,")
    for file in ("indicators.csv", "owed_by.csv", "figures.csv"):
        text = (fewer / file).read_text("utf-8")
        (fewer / file).write_text(text.replace("NI 111a", "NI 111c").replace("NI 111,a,", "NI 111,c,"), "utf-8")
    gone = "NI 111a has returns in force for 2009/10 Q1 to 2010/11 Q1, but no row in indicators.csv"
    assert f"Cannot be adopted: {gone}\n" in _type("plan", "compare", fewer)[1]
    for more in ((), ("--yes",)):
        code, said = _type("plan", "adopt", fewer, *ADOPT, *more)
        assert (code, f"{gone}: keep the row, with a last_period" in said) == (2, True)
    assert len(_decisions()) == 1


@pytest.fixture
def harder_workbook(home: Path, harder: Path) -> Path:
    """The plan `harder` as a workbook."""
    file = home / "harder.xlsx"
    file.write_bytes(write_plan_workbook(read_plan(harder)))
    return file


def test_the_plan_in_force_is_exported_as_a_workbook(home: Path) -> None:
    file = home / "plan.xlsx"
    assert _type("plan", "export", "--xlsx", file) == (0, f"{file}\n")
    assert read_plan_at(file).fingerprint == read_plan().fingerprint
    assert _type("plan", "export", "--xlsx", file) == (2, f"cypp: {file} is there already: name a new workbook\n")
    assert _type("plan", "export", "--xlsx", home / "plan.csv")[0] == 2
    neither = "cypp: name a folder for the CSV files, or a workbook with --xlsx plan.xlsx\n"
    assert _type("plan", "export") == _type("plan", "export", home / "x", "--xlsx", home / "y.xlsx") == (2, neither)


def test_a_workbook_is_compared_and_adopted_and_kept_as_csv(home: Path, harder: Path, harder_workbook: Path) -> None:
    assert _type("plan", "compare", harder_workbook) == _type("plan", "compare", harder)
    code, said = _type("plan", "adopt", harder_workbook, *ADOPT)
    assert code == 0
    assert f"The plan in force is now {harder_workbook}." in said
    assert _type("plan", "adopt", harder, *ADOPT) == (0, "The plan is in force already.\n")
    _type("plan", "export", home / "exported")
    assert (home / "exported" / "figures.csv").read_bytes() == (harder / "figures.csv").read_bytes()


def test_the_environment_may_name_a_workbook(
    home: Path, harder: Path, harder_workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYPP_PLAN", str(harder_workbook))
    assert "another plan is in force" in _type("plan", "history")[1]
    _type("plan", "adopt", harder, *ADOPT)
    assert "another plan is in force" not in _type("plan", "history")[1]


def test_a_new_warehouse_may_begin_with_a_workbook(
    home: Path, harder: Path, harder_workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYPP_HOME", str(home / "new"))
    monkeypatch.setenv("CYPP_PLAN", str(harder_workbook))
    assert _type("upgrade")[0] == 0
    monkeypatch.setenv("CYPP_PLAN", str(harder))
    assert _type("plan", "export", home / "begun")[0] == 0
    assert read_plan(home / "begun").fingerprint == read_plan(harder).fingerprint
    assert "another plan is in force" not in _type("plan", "history")[1]


def test_a_workbook_is_checked_and_handed_back(home: Path, harder_workbook: Path) -> None:
    counted = "No faults: 6 partners, 13 indicators, 25 periods.\n"
    assert _type("plan", "check", harder_workbook) == (0, counted)
    book = openpyxl.load_workbook(harder_workbook)
    book["milestones"]["F3"].value = False
    book.save(harder_workbook)
    note = 'sheet milestones, cell F3: "FALSE" is read as no\n'
    assert _type("plan", "check", harder_workbook) == (0, note + counted)
    book["milestones"]["E3"].value = "soon"
    book.save(harder_workbook)
    code, said = _type("plan", "check", harder_workbook, "--reply", home / "marked")
    fault = 'sheet milestones, cell E3: "soon" is not a date such as 2011-03-31\n'
    assert (code, said) == (1, f"{home / 'marked' / 'harder - rejected.xlsx'}\n{note}{fault}1 to correct.\n")
    marked = openpyxl.load_workbook(home / "marked" / "harder - rejected.xlsx")
    assert marked["milestones"]["E3"].comment.text.startswith('ERROR: "soon" is not a date')
    assert "1 to correct" not in _type("plan", "adopt", harder_workbook, *ADOPT)[1]
    assert len(_decisions()) == 1


def test_what_is_no_plan_is_said(home: Path, harder: Path) -> None:
    code, said = _type("plan", "check", harder, "--reply", home / "marked")
    assert (code, said) == (2, f"cypp: {harder} is a folder of CSV files: --reply marks the faults of a workbook\n")
    code, said = _type("plan", "check", harder / "figures.csv")
    assert code == 1
    assert "is one file of a plan: name its folder, or a workbook" in said
    assert _type("plan", "check", home / "nowhere.xlsx")[0] == 2


def test_a_corrected_polarity_turns_past_years_and_a_new_edition_turns_none(home: Path) -> None:
    corrected, renewed = PlanEdits.of_the_built_in_plan(), PlanEdits.of_the_built_in_plan()
    corrected.change("indicators", "NI 111", polarity="HIGH")
    # A sub-indicator has the polarity of its parent's edition.
    for code in ("NI 111a", "NI 111b"):
        renewed.renew(code, "2011-12Q1", "2010-11Q4")
    parent = next(row for row in renewed.tables["indicators"] if row["indicator"] == "NI 111")
    parent["last_period"] = "2010-11Q4"
    renewed.tables["indicators"].append({**parent, "polarity": "HIGH", "first_period": "2011-12Q1", "last_period": ""})
    for name, edits in (("corrected", corrected), ("renewed", renewed)):
        (home / name).mkdir()
        for file, content in edits.files.items():
            (home / name / file).write_bytes(content)
    said = _type("plan", "compare", home / "corrected")[1]
    assert (
        "NI 111a is changed for all periods: polarity LOW -> HIGH; for a change from some period on, end its row and "
        "add another\n" in said
    )
    assert "NI 111a (police), 2010/11 Q1, direction of travel: declining -> improving\n" in said
    assert "symbols of 1 period change." in said or "symbols of 2 periods change." in said
    said = _type("plan", "compare", home / "renewed")[1]
    assert (
        "NI 111a has a new edition from 2011/12 Q1 on: polarity LOW -> HIGH; figures before and after do not compare\n"
        in said
    )
    assert said.endswith("\nNo symbol changes.\n")


def test_what_begins_and_ends_is_compared(home: Path) -> None:
    edits = PlanEdits.of_the_built_in_plan()
    edits.change("indicators", "NI 19", last_period="2010-11Q4")
    edits.add(
        "indicators", "NI 45", indicator="NI 145", indicator_ref="NI 145", definition="New", first_period="2011-12"
    )
    edits.add("banding", "", indicator="NI 45", comparator_margin="3", first_period="2011-12Q1")
    (home / "next").mkdir()
    for file, content in edits.files.items():
        (home / "next" / file).write_bytes(content)
    lines = _type("plan", "compare", home / "next")[1].splitlines()
    assert lines == [
        "NI 19 ends with 2010/11 Q4",
        "NI 45 has other margins from 2011/12 Q1 on: comparator margin 5 -> 3",
        "NI 145 is new, from 2011/12 on",
        "No symbol changes.",
    ]


def test_what_moves_to_another_partner_is_compared(home: Path) -> None:
    edits = PlanEdits.of_the_built_in_plan()
    edits.change("owed_by", "NI 110", last_period="2010-11Q4")
    edits.add("owed_by", partner_code="cyps", indicator="NI 110", first_period="2011-12Q1")
    edits.change("partners", "vcs", last_period="2011-12", successor="cyps")
    (home / "moved").mkdir()
    for file, content in edits.files.items():
        (home / "moved" / file).write_bytes(content)
    assert _type("plan", "compare", home / "moved")[1].splitlines() == [
        "vcs returns until 2011/12, and cyps takes over",
        "cyps owes NI 110 from 2011/12 Q1 on",
        "vcs owes NI 110 until 2010/11 Q4",
        "No symbol changes.",
    ]


def test_an_explanation_says_why_figures_do_not_compare(home: Path) -> None:
    edits = PlanEdits.of_the_built_in_plan()
    edits.change("indicators", "NI 19", last_period="2010-11Q4").renew(
        "NI 45", "2011-12Q1", "2010-11Q4", polarity="LOW"
    ).renew("NI 111a", "2011-12Q2", "2011-12Q1", polarity="HIGH")
    (home / "later").mkdir()
    for file, content in edits.files.items():
        (home / "later" / file).write_bytes(content)
    assert _type("plan", "adopt", home / "later", *ADOPT)[0] == 0
    engine = open_warehouse(read_settings().warehouse_url)
    figures = [observation("NI 45", "60", period, partner_code="yos") for period in ("2010-11Q1", "2011-12Q1")]
    figures += [observation("NI 111a", "60", period, partner_code="yos") for period in ("2011-12Q1", "2011-12Q2")]
    whose = {"partner_code": "yos", "period": parse_period("2011-12Q1")}
    record(engine, checked("c", *figures, **whose), read_plan(home / "later"), later(400))
    engine.dispose()
    said = _type("explain", "NI 45", "2011-12Q1")[1]
    assert "Good performance is LOW." in said
    assert "Direction of travel: N/A not applicable" in said
    assert "  They do not compare: 2010/11 Q1 is of edition 1, this is of edition 2.\n" in said
    assert "Good performance is HIGH." in _type("explain", "NI 45", "2010-11Q1")[1]
    apart = "  They are not added up: 2011-12Q1 cannot be compared with 2011-12Q2.\n"
    assert apart in _type("explain", "NI 111a", "2011-12Q2")[1]
    assert "They are not added up" not in _type("explain", "NI 111a", "2011-12Q1")[1]
    code, said = _type("explain", "NI 19", "2011-12Q1")
    assert (code, said.splitlines()[-1]) == (
        1,
        "Nothing has been returned for NI 19 in 2011/12 Q1. It is not collected for then, but until 2010/11 Q4.",
    )
