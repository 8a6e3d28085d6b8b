"""Groups in the report, its Excel edition and `explain`: the group's figure leads, and its partners follow, ranked."""

import io
import re
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from sqlalchemy import Engine

from cypp_etl.periods import parse_period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.selection import select_part
from cypp_etl.report.folder import report_of
from cypp_etl.report.groups.pages import MOST_ROWS, group_pages
from cypp_etl.report.groups.standings import Group, GroupStanding, Member, groups
from cypp_etl.report.html import render_pages
from cypp_etl.report.model import BoardData
from cypp_etl.report.workbook import render_workbook
from flows.cli.commands.explain import show_explanation
from tests.support.plan_edits import PlanEdits
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import open_warehouse, reading
from warehouse.queries.board.reader import read_board, read_report
from warehouse.recording.record import record
from warehouse.upgrade import upgrade

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PERIOD = parse_period("2010-11Q1")
WRITTEN = date(2012, 1, 1)
INDEX_PAGE = "board report 2010-11Q1/index.html"
GROUP_OF = {code: "coast" if code in ("p7", "p8", "p9") else "north" for code in (f"p{n}" for n in range(1, 10))}
# Percentages by partner: p2 and p3 share a rank, and p9 returns nothing.
SHARES = {"p1": 90, "p2": 80, "p3": 80, "p4": 70, "p5": 60, "p6": 50, "p7": 40, "p8": 30}


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Nine partners owe a share and a count: six in the north, and three on the coast, which is part of it."""
    edits = PlanEdits()
    edits.tables["groups"] = [
        {"group_code": code, "group": f"The {code.title()}", "parent_group": parent}
        for code, parent in (("north", ""), ("coast", "north"))
    ]
    for code, group in GROUP_OF.items():
        edits.add("partners", partner_code=code, partner=f"Partner {code}", group_code=group)
        for indicator in ("NI 45", "NI 111a"):
            edits.add("owed_by", partner_code=code, indicator=indicator)
    # It returns nothing, and its group is whole without it.
    edits.add("partners", partner_code="idle", partner="Idle", group_code="north")
    return edits.read()


@pytest.fixture(scope="module")
def engine(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Everybody's return on the first day but that of p9, and on the tenth a correction by p8, from 30% to 95%."""
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('groups') / 'warehouse.db'}")
    upgrade(engine)
    for code, share in SHARES.items():
        returned(engine, plan, code, share, 0)
    returned(engine, plan, "p8", 95, 10)
    yield engine
    engine.dispose()


def returned(engine: Engine, plan: Plan, code: str, share: int, day: int) -> None:
    rows = [
        observation("NI 45", str(share), partner_code=code, numerator=share, denominator=100),
        observation("NI 111a", "10", partner_code=code),
        # Without what it was made of.
        observation("NI 45", "50", "2009-10Q1", partner_code=code),
    ]
    record(engine, checked(f"{code} {day}", *rows, partner_code=code), plan, later(day))


def board(engine: Engine, at: datetime) -> BoardData:
    with reading(engine) as connection:
        return read_board(connection, PERIOD, at)


def ranked(found: list[Group], group_code: str, indicator: str) -> tuple[GroupStanding, list[tuple[str, str, str]]]:
    group = next(one for one in found if one.group_code == group_code)
    one = next(each for each in group.standings if each.row["indicator"] == indicator)
    return one, [(member.row["partner_code"], member.rank, member.quartile) for member in one.members]


def test_the_groups_figure_leads_and_its_partners_follow_as_of_then_and_now(engine: Engine) -> None:
    north, members = ranked(groups(board(engine, later(5))), "north", "NI 45")
    assert (north.row["actual"], north.returned, north.quartiles) == (62.5, "8 of 9", (47.5, 65.0, 80.0))
    assert members == [
        ("p1", "1", "best quarter"),
        ("p2", "2", "best quarter"),
        ("p3", "2", "best quarter"),
        ("p4", "4", "second quarter"),
        ("p5", "5", "third quarter"),
        ("p6", "6", "third quarter"),
        ("p7", "7", "last quarter"),
        ("p8", "8", "last quarter"),
        ("p9", "", ""),
    ]
    north, members = ranked(groups(board(engine, later(11))), "north", "NI 45")
    assert north.row["actual"] == 70.6
    assert members[0] == ("p8", "1", "best quarter")
    # Three figures make no quartiles.
    coast, members = ranked(groups(board(engine, later(11))), "coast", "NI 45")
    assert (coast.row["actual"], coast.quartiles) == (67.5, None)
    assert members == [("p8", "1", ""), ("p7", "2", ""), ("p9", "", "")]


def test_counts_are_added_up_and_not_ranked(engine: Engine) -> None:
    north, members = ranked(groups(board(engine, later(5))), "north", "NI 111a")
    assert (north.row["actual"], north.quartiles) == (80, None)
    assert {(rank, quartile) for _, rank, quartile in members} == {("", "")}
    assert north.remarks == (
        "Not judged: 8 of 9 partners have returned it.",
        "Not ranked: such figures depend on the size of the partner.",
    )


def test_a_part_of_a_report_has_the_groups_in_it_and_ranks_among_all(engine: Engine, plan: Plan) -> None:
    whole = board(engine, later(5))
    coast = groups(whole.selected(select_part(plan, group="coast")))
    assert [group.group_code for group in coast] == ["coast"]
    alone = groups(whole.selected(select_part(plan, partner="p7")))
    assert [group.group_code for group in alone] == ["north", "coast"]
    assert ranked(alone, "north", "NI 45")[1] == [("p7", "7", "last quarter")]
    outside = groups(whole.selected(select_part(plan, partner="yos")))
    assert outside == []
    outcome = groups(whole.selected(select_part(plan, outcome="PC")))
    assert [group.group_code for group in outcome] == ["north", "coast"]
    elsewhere = groups(whole.selected(select_part(plan, outcome="BH")))
    assert elsewhere == []


def test_a_page_has_the_groups_figure_and_then_the_ranked_partners(engine: Engine, plan: Plan) -> None:
    data = board(engine, later(5)).selected(select_part(plan, group="coast"))
    ((_, content),) = render_pages(report_of(data), WRITTEN)
    page = content.decode()
    part = page.partition('<h2 id="groups"')[2].partition("</section>")[0]
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr.*?</tr>", part, re.DOTALL)]
    shares = next(place for place, row in enumerate(rows) if row[:2] == ["NI", "45:"])
    assert rows[shares + 1][:6] == ["The", "Coast", "2", "of", "3", "returned"]
    assert rows[shares + 1][6] == "35.0%"
    assert rows[shares + 2][:5] == ["Partner", "p7", "1", "40.0%", "40.0%"]
    assert rows[shares + 3][:4] == ["Partner", "p8", "2", "30.0%"]
    assert rows[shares + 4][:4] == ["Partner", "p9", "not", "returned"]
    assert '<a href="#groups">Groups</a>' in page


def test_a_folder_has_pages_for_its_groups_that_the_index_leads_to(engine: Engine) -> None:
    files = dict(render_pages(report_of(board(engine, later(5))), WRITTEN))
    index = files[INDEX_PAGE].decode()
    of_groups = [name for name in files if re.search(r"the-(north|coast)\.html", name)]
    assert len(of_groups) == 2
    for name in of_groups:
        assert f'href="{name.partition("/")[2].replace(" ", "%20")}"' in index
    north = files[of_groups[0]].decode()
    assert re.search(r"The North.*8 of 9 returned.*62\.5%.*Partner p1.*90\.0%.*Partner p8.*30\.0%", north, re.DOTALL)


@pytest.mark.parametrize("asked", [{"partner": "p7"}, {"group": "coast"}, {"partner": "yos"}, {"outcome": "BH"}, {}])
def test_what_is_read_for_a_part_ranks_as_the_whole_does(engine: Engine, plan: Plan, asked: dict[str, str]) -> None:
    part = select_part(plan, **asked)
    with reading(engine) as connection:
        read = groups(read_board(connection, PERIOD, later(5), part=part))
    of_whole = groups(board(engine, later(5)).selected(part))
    assert [group.group_code for group in read] == [group.group_code for group in of_whole]
    for group in read:
        for one in group.standings:
            assert (
                ranked(read, group.group_code, one.row["indicator"])[1]
                == (ranked(of_whole, group.group_code, one.row["indicator"])[1])
            )


def test_a_report_read_partner_by_partner_ranks_outcome_by_outcome(engine: Engine, plan: Plan) -> None:
    with reading(engine) as connection:
        files = dict(render_pages(read_report(connection, PERIOD, later(5)), WRITTEN))
    # One partner owes a yearly figure alone, and has none yet: there is nothing in the table to make a page of.
    assert all(name.endswith(".html") for name in files)
    of_groups = {name: content.decode() for name, content in files.items() if "the-north" in name}
    titles = {plan.outcomes[plan.indicators[code].outcome_code].outcome for code in ("NI 45", "NI 111a")}
    assert len(of_groups) == len(titles)
    assert all(any(f": The North, {title}</h1>" in page for page in of_groups.values()) for title in titles)
    (shares,) = (page for page in of_groups.values() if "NI 45" in page)
    assert re.search(r"The North.*8 of 9 returned.*62\.5%.*Partner p1.*90\.0%.*Partner p8.*30\.0%", shares, re.DOTALL)
    assert all(name.partition("/")[2].replace(" ", "%20") in files[INDEX_PAGE].decode() for name in of_groups)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_axe_finds_nothing_on_a_groups_page_and_nothing_hangs_over(engine: Engine, tmp_path: Path) -> None:
    files = dict(render_pages(report_of(board(engine, later(5))), WRITTEN))
    path = tmp_path / "north.html"
    path.write_bytes(next(content for name, content in files.items() if name.endswith("the-north.html")))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (1280, 390):
            page = browser.new_page(viewport={"width": width, "height": 900}, bypass_csp=True)
            page.goto(path.as_uri())
            assert Axe().run(page).response["violations"] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


def test_the_excel_edition_has_a_sheet_of_groups(engine: Engine) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(render_workbook(board(engine, later(5)), WRITTEN)))
    _, *found = workbook["Groups"].iter_rows(min_row=4, values_only=True)
    north = [row for row in found if row[:2] == ("The North", "NI 45")]
    assert north[0][4:8] == ("The whole group", "[z]", 0.625, 0.625)
    assert north[0][12:17] == (0.475, 0.65, 0.8, "8 of 9", "Lower quartile 47.5%, median 65.0%, upper quartile 80.0%.")
    assert [(row[4], row[5], row[11]) for row in north[1:3]] == [
        ("Partner p1", 1, "best quarter"),
        ("Partner p2", 2, "best quarter"),
    ]
    assert north[9][4:8] == ("Partner p9", "[z]", "not returned", "[x]")


def test_a_plan_without_groups_has_no_such_part(
    engine: Engine, plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('none') / 'warehouse.db'}")
    upgrade(other)
    record(other, checked("a", observation("NI 111a", "1")), PlanEdits().read(), later(0))
    data = board(other, later(1))
    other.dispose()
    assert groups(data) == []
    assert all(b'id="groups"' not in content for _, content in render_pages(report_of(data), WRITTEN))
    assert "Groups" not in openpyxl.load_workbook(io.BytesIO(render_workbook(data, WRITTEN))).sheetnames


@pytest.mark.parametrize(("members", "pages"), [(MOST_ROWS // 2 - 2, [2, 1]), (MOST_ROWS // 2 - 1, [1, 1, 1])])
def test_a_large_group_goes_on_with_another_page(members: int, pages: list[int]) -> None:
    some = [Member({}, "", None)] * members
    group = Group("all", "All", [GroupStanding({}, some, None)] * 3)
    found = group_pages([group], first=7)
    assert [len(page.group.standings) for page in found] == pages
    assert found[0].file == "007 all-1.html"


def test_an_explanation_begins_with_the_group_and_its_ranked_partners(
    engine: Engine, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    with reading(engine) as connection:
        assert show_explanation(connection, plan, "NI 45", PERIOD, select_part(plan, partner="p8")) == 0
        of_partner = capsys.readouterr().out
        assert show_explanation(connection, plan, "NI 45", PERIOD) == 0
        said = capsys.readouterr().out
        assert show_explanation(connection, plan, "NI 111a", PERIOD, select_part(plan, group="coast")) == 0
        counts = capsys.readouterr().out
    with reading(engine) as connection:
        assert show_explanation(connection, plan, "NI 45", parse_period("2009-10Q1")) == 0
    note = "8 of 8 figures have no numerator and denominator to add up"
    assert f"Figure: no figure, of 8 of 9 partners\n  It is their numerators over denominators.\n  Note: {note}.\n" in (
        capsys.readouterr().out
    )
    assert said.startswith("NI 45 of The North, 2010/11 Q1: ")
    assert "Figure: 70.6%, of 8 of 9 partners\n  It is their numerators over denominators.\n" in said
    assert "Lower quartile 57.5%, median 75.0%, upper quartile 82.5%\n" in said
    assert (
        "Its partners, by the year to date, the best first:\n"
        "  1. Partner p8: 95.0% (best quarter, 95 / 100 in the period)\n"
        "  2. Partner p1: 90.0% (best quarter, 90 / 100 in the period)\n"
    ) in said
    assert "  -  Partner p9: nothing returned\n" in said
    assert said.index("NI 45 of The Coast") < said.index("NI 45 of Partner p1,")
    # One partner's has its place among all.
    assert of_partner.index("  1. Partner p8: 95.0%") < of_partner.index("NI 45 of The Coast")
    assert "Partner p1" not in of_partner
    assert "not ranked, since such figures depend on the size of a body:\n  -  Partner p7: 10\n" in counts
    assert "The North" not in counts
